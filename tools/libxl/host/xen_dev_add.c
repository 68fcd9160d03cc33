/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dev_add.c - a device for a domain that runs.
 *
 * add -> nodes [-> a QEMU, for the first disk that wants one -> served]
 *     -> a disk: xen_disk_wait.c                   -> done
 *        an interface: to its bridge -> plugged    -> done
 */
#include "base/log.h"
#include "host/xen_dev.h"
#include "host/xen_dm_start.h"

struct add {
    libxl__host *h;
    libxl__host_call *call; /* the caller's */
    libxl__host_call inner; /* ours, one after the other */
    struct libxl__dev dev;
    struct libxl__xen_ends ends;
    const char *name;
};

static void served(libxl__egc *egc, libxl__host_call *call, int rc);
static void done(libxl__egc *egc, libxl__host_call *call, int rc);

static libxl__host_call *inner_call(struct add *a,
                                    libxl__host_callback *callback)
{
    a->inner = (libxl__host_call){
        .ao = a->call->ao,
        .domid = a->call->domid,
        .user = a,
        .callback = callback,
    };
    return &a->inner;
}

/* A configuration of the device alone, which it borrows. */
static libxl_domain_config alone(const struct add *a)
{
    return (libxl_domain_config){
        .disks = a->dev.disk,
        .num_disks = a->dev.disk ? 1 : 0,
        .nics = a->dev.nic,
        .num_nics = a->dev.nic ? 1 : 0,
    };
}

static int put_nodes(struct add *a)
{
    libxl_domain_config config = alone(a);

    return libxl__xen_dev_lay_out(libxl__host_xen_of(a->h),
                                  libxl__ao_gc(a->call->ao), a->call->domid,
                                  &config);
}

static void take_back(struct add *a)
{
    struct libxl__xs *xs = &libxl__host_xen_of(a->h)->xs;

    libxl__xs_remove(xs, "%s", a->ends.front);
    libxl__xs_remove(xs, "%s", a->ends.back);
    libxl__xs_remove(xs, "%s", a->ends.libxl);
}

static int wait_for_backend(libxl__egc *egc, struct add *a)
{
    libxl_domain_config config = alone(a);
    libxl__xen_disk_wait *dw =
        libxl__xen_disk_wait_new(a->h, inner_call(a, done), &config);

    return dw ? libxl__xen_disk_wait_start(egc, dw) : ERROR_NOMEM;
}

static int plug(libxl__egc *egc, struct add *a)
{
    libxl_domain_config config = alone(a);
    libxl__xen_plug *p =
        libxl__xen_plug_new(a->h, inner_call(a, done), &config);

    if (p)
        libxl__xen_plug_undoes(p);
    return p ? libxl__xen_plug_start(egc, p) : ERROR_NOMEM;
}

static bool wants_a_qemu(struct add *a)
{
    return a->dev.disk && a->dev.disk->backend == LIBXL_DISK_BACKEND_QDISK &&
           !libxl__xen_dm_is_there(libxl__host_xen_of(a->h),
                                   libxl__ao_gc(a->call->ao), a->call->domid);
}

static int check_free(struct add *a, libxl__gc *gc)
{
    struct libxl__xen_ends there;
    const char *kind;
    unsigned id;
    int rc;

    a->name = libxl__xen_dev_name(gc, &a->dev, &kind, &id);
    if (!a->name)
        return ERROR_NOMEM;
    rc = libxl__xen_dev_find(libxl__host_xen_of(a->h), gc, a->call->domid, kind,
                             id, &there);
    if (!rc) {
        LOGD(a->h->ctx, a->call->domid, ERROR, "%s: there is one already",
             a->name);
        return ERROR_DEVICE_EXISTS;
    }
    if (rc != ERROR_NOTFOUND)
        return rc;
    if (a->dev.disk && a->dev.disk->backend == LIBXL_DISK_BACKEND_QDISK)
        kind = "qdisk";
    return libxl__xen_ends(gc, a->call->domid, kind, id, &a->ends)
               ? 0
               : ERROR_NOMEM;
}

int libxl__xen_dev_add(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       const libxl_domain_config *config,
                       const struct libxl__dev *dev)
{
    libxl__gc *gc = libxl__ao_gc(call->ao);
    struct add *a = libxl__zalloc(gc, sizeof(*a));
    int rc;

    if (!a)
        return ERROR_NOMEM;
    a->h = h;
    a->call = call;
    a->dev = *dev;
    rc = check_free(a, gc);
    if (rc)
        return rc;
    rc = put_nodes(a);
    if (!rc && wants_a_qemu(a))
        rc = libxl__xen_dm_spawn(egc, h, inner_call(a, served), config, -1);
    else if (!rc)
        rc = dev->disk ? wait_for_backend(egc, a) : plug(egc, a);
    if (rc)
        take_back(a);
    return rc;
}

static void served(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct add *a = call->user;

    if (!rc)
        rc = wait_for_backend(egc, a);
    if (rc)
        done(egc, call, rc);
}

static void done(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct add *a = call->user;

    if (rc)
        take_back(a);
    a->call->callback(egc, a->call, rc);
}
