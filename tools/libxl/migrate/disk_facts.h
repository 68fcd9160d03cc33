/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * disk_facts.h - what is looked at of a guest's disk, here and there, and
 * whether it is the same one.
 *
 * Owns:      nothing: strings come from the gc that was given.
 * Thread:    loop thread only; stat and open of the disk's path, sysfs.
 */
#ifndef LIBXL_DISK_FACTS_H
#define LIBXL_DISK_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/gc.h"

struct libxl__disk_facts {
    bool block;
    uint64_t dev, ino, bytes; /* dev: of the file system, or the device's own */
    const char *ident;        /* of a device (block_ident.h); NULL: unknown */
};

/* 0, or the errno of why it is not there; EINVAL: no file and no device. */
int libxl__disk_facts_look(libxl__gc *gc, const libxl_device_disk *d,
                           struct libxl__disk_facts *out);

struct libxl__disk_question {
    const libxl_device_disk *disk; /* of the guest, with its path here */
    struct libxl__disk_facts here, there;
    bool same_host;
    bool assume_same; /* the user answers for what cannot be known */
};
/* NULL: it is the same one; else why it is not, or cannot be known to be. */
const char *libxl__disk_facts_differ(libxl__gc *gc,
                                     const struct libxl__disk_question *q);

#endif
