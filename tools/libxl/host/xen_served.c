/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_served.c - a guest that a QEMU serves stops, and goes on.
 *
 * suspend: the guest suspends -> stood_still -> QEMU: stop -> stopped
 * resume:  QEMU: cont -> goes_on -> the guest resumes
 *
 * "stop" drains and flushes. What an emulated device still writes into the
 * guest's memory comes before the last pages are read; and what an image format
 * keeps in QEMU's memory is in the file when another QEMU opens it, here or on
 * another host.
 */
#include "base/log.h"
#include "host/xen_dev.h"
#include "host/xen_dm.h"
#include "host/xen_dm_start.h"

struct stop {
    libxl__host *h;
    libxl__host_call *call; /* the caller's */
    libxl__host_call inner; /* ours */
    int rc;
};

static void stood_still(libxl__egc *egc, libxl__host_call *call, int rc);
static void stopped(libxl__egc *egc, libxl__xen_dm *dm, int rc);
static void back_again(libxl__egc *egc, libxl__host_call *call, int rc);
static void goes_on(libxl__egc *egc, libxl__xen_dm *dm, int rc);

static bool has_qemu(libxl__host *h, libxl__host_call *call)
{
    return h->ops->has_dm(h, call->domid) ||
           libxl__xen_dm_is_there(libxl__host_xen_of(h), libxl__ao_gc(call->ao),
                                  call->domid);
}

static void finish(libxl__egc *egc, struct stop *st, int rc)
{
    st->call->callback(egc, st->call, rc);
}

static libxl__host_call *inner_call(struct stop *st,
                                    libxl__host_callback *callback)
{
    st->inner = (libxl__host_call){
        .ao = st->call->ao,
        .domid = st->call->domid,
        .user = st,
        .callback = callback,
    };
    return &st->inner;
}

int libxl__xen_suspend_served(libxl__egc *egc, libxl__host *h,
                              libxl__host_call *call)
{
    struct stop *st;

    if (!has_qemu(h, call))
        return libxl__xen_suspend(egc, h, call);
    st = libxl__zalloc(libxl__ao_gc(call->ao), sizeof(*st));
    if (!st)
        return ERROR_NOMEM;
    st->h = h;
    st->call = call;
    return libxl__xen_suspend(egc, h, inner_call(st, stood_still));
}

static void stood_still(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct stop *st = call->user;
    libxl__xen_dm *dm = rc ? NULL : libxl__xen_dm_new(st->h, call, -1);

    if (!rc && !dm)
        rc = ERROR_FAIL;
    if (dm) {
        dm->user = st;
        libxl__xen_dm_step(dm, "stop", NULL, false);
        rc = libxl__xen_dm_start(egc, dm, stopped);
    }
    if (rc)
        finish(egc, st, rc);
}

static void stopped(libxl__egc *egc, libxl__xen_dm *dm, int rc)
{
    struct stop *st = dm->user;

    /* not "it may still suspend": it has */
    st->rc = rc == ERROR_TIMEDOUT ? ERROR_FAIL : rc;
    if (rc) {
        LOGD(st->h->ctx, st->call->domid, ERROR,
             "the QEMU that serves it does not stop: the guest goes on");
        rc = libxl__xen_resume(egc, st->h, inner_call(st, back_again));
        if (!rc)
            return;
    }
    finish(egc, st, st->rc);
}

static void back_again(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct stop *st = call->user;

    finish(egc, st, st->rc);
}

int libxl__xen_resume_served(libxl__egc *egc, libxl__host *h,
                             libxl__host_call *call)
{
    /* An HVM guest's is told when it resumes, whoever asks for that. */
    if (h->ops->has_dm(h, call->domid) || !has_qemu(h, call))
        return libxl__xen_resume(egc, h, call);
    return libxl__xen_dm_cont(egc, h, call, goes_on);
}

static void goes_on(libxl__egc *egc, libxl__xen_dm *dm, int rc)
{
    if (!rc)
        rc = libxl__xen_resume(egc, dm->h, dm->call);
    if (rc)
        dm->call->callback(egc, dm->call, rc);
}
