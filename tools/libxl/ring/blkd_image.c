/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring/blkd_image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* QEMU's image locks: byte 100 + P is read-locked by who uses permission P,
 * byte 200 + P by who does not let others use it. */
#define LOCK_USE 100
#define LOCK_UNSHARED 200
#define PERM_CONSISTENT_READ 0
#define PERM_WRITE 1
#define PERM_RESIZE 3

static int set_lock(int fd, off_t byte)
{
    struct flock fl = {.l_type = F_RDLCK, .l_whence = SEEK_SET,
                       .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &fl);
}

/* Does anybody else hold this byte? */
static bool held(int fd, off_t byte)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET,
                       .l_start = byte, .l_len = 1};

    return !fcntl(fd, F_OFD_GETLK, &fl) && fl.l_type != F_UNLCK;
}

static const char *try_lock(int fd, bool read_only)
{
    if (set_lock(fd, LOCK_USE + PERM_CONSISTENT_READ))
        return NULL;
    if (!read_only &&
        (set_lock(fd, LOCK_USE + PERM_WRITE) ||
         set_lock(fd, LOCK_UNSHARED + PERM_WRITE) ||
         set_lock(fd, LOCK_UNSHARED + PERM_RESIZE)))
        return "the image's lock cannot be taken";
    if (held(fd, LOCK_UNSHARED + PERM_CONSISTENT_READ))
        return "another process lets nobody read the image";
    if (!read_only && (held(fd, LOCK_USE + PERM_WRITE) ||
                       held(fd, LOCK_UNSHARED + PERM_WRITE)))
        return "another process (a QEMU or xl-blkd) has the image open for "
               "writing, or lets nobody write it";
    return NULL;
}

/* A file system without locks is taken as it is, as QEMU does with
 * locking=auto. */
const char *blkd_image_lock(int fd, bool read_only)
{
    const char *why = try_lock(fd, read_only);

    if (why)
        blkd_image_unlock(fd);
    return why;
}

void blkd_image_unlock(int fd)
{
    struct flock fl = {.l_type = F_UNLCK, .l_whence = SEEK_SET,
                       .l_start = LOCK_USE, .l_len = 2 * LOCK_USE};

    fcntl(fd, F_OFD_SETLK, &fl);
}

static const char *size_of(int fd, uint64_t *bytes)
{
    struct stat st;

    if (fstat(fd, &st))
        return strerror(errno);
    if (S_ISBLK(st.st_mode))
        return ioctl(fd, BLKGETSIZE64, bytes) ? strerror(errno) : NULL;
    if (!S_ISREG(st.st_mode))
        return "it is neither a file nor a block device";
    *bytes = (uint64_t)st.st_size;
    return NULL;
}

int blkd_image_open(const char *path, bool read_only, uint64_t *bytes)
{
    int fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    const char *why;

    if (fd < 0) {
        fprintf(stderr, "xl-blkd: cannot open image %s: %s\n", path,
                strerror(errno));
        return -1;
    }
    why = size_of(fd, bytes);
    if (why) {
        fprintf(stderr, "xl-blkd: cannot use image %s: %s\n", path, why);
        close(fd);
        return -1;
    }
    *bytes &= ~UINT64_C(511);
    return fd;
}
