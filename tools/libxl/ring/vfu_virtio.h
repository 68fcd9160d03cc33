/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfu_virtio.h - a virtio device as a legacy virtio PCI device over vfio-user.
 *
 * Owns:      the register file, the PCI identity, and the device's migration:
 *            its state is the PCI configuration and the registers.
 * Thread:    loop thread only.
 */
#ifndef LIBXL_VFU_VIRTIO_H
#define LIBXL_VFU_VIRTIO_H

#include "ring/vdev.h"
#include "ring/vfu.h"

typedef struct libxl__vfu_virtio libxl__vfu_virtio;

/* vdev was made ready with libxl__vdev_init; its transport part is filled here.
 * listen_fd becomes ours. NULL: logged. */
libxl__vfu_virtio *libxl__vfu_virtio_start(libxl_ctx *ctx, libxl__vdev *vdev,
                                           int listen_fd);
/* The PCI device in front: what its migration goes by. */
libxl__vfu_device *libxl__vfu_virtio_pci(libxl__vfu_virtio *vv);
/* Only while the device holds no request. NULL accepted. */
void libxl__vfu_virtio_stop(libxl__vfu_virtio *vv);

#endif
