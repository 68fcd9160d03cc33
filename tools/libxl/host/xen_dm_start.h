/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dm_start.h - starts a guest's QEMU, and ends it: an HVM guest's device
 * model, or what serves disks of a PV or PVH guest.
 *
 * Owns:      nothing that outlives a call: the process is found again by the
 *            pid in xenstore, where upstream's libxl looks for it too.
 * Thread:    loop thread only.
 * Errors:    rc, logged.
 */
#ifndef LIBXL_XEN_DM_START_H
#define LIBXL_XEN_DM_START_H

#include "host/xen_host.h"

/* NULL: no memory. incoming_fd: in the child, -1: none. */
char **libxl__xen_dm_args(libxl__gc *gc, const char *program, uint32_t domid,
                          const libxl_domain_config *config, int incoming_fd);

/* Xen's QEMU: what the configuration names, else what is installed. NULL: not
 * logged. */
const char *libxl__xen_dm_program(libxl__gc *gc,
                                  const libxl_domain_config *config);

/* Starts it, and answers the call when it is ready. state_fd (-1: none): its
 * devices' state, from its start on; stays the caller's. */
int libxl__xen_dm_spawn(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        const libxl_domain_config *config, int state_fd);
/* A QEMU that serves the domain is there, whoever started it. */
bool libxl__xen_dm_is_there(struct libxl__host_xen *hx, libxl__gc *gc,
                            uint32_t domid);
/* Of a domain that has ended, or is ended now. Idempotent. */
void libxl__xen_dm_kill(struct libxl__host_xen *hx, libxl__gc *gc,
                        uint32_t domid, int sig);

#endif
