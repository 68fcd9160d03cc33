/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * destroy.c - chain, in order of time:
 *   start -> (lock) -> forgotten -> (journal) -> ended -> finish
 *         -> (busy) -> ended -> retry_lock ... -> forgotten -> (journal)
 *                                              -> ended -> finish
 *
 * Overrides another operation: the guest is ended under its feet, it fails, and
 * when it has let go of the lock (or after a while without) the rest goes. The
 * keeper may have had the lock in between, and have started the guest again: it
 * is ended once more.
 */
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/domain.h"
#include "domain/lease.h"
#include "domain/recover_one.h"

#define LOCK_RETRY_MS 50
#define LOCK_PATIENCE_MS 10000

struct destroy {
    libxl__ao *ao;
    libxl__host *host;
    libxl__store *store;
    uint32_t domid;
    libxl__domain_lock *lock;
    int lease;
    struct libxl__recover_one recover;
    libxl__host_call call;
    libxl__ev_time retry;
    uint64_t give_up_ms;
};

static void forgotten(libxl__egc *egc, libxl__recover_one *ro, int rc);
static void end_guest(libxl__egc *egc, struct destroy *de);
static void ended(libxl__egc *egc, libxl__host_call *call, int rc);
static void retry_lock(libxl__egc *egc, libxl__ev_time *ev, int rc);

static struct destroy *destroy_of_retry(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct destroy, retry);
}

static void finish(libxl__egc *egc, struct destroy *de, int rc)
{
    if (!rc)
        rc = de->store->ops->remove(de->store, de->domid);
    libxl__domain_lock_release(de->lock);
    libxl__lease_end(&de->lease);
    libxl__ao_complete(egc, de->ao, rc);
}

/* The journal's leftovers first: they are named nowhere else. */
static void forget_journal(libxl__egc *egc, struct destroy *de)
{
    de->recover = (struct libxl__recover_one){
        .ao = de->ao,
        .host = de->host,
        .domid = de->domid,
        .policy = RECOVER_FORGET,
        .user = de,
        .callback = forgotten,
    };
    libxl__recover_one_start(egc, &de->recover);
}

int libxl__domain_destroy_start(libxl__egc *egc, libxl__ao *ao,
                                const void *params)
{
    struct destroy *de = libxl__zalloc(libxl__ao_gc(ao), sizeof(*de));
    int rc;

    if (!de)
        return ERROR_NOMEM;
    de->ao = ao;
    de->domid = libxl__ao_domid(ao);
    libxl__ev_time_init(&de->retry);
    de->host = libxl__host_get(libxl__ao_ctx(ao));
    if (!de->host)
        return ERROR_FAIL;
    de->store = de->host->ops->store(de->host);
    rc = libxl__domain_lock_take(de->store, de->domid, "destroy", true,
                                 &de->lock);
    if (rc == ERROR_DOMAIN_NOTFOUND)
        LOGD(de->host->ctx, de->domid, ERROR, "there is no domain with this id");
    if (rc && rc != ERROR_LOCK_FAIL)
        return rc;
    de->lease = libxl__lease_begin(de->store, de->domid);
    if (rc)
        end_guest(egc, de);
    else
        forget_journal(egc, de);
    return 0;
}

/* With the lock: a destroy that is cut off is ended by whoever finds it, and
 * not taken for the guest's own end. */
static int note_destroy(struct destroy *de)
{
    struct libxl__journal j;
    int rc = libxl__journal_init(&j, JOURNAL_DESTROY, JSTEP_DONE);

    j.then = LIBXL_SAVE_THEN_DESTROY;
    return rc ? rc
              : libxl__journal_write(de->store, libxl__ao_gc(de->ao),
                                     de->domid, &j);
}

static void forgotten(libxl__egc *egc, libxl__recover_one *ro, int rc)
{
    struct destroy *de = ro->user;

    if (!rc)
        rc = note_destroy(de);
    if (rc)
        LOGD(de->host->ctx, de->domid, WARN,
             "the journal could not be followed; destroying all the same");
    end_guest(egc, de);
}

static void end_guest(libxl__egc *egc, struct destroy *de)
{
    int rc;

    de->call = (libxl__host_call){
        .ao = de->ao,
        .domid = de->domid,
        .user = de,
        .callback = ended,
    };
    rc = de->host->ops->destroy(egc, de->host, &de->call);
    if (rc)
        ended(egc, &de->call, rc);
}

static void ended(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct destroy *de = call->user;

    if (rc || de->lock) {
        finish(egc, de, rc);
        return;
    }
    de->give_up_ms = libxl__now_ms(de->host->ctx) + LOCK_PATIENCE_MS;
    retry_lock(egc, &de->retry, ERROR_TIMEDOUT);
}

static void retry_lock(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct destroy *de = destroy_of_retry(ev);
    libxl_ctx *ctx = de->host->ctx;

    rc = libxl__domain_lock_take(de->store, de->domid, "destroy", true,
                                 &de->lock);
    if (!rc) {
        forget_journal(egc, de);
        return;
    }
    if (rc == ERROR_DOMAIN_NOTFOUND) { /* the other one has removed it */
        libxl__lease_end(&de->lease);
        libxl__ao_complete(egc, de->ao, 0);
        return;
    }
    if (libxl__now_ms(ctx) < de->give_up_ms &&
        !libxl__ev_time_register_rel(ctx, NULL, &de->retry, retry_lock,
                                     LOCK_RETRY_MS))
        return;
    LOGD(ctx, de->domid, WARN,
         "the operation that has this domain does not end; its records are "
         "removed all the same");
    finish(egc, de, 0);
}
