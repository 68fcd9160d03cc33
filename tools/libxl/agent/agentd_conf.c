/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agentd_conf.c - lines "key = value", into four lists. */
#include "agent/agentd_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 4096 };

static struct agentd_list *list_of(struct agentd_conf *c, const char *key,
                                   size_t bytes)
{
    const struct {
        const char *key;
        struct agentd_list *list;
    } rows[] = {
        {"read", &c->read},
        {"write", &c->write},
        {"exec", &c->exec},
        {"disable", &c->disable},
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strlen(rows[i].key) == bytes && !memcmp(rows[i].key, key, bytes))
            return rows[i].list;
    return NULL;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

static const char *drop_blanks(const char *begin, const char *end)
{
    while (end > begin &&
           (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    return end;
}

static const char *add(struct agentd_list *l, const char *value, size_t bytes)
{
    if (!bytes || bytes > VALUE_MAX)
        return "a value that is empty or too long";
    if (l->n == AGENTD_CONF_ENTRIES)
        return "too many lines of one key";
    l->entries[l->n] = strndup(value, bytes);
    if (!l->entries[l->n])
        return "no memory";
    l->n++;
    return NULL;
}

static const char *parse_line(struct agentd_conf *c, const char *p,
                              const char *end)
{
    const char *equals, *value;
    struct agentd_list *l;

    p = skip_blanks(p, end);
    end = drop_blanks(p, end);
    if (p == end || *p == '#')
        return NULL;
    equals = memchr(p, '=', (size_t)(end - p));
    if (!equals)
        return "not of the form key = value";
    l = list_of(c, p, (size_t)(drop_blanks(p, equals) - p));
    if (!l)
        return "an unknown key";
    value = skip_blanks(equals + 1, end);
    return add(l, value, (size_t)(end - value));
}

static const char *add_defaults(struct agentd_conf *c)
{
    return c->read.n ? NULL : add(&c->read, "/", 1);
}

char *libxl__agentd_conf_parse(struct agentd_conf *c, const char *text)
{
    const char *end, *why = NULL;
    char *message = NULL;
    int line = 0;

    memset(c, 0, sizeof(*c));
    while (*text && !why) {
        end = strchrnul(text, '\n');
        line++;
        why = parse_line(c, text, end);
        text = *end ? end + 1 : end;
    }
    if (!why)
        why = add_defaults(c);
    if (!why)
        return NULL;
    if (asprintf(&message, "line %d: %s", line, why) < 0)
        message = NULL;
    libxl__agentd_conf_dispose(c);
    return message ? message : strdup("no memory");
}

static void list_dispose(struct agentd_list *l)
{
    while (l->n)
        free(l->entries[--l->n]);
}

void libxl__agentd_conf_dispose(struct agentd_conf *c)
{
    list_dispose(&c->read);
    list_dispose(&c->write);
    list_dispose(&c->exec);
    list_dispose(&c->disable);
}

bool libxl__agentd_list_has(const struct agentd_list *l, const char *entry)
{
    size_t i;

    for (i = 0; i < l->n; i++)
        if (!strcmp(l->entries[i], entry))
            return true;
    return false;
}
