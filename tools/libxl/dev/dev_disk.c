/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dev_disk.c - start xl-blkd for a disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/sock_at.h"
#include "dev/dev.h"

enum { CHILD_CONNECTION = 3, CHILD_CONTROL, CHILD_DIRTY_LOG, CHILD_NR_FDS };

#define PAGES_PER_BYTE (8u * 4096u)

static void close_all(int *fds, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* One log for all devices of the domain, in whole words. */
static int open_dirty_log(const struct libxl__dev_start *s)
{
    off_t bytes = (off_t)((s->memory_bytes / PAGES_PER_BYTE + 8) & ~7ull);
    int fd = openat(s->dirfd, LIBXL__DEV_LOG_NAME, O_RDWR | O_CREAT | O_CLOEXEC,
                    0600);

    if (fd >= 0 && ftruncate(fd, bytes)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int make_fds(libxl_ctx *ctx, uint32_t domid,
                    const struct libxl__dev_start *s, int fds[CHILD_NR_FDS],
                    int *qemu_fd)
{
    char name[16];
    int pair[2];

    snprintf(name, sizeof(name), "dev-%u", s->index);
    if (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        fds[CHILD_CONNECTION] = pair[0];
        *qemu_fd = pair[1];
        fds[CHILD_CONTROL] = libxl__listen_at(s->dirfd, name);
    }
    if (fds[CHILD_CONTROL] >= 0)
        fds[CHILD_DIRTY_LOG] = open_dirty_log(s);
    if (fds[CHILD_DIRTY_LOG] >= 0)
        return 0;
    LOGED(ctx, domid, ERROR, errno, "cannot make the sockets of device %s",
          name);
    return ERROR_FAIL;
}

static void died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status)
{
    /* forgotten before it can be called */
}

static int spawn(libxl_ctx *ctx, const struct libxl__dev_start *s,
                 const libxl_device_disk *disk, const int *fds)
{
    const char *argv[16];
    libxl__ev_child child;
    struct libxl__spawn_params p = {
        .argv = argv,
        .fds = fds,
        .nr_fds = CHILD_NR_FDS,
        .new_session = true,
    };
    libxl__gc gc;
    size_t n = 0;
    int rc = ERROR_NOMEM;

    libxl__gc_init(&gc, ctx);
    libxl__ev_child_init(&child);
    argv[n++] = libxl__libexec_path(&gc, "xl-blkd");
    argv[n++] = "--image";
    argv[n++] = disk->pdev_path;
    argv[n++] = "--connected-fd";
    argv[n++] = "3";
    argv[n++] = "--control-fd";
    argv[n++] = "4";
    argv[n++] = "--log-fd";
    argv[n++] = "5";
    if (!disk->readwrite)
        argv[n++] = "--read-only";
    if (s->incoming)
        argv[n++] = "--inactive";
    argv[n] = NULL;
    if (argv[0])
        rc = libxl__ev_child_spawn(ctx, &child, died, &p);
    if (!rc)
        libxl__ev_child_forget(&child);
    libxl__gc_dispose(&gc);
    return rc;
}

int libxl__dev_start_disk(libxl_ctx *ctx, uint32_t domid,
                          const struct libxl__dev_start *s,
                          const libxl_device_disk *disk, int *qemu_fd)
{
    int fds[CHILD_NR_FDS] = {-1, s->log_fd, s->log_fd, -1, -1, -1};
    int rc;

    *qemu_fd = -1;
    rc = make_fds(ctx, domid, s, fds, qemu_fd);
    if (!rc)
        rc = spawn(ctx, s, disk, fds);
    close_all(fds + CHILD_CONNECTION, CHILD_NR_FDS - CHILD_CONNECTION);
    if (rc && *qemu_fd >= 0) {
        close(*qemu_fd);
        *qemu_fd = -1;
    }
    return rc;
}
