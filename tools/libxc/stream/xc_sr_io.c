/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How soon a cancel is seen that came just before we slept. */
#define POLL_MS 200

#define SKIP_STEP 16384u

#define PUSH_BYTES (UINT64_C(16) << 20)

uint64_t xc_sr_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Seeking over zeros is right only where nothing old lies ahead. */
static bool can_leave_holes(int fd)
{
    struct stat st;
    off_t at;
    int flags;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_APPEND))
        return false;
    at = lseek(fd, 0, SEEK_CUR);
    return at >= 0 && st.st_size <= at;
}

void xc_sr_io_init(struct xc_sr_io *io, int fd)
{
    struct stat st;

    *io = (struct xc_sr_io){.fd = fd};
    if (fstat(fd, &st) == 0) {
        io->file = S_ISREG(st.st_mode);
        io->pipe = S_ISFIFO(st.st_mode);
    }
    io->holes = can_leave_holes(fd);
}

static int wait_ready(struct xc_sr_io *io, short events)
{
    struct pollfd p = {.fd = io->fd, .events = events};
    int r;

    for (;;) {
        if (io->cancelled && io->cancelled(io->cancel_data))
            return -ECANCELED;
        if (io->file)
            return 0;
        r = poll(&p, 1, POLL_MS);
        if (r > 0)
            return 0;
        if (r < 0 && errno != EINTR)
            return -errno;
    }
}

static bool again(int errnoval)
{
    return errnoval == EINTR || errnoval == EAGAIN || errnoval == EWOULDBLOCK;
}

static int read_all(struct xc_sr_io *io, uint8_t *into, size_t n)
{
    ssize_t r;
    int rc;

    io->missing = n;
    while (io->missing) {
        rc = wait_ready(io, POLLIN);
        if (rc)
            return rc;
        r = read(io->fd, into, io->missing);
        if (r < 0 && again(errno))
            continue;
        if (r < 0)
            return -errno;
        if (r == 0)
            return -ENODATA;
        into += r;
        io->missing -= (size_t)r;
        io->offset += (uint64_t)r;
    }
    return 0;
}

int xc_sr_io_read(struct xc_sr_io *io, void *into, size_t n)
{
    uint64_t began = xc_sr_now_ns();
    int rc = read_all(io, into, n);

    io->busy_ns += xc_sr_now_ns() - began;
    return rc;
}

int xc_sr_io_skip(struct xc_sr_io *io, uint64_t n)
{
    uint8_t sink[SKIP_STEP];
    int rc = 0;

    while (n && !rc) {
        size_t step = n < sizeof(sink) ? n : sizeof(sink);

        rc = xc_sr_io_read(io, sink, step);
        n -= step;
    }
    return rc;
}

/* Drops what was written from the front; returns what is left. */
static int advance(struct iovec **iov, int n, size_t written)
{
    while (n && written >= (*iov)->iov_len) {
        written -= (*iov)->iov_len;
        (*iov)++;
        n--;
    }
    if (n) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + written;
        (*iov)->iov_len -= written;
    }
    return n;
}

static int write_all(struct xc_sr_io *io, struct iovec *iov, int n)
{
    ssize_t r;
    int rc;

    n = advance(&iov, n, 0);
    while (n) {
        rc = wait_ready(io, POLLOUT);
        if (rc)
            return rc;
        r = writev(io->fd, iov, n < IOV_MAX ? n : IOV_MAX);
        if (r < 0 && again(errno))
            continue;
        if (r < 0)
            return -errno;
        io->offset += (uint64_t)r;
        n = advance(&iov, n, (size_t)r);
    }
    return 0;
}

/* The kernel is told to begin with what was written: the caller's fsync at the
 * end then finds most of it done. Only a hint, that may fail. */
static void push_out(struct xc_sr_io *io)
{
    uint64_t n = io->offset - io->pushed;
    off_t at;

    if (!io->file || n < PUSH_BYTES)
        return;
    io->pushed = io->offset;
    at = lseek(io->fd, 0, SEEK_CUR);
    if (at >= (off_t)n)
        sync_file_range(io->fd, at - (off_t)n, (off_t)n, SYNC_FILE_RANGE_WRITE);
}

int xc_sr_io_writev(struct xc_sr_io *io, struct iovec *iov, int n)
{
    uint64_t began = xc_sr_now_ns();
    int rc = write_all(io, iov, n);

    if (!rc)
        push_out(io);
    io->busy_ns += xc_sr_now_ns() - began;
    return rc;
}

int xc_sr_io_write(struct xc_sr_io *io, const void *from, size_t n)
{
    struct iovec iov = {.iov_base = (void *)from, .iov_len = n};

    return xc_sr_io_writev(io, &iov, 1);
}

static int splice_all(struct xc_sr_io *io, int from, loff_t at, uint64_t n)
{
    ssize_t r;
    int rc;

    while (n) {
        rc = wait_ready(io, POLLOUT);
        if (rc)
            return rc;
        r = splice(from, &at, io->fd, NULL, n, 0);
        if (r < 0 && again(errno))
            continue;
        if (r <= 0)
            return r < 0 ? -errno : -EIO;
        io->offset += (uint64_t)r;
        n -= (uint64_t)r;
    }
    return 0;
}

int xc_sr_io_splice(struct xc_sr_io *io, int from, uint64_t at, uint64_t n)
{
    uint64_t began = xc_sr_now_ns();
    int rc = splice_all(io, from, (loff_t)at, n);

    io->busy_ns += xc_sr_now_ns() - began;
    return rc;
}

int xc_sr_io_hole(struct xc_sr_io *io, uint64_t n)
{
    if (lseek(io->fd, (off_t)n, SEEK_CUR) < 0)
        return -errno;
    io->offset += n;
    return 0;
}
