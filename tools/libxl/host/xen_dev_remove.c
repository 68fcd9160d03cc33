/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dev_remove.c - a device is taken from a domain that runs.
 *
 * remove -> the backend is told: closing -> look (the guest has let go of it:
 *           closed) -> script -> script_done -> nodes, answer
 *
 * By force the guest is not asked: its end goes, and the backend with it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host/xen_dev.h"

#define CLOSE_MS 30000u
#define CLOSING "5"
#define CLOSED 6

struct removal {
    libxl__host *h;
    libxl__host_call *call; /* the caller's */
    libxl__host_call inner; /* ours */
    struct libxl__xen_ends ends;
    struct libxl__xen_script script;
    const char *name, *kind;
    unsigned id;
    bool force;
};

static void closed(libxl__egc *egc, libxl__host_call *call, int rc);
static void script_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok);

static struct libxl__xs *xs_of(struct removal *rm)
{
    return &libxl__host_xen_of(rm->h)->xs;
}

static long state_of(struct removal *rm, libxl__gc *gc)
{
    const char *text = libxl__xs_read(xs_of(rm), gc, "%s/state", rm->ends.back);

    return text ? strtol(text, NULL, 10) : CLOSED; /* gone by itself */
}

/* One that is closed already stays so. */
static int tell_backend(struct removal *rm, libxl__gc *gc)
{
    struct libxl__xs_writer w = {
        .xs = xs_of(rm),
        .gc = gc,
        .guest = rm->call->domid,
        .base = rm->ends.back,
    };
    int rc;

    do {
        rc = libxl__xs_begin(w.xs);
        if (rc)
            return rc;
        w.rc = 0;
        libxl__xs_put(&w, LIBXL__XS_GUEST_READS, "online", "%s", "0");
        if (state_of(rm, gc) != CLOSED)
            libxl__xs_put(&w, LIBXL__XS_GUEST_READS, "state", "%s", CLOSING);
        if (w.rc)
            libxl__xs_rollback(w.xs);
        rc = w.rc ? w.rc : libxl__xs_commit(w.xs);
    } while (rc == ERROR_NOT_READY);
    return rc;
}

static int look(libxl__egc *egc, struct libxl__xen_wait *w, int rc_wait)
{
    struct removal *rm = w->call->user;

    if (state_of(rm, libxl__egc_gc(egc)) == CLOSED)
        return 0;
    if (rc_wait == ERROR_ABORTED)
        return rc_wait;
    if (libxl__now_ms(rm->h->ctx) < w->deadline_ms)
        return ERROR_NOT_READY;
    if (rm->force) /* nobody answers any more: its nodes go */
        return 0;
    LOGD(rm->h->ctx, rm->call->domid, ERROR,
         "%s: the guest has been asked and does not let go of it (is it in "
         "use there?); --force takes it away",
         rm->name);
    return ERROR_TIMEDOUT;
}

static int wait_for_end(libxl__egc *egc, struct removal *rm)
{
    struct libxl__xen_wait *w;

    rm->inner = (libxl__host_call){
        .ao = rm->call->ao,
        .domid = rm->call->domid,
        .user = rm,
        .callback = closed,
    };
    w = libxl__xen_wait_new(rm->h, &rm->inner);
    if (!w)
        return ERROR_NOMEM;
    w->look = look;
    w->abortable = true;
    w->deadline_ms =
        libxl__now_ms(rm->h->ctx) + (rm->force ? CLOSE_MS / 10 : CLOSE_MS);
    return libxl__xen_wait_start(egc, w);
}

int libxl__xen_dev_remove(libxl__egc *egc, libxl__host *h,
                          libxl__host_call *call, const struct libxl__dev *dev,
                          bool force)
{
    libxl__gc *gc = libxl__ao_gc(call->ao);
    struct removal *rm = libxl__zalloc(gc, sizeof(*rm));
    int rc;

    if (!rm)
        return ERROR_NOMEM;
    rm->h = h;
    rm->call = call;
    rm->force = force;
    rm->name = libxl__xen_dev_name(gc, dev, &rm->kind, &rm->id);
    if (!rm->name)
        return ERROR_INVAL;
    rc = libxl__xen_dev_find(libxl__host_xen_of(h), gc, call->domid, rm->kind,
                             rm->id, &rm->ends);
    if (rc == ERROR_NOTFOUND)
        LOGD(h->ctx, call->domid, ERROR, "%s: the domain has none", rm->name);
    if (!rc)
        rc = tell_backend(rm, gc);
    if (!rc && force)
        rc = libxl__xs_remove(xs_of(rm), "%s", rm->ends.front);
    return rc ? rc : wait_for_end(egc, rm);
}

/* ---- closed ---- */

static void finish(libxl__egc *egc, struct removal *rm)
{
    libxl__xs_remove(xs_of(rm), "%s", rm->ends.front);
    libxl__xs_remove(xs_of(rm), "%s", rm->ends.back);
    libxl__xs_remove(xs_of(rm), "%s", rm->ends.libxl);
    rm->call->callback(egc, rm->call, 0);
}

/* An interface leaves its bridge; a file, its loop device. */
static bool run_script(struct removal *rm, libxl__gc *gc)
{
    bool nic = !strcmp(rm->kind, "vif");

    if (!nic && !libxl__xs_read(xs_of(rm), gc, "%s/node", rm->ends.back))
        return false;
    rm->script = (struct libxl__xen_script){
        .hx = libxl__host_xen_of(rm->h),
        .gc = gc,
        .domid = rm->call->domid,
        .back = rm->ends.back,
        .type = rm->kind,
        .verb = nic ? "offline" : "remove",
        .arg = nic ? "type_if=vif" : NULL,
        .user = rm,
        .done = script_done,
    };
    return !libxl__xen_script_run(&rm->script);
}

static void closed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct removal *rm = call->user;

    if (rc)
        rm->call->callback(egc, rm->call, rc);
    else if (!run_script(rm, libxl__ao_gc(call->ao)))
        finish(egc, rm);
}

static void script_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok)
{
    struct removal *rm = s->user;

    if (!ok)
        LOGD(rm->h->ctx, rm->call->domid, WARN,
             "%s: its hotplug script failed when it was taken away", rm->name);
    finish(egc, rm);
}
