/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper_settle.c - look at what is on record, and bring the domain to rest.
 * One round, in order of time:
 *
 *   settle -> (lock) -> recovered -> (policy)
 *          -> leave                                         -> end_round
 *          -> (journal) -> destroyed                        -> quit
 *          -> (journal) -> cleared -> created -> unpaused   -> end_round
 *                                 -> unmake -> unmade       -> end_round
 *
 * A guest starts again as a new QEMU process: a reset in place would meet
 * firmware that resets once more by itself, and a QEMU that an update has
 * replaced meanwhile.
 *
 * A domain that an operation holds is left alone until that operation ends:
 * its lease closes, its owner dies, or (without either) after a while.
 */
#include <poll.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/dom_op.h"
#include "domain/keeper.h"
#include "domain/keeper_policy.h"
#include "domain/keeper_record.h"
#include "store/run_record.h"

#define RETRY_MIN_MS 20u
#define RETRY_MAX_MS 2000u

static void recovered(libxl__egc *egc, libxl__recover_one *ro, int rc);
static void destroyed(libxl__egc *egc, libxl__host_call *call, int rc);
static void cleared(libxl__egc *egc, libxl__host_call *call, int rc);
static void created(libxl__egc *egc, libxl__host_call *call, int rc);
static void unmake(libxl__egc *egc, libxl__keeper *kp, int rc);
static void unmade(libxl__egc *egc, libxl__host_call *call, int rc);
static void unpaused(libxl__egc *egc, libxl__host_call *call, int rc);
static void restart_failed(libxl__egc *egc, libxl__keeper *kp, int rc);
static void retry(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void owner_died(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                       short revents);

static libxl__keeper *keeper_of_retry(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__keeper, retry);
}

static libxl__keeper *keeper_of_owner(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__keeper, owner_death);
}

static libxl__host_call *make_call(libxl__keeper *kp,
                                   libxl__host_callback *callback)
{
    kp->round.call = (libxl__host_call){
        .ao = kp->round.ao,
        .domid = kp->domid,
        .user = kp,
        .callback = callback,
    };
    return &kp->round.call;
}

/* ---- waiting for another operation's end ---- */

static void stop_waiting(libxl__keeper *kp)
{
    libxl__ev_time_deregister(kp->ctx, &kp->retry);
    libxl__ev_fd_deregister(kp->ctx, &kp->owner_death);
    if (kp->owner_pidfd >= 0)
        close(kp->owner_pidfd);
    kp->owner_pidfd = -1;
}

static bool watch_owner(libxl__keeper *kp)
{
    struct libxl__journal j;
    libxl__gc gc;
    int rc;

    libxl__gc_init(&gc, kp->ctx);
    rc = libxl__journal_read(kp->store, &gc, kp->domid, &j);
    if (!rc)
        rc = libxl__proc_id_open(&j.owner, &kp->owner_pidfd);
    libxl__gc_dispose(&gc);
    return !rc && !libxl__ev_fd_register(kp->ctx, &kp->owner_death, owner_died,
                                         kp->owner_pidfd, POLLIN);
}

static void wait_for_lock(libxl__keeper *kp)
{
    uint64_t delay = RETRY_MIN_MS << (kp->tries < 10 ? kp->tries : 10);

    kp->tries++;
    if (kp->nr_leases || watch_owner(kp))
        return;
    if (delay > RETRY_MAX_MS)
        delay = RETRY_MAX_MS;
    if (libxl__ev_time_register_rel(kp->ctx, NULL, &kp->retry, retry, delay))
        LOGD(kp->ctx, kp->domid, ERROR,
             "the keeper cannot wait for the domain's lock");
}

static void retry(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__keeper_settle(egc, keeper_of_retry(ev));
}

static void owner_died(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                       short revents)
{
    libxl__keeper_settle(egc, keeper_of_owner(ev));
}

/* ---- one round ---- */

static void free_round(libxl__keeper *kp)
{
    struct libxl__keeper_round *ro = &kp->round;

    if (ro->config_loaded)
        libxl_domain_config_dispose(&ro->config);
    ro->config_loaded = false;
    libxl__domain_lock_release(ro->lock);
    ro->lock = NULL;
    if (ro->ao)
        libxl__nested_ao_free(ro->ao);
    ro->ao = NULL;
}

static void end_round(libxl__egc *egc, libxl__keeper *kp)
{
    free_round(kp);
    if (kp->again)
        libxl__keeper_settle(egc, kp);
}

static void fail_round(libxl__egc *egc, libxl__keeper *kp, int rc)
{
    LOGD(kp->ctx, kp->domid, ERROR,
         "the keeper leaves the domain as it is (%s)",
         libxl_error_to_string(rc));
    end_round(egc, kp);
}

/* What has failed is tried again when something happens, and not before. */
static void leave(libxl__egc *egc, libxl__keeper *kp, int rc)
{
    kp->left = true;
    if (rc)
        fail_round(egc, kp, rc);
    else
        end_round(egc, kp);
}

static bool has_something_to_do(libxl__keeper *kp)
{
    libxl_shutdown_reason reason;

    if (libxl__keeper_has_journal(kp))
        return true;
    if (kp->left && libxl__keeper_sees_life(kp))
        kp->left = false;
    return libxl__keeper_should_run(kp) || kp->devs_due ||
           (!kp->left && libxl__keeper_sees_end(kp, &reason));
}

void libxl__keeper_settle(libxl__egc *egc, libxl__keeper *kp)
{
    struct libxl__keeper_round *ro = &kp->round;
    int rc;

    if (ro->ao) {
        kp->again = true;
        return;
    }
    kp->again = false;
    stop_waiting(kp);
    if (libxl__keeper_is_gone(kp)) {
        libxl__keeper_quit(egc, kp);
        return;
    }
    if (!has_something_to_do(kp))
        return;
    rc = libxl__domain_lock_take(kp->store, kp->domid, "keeper", true,
                                 &ro->lock);
    if (rc) {
        wait_for_lock(kp);
        return;
    }
    kp->tries = 0;
    ro->ao = libxl__nested_ao_create(kp->ao);
    if (!ro->ao) {
        leave(egc, kp, ERROR_NOMEM);
        return;
    }
    ro->recover = (struct libxl__recover_one){
        .ao = ro->ao,
        .host = kp->host,
        .domid = kp->domid,
        .policy = RECOVER_ASK,
        .check_run = libxl__keeper_should_run(kp),
        .user = kp,
        .callback = recovered,
    };
    libxl__recover_one_start(egc, &ro->recover);
}

static bool wants_restart(libxl__keeper *kp)
{
    struct libxl__keeper_record rec;

    return !libxl__keeper_record_read(kp->store, kp->domid, &rec) &&
           rec.restart;
}

static enum libxl__keeper_action decide(libxl__keeper *kp,
                                        libxl_shutdown_reason reason)
{
    struct libxl__keeper_end end = {
        .reason = reason,
        .restart = wants_restart(kp),
        .lived_ms = libxl__now_ms(kp->ctx) - kp->started_ms,
    };
    enum libxl__keeper_action action =
        libxl__keeper_policy(&kp->round.config, &end);

    LOGD(kp->ctx, kp->domid, NOTICE, "the guest has ended (reason %d): %s%s%s",
         reason,
         action == KEEPER_DESTROY   ? "it is destroyed"
         : action == KEEPER_RESTART ? "it starts again"
                                    : "it is left as it is",
         end.note ? "; " : "", end.note ? end.note : "");
    return action;
}

/* Whoever finds it ends what there is of the new guest: a keeper begins anew.
 * It says now how the old one ended; where the host alone knows of an end, a
 * record would outlive the restart. */
static int note_restart(libxl__keeper *kp, libxl_shutdown_reason reason)
{
    struct libxl__journal j;
    int rc = libxl__journal_init(&j, JOURNAL_RESTART, JSTEP_BUILDING);

    kp->round.reason = j.reason = reason;
    j.was_running = true;
    if (!rc)
        rc = libxl__journal_write(kp->store, libxl__ao_gc(kp->round.ao),
                                  kp->domid, &j);
    if (!rc && kp->host->poll_ms)
        rc = kp->store->ops->erase(kp->store, kp->domid, "run");
    return rc;
}

/* Where the guest does not end now, whoever finds it ends it, and removes what
 * is on record: this keeper, too, when it looks again. */
static void note_destroy(libxl__keeper *kp)
{
    struct libxl__journal j;
    int rc = libxl__journal_init(&j, JOURNAL_DESTROY, JSTEP_DONE);

    j.then = LIBXL_SAVE_THEN_DESTROY;
    if (!rc)
        rc = libxl__journal_write(kp->store, libxl__ao_gc(kp->round.ao),
                                  kp->domid, &j);
    if (rc)
        LOGD(kp->ctx, kp->domid, WARN,
             "no journal could be written; destroying all the same");
}

static int act(libxl__egc *egc, libxl__keeper *kp,
               enum libxl__keeper_action action, libxl_shutdown_reason reason)
{
    libxl__host *h = kp->host;
    int rc = 0;

    if (action == KEEPER_RESTART)
        rc = note_restart(kp, reason);
    else
        note_destroy(kp);
    if (rc)
        return rc;
    return h->ops->destroy(
        egc, h, make_call(kp, action == KEEPER_DESTROY ? destroyed : cleared));
}

static void recovered(libxl__egc *egc, libxl__recover_one *one, int rc)
{
    libxl__keeper *kp = one->user;
    enum libxl__keeper_action action;
    libxl_shutdown_reason reason;

    if (!rc && one->gone) {
        free_round(kp);
        libxl__keeper_quit(egc, kp);
        return;
    }
    if (rc) { /* whose journal stays; an end has not been dealt with yet */
        fail_round(egc, kp, rc);
        return;
    }
    if (kp->left || !libxl__keeper_sees_end(kp, &reason)) {
        libxl__keeper_dev_restart(kp);
        end_round(egc, kp);
        return;
    }
    rc = libxl__dom_config_load(kp->store, libxl__ao_gc(kp->round.ao),
                                kp->domid, &kp->round.config);
    kp->round.config_loaded = true;
    if (rc) {
        leave(egc, kp, rc);
        return;
    }
    action = decide(kp, reason);
    if (action != KEEPER_LEAVE)
        rc = act(egc, kp, action, reason);
    if (rc && action == KEEPER_RESTART)
        restart_failed(egc, kp, rc);
    else if (rc || action == KEEPER_LEAVE)
        leave(egc, kp, rc);
}

static void destroyed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__keeper *kp = call->user;

    if (!rc)
        rc = kp->store->ops->remove(kp->store, kp->domid);
    if (rc) {
        leave(egc, kp, rc);
        return;
    }
    free_round(kp);
    libxl__keeper_quit(egc, kp);
}

/* ---- starting again ---- */

/* What there is stays as it is, for the user: not to be tried for ever. */
static void restart_failed(libxl__egc *egc, libxl__keeper *kp, int rc)
{
    libxl__journal_erase(kp->store, kp->domid);
    leave(egc, kp, rc);
}

/* The old guest, or its QEMU, is still there: the journal stays, and what comes
 * next begins with it. */
static void not_cleared(libxl__egc *egc, libxl__keeper *kp, int rc)
{
    LOGD(kp->ctx, kp->domid, ERROR,
         "the guest cannot be started again yet: what there was of it has not "
         "ended (%s)",
         libxl_error_to_string(rc));
    end_round(egc, kp);
}

static void cleared(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__keeper *kp = call->user;
    libxl__host *h = kp->host;

    if (rc) {
        not_cleared(egc, kp, rc);
        return;
    }
    rc = h->ops->create(egc, h, make_call(kp, created), &kp->round.config,
                        false);
    if (rc)
        unmake(egc, kp, rc);
}

/* What was made of the new guest goes: it is as it was when it had ended. */
static void unmake(libxl__egc *egc, libxl__keeper *kp, int rc)
{
    libxl__host *h = kp->host;

    kp->round.rc = rc;
    rc = h->ops->destroy(egc, h, make_call(kp, unmade));
    if (rc)
        unmade(egc, &kp->round.call, rc);
}

/* Where that fails, too, the journal says that there is something to end. */
static void unmade(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__keeper *kp = call->user;
    const struct libxl__run_record run = {
        .state = LIBXL__RUN_SHUTDOWN,
        .reason = kp->round.reason,
    };

    if (!rc)
        rc = libxl__run_record_write(kp->store, kp->domid, &run);
    if (!rc)
        rc = libxl__journal_erase(kp->store, kp->domid);
    LOGD(kp->ctx, kp->domid, ERROR,
         "the guest could not be started again (%s, see above): it stays as "
         "one that has shut down; `xl destroy %u` removes it",
         libxl_error_to_string(kp->round.rc), kp->domid);
    leave(egc, kp, rc);
}

static void created(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__keeper *kp = call->user;
    libxl__host *h = kp->host;

    if (rc) {
        unmake(egc, kp, rc);
        return;
    }
    rc = libxl__keeper_attach(egc, kp);
    if (!rc)
        rc = h->ops->unpause(egc, h, make_call(kp, unpaused));
    if (rc)
        restart_failed(egc, kp, rc);
}

static void unpaused(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__keeper *kp = call->user;

    if (!rc)
        rc = libxl__journal_erase(kp->store, kp->domid);
    if (rc) {
        restart_failed(egc, kp, rc);
        return;
    }
    kp->started_ms = libxl__now_ms(kp->ctx);
    end_round(egc, kp);
}

/* ---- begin and end ---- */

void libxl__keeper_settle_init(libxl__keeper *kp)
{
    kp->again = kp->left = false;
    kp->tries = 0;
    kp->owner_pidfd = -1;
    libxl__ev_time_init(&kp->retry);
    libxl__ev_fd_init(&kp->owner_death);
}

void libxl__keeper_settle_close(libxl__keeper *kp)
{
    stop_waiting(kp);
    free_round(kp);
}
