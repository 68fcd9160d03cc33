/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_outcome.c - chain: start -> (find the copy, lock it, give it up)
 * -> recovered -> finish
 */
#include "domain/migrate_outcome.h"

#include "base/log.h"
#include <string.h>

#include "migrate/received.h"
#include "store/domain_record.h"

static void recovered(libxl__egc *egc, libxl__recover_one *ro, int rc);

static void finish(libxl__egc *egc, struct libxl__migrate_outcome *mo,
                   enum libxl__outcome outcome)
{
    libxl__domain_lock_release(mo->lock);
    mo->lock = NULL;
    mo->callback(egc, mo, outcome);
}

/* This host's copy of the guest. ERROR_NOTFOUND: there is none. The source's
 * copy, when both sides are one host, is not it. */
static int find_copy(struct libxl__migrate_outcome *mo, uint32_t *domid_out)
{
    libxl__gc *gc = libxl__ao_gc(mo->ao);
    struct libxl__domain_record rec;
    struct libxl__journal j;
    uint32_t *domids;
    int nr, rc;

    rc = mo->store->ops->list(mo->store, gc, &domids, &nr);
    for (int i = 0; !rc && i < nr; i++) {
        if (libxl__domain_record_read(mo->store, gc, domids[i], &rec) ||
            memcmp(&rec.uuid, &mo->uuid, sizeof(rec.uuid)))
            continue;
        rc = libxl__journal_read(mo->store, gc, domids[i], &j);
        if (!rc && j.verb == JOURNAL_SEND)
            continue;
        *domid_out = domids[i];
        return rc == ERROR_NOTFOUND ? 0 : rc;
    }
    return rc ? rc : ERROR_NOTFOUND;
}

static enum libxl__outcome by_the_mark(struct libxl__migrate_outcome *mo)
{
    char *uuid = libxl__uuid_text(libxl__ao_gc(mo->ao), &mo->uuid);
    bool ran;

    if (!uuid || libxl__received_is_set(mo->store, uuid, &ran))
        return LIBXL__OUTCOME_NONE;
    return ran ? LIBXL__OUTCOME_RAN : LIBXL__OUTCOME_NEVER_RAN;
}

/* It runs, or soon will: what holds its lock does not matter. */
static bool is_taken_over(struct libxl__migrate_outcome *mo, uint32_t domid)
{
    struct libxl__journal j;
    int rc = libxl__journal_read(mo->store, libxl__ao_gc(mo->ao), domid, &j);

    return rc == ERROR_NOTFOUND || (!rc && j.verb != JOURNAL_RECEIVE);
}

/* Under its lock: its receiver is gone. */
static int decide(struct libxl__migrate_outcome *mo, uint32_t domid)
{
    libxl__gc *gc = libxl__ao_gc(mo->ao);
    struct libxl__journal j;
    int rc = libxl__journal_read(mo->store, gc, domid, &j);

    mo->outcome = LIBXL__OUTCOME_RAN;
    if (rc == ERROR_NOTFOUND)
        return 0;
    if (rc || j.verb != JOURNAL_RECEIVE)
        return rc;
    if (j.step == JSTEP_GO)
        return 0; /* recovery lets it run, or gives it up */
    j.step = JSTEP_GIVEN_UP;
    mo->outcome = LIBXL__OUTCOME_NEVER_RAN;
    return libxl__journal_write(mo->store, gc, domid, &j);
}

void libxl__migrate_outcome_start(libxl__egc *egc,
                                  struct libxl__migrate_outcome *mo)
{
    uint32_t domid;
    int rc;

    mo->lock = NULL;
    mo->host = libxl__host_get(libxl__ao_ctx(mo->ao));
    mo->store = mo->host->ops->store(mo->host);
    rc = find_copy(mo, &domid);
    if (rc == ERROR_NOTFOUND) {
        finish(egc, mo, by_the_mark(mo));
        return;
    }
    if (!rc && is_taken_over(mo, domid)) {
        finish(egc, mo, LIBXL__OUTCOME_RAN);
        return;
    }
    if (!rc)
        rc = libxl__domain_lock_take(mo->store, domid, "recover", true,
                                     &mo->lock);
    if (rc == ERROR_LOCK_FAIL) {
        finish(egc, mo, LIBXL__OUTCOME_BUSY);
        return;
    }
    if (!rc)
        rc = decide(mo, domid);
    if (rc) {
        finish(egc, mo, LIBXL__OUTCOME_NONE);
        return;
    }
    mo->recover = (struct libxl__recover_one){
        .ao = mo->ao,
        .host = mo->host,
        .domid = domid,
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
