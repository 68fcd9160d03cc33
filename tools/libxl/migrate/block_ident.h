/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * block_ident.h - what a block device is, in words that another host that
 * reaches the same device says too. Read from sysfs.
 *
 * Owns:      nothing: strings come from the gc that was given.
 * Thread:    loop thread; small files of sysfs, and stat of a loop's file.
 * Errors:    NULL: the device cannot be known from another host (no memory
 *            counts as that).
 */
#ifndef LIBXL_BLOCK_IDENT_H
#define LIBXL_BLOCK_IDENT_H

#include <sys/types.h>

#include "base/gc.h"

#define LIBXL__SYS_DEV_BLOCK "/sys/dev/block"
#define LIBXL__BLOCK_IDENT_MAX 512u

/* sysfs: LIBXL__SYS_DEV_BLOCK, or a test's. */
const char *libxl__block_ident(libxl__gc *gc, const char *sysfs, dev_t dev);

#endif
