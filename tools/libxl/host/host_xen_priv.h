/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_xen_priv.h - PLUGIN: what the files that fill xen_calls.h share.
 *
 * Owns:      a handle's interface and its logger.
 * Errors:    0, or negative errno.
 */
#ifndef LIBXL_HOST_XEN_PRIV_H
#define LIBXL_HOST_XEN_PRIV_H

#include <xenctrl.h>

#include <xenguest.h>

#include "host/xen_calls.h"

struct libxl__xen_handle {
    xentoollog_logger *logger;
    xc_interface *xch;
};

/* Negative errno, never 0: libxenctrl leaves errno alone here and there. */
int libxl__xen_errno(void);
int libxl__xen_result(int r); /* of a call that returns -1 for a failure */

/* host_xen_info.c */
int libxl__xen_call_domains(struct libxl__xen_handle *h, uint32_t first,
                            unsigned max, struct libxl__xen_domain *out);
int libxl__xen_call_vcpu(struct libxl__xen_handle *h, uint32_t domid,
                         uint32_t vcpu, struct libxl__xen_vcpu *out);
int libxl__xen_call_phys(struct libxl__xen_handle *h,
                         struct libxl__xen_phys *out);
int libxl__xen_call_version(struct libxl__xen_handle *h,
                            struct libxl__xen_version *out);
const char *libxl__xen_call_scheduler(struct libxl__xen_handle *h);
int libxl__xen_call_sched_get(struct libxl__xen_handle *h, uint32_t domid,
                              unsigned *weight, unsigned *cap);
int libxl__xen_call_sched_set(struct libxl__xen_handle *h, uint32_t domid,
                              unsigned weight, unsigned cap);
/* host_xen_create.c */
int libxl__xen_call_create(struct libxl__xen_handle *h,
                           const struct libxl__xen_new *n);
/* host_xen_build.c */
int libxl__xen_call_build(struct libxl__xen_handle *h,
                          const struct libxl__xen_image *im,
                          struct libxl__xen_built *out);
/* host_xen_channel.c */
int libxl__xen_call_channel_open(uint32_t domid, uint32_t port,
                                 struct libxl__xen_channel **out, int *fd);
int libxl__xen_call_channel_notify(struct libxl__xen_channel *c);
int libxl__xen_call_channel_take(struct libxl__xen_channel *c);
void libxl__xen_call_channel_close(struct libxl__xen_channel *c);

#endif
