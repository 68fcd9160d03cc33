/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_outcome.c - chain: start -> (find the copy, lock it, give it up)
 * -> recovered -> finish
 */
#include "domain/migrate_outcome.h"

#include <string.h>

#include "base/log.h"
#include "domain/lease.h"
#include "migrate/received.h"
#include "store/domain_record.h"

static void recovered(libxl__egc *egc, libxl__recover_one *ro, int rc);

static void finish(libxl__egc *egc, struct libxl__migrate_outcome *mo,
                   enum libxl__outcome outcome)
{
    libxl__domain_lock_release(mo->lock);
    mo->lock = NULL;
    libxl__lease_end(&mo->lease);
    mo->callback(egc, mo, outcome);
}

struct copies {
    uint32_t domid; /* the one that came by this migration; INVALID_DOMID */
    bool arriving;  /* another one, by a later migration */
    bool other;     /* one that is neither, nor the source's own */
};

static bool same_migration(const struct libxl__migrate_outcome *mo,
                           const struct libxl__journal *j)
{
    return j->migration && !strcmp(j->migration, mo->id);
}

static int look_at(struct libxl__migrate_outcome *mo, uint32_t domid,
                   struct copies *c)
{
    struct libxl__journal j;
    int rc =
        libxl__journal_read(mo->store, libxl__ao_gc(mo->ao), domid, &j);

    if (rc && rc != ERROR_NOTFOUND)
        return rc;
    if (rc || !(j.verb == JOURNAL_RECEIVE || j.verb == JOURNAL_SEND))
        c->other = true;
    else if (j.verb == JOURNAL_SEND) /* both sides may be one host */
        c->other |= !same_migration(mo, &j);
    else if (same_migration(mo, &j))
        c->domid = domid;
    else
        c->arriving = true;
    return 0;
}

/* What there is of the guest on this host. */
static int find_copies(struct libxl__migrate_outcome *mo, struct copies *out)
{
    libxl__gc *gc = libxl__ao_gc(mo->ao);
    struct libxl__domain_record rec;
    uint32_t *domids;
    int nr, rc;

    *out = (struct copies){.domid = INVALID_DOMID};
    rc = mo->store->ops->list(mo->store, gc, &domids, &nr);
    for (int i = 0; !rc && i < nr; i++)
        if (!libxl__domain_record_read(mo->store, gc, domids[i], &rec) &&
            !memcmp(&rec.uuid, mo->query.uuid, sizeof(rec.uuid)))
            rc = look_at(mo, domids[i], out);
    return rc;
}

/* There is no copy by this migration, or its journal is erased: the mark tells.
 * Where there is none, a guest with this uuid that came by another way speaks
 * against letting the sender have a second one. */
static enum libxl__outcome by_the_mark(struct libxl__migrate_outcome *mo,
                                       const struct copies *c)
{
    libxl_uuid uuid;
    const char *text;
    enum libxl__received mark;

    memcpy(&uuid, mo->query.uuid, sizeof(uuid));
    text = libxl__uuid_text(libxl__ao_gc(mo->ao), &uuid);
    if (!text || libxl__received_look(mo->store, text, mo->id, &mark) ||
        mark == LIBXL__RECEIVED_UNKNOWN)
        return LIBXL__OUTCOME_NONE;
    if (mark == LIBXL__RECEIVED_YES)
        return LIBXL__OUTCOME_RAN;
    if (c->arriving)
        return LIBXL__OUTCOME_BUSY;
    if (!c->other)
        return LIBXL__OUTCOME_NEVER_RAN;
    LOG(mo->host->ctx, ERROR,
        "guest %s is here, but did not come by the migration that is asked "
        "about: nothing is said of it", text);
    return LIBXL__OUTCOME_NONE;
}

/* Under its lock: its receiver is gone. *mine: recovery has to end it. */
static int decide(struct libxl__migrate_outcome *mo, uint32_t domid, bool *mine)
{
    libxl__gc *gc = libxl__ao_gc(mo->ao);
    struct libxl__journal j;
    int rc = libxl__journal_read(mo->store, gc, domid, &j);

    *mine = !rc && j.verb == JOURNAL_RECEIVE && same_migration(mo, &j);
    if (!*mine)
        return rc == ERROR_NOTFOUND ? 0 : rc;
    mo->outcome = LIBXL__OUTCOME_RAN;
    if (j.step == JSTEP_GO)
        return 0; /* recovery lets it run, or gives it up */
    j.step = JSTEP_GIVEN_UP;
    mo->outcome = LIBXL__OUTCOME_NEVER_RAN;
    return libxl__journal_write(mo->store, gc, domid, &j);
}

void libxl__migrate_outcome_start(libxl__egc *egc,
                                  struct libxl__migrate_outcome *mo)
{
    struct copies copies;
    bool mine = false;
    int rc;

    mo->lock = NULL;
    mo->lease = -1;
    mo->host = libxl__host_get(libxl__ao_ctx(mo->ao));
    mo->store = mo->host->ops->store(mo->host);
    libxl__hs_id_format(mo->query.id, mo->id);
    rc = find_copies(mo, &copies);
    if (!rc && copies.domid != INVALID_DOMID)
        rc = libxl__domain_lock_take(mo->store, copies.domid, "recover", true,
                                     &mo->lock);
    if (rc == ERROR_LOCK_FAIL) {
        finish(egc, mo, LIBXL__OUTCOME_BUSY);
        return;
    }
    if (mo->lock) /* a keeper whose domain goes has to learn of it */
        mo->lease = libxl__lease_begin(mo->store, copies.domid);
    if (!rc && copies.domid != INVALID_DOMID)
        rc = decide(mo, copies.domid, &mine);
    if (rc || !mine) {
        finish(egc, mo,
               rc ? LIBXL__OUTCOME_NONE : by_the_mark(mo, &copies));
        return;
    }
    mo->recover = (struct libxl__recover_one){
        .ao = mo->ao,
        .host = mo->host,
        .domid = copies.domid,
        .policy = RECOVER_ASK,
        .user = mo,
        .callback = recovered,
    };
    libxl__recover_one_start(egc, &mo->recover);
}

static void recovered(libxl__egc *egc, libxl__recover_one *ro, int rc)
{
    struct libxl__migrate_outcome *mo = ro->user;

    if (rc)
        finish(egc, mo, LIBXL__OUTCOME_BUSY);
    else
        finish(egc, mo, ro->gone ? LIBXL__OUTCOME_NEVER_RAN : mo->outcome);
}
