/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rng_dev.h - a virtio entropy device (virtio 1.2, 5.4): one queue, whose
 * buffers are filled with random bytes of the host.
 *
 * Owns:      nothing but itself.
 * Thread:    loop thread only.
 * Bound:     a request gets at most 4 KiB, so that no guest keeps the loop busy;
 *            a driver asks again for more.
 */
#ifndef LIBXL_RNG_DEV_H
#define LIBXL_RNG_DEV_H

#include "ring/vdev.h"

#define LIBXL__RNG_REQUEST_MAX 4096u

typedef struct libxl__rng_dev libxl__rng_dev;

/* NULL: no memory (logged). */
libxl__rng_dev *libxl__rng_dev_new(libxl_ctx *ctx);
libxl__vdev *libxl__rng_dev_vdev(libxl__rng_dev *rng);
void libxl__rng_dev_free(libxl__rng_dev *rng);

#endif
