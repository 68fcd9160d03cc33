/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_config.c - settings to a configuration, by the table of keys. */
#include "xl_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xl_suggest.h"

bool xl_config_refuse(struct xl_config_build *b, const char *fmt, ...)
{
    char what[240];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    xl_cfg_error_set(b->err, "%s:%u: %s: %s", b->at->source, b->at->line,
                     b->at->key, what);
    return false;
}

void xl_config_warning(struct xl_config_build *b, const char *fmt, ...)
{
    char what[240], text[320];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    snprintf(text, sizeof(text), "%s:%u: %s: %s", b->at->source, b->at->line,
             b->at->key, what);
    b->warn(b->user, text);
}

bool xl_config_text(struct xl_config_build *b, const struct xl_cfg_value *v,
                    char **at)
{
    if (v->kind == XL_CFG_LIST)
        return xl_config_refuse(b, "wants a string, has a list");
    free(*at);
    *at = strdup(v->text);
    return *at ? true : xl_config_refuse(b, "no memory");
}

bool xl_config_int(struct xl_config_build *b, const struct xl_cfg_value *v,
                   int64_t min, int64_t max, int64_t *out)
{
    int64_t n;

    if (!xl_cfg_number(v, &n))
        return xl_config_refuse(b, "wants a number, has %s%.60s%s",
                                v->kind == XL_CFG_LIST ? "a list" : "'",
                                v->kind == XL_CFG_LIST ? "" : v->text,
                                v->kind == XL_CFG_LIST ? "" : "'");
    if (n < min || n > max)
        return xl_config_refuse(b, "%lld is not within %lld to %lld",
                                (long long)n, (long long)min, (long long)max);
    *out = n;
    return true;
}

static void free_strings(char **list)
{
    for (char **s = list; s && *s; s++)
        free(*s);
    free(list);
}

/* A list of strings, or one string; an empty string is no entry. */
static bool take_strings(struct xl_config_build *b,
                         const struct xl_cfg_value *v, char ***at)
{
    const struct xl_cfg_value *item = v->kind == XL_CFG_LIST ? v->item : v;
    size_t n = v->kind == XL_CFG_LIST ? v->items : v->text[0] ? 1 : 0;
    char **list = calloc(n + 1, sizeof(char *));

    free_strings(*at);
    *at = list;
    if (!list)
        return xl_config_refuse(b, "no memory");
    for (size_t i = 0; i < n; i++) {
        if (!xl_config_text(b, &item[i], &list[i]))
            return false;
    }
    if (n == 0) {
        free(list);
        *at = NULL;
    }
    return true;
}

static const struct action_word {
    const char *word, *json; /* in xl.cfg, in JSON */
    const char *instead;     /* what is done in its place; NULL: the same */
} action_words[] = {
    {"destroy", "destroy", NULL},
    {"restart", "restart", NULL},
    {"preserve", "preserve", NULL},
    {"rename-restart", "restart_rename", "the domain is kept as it is"},
    {"coredump-destroy", "coredump_destroy", "destroyed, without a core"},
    {"coredump-restart", "coredump_restart", "restarted, without a core"},
    {"soft-reset", "soft_reset", "the domain is kept as it is"},
};

static bool take_action(struct xl_config_build *b, const struct xl_cfg_value *v,
                        libxl_action_on_shutdown *at)
{
    const char *word = v->kind == XL_CFG_LIST ? "" : v->text;

    for (size_t i = 0; i < sizeof(action_words) / sizeof(*action_words); i++) {
        const struct action_word *a = &action_words[i];

        if (strcmp(word, a->word) && strcmp(word, a->json))
            continue;
        if (a->instead && strcmp(b->at->key, "on_soft_reset"))
            xl_config_warning(b, "%s is for a Xen host; on a QEMU host: %s",
                              a->word, a->instead);
        return libxl_action_on_shutdown_from_string(a->json, at);
    }
    return xl_config_refuse(b, "wants destroy, restart, rename-restart, "
                               "preserve, coredump-destroy, coredump-restart "
                               "or soft-reset");
}

/* 0, "", [] and "none" ask for nothing. */
static bool is_off(const struct xl_cfg_value *v)
{
    int64_t n;

    if (v->kind == XL_CFG_LIST)
        return v->items == 0;
    if (xl_cfg_number(v, &n))
        return n == 0;
    return !v->text[0] || !strcmp(v->text, "none");
}

static bool take(struct xl_config_build *b, const struct xl_key *key,
                 const struct xl_cfg_value *v)
{
    void *at = (char *)b->config + key->offset;
    int64_t n = 0;

    switch (key->how) {
    case XL_KEY_STRING:
        return xl_config_text(b, v, at);
    case XL_KEY_STRINGS:
        return take_strings(b, v, at);
    case XL_KEY_BOOL:
        if (!xl_config_int(b, v, INT64_MIN, INT64_MAX, &n))
            return false;
        *(bool *)at = n != 0;
        return true;
    case XL_KEY_INT:
        if (!xl_config_int(b, v, key->min, key->max, &n))
            return false;
        *(int *)at = (int)n;
        return true;
    case XL_KEY_KIB_OF_MIB:
        if (!xl_config_int(b, v, 0, 1 << 24, &n))
            return false;
        *(uint64_t *)at = (uint64_t)n * 1024;
        return true;
    case XL_KEY_ACTION:
        return take_action(b, v, at);
    case XL_KEY_SPECIAL:
        return key->apply(b, v);
    case XL_KEY_NO_EFFECT:
        xl_config_warning(b, "has no effect: %s", key->say);
        return true;
    case XL_KEY_OFF_ONLY:
        return is_off(v) ? true : xl_config_refuse(b, "refused: %s", key->say);
    }
    return xl_config_refuse(b, "is not understood");
}

static const struct xl_key *find_key(const char *name)
{
    for (const struct xl_key *k = xl_keys; k->name; k++) {
        if (!strcmp(k->name, name))
            return k;
    }
    return NULL;
}

static void unknown_key(struct xl_config_build *b)
{
    struct xl_suggest near;

    xl_suggest_begin(&near, b->at->key);
    for (const struct xl_key *k = xl_keys; k->name; k++)
        xl_suggest_consider(&near, k->name);
    if (near.best)
        xl_config_warning(b, "unknown key, ignored: did you mean %s?",
                          near.best);
    else
        xl_config_warning(b, "unknown key, ignored");
}

static bool take_setting(struct xl_config_build *b)
{
    const struct xl_key *key = find_key(b->at->key);

    if (b->at->earlier_line)
        xl_config_warning(b, "repeats line %u, which does not count",
                          b->at->earlier_line);
    if (!key) {
        unknown_key(b);
        return true;
    }
    return take(b, key, &b->at->value);
}

/* What xl.cfg promises of keys that are not there. */
static bool defaults(struct xl_config_build *b)
{
    libxl_domain_config *c = b->config;

    c->c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    c->c_info.run_hotplug_scripts = true;
    c->on_reboot = LIBXL_ACTION_ON_SHUTDOWN_RESTART;
    c->on_soft_reset = LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET;
    return true;
}

static bool finish(struct xl_config_build *b)
{
    libxl_domain_config *c = b->config;

    if (!c->c_info.name || !c->c_info.name[0]) {
        xl_cfg_error_set(b->err, "the configuration has no name=\"...\"");
        return false;
    }
    if (libxl_uuid_is_nil(&c->c_info.uuid) &&
        libxl_uuid_generate(&c->c_info.uuid)) {
        xl_cfg_error_set(b->err, "the kernel gives no random bytes for a uuid");
        return false;
    }
    return true;
}

bool xl_config_build(const struct xl_cfg *cfg, libxl_domain_config *config,
                     xl_config_warn *warn, void *user, struct xl_cfg_error *err)
{
    struct xl_config_build b = {cfg, config, err, warn, user, NULL};
    bool ok;

    libxl_domain_config_init(config);
    ok = defaults(&b);
    for (size_t i = 0; ok && i < cfg->settings; i++) {
        b.at = &cfg->setting[i];
        ok = take_setting(&b);
    }
    ok = ok && finish(&b);
    if (!ok)
        libxl_domain_config_dispose(config);
    return ok;
}
