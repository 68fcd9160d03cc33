/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_cfg_lex.c - xl.cfg's tokens. */
#include "xl_cfg_lex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_alpha(c) || is_digit(c);
}

static bool is_bare(char c)
{
    return is_word(c) || (c && strchr("./:+@%-", c));
}

static bool lex_error(struct xl_cfg_lexer *lx, const char *what)
{
    xl_cfg_error_set(lx->err, "%s:%u: %s", lx->source, lx->line, what);
    return false;
}

static char peek(const struct xl_cfg_lexer *lx, size_t ahead)
{
    return (size_t)(lx->end - lx->at) > ahead ? lx->at[ahead] : '\0';
}

static void skip_blanks(struct xl_cfg_lexer *lx)
{
    for (;;) {
        char c = peek(lx, 0);

        if (c == ' ' || c == '\t' || c == '\r') {
            lx->at++;
        } else if (c == '\\' && peek(lx, 1) == '\n') {
            lx->at += 2;
            lx->line++;
        } else if (c == '\\' && peek(lx, 1) == '\r' && peek(lx, 2) == '\n') {
            lx->at += 3;
            lx->line++;
        } else if (c == '#') {
            while (lx->at < lx->end && *lx->at != '\n')
                lx->at++;
        } else {
            return;
        }
    }
}

static bool take_text(struct xl_cfg_lexer *lx, enum xl_cfg_token token,
                      const char *from, size_t bytes)
{
    lx->token = token;
    lx->text = strndup(from, bytes);
    return lx->text ? true : lex_error(lx, "no memory");
}

static int digit_value(char c, int base)
{
    int v = is_digit(c)              ? c - '0'
            : (c >= 'a' && c <= 'f') ? c - 'a' + 10
            : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                     : 99;
    return v < base ? v : -1;
}

/* \xHH and \OOO; *at is behind the backslash. -1: no such escape. */
static int numeric_escape(const char **at, const char *end)
{
    int base = **at == 'x' ? 16 : 8, most = base == 16 ? 2 : 3;
    int v = 0, n = 0;

    if (base == 16)
        (*at)++;
    while (n < most && *at < end && digit_value(**at, base) >= 0) {
        v = v * base + digit_value(**at, base);
        (*at)++;
        n++;
    }
    return n > 0 && v > 0 && v < 256 ? v : -1;
}

static int escape(const char **at, const char *end)
{
    static const char letters[] = "abfnrtv\\'\"",
                      means[] = "\a\b\f\n\r\t\v\\'\"";
    const char *found;

    if (**at == 'x' || (**at >= '0' && **at <= '7'))
        return numeric_escape(at, end);
    found = **at ? strchr(letters, **at) : NULL;
    if (!found)
        return -1;
    (*at)++;
    return means[found - letters];
}

/* In place: what an escape stands for is never longer than the escape. */
static bool unescape(struct xl_cfg_lexer *lx)
{
    const char *at = lx->text, *end = at + strlen(at);
    char *out = lx->text;

    while (at < end) {
        int c = (unsigned char)*at++;

        if (c == '\\') {
            c = escape(&at, end);
            if (c < 0)
                return lex_error(lx, "a string has an escape (\\) that does "
                                     "not exist; write \\\\ for a backslash");
        }
        *out++ = (char)c;
    }
    *out = '\0';
    return true;
}

static bool lex_string(struct xl_cfg_lexer *lx, char quote)
{
    const char *from = ++lx->at;

    while (lx->at < lx->end && *lx->at != quote) {
        if (*lx->at == '\n')
            return lex_error(lx, "a string does not end on its line");
        if (*lx->at == '\0')
            return lex_error(lx, "a NUL byte in a string");
        lx->at += *lx->at == '\\' && lx->end - lx->at > 1 && lx->at[1] != '\n'
                      ? 2
                      : 1;
    }
    if (lx->at >= lx->end)
        return lex_error(lx, "a string does not end");
    if (!take_text(lx, TOKEN_STRING, from, (size_t)(lx->at - from)))
        return false;
    lx->at++;
    return unescape(lx);
}

static bool looks_like_number(const char *s, size_t n)
{
    size_t i = n && (s[0] == '-' || s[0] == '+') ? 1 : 0;
    int base = 10;

    if (n - i > 2 && s[i] == '0' && (s[i + 1] | 0x20) == 'x') {
        base = 16;
        i += 2;
    }
    if (i >= n)
        return false;
    for (; i < n; i++) {
        if (digit_value(s[i], base) < 0)
            return false;
    }
    return true;
}

static bool lex_word(struct xl_cfg_lexer *lx)
{
    bool bare = lx->bare_words && lx->value_next;
    const char *from = lx->at;
    size_t n;

    if (*lx->at == '-' || *lx->at == '+')
        lx->at++;
    while (lx->at < lx->end && (bare ? is_bare(*lx->at) : is_word(*lx->at)))
        lx->at++;
    n = (size_t)(lx->at - from);
    if (looks_like_number(from, n))
        return take_text(lx, TOKEN_NUMBER, from, n);
    if (bare)
        return take_text(lx, TOKEN_STRING, from, n);
    if (is_alpha(*from))
        return take_text(lx, TOKEN_IDENT, from, n);
    return lex_error(lx, "neither a number nor a key");
}

static bool lex_mark(struct xl_cfg_lexer *lx, enum xl_cfg_token token,
                     size_t bytes)
{
    lx->at += bytes;
    lx->token = token;
    return true;
}

static bool lex_other(struct xl_cfg_lexer *lx, char c)
{
    char what[64];

    if (is_word(c) || c == '-' ||
        (lx->bare_words && lx->value_next && is_bare(c)))
        return lex_word(lx);
    if (c > ' ' && c < 0x7f)
        snprintf(what, sizeof(what), "'%c' is not expected here", c);
    else
        snprintf(what, sizeof(what), "byte 0x%02x is not expected here",
                 (unsigned char)c);
    return lex_error(lx, what);
}

bool xl_cfg_lex(struct xl_cfg_lexer *lx)
{
    char c;

    free(lx->text);
    lx->text = NULL;
    skip_blanks(lx);
    lx->token_line = lx->line;
    if (lx->at >= lx->end)
        return lex_mark(lx, TOKEN_END, 0);
    c = *lx->at;
    switch (c) {
    case '\n':
        lx->line++;
        return lex_mark(lx, TOKEN_NEWLINE, 1);
    case ';':
        return lex_mark(lx, TOKEN_NEWLINE, 1);
    case '=':
        return lex_mark(lx, TOKEN_ASSIGN, 1);
    case '[':
        return lex_mark(lx, TOKEN_OPEN, 1);
    case ']':
        return lex_mark(lx, TOKEN_CLOSE, 1);
    case ',':
        return lex_mark(lx, TOKEN_COMMA, 1);
    case '"':
    case '\'':
        return lex_string(lx, c);
    case '+':
        if (peek(lx, 1) == '=')
            return lex_mark(lx, TOKEN_APPEND, 2);
        return lex_other(lx, c);
    default:
        return lex_other(lx, c);
    }
}

const char *xl_cfg_token_name(const struct xl_cfg_lexer *lx)
{
    switch (lx->token) {
    case TOKEN_END:
        return "the end";
    case TOKEN_NEWLINE:
        return "the end of the line";
    case TOKEN_ASSIGN:
        return "=";
    case TOKEN_APPEND:
        return "+=";
    case TOKEN_OPEN:
        return "[";
    case TOKEN_CLOSE:
        return "]";
    case TOKEN_COMMA:
        return ",";
    default:
        return lx->text;
    }
}
