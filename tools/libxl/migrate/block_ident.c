/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * block_ident.c - what a block device is, in words that another host says too.
 *
 * Only what the storage itself names is taken: never a device's number, path or
 * size, which differ for one device and agree for two; and no content, since
 * the guest writes, and clones begin with the same.
 */
#include "migrate/block_ident.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A shorter serial number is somebody's "disk0". */
#define SERIAL_MIN 16

/* The one line of a file of sysfs; NULL: not there, empty, or not plain text.
 */
static const char *attribute(libxl__gc *gc, const char *dir, const char *name)
{
    char text[LIBXL__BLOCK_IDENT_MAX / 2];
    char *path = libxl__sprintf(gc, "%s/%s", dir, name);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    if (n <= 0 || n == sizeof(text) - 1)
        return NULL;
    for (ssize_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] > '~')
            return NULL;
    text[n] = '\0';
    return libxl__strdup(gc, text);
}

static bool begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* ---- kinds of devices ---- */

/* SCSI and NVMe: a name that is the only one in the world. (What begins with
 * "t10." or "nvme." is made of a vendor's words and a serial number.) */
static const char *by_wwid(libxl__gc *gc, const char *dir)
{
    static const char *const kinds[] = {"naa.", "eui.", "uuid."};
    const char *wwid = attribute(gc, dir, "wwid");

    if (!wwid)
        wwid = attribute(gc, dir, "device/wwid");
    for (size_t i = 0; wwid && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (begins(wwid, kinds[i]))
            return libxl__sprintf(gc, "wwid %s", wwid);
    return NULL;
}

/* virtio: what the host outside calls it. */
static const char *by_serial(libxl__gc *gc, const char *dir)
{
    const char *serial = attribute(gc, dir, "serial");

    return serial && strlen(serial) >= SERIAL_MIN
               ? libxl__sprintf(gc, "serial %s", serial)
               : NULL;
}

/* A logical volume of a group that the hosts share, or a disk that is reached
 * by several ways. What else device-mapper makes has a name of one host. */
static const char *by_mapper(libxl__gc *gc, const char *dir)
{
    const char *uuid = attribute(gc, dir, "dm/uuid");
    const char *mpath = uuid ? strstr(uuid, "mpath-") : NULL;

    if (uuid && (begins(uuid, "LVM-") || mpath == uuid ||
                 (mpath && begins(uuid, "part"))))
        return libxl__sprintf(gc, "dm %s", uuid);
    return NULL;
}

static const char *by_rbd(libxl__gc *gc, const char *dir)
{
    const char *cluster = attribute(gc, dir, "device/cluster_fsid");
    const char *pool = attribute(gc, dir, "device/pool_id");
    const char *image = attribute(gc, dir, "device/image_id");
    const char *snap = attribute(gc, dir, "device/current_snap");

    return cluster && pool && image
               ? libxl__sprintf(gc, "rbd %s/%s/%s@%s", cluster, pool, image,
                                snap ? snap : "-")
               : NULL;
}

static const char *by_md(libxl__gc *gc, const char *dir)
{
    const char *uuid = attribute(gc, dir, "md/uuid");

    return uuid ? libxl__sprintf(gc, "md %s", uuid) : NULL;
}

/* A file, which is the same as files are: by its inode number. */
static const char *by_loop(libxl__gc *gc, const char *dir)
{
    const char *file = attribute(gc, dir, "loop/backing_file");
    const char *offset = attribute(gc, dir, "loop/offset");
    const char *limit = attribute(gc, dir, "loop/sizelimit");
    struct stat st;

    if (!file || !offset || !limit || stat(file, &st) || !S_ISREG(st.st_mode))
        return NULL;
    return libxl__sprintf(gc, "loop inode %llu, %s+%s",
                          (unsigned long long)st.st_ino, offset, limit);
}

/* Made to be one disk on two hosts; it has no name that both of them tell. */
static const char *by_drbd(libxl__gc *gc, const char *dir)
{
    char *real = realpath(dir, NULL), *name = real ? strrchr(real, '/') : NULL;
    bool drbd = name && begins(name, "/drbd");

    free(real);
    return drbd ? "drbd" : NULL;
}

static const char *ident_of(libxl__gc *gc, const char *dir)
{
    static const char *(*const ways[])(libxl__gc * gc, const char *dir) = {
        by_mapper, by_rbd, by_loop, by_md, by_wwid, by_serial, by_drbd,
    };
    const char *ident = NULL;

    for (size_t i = 0; !ident && i < sizeof(ways) / sizeof(ways[0]); i++)
        ident = ways[i](gc, dir);
    return ident;
}

const char *libxl__block_ident(libxl__gc *gc, const char *sysfs, dev_t dev)
{
    char *dir = libxl__sprintf(gc, "%s/%u:%u", sysfs, major(dev), minor(dev));
    const char *part, *start, *whole;

    if (!dir)
        return NULL;
    part = attribute(gc, dir, "partition");
    if (!part)
        return ident_of(gc, dir);
    start = attribute(gc, dir, "start");
    dir = libxl__sprintf(gc, "%s/..", dir);
    whole = start && dir ? ident_of(gc, dir) : NULL;
    return whole ? libxl__sprintf(gc, "%s, partition %s from %s", whole, part,
                                  start)
                 : NULL;
}
