/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dm_args.h - QEMU's argument vector on Xen: what its parts share (codec).
 *
 * Owns:      nothing: all strings are the gc's or the configuration's.
 * Errors:    the list's rc.
 */
#ifndef LIBXL_XEN_DM_ARGS_H
#define LIBXL_XEN_DM_ARGS_H

#include "dm/arglist.h"

/* xen_dm_drives.c: an HVM guest's emulated devices */

/* The controller that disks sda and so on hang on. */
void libxl__xen_args_scsi(struct libxl__arglist *al,
                          const libxl_domain_config *config);
/* false: none is emulated. */
bool libxl__xen_args_nics(struct libxl__arglist *al, uint32_t domid,
                          const libxl_domain_config *config);
void libxl__xen_args_drives(struct libxl__arglist *al,
                            const libxl_domain_config *config);

#endif
