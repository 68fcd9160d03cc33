/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vdev.h - a disk's name in the guest (xvda, hdc, sdb3) as Xen numbers it.
 * Codec: pure.
 */
#ifndef LIBXL_CONFIG_VDEV_H
#define LIBXL_CONFIG_VDEV_H

#include <stdbool.h>

enum libxl__vdev_kind { LIBXL__VDEV_XVD, LIBXL__VDEV_HD, LIBXL__VDEV_SD };

struct libxl__vdev {
    enum libxl__vdev_kind kind;
    unsigned disk, part; /* part 0: the whole disk */
    unsigned number;     /* of its nodes in xenstore */
};

/* false: Xen has no number for such a name. */
bool libxl__vdev_parse(const char *name, struct libxl__vdev *out);

#endif
