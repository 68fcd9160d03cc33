/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dev_watch.c - is a device process there, and until when. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/sock_at.h"
#include "dev/dev.h"

static const char request[] = "watch\n";

static libxl__dev_watch *watch_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__dev_watch, ev);
}

/* All that it ever says is "ok", and then its end. */
static void on_readable(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                        short revents)
{
    libxl__dev_watch *w = watch_of_ev(ev);
    char text[64];
    ssize_t r = recv(fd, text, sizeof(text), MSG_DONTWAIT);

    if (r > 0 || (r < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    libxl__dev_watch_stop(w);
    w->lost(egc, w);
}

void libxl__dev_watch_init(libxl__dev_watch *w)
{
    w->fd = -1;
    libxl__ev_fd_init(&w->ev);
}

int libxl__dev_watch_start(libxl__dev_watch *w)
{
    ssize_t bytes = sizeof(request) - 1;
    char name[24];
    int rc;

    libxl__dev_watch_stop(w);
    snprintf(name, sizeof(name), LIBXL__DEV_RING_NAME, w->index);
    rc = faccessat(w->dirfd, name, F_OK, 0) ? ERROR_NI : 0;
    snprintf(name, sizeof(name), "dev-%u", w->index);
    w->fd = libxl__connect_at(w->dirfd, name);
    if (w->fd < 0)
        return errno == ENOENT ? ERROR_NOTFOUND : rc ? rc : ERROR_NOT_READY;
    if (rc) {
        libxl__dev_watch_stop(w);
        return rc;
    }
    if (send(w->fd, request, (size_t)bytes, MSG_NOSIGNAL) != bytes)
        rc = ERROR_NOT_READY;
    else
        rc = libxl__ev_fd_register(w->ctx, &w->ev, on_readable, w->fd, POLLIN);
    if (rc)
        libxl__dev_watch_stop(w);
    return rc;
}

void libxl__dev_watch_stop(libxl__dev_watch *w)
{
    if (w->fd < 0)
        return;
    libxl__ev_fd_deregister(w->ctx, &w->ev);
    close(w->fd);
    w->fd = -1;
}
