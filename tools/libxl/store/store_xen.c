/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_xen.c - SEAM 3 on xenstore, libxl's userdata and files.
 *
 * A directory of ours is a domain's only as long as both have one uuid: domains
 * come and go without us, and their numbers are used again.
 */
#include "store/store_xen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/domain_record.h"
#include "store/run_record.h"
#include "store/store_files.h"
#include "store/store_xen_config.h"
#include "store/userdata.h"

struct store_xen {
    libxl__store store; /* first: see store_xen_of */
    struct libxl__store_xen_params p;
};

static const struct libxl__store_ops store_xen_ops;

static struct store_xen *store_xen_of(libxl__store *st)
{
    assert(st->ops == &store_xen_ops);
    return (struct store_xen *)st;
}

/* ---- the record "domain", as others keep it ---- */

/* "/vm/UUID"; a dom0 has none, and the uuid of zeros. */
static bool read_uuid(struct store_xen *sx, libxl__gc *gc, uint32_t domid,
                      libxl_uuid *out)
{
    char *vm = libxl__xs_read(sx->p.xs, gc, "/local/domain/%u/vm", domid);
    char *slash = vm ? strrchr(vm, '/') : NULL;

    memset(out, 0, sizeof(*out));
    return slash ? libxl__uuid_parse(slash + 1, out) : !domid;
}

/* ERROR_NOTFOUND: xenstore does not know it (yet, or any more). */
static int read_domain(struct store_xen *sx, libxl__gc *gc, uint32_t domid,
                       struct libxl__domain_record *rec)
{
    struct libxl__domain_record own;
    int rc;

    *rec = (struct libxl__domain_record){.domid = domid};
    rec->name = libxl__xs_read(sx->p.xs, gc, "/local/domain/%u/name", domid);
    if (!rec->name || !read_uuid(sx, gc, domid, &rec->uuid))
        return ERROR_NOTFOUND;
    rc = libxl__userdata_read(sx->store.ctx, gc, sx->p.userdata_dir, domid,
                              &rec->uuid, &rec->config_json);
    if (rc == ERROR_NOTFOUND)
        rec->config_json = libxl__strdup(gc, "{}");
    else if (rc)
        return rc;
    if (!rec->config_json)
        return ERROR_NOMEM;
    rc = libxl__store_xen_refresh(sx->p.xs, gc, rec);
    if (!rc && !libxl__domain_record_read(sx->store.files, gc, domid, &own) &&
        !memcmp(&own.uuid, &rec->uuid, sizeof(own.uuid))) {
        rec->never_started = own.never_started;
        rec->created_at = own.created_at;
    }
    return rc;
}

static int read_domain_text(struct store_xen *sx, uint32_t domid, char **text)
{
    struct libxl__domain_record rec;
    libxl__gc gc;
    int rc;

    *text = NULL;
    libxl__gc_init(&gc, sx->store.ctx);
    rc = read_domain(sx, &gc, domid, &rec);
    if (!rc) {
        const char *made = libxl__domain_record_text(&gc, &rec);

        *text = made ? strdup(made) : NULL;
        rc = *text ? 0 : ERROR_NOMEM;
    }
    libxl__gc_dispose(&gc);
    return rc;
}

/* Name, identity and configuration, where others look for them. */
static int publish(struct store_xen *sx, libxl__gc *gc,
                   const struct libxl__domain_record *rec)
{
    const char *uuid = libxl__uuid_text(gc, &rec->uuid);
    struct libxl__xs_writer w = {
        .xs = sx->p.xs,
        .gc = gc,
        .guest = rec->domid,
        .base = libxl__sprintf(gc, "/local/domain/%u", rec->domid),
    };
    int rc;

    if (!uuid || !w.base)
        return ERROR_NOMEM;
    libxl__xs_put(&w, LIBXL__XS_GUEST_READS, "name", "%s", rec->name);
    libxl__xs_put(&w, LIBXL__XS_GUEST_READS, "vm", "/vm/%s", uuid);
    w.base = libxl__sprintf(gc, "/vm/%s", uuid);
    if (!w.base)
        return ERROR_NOMEM;
    libxl__xs_put(&w, LIBXL__XS_GUEST_READS, "", "%s", "");
    libxl__xs_put(&w, LIBXL__XS_GUEST_READS, "name", "%s", rec->name);
    libxl__xs_put(&w, LIBXL__XS_GUEST_READS, "uuid", "%s", uuid);
    rc = w.rc;
    return rc ? rc
              : libxl__userdata_write(sx->store.ctx, gc, sx->p.userdata_dir,
                                      rec->domid, &rec->uuid, rec->config_json);
}

int libxl__store_xen_publish(libxl__store *st, uint32_t domid)
{
    struct store_xen *sx = store_xen_of(st);
    struct libxl__domain_record rec;
    libxl__gc gc;
    int rc;

    libxl__gc_init(&gc, st->ctx);
    rc = libxl__domain_record_read(st->files, &gc, domid, &rec);
    if (!rc)
        rc = publish(sx, &gc, &rec);
    libxl__gc_dispose(&gc);
    return rc;
}

/* Of a domain that xenstore knows already: a rename, a changed device. */
static int republish(struct store_xen *sx, uint32_t domid)
{
    libxl__gc gc;
    libxl_uuid uuid;
    bool known;

    libxl__gc_init(&gc, sx->store.ctx);
    known = read_uuid(sx, &gc, domid, &uuid);
    libxl__gc_dispose(&gc);
    return known ? libxl__store_xen_publish(&sx->store, domid) : 0;
}

/* ---- the directory of ours ---- */

static bool is_its_own(libxl__store *files, libxl__gc *gc, uint32_t domid,
                       const libxl_uuid *uuid)
{
    struct libxl__domain_record own;

    return !libxl__domain_record_read(files, gc, domid, &own) &&
           !memcmp(&own.uuid, uuid, sizeof(*uuid));
}

/* Of a domain that is no more: nobody may be at work on it. */
static int drop_stale(libxl__store *files, uint32_t domid)
{
    libxl__domain_lock *lock;
    int rc = libxl__domain_lock_try(files, domid, "sweep", &lock);

    if (rc == ERROR_NOTFOUND)
        return 0;
    if (rc)
        return rc;
    rc = libxl__store_files_remove_locked(lock);
    libxl__domain_lock_release(lock);
    return rc;
}

static int adopt(struct store_xen *sx, libxl__gc *gc, uint32_t domid)
{
    libxl__store *files = sx->store.files;
    struct libxl__domain_record rec;
    char *text;
    int rc = read_domain(sx, gc, domid, &rec);

    if (rc == ERROR_NOTFOUND) /* being made, or not there at all */
        return files->ops->read(files, domid, "domain", &text) == 0
                   ? (free(text), 0)
                   : ERROR_NOTFOUND;
    if (rc || is_its_own(files, gc, domid, &rec.uuid))
        return rc;
    rc = drop_stale(files, domid);
    if (!rc)
        rc = libxl__store_files_make_dir(libxl__store_files_of(files), domid);
    return rc ? rc : libxl__domain_record_write(files, gc, &rec);
}

static int xen_prepare(libxl__store *st, uint32_t domid)
{
    libxl__gc gc;
    int rc;

    if (!domid) {
        LOGD(st->ctx, domid, ERROR,
             "domain 0 is this host itself: it cannot be operated on");
        return ERROR_INVAL;
    }
    libxl__gc_init(&gc, st->ctx);
    rc = adopt(store_xen_of(st), &gc, domid);
    libxl__gc_dispose(&gc);
    return rc;
}

/* ---- list, create, remove ---- */

static bool contains(const uint32_t *domids, int nr, uint32_t domid)
{
    int i;

    for (i = 0; i < nr && domids[i] != domid; i++)
        ;
    return i < nr;
}

static bool has_journal(libxl__store *files, uint32_t domid)
{
    char *text;

    if (files->ops->read(files, domid, "journal", &text))
        return false;
    free(text);
    return true;
}

/* The hypervisor has forgotten it, and its keeper is to start it again. */
static bool has_ended(libxl__store *files, uint32_t domid)
{
    struct libxl__run_record run;

    return !libxl__run_record_read(files, domid, &run) &&
           run.state == LIBXL__RUN_SHUTDOWN;
}

/* What another toolstack has destroyed is forgotten here; what somebody makes
 * just now, recovery has to look at, or is on record as ended, stays. */
static bool is_wanted(libxl__store *files, uint32_t domid)
{
    return has_journal(files, domid) || has_ended(files, domid) ||
           drop_stale(files, domid);
}

static int by_domid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static int xen_list(libxl__store *st, libxl__gc *gc, uint32_t **domids, int *nr)
{
    struct store_xen *sx = store_xen_of(st);
    uint32_t *theirs, *ours, *all;
    int nr_theirs, nr_ours, n, rc;

    *domids = NULL;
    *nr = 0;
    rc = st->files->ops->list(st->files, gc, &ours, &nr_ours);
    if (!rc)
        rc = sx->p.domids(sx->p.user, gc, &theirs, &nr_theirs);
    if (rc)
        return rc;
    all = libxl__zalloc(gc, sizeof(*all) * (size_t)(nr_ours + nr_theirs + 1));
    if (!all)
        return ERROR_NOMEM;
    for (n = 0; n < nr_theirs; n++)
        all[n] = theirs[n];
    for (int i = 0; i < nr_ours; i++)
        if (!contains(theirs, nr_theirs, ours[i]) &&
            is_wanted(st->files, ours[i]))
            all[n++] = ours[i];
    qsort(all, (size_t)n, sizeof(*all), by_domid);
    *domids = all;
    *nr = n;
    return 0;
}

/* The hypervisor takes the number that it is given, if it is free. */
static int xen_create(libxl__store *st, uint32_t want, uint32_t *domid_out)
{
    uint32_t *domids, domid = INVALID_DOMID;
    libxl__gc gc;
    int nr, rc;

    *domid_out = INVALID_DOMID;
    libxl__gc_init(&gc, st->ctx);
    rc = xen_list(st, &gc, &domids, &nr);
    if (!rc && want != INVALID_DOMID && contains(domids, nr, want)) {
        LOG(st->ctx, ERROR, "domid %u is taken by another domain", want);
        rc = ERROR_INVAL;
    }
    do {
        if (!rc)
            rc = st->files->ops->create(st->files, want, &domid);
        if (rc || !contains(domids, nr, domid))
            break;
        st->files->ops->remove(st->files, domid);
        libxl__store_files_drop_made(libxl__store_files_of(st), domid);
    } while (want == INVALID_DOMID);
    libxl__gc_dispose(&gc);
    if (!rc)
        *domid_out = domid;
    return rc;
}

/* Both copies of a guest that moves within this host have one. */
static bool vm_is_shared(struct store_xen *sx, libxl__gc *gc, uint32_t domid,
                         const libxl_uuid *uuid)
{
    char **all = libxl__xs_children(sx->p.xs, gc, "/local/domain");
    libxl_uuid other;

    for (; all && *all; all++) {
        uint32_t id = (uint32_t)strtoul(*all, NULL, 10);

        if (id && id != domid && read_uuid(sx, gc, id, &other) &&
            !memcmp(&other, uuid, sizeof(other)))
            return true;
    }
    return false;
}

/* A number that another toolstack took before our new domain could: what is
 * there now is not ours to remove. */
static bool is_another(struct store_xen *sx, libxl__gc *gc, uint32_t domid,
                       const libxl_uuid *uuid)
{
    struct libxl__domain_record own;

    return !libxl__domain_record_read(sx->store.files, gc, domid, &own) &&
           memcmp(&own.uuid, uuid, sizeof(*uuid));
}

static int forget(struct store_xen *sx, libxl__gc *gc, uint32_t domid)
{
    const char *text;
    libxl_uuid uuid;
    int rc;

    if (!read_uuid(sx, gc, domid, &uuid))
        return libxl__xs_remove(sx->p.xs, "/local/domain/%u", domid);
    if (is_another(sx, gc, domid, &uuid))
        return 0;
    text = libxl__uuid_text(gc, &uuid);
    if (!text)
        return ERROR_NOMEM;
    libxl__userdata_remove(gc, sx->p.userdata_dir, domid, &uuid);
    rc = vm_is_shared(sx, gc, domid, &uuid)
             ? 0
             : libxl__xs_remove(sx->p.xs, "/vm/%s", text);
    if (!rc)
        rc = libxl__xs_remove(sx->p.xs, "/libxl/%u", domid);
    return rc ? rc : libxl__xs_remove(sx->p.xs, "/local/domain/%u", domid);
}

static int xen_remove(libxl__store *st, uint32_t domid)
{
    libxl__gc gc;
    int rc;

    libxl__gc_init(&gc, st->ctx);
    rc = forget(store_xen_of(st), &gc, domid);
    libxl__gc_dispose(&gc);
    return rc ? rc : st->files->ops->remove(st->files, domid);
}

/* ---- records ---- */

static int xen_read(libxl__store *st, uint32_t domid, const char *record,
                    char **text)
{
    int rc;

    if (!strcmp(record, "domain")) {
        rc = read_domain_text(store_xen_of(st), domid, text);
        if (rc != ERROR_NOTFOUND)
            return rc;
    }
    return st->files->ops->read(st->files, domid, record, text);
}

/* What is read over and over while a domain is made or renamed: two nodes, and
 * no configuration. */
static int xen_identity(libxl__store *st, libxl__gc *gc, uint32_t domid,
                        struct libxl__domain_record *out)
{
    struct store_xen *sx = store_xen_of(st);

    *out = (struct libxl__domain_record){.domid = domid};
    out->name = libxl__xs_read(sx->p.xs, gc, "/local/domain/%u/name", domid);
    if (out->name && read_uuid(sx, gc, domid, &out->uuid))
        return 0;
    return libxl__domain_record_read(st->files, gc, domid, out);
}

static int xen_write(libxl__store *st, uint32_t domid, const char *record,
                     const char *text)
{
    int rc = st->files->ops->write(st->files, domid, record, text);

    if (!rc && !strcmp(record, "domain"))
        rc = republish(store_xen_of(st), domid);
    return rc;
}

static int xen_erase(libxl__store *st, uint32_t domid, const char *record)
{
    return st->files->ops->erase(st->files, domid, record);
}

static int xen_open_dir(libxl__store *st, uint32_t domid, int *fd_out)
{
    return st->files->ops->open_dir(st->files, domid, fd_out);
}

static void xen_close(libxl__store *st)
{
    st->files->ops->close(st->files);
    free(store_xen_of(st));
}

static const struct libxl__store_ops store_xen_ops = {
    .name = "xenstore",
    .prepare = xen_prepare,
    .list = xen_list,
    .create = xen_create,
    .remove = xen_remove,
    .read = xen_read,
    .write = xen_write,
    .erase = xen_erase,
    .identity = xen_identity,
    .open_dir = xen_open_dir,
    .close = xen_close,
};

libxl__store *libxl__store_xen_open(libxl_ctx *ctx,
                                    const struct libxl__store_xen_params *p)
{
    struct store_xen *sx = calloc(1, sizeof(*sx));

    if (!sx)
        return NULL;
    sx->store.ops = &store_xen_ops;
    sx->store.ctx = ctx;
    sx->p = *p;
    sx->store.files = libxl__store_files_open(ctx);
    if (sx->store.files)
        return &sx->store;
    free(sx);
    return NULL;
}
