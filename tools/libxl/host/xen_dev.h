/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dev.h - disks and network interfaces of PV and PVH guests: nodes that
 * both ends find one another by, and the host's hotplug script for an interface.
 *
 * Owns:      nothing that outlives a call.
 * Thread:    loop thread only.
 * Errors:    rc, logged by the device's name.
 */
#ifndef LIBXL_XEN_DEV_H
#define LIBXL_XEN_DEV_H

#include "host/xen_host.h"

/* ERROR_INVAL, logged: there is something among them that is not carried. */
int libxl__xen_dev_check(libxl_ctx *ctx, uint32_t domid,
                         const libxl_domain_config *config);
/* What was left open: addresses, and the disks' backend. */
int libxl__xen_dev_decide(libxl_ctx *ctx, libxl_domain_config *config);
int libxl__xen_dev_lay_out(struct libxl__host_xen *hx, libxl__gc *gc,
                           uint32_t domid, const libxl_domain_config *config);
/* Connects the interfaces to their bridges, and answers the call. */
int libxl__xen_dev_plug(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        const libxl_domain_config *config);
/* Of a domain that is no more. */
void libxl__xen_dev_remove(struct libxl__host_xen *hx, uint32_t domid);

#endif
