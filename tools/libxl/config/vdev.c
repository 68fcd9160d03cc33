/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vdev.c - a disk's name in the guest, as Xen numbers it. */
#include "config/vdev.h"

#include <stdlib.h>
#include <string.h>

#define XVD_MAJOR 202u
#define XVD_MINORS 16u
#define XVD_EXTENDED (1u << 28)
#define XVD_EXTENDED_MINORS 256u
#define SD_MAJOR 8u
#define HD_MAJOR_1 3u
#define HD_MAJOR_2 22u
#define HD_MINORS 64u
#define HD_DISKS 4u

static bool find_number(struct libxl__vdev *v)
{
    bool classic = v->disk < XVD_MINORS && v->part < XVD_MINORS;

    switch (v->kind) {
    case LIBXL__VDEV_XVD:
        v->number = classic ? XVD_MAJOR << 8 | v->disk * XVD_MINORS | v->part
                            : XVD_EXTENDED | v->disk << 8 | v->part;
        return v->part < XVD_EXTENDED_MINORS;
    case LIBXL__VDEV_SD:
        v->number = SD_MAJOR << 8 | v->disk * XVD_MINORS | v->part;
        return classic;
    case LIBXL__VDEV_HD:
        v->number = (v->disk < 2 ? HD_MAJOR_1 : HD_MAJOR_2) << 8 |
                    (v->disk & 1) * HD_MINORS | v->part;
        return v->disk < HD_DISKS && v->part < HD_MINORS;
    }
    return false;
}

bool libxl__vdev_parse(const char *name, struct libxl__vdev *out)
{
    static const char *const prefixes[] = {
        [LIBXL__VDEV_XVD] = "xvd",
        [LIBXL__VDEV_HD] = "hd",
        [LIBXL__VDEV_SD] = "sd",
    };
    char *end;

    for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        size_t n = strlen(prefixes[i]);

        if (strncmp(name, prefixes[i], n) || name[n] < 'a' || name[n] > 'z')
            continue;
        *out = (struct libxl__vdev){
            .kind = (enum libxl__vdev_kind)i,
            .disk = (unsigned)(name[n] - 'a'),
        };
        name += n + 1;
        if (*name) {
            if (*name < '1' || *name > '9' || strlen(name) > 3)
                return false;
            out->part = (unsigned)strtoul(name, &end, 10);
            if (*end)
                return false;
        }
        return find_number(out);
    }
    return false;
}
