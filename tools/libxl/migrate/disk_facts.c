/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * disk_facts.c - is a guest's disk the same one on two hosts?
 *
 * A file is the same when its inode number is (a network file system shows one
 * number to all its clients, a copy has another), a device when the storage
 * gives it the same name. What is only read may be a copy: its length counts.
 * On one and the same host the device numbers tell.
 */
#include "migrate/disk_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/block_ident.h"

static uint64_t block_bytes(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

    if (fd >= 0)
        close(fd);
    return end < 0 ? 0 : (uint64_t)end;
}

int libxl__disk_facts_look(libxl__gc *gc, const libxl_device_disk *d,
                           struct libxl__disk_facts *out)
{
    struct stat st;

    if (stat(d->pdev_path, &st))
        return errno;
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return EINVAL;
    memset(out, 0, sizeof(*out));
    out->block = S_ISBLK(st.st_mode);
    if (out->block) {
        out->dev = st.st_rdev;
        out->bytes = block_bytes(d->pdev_path);
        out->ident = libxl__block_ident(gc, LIBXL__SYS_DEV_BLOCK, st.st_rdev);
    } else {
        out->dev = st.st_dev;
        out->ino = st.st_ino;
        out->bytes = (uint64_t)st.st_size;
    }
    return 0;
}

static const char *length_differs(libxl__gc *gc,
                                  const struct libxl__disk_question *q)
{
    if (q->here.bytes == q->there.bytes)
        return NULL;
    return libxl__sprintf(gc,
                          "%s has %" PRIu64 " bytes here and %" PRIu64 " there",
                          q->disk->pdev_path, q->here.bytes, q->there.bytes);
}

static const char *file_differs(libxl__gc *gc,
                                const struct libxl__disk_question *q)
{
    if (q->here.ino == q->there.ino)
        return NULL;
    return libxl__sprintf(gc,
                          "%s is another file here (inode %" PRIu64
                          ", there %" PRIu64 "): a copy will not do, the "
                          "hosts must share it",
                          q->disk->pdev_path, q->here.ino, q->there.ino);
}

static const char *device_differs(libxl__gc *gc,
                                  const struct libxl__disk_question *q)
{
    const char *here = q->here.ident, *there = q->there.ident;

    if (here && there && strcmp(here, there))
        return libxl__sprintf(gc, "%s is another device here (%s, there %s)",
                              q->disk->pdev_path, here, there);
    if (here && there)
        return NULL;
    return libxl__sprintf(
        gc,
        "%s: the storage %s gives this device no name by which to tell "
        "whether it is the same one: if it is, migrate with "
        "--assume-same-disks",
        q->disk->pdev_path, here ? "there" : "here");
}

const char *libxl__disk_facts_differ(libxl__gc *gc,
                                     const struct libxl__disk_question *q)
{
    const char *differs = NULL;

    if (q->here.block != q->there.block)
        return libxl__sprintf(gc, "%s is a %s here and a %s there",
                              q->disk->pdev_path,
                              q->here.block ? "device" : "file",
                              q->there.block ? "device" : "file");
    if (q->same_host && q->here.dev != q->there.dev)
        return libxl__sprintf(gc, "%s is another one here", q->disk->pdev_path);
    if (q->here.block || !q->disk->readwrite)
        differs = length_differs(gc, q);
    if (differs || !q->disk->readwrite || q->assume_same)
        return differs;
    if (!q->here.block)
        return file_differs(gc, q);
    return q->same_host ? NULL : device_differs(gc, q);
}
