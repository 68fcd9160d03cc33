/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blk_dev.h - a virtio block device on a raw file or block device. It never
 * guesses an image format: what the guest writes is what lies in the file.
 *
 * Owns:      its requests and its I/O backend. The file's fd stays the caller's.
 * Thread:    loop thread only.
 */
#ifndef LIBXL_BLK_DEV_H
#define LIBXL_BLK_DEV_H

#include "ring/blk_io.h"
#include "ring/vdev.h"

typedef struct libxl__blk_dev libxl__blk_dev;

struct libxl__blk_params {
    int fd;
    uint64_t bytes;     /* capacity: a multiple of 512 */
    bool read_only;
    unsigned nr_queues; /* 1..16 */
    char id[21];        /* serial, NUL-terminated */
    bool no_uring;      /* plain calls, also where io_uring is allowed */
};

/* NULL: no memory (logged). */
libxl__blk_dev *libxl__blk_dev_new(libxl_ctx *ctx,
                                   const struct libxl__blk_params *p);
libxl__vdev *libxl__blk_dev_vdev(libxl__blk_dev *blk);
const char *libxl__blk_dev_io_name(const libxl__blk_dev *blk);
/* Only while no request is held. */
void libxl__blk_dev_free(libxl__blk_dev *blk);

#endif
