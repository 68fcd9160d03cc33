/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_args_dev.h - disks and network cards of the argument vector; for
 * qemu_args.c alone.
 *
 * Owns:      nothing. Thread: any one. Units: none.
 * Errors:    in al->rc; logged, naming the device and the key.
 * Lifetime:  of the gc.
 */
#ifndef LIBXL_QEMU_ARGS_DEV_H
#define LIBXL_QEMU_ARGS_DEV_H

#include "dm/arglist.h"
#include "dm/qemu_args.h"

void libxl__qemu_add_disks(struct libxl__arglist *al,
                           const libxl_domain_config *config, uint32_t domid,
                           const struct libxl__qemu_runtime *rt);
/* Beside the disks, which come first. */
void libxl__qemu_add_vfio_users(struct libxl__arglist *al,
                                const libxl_domain_config *config,
                                const struct libxl__qemu_runtime *rt);
void libxl__qemu_add_nics(struct libxl__arglist *al,
                          const libxl_domain_config *config, uint32_t domid,
                          const struct libxl__qemu_runtime *rt);

#endif
