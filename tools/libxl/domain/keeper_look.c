/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keeper_look.c - what a keeper finds on record, and at its host. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "domain/keeper.h"
#include "store/run_record.h"

static bool exists(libxl__keeper *kp, const char *record)
{
    char *text;
    int rc = kp->store->ops->read(kp->store, kp->domid, record, &text);

    if (!rc)
        free(text);
    return rc != ERROR_NOTFOUND;
}

bool libxl__keeper_has_journal(libxl__keeper *kp)
{
    struct libxl__journal j;
    libxl__gc gc;
    bool has = exists(kp, "journal");

    if (!has)
        return false;
    libxl__gc_init(&gc, kp->ctx);
    if (!libxl__journal_read(kp->store, &gc, kp->domid, &j))
        has = !libxl__journal_awaits(kp->host, &gc, kp->domid, &j);
    libxl__gc_dispose(&gc);
    return has;
}

/* Another toolstack may have ended it: no record says so. */
static bool host_has_none(libxl__keeper *kp)
{
    libxl_dominfo info = {0};
    libxl__gc gc;
    int rc = 0;

    if (!kp->host->poll_ms || exists(kp, "journal"))
        return false;
    libxl__gc_init(&gc, kp->ctx);
    rc = kp->host->ops->dominfo(kp->host, &gc, kp->domid, &info);
    libxl_dominfo_dispose(&info);
    libxl__gc_dispose(&gc);
    return rc == ERROR_DOMAIN_NOTFOUND;
}

/* By its own directory: another domain may have got the number since. */
bool libxl__keeper_is_gone(libxl__keeper *kp)
{
    return host_has_none(kp) ||
           (faccessat(kp->dirfd, "domain", F_OK, AT_SYMLINK_NOFOLLOW) &&
            errno == ENOENT);
}

/* Without a process: what its events said before, or else a crash. A keeper
 * that was killed while it started the guest again leaves the former. */
static libxl_shutdown_reason reason_on_record(libxl__keeper *kp)
{
    struct libxl__run_record run;

    if (!libxl__run_record_read(kp->store, kp->domid, &run) &&
        run.state == LIBXL__RUN_SHUTDOWN)
        return run.reason;
    return LIBXL_SHUTDOWN_REASON_CRASH;
}

/* A guest of the hypervisor may give any number. */
static libxl_shutdown_reason known(libxl_shutdown_reason reason)
{
    return reason >= LIBXL_SHUTDOWN_REASON_POWEROFF &&
                   reason <= LIBXL_SHUTDOWN_REASON_SOFT_RESET
               ? reason
               : LIBXL_SHUTDOWN_REASON_CRASH;
}

bool libxl__keeper_sees_end(libxl__keeper *kp, libxl_shutdown_reason *reason)
{
    libxl_dominfo info = {0};
    libxl__gc gc;
    bool is = false;

    libxl__gc_init(&gc, kp->ctx);
    if (!kp->host->ops->dominfo(kp->host, &gc, kp->domid, &info)) {
        *reason = known(info.shutdown_reason);
        is = info.shutdown && *reason != LIBXL_SHUTDOWN_REASON_SUSPEND;
    }
    libxl_dominfo_dispose(&info);
    libxl__gc_dispose(&gc);
    /* a suspended guest can lose its process, too */
    if (!is && kp->qemu_known && kp->qemu_gone) {
        *reason = reason_on_record(kp);
        is = true;
    }
    return is;
}

bool libxl__keeper_should_run(libxl__keeper *kp)
{
    struct libxl__run_record run;

    return kp->stopped && !kp->qemu_gone &&
           !libxl__run_record_read(kp->store, kp->domid, &run) &&
           run.state == LIBXL__RUN_RUNNING;
}

bool libxl__keeper_sees_life(libxl__keeper *kp)
{
    libxl__gc gc;
    bool is;

    if (!kp->host->poll_ms)
        return false;
    libxl__gc_init(&gc, kp->ctx);
    is = libxl__guest_is_up(kp->host, &gc, kp->domid);
    libxl__gc_dispose(&gc);
    return is;
}
