/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * recover.c - `xl recover`: one domain, or each of them in turn.
 *
 * start -> next -> (lock) -> recovered -> kept -> next ... -> finish
 */
#include "base/container.h"
#include "base/log.h"
#include "domain/domain.h"
#include "domain/keep.h"
#include "domain/lease.h"
#include "domain/recover_one.h"
#include "domain/stale.h"
#include "domain/unfinished.h"

#define PATIENCE_MS 5000
#define AGAIN_MS 20

struct recover {
    libxl__ao *ao;
    libxl__host *host;
    libxl__store *store;
    uint32_t *domids;
    int nr, at;
    int rc; /* first failure; the others are still tried */
    unsigned recovered;
    libxl__domain_lock *lock;
    int lease; /* a keeper whose domain goes has to learn of it */
    struct libxl__recover_one one;
    libxl__keep keep;
    libxl__ev_immediate soon; /* the next one: no recursion */
    libxl__ev_time again;     /* for one that is held for a moment */
    uint64_t patience_ms;     /* until when */
};

static struct recover *recover_of_soon(libxl__ev_immediate *soon)
{
    return CONTAINER_OF(soon, struct recover, soon);
}

static struct recover *recover_of_again(libxl__ev_time *again)
{
    return CONTAINER_OF(again, struct recover, again);
}

static void next_soon(libxl__egc *egc, libxl__ev_immediate *soon);
static void next(libxl__egc *egc, struct recover *re);
static void recovered(libxl__egc *egc, libxl__recover_one *ro, int rc);
static void kept(libxl__egc *egc, libxl__keep *ke, int rc);

int libxl__domain_recover_start(libxl__egc *egc, libxl__ao *ao,
                                const void *params)
{
    libxl__gc *gc = libxl__ao_gc(ao);
    struct recover *re = libxl__zalloc(gc, sizeof(*re));
    uint32_t domid = libxl__ao_domid(ao);
    int rc = 0;

    if (!re)
        return ERROR_NOMEM;
    re->ao = ao;
    libxl__ev_time_init(&re->again);
    re->patience_ms = libxl__now_ms(libxl__ao_ctx(ao)) + PATIENCE_MS;
    re->host = libxl__host_get(libxl__ao_ctx(ao));
    if (!re->host)
        return ERROR_FAIL;
    re->store = re->host->ops->store(re->host);
    if (domid == INVALID_DOMID) {
        libxl__unfinished_sweep(re->store, gc);
        rc = re->store->ops->list(re->store, gc, &re->domids, &re->nr);
    } else {
        re->nr = 1;
        re->domids = libxl__zalloc(gc, sizeof(domid));
        if (!re->domids)
            return ERROR_NOMEM;
        re->domids[0] = domid;
    }
    if (!rc)
        next(egc, re);
    return rc;
}

static void go_on(libxl__egc *egc, struct recover *re)
{
    re->soon.callback = next_soon;
    libxl__egc_immediate(egc, &re->soon);
}

static void finish(libxl__egc *egc, struct recover *re)
{
    if (!re->rc && !re->recovered)
        LOG(re->host->ctx, INFO, "nothing was left to recover");
    libxl__ao_complete(egc, re->ao, re->rc);
}

/* Its operation is over, and still someone holds it: the keeper, which looks
 * what there is to do and then lets go. */
static bool will_be_free_soon(struct recover *re, uint32_t domid)
{
    struct libxl__journal j;

    return !libxl__journal_read(re->store, libxl__ao_gc(re->ao), domid, &j) &&
           libxl__proc_id_state(&j.owner) != LIBXL__PROC_ALIVE &&
           libxl__now_ms(re->host->ctx) < re->patience_ms;
}

static void try_again(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct recover *re = recover_of_again(ev);

    if (rc == ERROR_ABORTED)
        re->patience_ms = 0;
    next(egc, re);
}

/* The next domain that has to be looked at, with its lock; false: none, or
 * not yet. */
static bool take_next(struct recover *re)
{
    bool all = libxl__ao_domid(re->ao) == INVALID_DOMID;
    uint32_t domid;
    int rc;

    for (; re->at < re->nr; re->at++) {
        domid = re->domids[re->at];
        if (libxl__stale_sweep(re->host, libxl__ao_gc(re->ao), domid)) {
            re->recovered++;
            continue;
        }
        rc = libxl__domain_lock_take(re->store, domid, "recover", true,
                                     &re->lock);
        if (!rc)
            return true;
        if (rc == ERROR_LOCK_FAIL && will_be_free_soon(re, domid) &&
            !libxl__ev_time_register_rel(re->host->ctx, re->ao, &re->again,
                                         try_again, AGAIN_MS))
            return false;
        if (!all) /* for its message */
            rc = libxl__domain_lock_take(re->store, domid, "recover", false,
                                         &re->lock);
        if (!rc)
            return true;
        /* Held or gone: nothing that `recover` of all has to end. */
        if (!all || (rc != ERROR_LOCK_FAIL && rc != ERROR_DOMAIN_NOTFOUND))
            re->rc = re->rc ? re->rc : rc;
    }
    return false;
}

static void next(libxl__egc *egc, struct recover *re)
{
    if (!take_next(re)) {
        if (re->at == re->nr)
            finish(egc, re);
        return;
    }
    re->lease = libxl__lease_begin(re->store, re->domids[re->at]);
    re->one = (struct libxl__recover_one){
        .ao = re->ao,
        .host = re->host,
        .domid = re->domids[re->at++],
        .policy = RECOVER_REACH,
        .check_run = true,
        .user = re,
        .callback = recovered,
    };
    libxl__recover_one_start(egc, &re->one);
}

static void recovered(libxl__egc *egc, libxl__recover_one *ro, int rc)
{
    struct recover *re = ro->user;

    libxl__domain_lock_release(re->lock);
    re->lock = NULL;
    libxl__lease_end(&re->lease);
    if (ro->had_journal)
        re->recovered++;
    if (rc && !re->rc)
        re->rc = rc;
    if (ro->gone) {
        go_on(egc, re);
        return;
    }
    re->keep = (libxl__keep){
        .ao = re->ao,
        .host = re->host,
        .domid = ro->domid,
        .policy = KEEP_AS_IT_WAS,
        .user = re,
        .callback = kept,
    };
    libxl__keep_start(egc, &re->keep);
}

static void kept(libxl__egc *egc, libxl__keep *ke, int rc)
{
    struct recover *re = ke->user;

    if (rc && !re->rc)
        re->rc = rc;
    go_on(egc, re);
}

static void next_soon(libxl__egc *egc, libxl__ev_immediate *soon)
{
    next(egc, recover_of_soon(soon));
}
