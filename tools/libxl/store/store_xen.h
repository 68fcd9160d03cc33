/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_xen.h - SEAM 3 on a Xen host: which domains there are is the
 * hypervisor's to say, names and identity lie in xenstore, the configuration in
 * libxl's userdata, so that domains made by Debian's xl and by ours are the same
 * to both. Locks, journals and what nobody else keeps lie in files, as on a
 * QEMU host, in a directory that a domain of another toolstack gets when it is
 * first needed.
 *
 * Owns:      the files' store behind it. xs and user are the caller's.
 * Thread:    loop thread only.
 * Errors:    rc, logged, as in store.h.
 */
#ifndef LIBXL_STORE_XEN_H
#define LIBXL_STORE_XEN_H

#include "store/store.h"
#include "store/xs.h"

struct libxl__store_xen_params {
    struct libxl__xs *xs;
    const char *userdata_dir; /* /var/lib/xen */
    /* The hypervisor's domains, ascending, from gc. */
    int (*domids)(void *user, libxl__gc *gc, uint32_t **domids, int *nr);
    void *user;
};

libxl__store *libxl__store_xen_open(libxl_ctx *ctx,
                                    const struct libxl__store_xen_params *p);
/* The record "domain" of a domain that is being made becomes its name, identity
 * and userdata: the caller has made its xenstore directory. */
int libxl__store_xen_publish(libxl__store *st, uint32_t domid);

#endif
