/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blkd_image.h - open the image of a block device, and lock it the way QEMU
 * does, so that neither runs on an image that the other writes.
 */
#ifndef BLKD_IMAGE_H
#define BLKD_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

/* The fd and its size in bytes, cut to whole sectors; or -1, told. */
int blkd_image_open(const char *path, bool read_only, uint64_t *bytes);
/* NULL, or why not (a string constant); nothing is locked then. */
const char *blkd_image_lock(int fd, bool read_only);
void blkd_image_unlock(int fd);

#endif
