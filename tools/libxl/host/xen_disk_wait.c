/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_disk_wait.c - who serves a guest's disks has taken them.
 *
 * A backend that cannot open its image stays in its first state, and its QEMU
 * runs on: a guest on such a disk waits for ever. So this comes before anybody
 * is told that the guest can go.
 */
#include <stdlib.h>

#include "base/log.h"
#include "config/vdev.h"
#include "host/xen_dev.h"

#define BACKEND_MS 10000u
#define INIT_WAIT 2
#define CONNECTED 4

struct end {
    const char *back, *vdev, *image;
};

struct libxl__xen_disk_wait {
    libxl__host *h;
    libxl__host_call *call; /* the caller's */
    libxl__host_call inner; /* ours */
    struct end *all;
    int nr, at; /* at: those before it are taken */
};

static bool describe(libxl__gc *gc, uint32_t domid, const libxl_device_disk *d,
                     struct end *out)
{
    bool qdisk = d->backend == LIBXL_DISK_BACKEND_QDISK;
    struct libxl__xen_ends ends;
    struct libxl__vdev vdev;

    if (!libxl__vdev_parse(d->vdev, &vdev) ||
        !libxl__xen_ends(gc, domid, qdisk ? "qdisk" : "vbd", vdev.number,
                         &ends))
        return false;
    *out = (struct end){
        .back = ends.back,
        .vdev = libxl__strdup(gc, d->vdev),
        .image = libxl__strdup(gc, d->pdev_path),
    };
    return out->vdev && out->image;
}

/* An empty CD drive has nothing to open. */
static bool describe_all(libxl__gc *gc, uint32_t domid,
                         const libxl_domain_config *config,
                         libxl__xen_disk_wait *dw)
{
    dw->all =
        libxl__zalloc(gc, sizeof(*dw->all) * ((size_t)config->num_disks + 1));
    for (int i = 0; dw->all && i < config->num_disks; i++) {
        const libxl_device_disk *d = &config->disks[i];

        if (libxl__xen_disk_is_empty(d))
            continue;
        if (!describe(gc, domid, d, &dw->all[dw->nr++]))
            return false;
    }
    return dw->all;
}

static bool all_taken(struct libxl__host_xen *hx, libxl__gc *gc,
                      libxl__xen_disk_wait *dw)
{
    for (; dw->at < dw->nr; dw->at++) {
        char *text =
            libxl__xs_read(&hx->xs, gc, "%s/state", dw->all[dw->at].back);
        long state = text ? strtol(text, NULL, 10) : 0;

        if (state < INIT_WAIT || state > CONNECTED)
            return false;
    }
    return true;
}

static int look(libxl__egc *egc, struct libxl__xen_wait *w, int rc_wait)
{
    libxl__xen_disk_wait *dw = w->call->user;
    libxl_ctx *ctx = w->hx->host.ctx;

    if (all_taken(w->hx, libxl__egc_gc(egc), dw))
        return 0;
    if (rc_wait == ERROR_ABORTED)
        return rc_wait;
    if (libxl__now_ms(ctx) < w->deadline_ms)
        return ERROR_NOT_READY;
    LOGD(ctx, w->call->domid, ERROR,
         "disk %s: what would serve it does not take it (is %s such an image, "
         "and can it be opened here?)",
         dw->all[dw->at].vdev, dw->all[dw->at].image);
    return ERROR_FAIL;
}

static void over(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__xen_disk_wait *dw = call->user;

    dw->call->callback(egc, dw->call, rc);
}

libxl__xen_disk_wait *
libxl__xen_disk_wait_new(libxl__host *h, libxl__host_call *call,
                         const libxl_domain_config *config)
{
    libxl__gc *gc = libxl__ao_gc(call->ao);
    libxl__xen_disk_wait *dw = libxl__zalloc(gc, sizeof(*dw));

    if (!dw || !describe_all(gc, call->domid, config, dw))
        return NULL;
    dw->h = h;
    dw->call = call;
    dw->inner = (libxl__host_call){
        .ao = call->ao,
        .domid = call->domid,
        .user = dw,
        .callback = over,
    };
    return dw;
}

int libxl__xen_disk_wait_start(libxl__egc *egc, libxl__xen_disk_wait *dw)
{
    libxl__gc *gc = libxl__ao_gc(dw->call->ao);
    struct libxl__xen_wait *w;

    if (all_taken(libxl__host_xen_of(dw->h), gc, dw))
        return libxl__xen_answer(egc, dw->h, dw->call, 0);
    w = libxl__xen_wait_new(dw->h, &dw->inner);
    if (!w)
        return ERROR_NOMEM;
    w->look = look;
    w->abortable = true;
    w->deadline_ms = libxl__now_ms(dw->h->ctx) + BACKEND_MS;
    return libxl__xen_wait_start(egc, w);
}
