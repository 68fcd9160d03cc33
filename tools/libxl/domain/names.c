/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * names.c - searches over the records, by name and uuid.
 *
 * Two domains that are made at once with one name: each writes its record
 * before it looks for others, so at least one of them sees the other and gives
 * way; never do both stay. So it is with two that are renamed.
 */
#include "domain/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "migrate/journal.h"

struct wanted {
    const char *name;       /* or NULL */
    const libxl_uuid *uuid; /* or NULL */
    uint32_t except;
};

static bool matches(const struct wanted *w,
                    const struct libxl__domain_record *rec)
{
    if (rec->domid == w->except)
        return false;
    if (w->name && strcmp(rec->name, w->name))
        return false;
    return !w->uuid || !memcmp(w->uuid, &rec->uuid, sizeof(rec->uuid));
}

static int find(libxl__store *st, libxl__gc *gc, const struct wanted *w,
                uint32_t *domid_out)
{
    struct libxl__domain_record rec;
    uint32_t *domids;
    int nr, i, rc;

    rc = st->ops->list(st, gc, &domids, &nr);
    if (rc)
        return rc;
    for (i = 0; i < nr; i++) {
        rc = st->ops->identity(st, gc, domids[i], &rec);
        if (rc == ERROR_NOMEM)
            return rc;
        if (rc || !matches(w, &rec))
            continue; /* gone meanwhile, or damaged (logged) */
        *domid_out = rec.domid;
        return 0;
    }
    return ERROR_NOTFOUND;
}

int libxl__name_to_domid(libxl__store *st, libxl__gc *gc, const char *name,
                         uint32_t *domid_out)
{
    struct wanted w = {.name = name, .except = INVALID_DOMID};

    return find(st, gc, &w, domid_out);
}

int libxl__uuid_to_domid(libxl__store *st, libxl__gc *gc,
                         const libxl_uuid *uuid, uint32_t *domid_out)
{
    struct wanted w = {.uuid = uuid, .except = INVALID_DOMID};

    return find(st, gc, &w, domid_out);
}

/* What may have been left by a process that was killed. */
static const char *hint(libxl__store *st, uint32_t domid)
{
    char *text;

    if (st->ops->read(st, domid, "journal", &text))
        return "";
    free(text);
    return " (an operation on it is running, or was cut off: `xl recover`)";
}

int libxl__name_check_free(libxl__store *st, libxl__gc *gc, const char *name,
                           uint32_t domid)
{
    struct wanted w = {.name = name, .except = domid};
    uint32_t other;
    int rc = find(st, gc, &w, &other);

    if (rc)
        return rc == ERROR_NOTFOUND ? 0 : rc;
    LOG(st->ctx, ERROR,
        "a domain with the name \"%s\" exists already: domid %u%s", name, other,
        hint(st, other));
    return ERROR_INVAL;
}

int libxl__uuid_check_free(libxl__store *st, libxl__gc *gc,
                           const libxl_uuid *uuid, uint32_t domid)
{
    struct wanted w = {.uuid = uuid, .except = domid};
    uint32_t other;
    int rc = find(st, gc, &w, &other);
    char *text;

    if (rc)
        return rc == ERROR_NOTFOUND ? 0 : rc;
    text = libxl__uuid_text(gc, uuid);
    LOG(st->ctx, ERROR, "a domain with the uuid %s exists already: domid %u",
        text ? text : "?", other);
    return ERROR_INVAL;
}

/* From its sending until that has ended, or was given up. */
static bool is_being_sent(const struct libxl__journal *j)
{
    return j->verb == JOURNAL_SEND && j->step != JSTEP_LATE;
}

/* The domain is just being sent, and has this uuid. Another toolstack, where
 * one shares the store, keeps no journal of what it sends. */
static bool is_the_source(libxl__store *st, libxl__gc *gc, uint32_t domid,
                          const libxl_uuid *uuid)
{
    struct libxl__domain_record rec;
    struct libxl__journal j;
    int rc;

    if (st->ops->identity(st, gc, domid, &rec) ||
        memcmp(&rec.uuid, uuid, sizeof(rec.uuid)))
        return false;
    rc = libxl__journal_read(st, gc, domid, &j);
    return rc ? rc == ERROR_NOTFOUND && st->files != st
              : is_being_sent(&j);
}

int libxl__incoming_check_free(libxl__store *st, libxl__gc *gc,
                               const char *name, const libxl_uuid *uuid,
                               uint32_t domid)
{
    struct wanted w = {.name = name, .except = domid};
    uint32_t other;
    int rc = find(st, gc, &w, &other);

    if (!rc && !is_the_source(st, gc, other, uuid))
        return libxl__name_check_free(st, gc, name, domid);
    if (rc && rc != ERROR_NOTFOUND)
        return rc;
    w = (struct wanted){.uuid = uuid, .except = domid};
    rc = find(st, gc, &w, &other);
    if (!rc && !is_the_source(st, gc, other, uuid))
        return libxl__uuid_check_free(st, gc, uuid, domid);
    return rc == ERROR_NOTFOUND ? 0 : rc;
}

static bool given_away_before(libxl__store *st, libxl__gc *gc, uint32_t domid,
                              const char *migration)
{
    struct libxl__journal j;

    return !libxl__journal_read(st, gc, domid, &j) && is_being_sent(&j) &&
           (!migration || !j.migration || strcmp(j.migration, migration));
}

bool libxl__source_is_here(libxl__store *st, libxl__gc *gc,
                           const libxl_uuid *uuid, uint32_t domid,
                           const char *migration)
{
    struct wanted w = {.uuid = uuid, .except = domid};
    struct libxl__domain_record rec;
    uint32_t *domids;
    int nr;

    if (st->ops->list(st, gc, &domids, &nr))
        return false;
    for (int i = 0; i < nr; i++)
        if (!st->ops->identity(st, gc, domids[i], &rec) && matches(&w, &rec) &&
            !given_away_before(st, gc, domids[i], migration))
            return true;
    return false;
}

/* The configuration carries the name too: a save must write the new one. */
static int rename_config(libxl__host *h, libxl__gc *gc,
                         struct libxl__domain_record *rec, const char *name)
{
    libxl_domain_config config;
    char *copy, *json;
    int rc;

    rc = libxl_domain_config_from_json(h->ctx, &config, rec->config_json);
    if (rc)
        return rc;
    rc = ERROR_NOMEM;
    copy = strdup(name);
    if (copy) {
        free(config.c_info.name);
        config.c_info.name = copy;
        json = libxl_domain_config_to_json(h->ctx, &config);
        rec->config_json = json ? libxl__gc_take(gc, json) : NULL;
        rc = rec->config_json ? 0 : ERROR_NOMEM;
    }
    libxl_domain_config_dispose(&config);
    return rc;
}

static int write_name(libxl__host *h, libxl__gc *gc,
                      const struct libxl__domain_record *old, const char *name)
{
    libxl__store *st = h->ops->store(h);
    struct libxl__domain_record rec = *old;
    int rc = rename_config(h, gc, &rec, name);

    if (!rc && h->ops->rename)
        rc = h->ops->rename(h, rec.domid, name);
    if (rc)
        return rc;
    rec.name = libxl__strdup(gc, name);
    if (!rec.name)
        return ERROR_NOMEM;
    return libxl__domain_record_write(st, gc, &rec);
}

int libxl__domain_set_name(libxl__host *h, libxl__gc *gc, uint32_t domid,
                           const char *name)
{
    libxl__store *st = h->ops->store(h);
    struct libxl__domain_record rec;
    int rc;

    rc = libxl__domain_record_read(st, gc, domid, &rec);
    if (rc)
        return rc == ERROR_NOTFOUND ? ERROR_DOMAIN_NOTFOUND : rc;
    if (!strcmp(rec.name, name))
        return 0;
    rc = libxl__name_check_free(st, gc, name, domid);
    if (!rc)
        rc = write_name(h, gc, &rec, name);
    if (rc)
        return rc;
    /* Again, now that others can see it: as for a new domain. */
    rc = libxl__name_check_free(st, gc, name, domid);
    if (rc && write_name(h, gc, &rec, rec.name))
        LOGD(h->ctx, domid, ERROR,
             "it keeps the name \"%s\", which another domain has too", name);
    return rc;
}

/* 0: it has nothing of the kind. */
static size_t own_length(const char *name, const char *behind)
{
    size_t n = strlen(name), m = strlen(behind);

    return n > m && !strcmp(name + n - m, behind) ? n - m : 0;
}

int libxl__domain_own_name(libxl__host *h, libxl__gc *gc, uint32_t domid)
{
    struct libxl__domain_record rec;
    const char *name;
    size_t own;
    int rc = libxl__domain_record_read(h->ops->store(h), gc, domid, &rec);

    if (rc)
        return rc == ERROR_NOTFOUND ? ERROR_DOMAIN_NOTFOUND : rc;
    own = own_length(rec.name, LIBXL__NAME_INCOMING);
    if (!own)
        own = own_length(rec.name, LIBXL__NAME_AWAY);
    if (!own)
        return 0;
    name = libxl__strndup(gc, rec.name, own);
    return name ? libxl__domain_set_name(h, gc, domid, name) : ERROR_NOMEM;
}
