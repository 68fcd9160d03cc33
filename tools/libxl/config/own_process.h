/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * own_process.h - which devices of a configuration are served by processes of
 * their own, in what order: disks first, then vfio_user. Whoever starts them,
 * names them to QEMU or moves their state counts them in the same way. Pure.
 */
#ifndef LIBXL_CONFIG_OWN_PROCESS_H
#define LIBXL_CONFIG_OWN_PROCESS_H

#include "libxl.h"

/* A vfio-user device's place on QEMU's root bus: the first slot and so on. */
#define LIBXL__VFIO_SLOT 0x0fu
#define LIBXL__VFIO_MAX 16u

struct libxl__own_process {
    const libxl_device_disk *disk; /* NULL: an entry of vfio_user */
    const libxl_device_vfio_user *vfio_user;
    const char *name;  /* vdev, or the entry's name */
    int pci; /* among vfio-user devices, from 0: the index of its state in a
                stream is one more; -1: vhost-user, whose state QEMU carries */
};

/* false: there are no more than index of them. */
bool libxl__own_process_at(const libxl_domain_config *config, unsigned index,
                           struct libxl__own_process *out);
/* How many are PCI devices over vfio-user. */
unsigned libxl__vfio_user_count(const libxl_domain_config *config);

#endif
