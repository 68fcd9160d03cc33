/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io_end.c - transfer -> (fd ready | next turn | file call ended) -> callback */
#include "io/io_end.h"
#include "io/write_quiet.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/container.h"

/* A file call cannot be taken back: a short one is soon over. */
enum { FILE_CALL_MAX = 1024 * 1024 };

static libxl__io_end *end_of_ev_fd(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__io_end, ev_fd);
}

static libxl__io_end *end_of_next_turn(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__io_end, next_turn);
}

static libxl__io_end *end_of_ev_file(libxl__ev_file *ev)
{
    return CONTAINER_OF(ev, libxl__io_end, ev_file);
}

static void give(libxl__egc *egc, libxl__io_end *end, ssize_t result)
{
    end->wanted = false;
    end->callback(egc, end, result);
}

static ssize_t transfer_now(libxl__io_end *end)
{
    return end->writes ? libxl__write_quiet(end->fd, end->buf, end->bytes)
                       : read(end->fd, end->buf, end->bytes);
}

static void turn_came(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__io_end *end = end_of_next_turn(ev);
    ssize_t n;

    do
        n = transfer_now(end);
    while (n < 0 && errno == EINTR);
    give(egc, end, n < 0 ? -errno : n);
}

static void file_done(libxl__egc *egc, libxl__ev_file *ev, ssize_t result)
{
    give(egc, end_of_ev_file(ev), result);
}

static void fd_ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                     short revents)
{
    libxl__io_end *end = end_of_ev_fd(ev);
    ssize_t n;

    if (!end->wanted) {
        libxl__ev_fd_modify(end->ctx, ev, 0);
        return;
    }
    n = transfer_now(end);
    if (n >= 0) {
        give(egc, end, n);
        return;
    }
    if (errno != EAGAIN && errno != EINTR)
        give(egc, end, -errno);
    else if (revents & POLLERR)
        give(egc, end, -EIO); /* an error that the call does not show */
}

void libxl__io_end_init(libxl_ctx *ctx, libxl__io_end *end)
{
    end->ctx = ctx;
    end->wanted = false;
    libxl__ev_fd_init(&end->ev_fd);
    libxl__ev_file_init(&end->ev_file);
    libxl__ev_time_init(&end->next_turn);
}

int libxl__io_end_open(libxl__io_end *end, int fd, bool writes,
                       libxl__io_end_callback *callback)
{
    int rc;

    end->fd = fd;
    end->writes = writes;
    end->callback = callback;
    rc = libxl__ev_fd_register(end->ctx, &end->ev_fd, fd_ready, fd, 0);
    end->is_file = rc == ERROR_NI;
    /* Only what lies in memory (memfd, tmpfs) has seals that can be asked for. */
    end->in_memory = end->is_file && fcntl(fd, F_GET_SEALS) >= 0;
    return end->is_file ? 0 : rc;
}

static int start_file_call(libxl__io_end *end, size_t bytes)
{
    if (bytes > FILE_CALL_MAX)
        bytes = FILE_CALL_MAX;
    if (end->writes)
        return libxl__ev_file_write(end->ctx, &end->ev_file, file_done, end->fd,
                                    end->buf, bytes, -1);
    return libxl__ev_file_read(end->ctx, &end->ev_file, file_done, end->fd,
                               end->buf, bytes, -1);
}

int libxl__io_end_transfer(libxl__io_end *end, void *buf, size_t bytes)
{
    assert(!end->wanted && bytes);
    end->wanted = true;
    end->buf = buf;
    end->bytes = bytes;
    if (end->in_memory)
        return libxl__ev_time_register_rel(end->ctx, NULL, &end->next_turn,
                                           turn_came, 0);
    if (end->is_file)
        return start_file_call(end, bytes);
    return libxl__ev_fd_modify(end->ctx, &end->ev_fd,
                               end->writes ? POLLOUT : POLLIN);
}

bool libxl__io_end_close(libxl__io_end *end, void *owned)
{
    libxl__ev_fd_deregister(end->ctx, &end->ev_fd);
    libxl__ev_time_deregister(end->ctx, &end->next_turn);
    if (!libxl__ev_file_busy(&end->ev_file))
        return false;
    libxl__ev_file_forget(&end->ev_file, owned);
    return true;
}
