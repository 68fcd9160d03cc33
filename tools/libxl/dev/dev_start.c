/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dev_start.c - start a device's process: xl-blkd for a disk, or a program. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/sock_at.h"
#include "dev/dev.h"

enum { CHILD_CONNECTION = 3, CHILD_CONTROL, CHILD_DIRTY_LOG, CHILD_LIFELINE,
       CHILD_NR_FDS };

#define PAGES_PER_BYTE (8u * 4096u)
#define MAX_ARGS 96

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

/* vhost-user: a connection, whose end is the process's too. QEMU listens, so
 * that another process can follow one that has died: qemu_fd NULL. */
static bool make_connection(const struct libxl__dev_start *s,
                            int fds[CHILD_NR_FDS], int *qemu_fd)
{
    char name[24];

    snprintf(name, sizeof(name), LIBXL__DEV_RING_NAME, s->index);
    if (qemu_fd) {
        *qemu_fd = libxl__listen_at(s->dirfd, name);
        if (*qemu_fd < 0)
            return false;
    }
    fds[CHILD_CONNECTION] = libxl__connect_at(s->dirfd, name);
    return fds[CHILD_CONNECTION] >= 0;
}

/* vfio-user: QEMU connects by a path, and holds the end of a pipe. */
static bool make_socket(const struct libxl__dev_start *s, int pci,
                        int fds[CHILD_NR_FDS], int *qemu_fd)
{
    char name[16];
    int pipe_fds[2];

    snprintf(name, sizeof(name), LIBXL__DEV_VFIO_NAME, (unsigned)pci);
    fds[CHILD_CONNECTION] = libxl__listen_at(s->dirfd, name);
    if (fds[CHILD_CONNECTION] < 0 || pipe2(pipe_fds, O_CLOEXEC))
        return false;
    fds[CHILD_LIFELINE] = pipe_fds[0];
    *qemu_fd = pipe_fds[1];
    return true;
}

/* The device's name for people, whoever asks later. */
static bool write_name(const struct libxl__dev_start *s, const char *device)
{
    char name[24];
    size_t bytes = strlen(device);
    ssize_t r = -1;
    int fd;

    snprintf(name, sizeof(name), "dev-%u.name", s->index);
    fd = openat(s->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0)
        r = write(fd, device, bytes);
    if (fd >= 0)
        close(fd);
    return r == (ssize_t)bytes;
}

static int make_fds(libxl_ctx *ctx, uint32_t domid,
                    const struct libxl__dev_start *s,
                    const struct libxl__own_process *dev,
                    int fds[CHILD_NR_FDS], int *qemu_fd)
{
    char name[16];
    bool ok;

    snprintf(name, sizeof(name), "dev-%u", s->index);
    ok = write_name(s, dev->name) &&
         (dev->pci < 0 ? make_connection(s, fds, qemu_fd)
                       : make_socket(s, dev->pci, fds, qemu_fd));
    if (!ok && !qemu_fd && (errno == ECONNREFUSED || errno == ENOENT))
        return ERROR_NOT_READY;
    if (ok)
        fds[CHILD_CONTROL] = libxl__listen_at(s->dirfd, name);
    if (fds[CHILD_CONTROL] >= 0)
        fds[CHILD_DIRTY_LOG] = open_dirty_log(s);
    if (fds[CHILD_DIRTY_LOG] >= 0)
        return 0;
    LOGED(ctx, domid, ERROR, errno, "cannot make the sockets of device %s",
          dev->name);
    return ERROR_FAIL;
}

static void died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status)
{
    /* forgotten before it can be called */
}

static void put(const char **argv, size_t *n, const char *key,
                const char *value)
{
    argv[(*n)++] = key;
    if (value)
        argv[(*n)++] = value;
}

static void put_fds(const char **argv, size_t *n, bool pci)
{
    put(argv, n, pci ? "--socket-fd" : "--connected-fd", "3");
    put(argv, n, "--control-fd", "4");
    put(argv, n, "--log-fd", "5");
    if (pci)
        put(argv, n, "--lifeline-fd", "6");
}

/* False: more than there is room for. */
static bool make_argv(libxl__gc *gc, const struct libxl__dev_start *s,
                      const struct libxl__own_process *dev, bool again,
                      const char **argv)
{
    char **word = dev->disk ? NULL : dev->vfio_user->args;
    size_t n = 0;

    if (dev->disk) {
        put(argv, &n, libxl__libexec_path(gc, "xl-blkd"), "--image");
        put(argv, &n, dev->disk->pdev_path,
            dev->pci < 0 ? NULL : "--vfio-user");
        if (!dev->disk->readwrite)
            put(argv, &n, "--read-only", NULL);
    } else {
        put(argv, &n, dev->vfio_user->program, NULL);
    }
    put_fds(argv, &n, dev->pci >= 0);
    if (s->incoming)
        put(argv, &n, "--inactive", NULL);
    if (again)
        put(argv, &n, "--again", NULL);
    for (; word && *word && n < MAX_ARGS; word++)
        put(argv, &n, *word, NULL);
    argv[n] = NULL;
    return !(word && *word);
}

static int spawn(libxl_ctx *ctx, const struct libxl__dev_start *s,
                 const struct libxl__own_process *dev, const int *fds,
                 bool again)
{
    const char *argv[MAX_ARGS + 1];
    libxl__ev_child child;
    struct libxl__spawn_params p = {
        .argv = argv,
        .fds = fds,
        .nr_fds = dev->pci < 0 ? CHILD_LIFELINE : CHILD_NR_FDS,
        .new_session = true,
    };
    libxl__gc gc;
    int rc = ERROR_INVAL;

    libxl__gc_init(&gc, ctx);
    libxl__ev_child_init(&child);
    if (make_argv(&gc, s, dev, again, argv))
        rc = argv[0] ? libxl__ev_child_spawn(ctx, &child, died, &p)
                     : ERROR_NOMEM;
    if (!rc)
        libxl__ev_child_forget(&child);
    libxl__gc_dispose(&gc);
    return rc;
}

static int start(libxl_ctx *ctx, uint32_t domid,
                 const struct libxl__dev_start *s,
                 const struct libxl__own_process *dev, int *qemu_fd)
{
    int fds[CHILD_NR_FDS] = {-1, s->log_fd, s->log_fd, -1, -1, -1, -1};
    int rc = make_fds(ctx, domid, s, dev, fds, qemu_fd);

    if (!rc)
        rc = spawn(ctx, s, dev, fds, !qemu_fd);
    close_all(fds + CHILD_CONNECTION, CHILD_NR_FDS - CHILD_CONNECTION);
    return rc;
}

int libxl__dev_start_again(libxl_ctx *ctx, uint32_t domid,
                           const struct libxl__dev_start *s,
                           const struct libxl__own_process *dev)
{
    return dev->pci < 0 ? start(ctx, domid, s, dev, NULL) : ERROR_NI;
}

int libxl__dev_start(libxl_ctx *ctx, uint32_t domid,
                     const struct libxl__dev_start *s,
                     const struct libxl__own_process *dev, int *qemu_fd)
{
    int rc;

    *qemu_fd = -1;
    rc = start(ctx, domid, s, dev, qemu_fd);
    if (rc && *qemu_fd >= 0) {
        close(*qemu_fd);
        *qemu_fd = -1;
    }
    return rc;
}
