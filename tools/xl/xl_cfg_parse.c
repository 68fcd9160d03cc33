/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_cfg_parse.c - xl.cfg's statements and values. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xl_cfg_lex.h"

struct parser {
    struct xl_cfg *cfg;
    struct xl_cfg_lexer lx;
    unsigned depth;
};

void xl_cfg_error_set(struct xl_cfg_error *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
}

static bool parse_error(struct parser *p, const char *wanted)
{
    xl_cfg_error_set(p->lx.err, "%s:%u: %s, but here is %.80s", p->lx.source,
                     p->lx.token_line, wanted, xl_cfg_token_name(&p->lx));
    return false;
}

static bool limit_error(struct parser *p, const char *what)
{
    xl_cfg_error_set(p->lx.err, "%s:%u: %s", p->lx.source, p->lx.token_line,
                     what);
    return false;
}

/* ---- values ---- */

void xl_cfg_value_free(struct xl_cfg_value *v)
{
    for (size_t i = 0; i < v->items; i++)
        xl_cfg_value_free(&v->item[i]);
    free(v->item);
    free(v->text);
    memset(v, 0, sizeof(*v));
}

static char *take_text(struct parser *p)
{
    char *text = p->lx.text;

    p->lx.text = NULL;
    return text;
}

static struct xl_cfg_value *add_item(struct xl_cfg_value *list)
{
    struct xl_cfg_value *bigger;

    bigger = realloc(list->item, (list->items + 1) * sizeof(*bigger));
    if (!bigger)
        return NULL;
    list->item = bigger;
    memset(&bigger[list->items], 0, sizeof(*bigger));
    return &bigger[list->items++];
}

static bool lex_over_newlines(struct parser *p)
{
    do {
        if (!xl_cfg_lex(&p->lx))
            return false;
    } while (p->lx.token == TOKEN_NEWLINE && p->lx.at[-1] == '\n');
    return true;
}

static bool parse_value(struct parser *p, struct xl_cfg_value *v);

/* The current token is '['; leaves ']' current. */
static bool parse_list(struct parser *p, struct xl_cfg_value *list)
{
    list->kind = XL_CFG_LIST;
    if (++p->depth > XL_CFG_DEPTH_MAX)
        return limit_error(p, "lists are nested too deeply");
    if (!lex_over_newlines(p))
        return false;
    while (p->lx.token != TOKEN_CLOSE) {
        struct xl_cfg_value *item = add_item(list);

        if (!item)
            return limit_error(p, "no memory");
        if (!parse_value(p, item) || !lex_over_newlines(p))
            return false;
        if (p->lx.token == TOKEN_CLOSE)
            break;
        if (p->lx.token != TOKEN_COMMA)
            return parse_error(p, "a list wants ',' or ']'");
        if (!lex_over_newlines(p))
            return false;
    }
    p->depth--;
    return true;
}

/* The current token begins the value, and ends it afterwards. */
static bool parse_value(struct parser *p, struct xl_cfg_value *v)
{
    if (++p->cfg->values > XL_CFG_VALUES_MAX)
        return limit_error(p, "too many values");
    switch (p->lx.token) {
    case TOKEN_OPEN:
        return parse_list(p, v);
    case TOKEN_NUMBER:
        v->kind = XL_CFG_NUMBER;
        v->text = take_text(p);
        return true;
    case TOKEN_STRING:
        v->kind = XL_CFG_STRING;
        v->text = take_text(p);
        return true;
    case TOKEN_IDENT:
        return parse_error(p, "a value wants quotes around a text");
    default:
        return parse_error(p, "a value (\"text\", number or [list]) is wanted");
    }
}

/* ---- settings ---- */

static struct xl_cfg_setting *find(const struct xl_cfg *cfg, const char *key)
{
    for (size_t i = 0; i < cfg->settings; i++) {
        if (!strcmp(cfg->setting[i].key, key))
            return &cfg->setting[i];
    }
    return NULL;
}

const struct xl_cfg_setting *xl_cfg_find(const struct xl_cfg *cfg,
                                         const char *key)
{
    return find(cfg, key);
}

static struct xl_cfg_setting *add_setting(struct xl_cfg *cfg, const char *key)
{
    struct xl_cfg_setting *bigger, *s;

    bigger = realloc(cfg->setting, (cfg->settings + 1) * sizeof(*bigger));
    if (!bigger)
        return NULL;
    cfg->setting = bigger;
    s = &bigger[cfg->settings];
    memset(s, 0, sizeof(*s));
    s->key = strdup(key);
    if (!s->key)
        return NULL;
    cfg->settings++;
    return s;
}

static bool place(struct parser *p, struct xl_cfg_setting *s, unsigned line)
{
    char *source = strdup(p->lx.source);

    if (!source)
        return limit_error(p, "no memory");
    s->earlier_line = s->source && !strcmp(s->source, source) ? s->line : 0;
    free(s->source);
    s->source = source;
    s->line = line;
    return true;
}

/* Moves more's items behind the list's. */
static bool extend_list(struct parser *p, struct xl_cfg_value *list,
                        struct xl_cfg_value *more)
{
    for (size_t i = 0; i < more->items; i++) {
        struct xl_cfg_value *item = add_item(list);

        if (!item)
            return limit_error(p, "no memory");
        *item = more->item[i];
        memset(&more->item[i], 0, sizeof(more->item[i]));
    }
    return true;
}

static bool extend(struct parser *p, const char *key, struct xl_cfg_value *v,
                   struct xl_cfg_value *more)
{
    char *joined;

    if (v->kind != more->kind || v->kind == XL_CFG_NUMBER) {
        xl_cfg_error_set(p->lx.err,
                         "%s:%u: %s += wants a list for a list, or a string "
                         "for a string",
                         p->lx.source, p->lx.token_line, key);
        return false;
    }
    if (v->kind == XL_CFG_LIST)
        return extend_list(p, v, more);
    if (strlen(v->text) + strlen(more->text) > XL_CFG_TEXT_MAX)
        return limit_error(p, "the text becomes too long");
    if (asprintf(&joined, "%s%s", v->text, more->text) < 0)
        return limit_error(p, "no memory");
    free(v->text);
    v->text = joined;
    return true;
}

/* Takes *v's contents. */
static bool set(struct parser *p, const char *key, struct xl_cfg_value *v,
                bool append, unsigned line)
{
    struct xl_cfg_setting *s = find(p->cfg, key);

    if (s && append)
        return extend(p, key, &s->value, v);
    if (!s)
        s = add_setting(p->cfg, key);
    if (!s)
        return limit_error(p, "no memory");
    if (!place(p, s, line))
        return false;
    xl_cfg_value_free(&s->value);
    s->value = *v;
    memset(v, 0, sizeof(*v));
    return true;
}

static bool parse_assignment(struct parser *p, const char *key)
{
    struct xl_cfg_value v = {0};
    unsigned line = p->lx.token_line;
    bool append, ok;

    if (!xl_cfg_lex(&p->lx))
        return false;
    append = p->lx.token == TOKEN_APPEND;
    if (!append && p->lx.token != TOKEN_ASSIGN)
        return parse_error(p, "a key wants = behind it");
    p->lx.value_next = true;
    ok = xl_cfg_lex(&p->lx) && parse_value(p, &v) &&
         set(p, key, &v, append, line);
    p->lx.value_next = false;
    xl_cfg_value_free(&v);
    return ok;
}

static bool parse_statement(struct parser *p)
{
    char *key;
    bool ok;

    if (p->lx.token == TOKEN_NEWLINE || p->lx.token == TOKEN_END)
        return true;
    if (p->lx.token != TOKEN_IDENT)
        return parse_error(p, "a line begins with a key");
    key = take_text(p);
    ok = parse_assignment(p, key) && xl_cfg_lex(&p->lx);
    free(key);
    if (!ok)
        return false;
    if (p->lx.token != TOKEN_NEWLINE && p->lx.token != TOKEN_END)
        return parse_error(p, "the value should end here");
    return true;
}

void xl_cfg_init(struct xl_cfg *cfg)
{
    memset(cfg, 0, sizeof(*cfg));
}

void xl_cfg_free(struct xl_cfg *cfg)
{
    for (size_t i = 0; i < cfg->settings; i++) {
        xl_cfg_value_free(&cfg->setting[i].value);
        free(cfg->setting[i].key);
        free(cfg->setting[i].source);
    }
    free(cfg->setting);
    xl_cfg_init(cfg);
}

bool xl_cfg_parse(struct xl_cfg *cfg, const char *source, const char *text,
                  size_t bytes, bool bare_words, struct xl_cfg_error *err)
{
    struct parser p = {.cfg = cfg,
                       .lx = {.source = source,
                              .at = text,
                              .end = text + bytes,
                              .line = 1,
                              .bare_words = bare_words,
                              .err = err}};
    bool ok = true;

    if (bytes > XL_CFG_TEXT_MAX) {
        xl_cfg_error_set(err, "%s: %zu bytes are too many (the limit is %u)",
                         source, bytes, XL_CFG_TEXT_MAX);
        return false;
    }
    do {
        ok = xl_cfg_lex(&p.lx) && parse_statement(&p);
    } while (ok && p.lx.token != TOKEN_END);
    free(p.lx.text);
    return ok;
}

bool xl_cfg_number(const struct xl_cfg_value *v, int64_t *out)
{
    char *end;

    if (v->kind == XL_CFG_LIST || !v->text[0])
        return false;
    errno = 0;
    *out = strtoll(v->text, &end, 0);
    return !errno && !*end;
}
