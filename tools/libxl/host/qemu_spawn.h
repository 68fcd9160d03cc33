/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_spawn.h - what a QEMU process is started with: its RAM file, log,
 * listening sockets, network taps and environment.
 *
 * Owns:      the fds, until libxl__qemu_kit_dispose. (QEMU has its own copies
 *            of them once it is started: the RAM is then QEMU's alone.)
 * Thread:    loop thread only.
 * Errors:    rc, logged by the name of what could not be made.
 */
#ifndef LIBXL_QEMU_SPAWN_H
#define LIBXL_QEMU_SPAWN_H

#include "dm/qemu_args.h"
#include "dev/dev.h"
#include "host/host_qemu.h"

#define LIBXL__QEMU_MAX_NICS 16
#define LIBXL__QEMU_MAX_DISKS 64

struct libxl__qemu_kit {
    int fds[LIBXL__QEMU_FIRST_TAP_FD + LIBXL__QEMU_MAX_NICS + LIBXL__DEV_MAX +
            1];
    size_t nr_fds;
    int tap_numbers[LIBXL__QEMU_MAX_NICS]; /* in the child; -1: user-mode */
    bool disk_is_blockdev[LIBXL__QEMU_MAX_DISKS];
    int disk_numbers[LIBXL__QEMU_MAX_DISKS]; /* -1: QEMU's own disk */
    struct libxl__qemu_runtime rt; /* points into this struct and the gc */
};

void libxl__qemu_kit_init(struct libxl__qemu_kit *kit);
int libxl__qemu_kit_make(struct libxl__host_qemu *hq, libxl__gc *gc,
                         uint32_t domid, const libxl_domain_config *config,
                         bool incoming, struct libxl__qemu_kit *kit);
void libxl__qemu_kit_dispose(struct libxl__qemu_kit *kit); /* idempotent */

/* The environment, from gc: ours, the guest's tag, the preload. */
const char **libxl__qemu_env(struct libxl__host_qemu *hq, libxl__gc *gc,
                             uint32_t domid);
/* Where the preload lies; NULL: not installed. */
const char *libxl__qemu_preload_path(libxl__gc *gc);

/* qemu_tap.c: a tap on the bridge, for root. The fd is the caller's. */
int libxl__qemu_tap_open(libxl_ctx *ctx, uint32_t domid,
                         const libxl_device_nic *nic, int index, int *fd_out);

#endif
