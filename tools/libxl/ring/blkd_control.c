/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring/blkd_control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"

static struct blkd_control *control_of_conn(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct blkd_control, conn_ev);
}

static struct blkd_control *control_of_listen(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct blkd_control, listen_ev);
}

static void hang_up(struct blkd_control *c)
{
    libxl__ev_fd_deregister(c->ctx, &c->conn_ev);
    close(c->conn_fd);
    c->conn_fd = -1;
    c->got = 0;
}

static void answer(struct blkd_control *c, const char *request)
{
    const char *wrong = "unknown request";
    char out[256];
    int n;

    if (!strcmp(request, "activate")) {
        wrong = c->set_active(c->user, true);
    } else if (!strcmp(request, "inactivate")) {
        wrong = c->set_active(c->user, false);
    } else if (!strcmp(request, "status")) {
        n = snprintf(out, sizeof(out), "ok %s\n",
                     c->is_active(c->user) ? "active" : "inactive");
        goto send;
    }
    n = snprintf(out, sizeof(out), "%s%s\n", wrong ? "error " : "ok",
                 wrong ? wrong : "");
send:
    /* an asker that does not read its answers gets none */
    if (send(c->conn_fd, out, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return;
}

static void on_conn(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                    short revents)
{
    struct blkd_control *c = control_of_conn(ev);
    ssize_t r = recv(fd, c->line + c->got, sizeof(c->line) - c->got,
                     MSG_DONTWAIT);
    char *end;

    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (r <= 0) {
        hang_up(c);
        return;
    }
    c->got += (size_t)r;
    while ((end = memchr(c->line, '\n', c->got))) {
        size_t used = (size_t)(end - c->line) + 1;

        *end = '\0';
        answer(c, c->line);
        c->got -= used;
        memmove(c->line, c->line + used, c->got);
    }
    if (c->got == sizeof(c->line))
        hang_up(c);
}

static void on_listen(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                      short revents)
{
    struct blkd_control *c = control_of_listen(ev);
    int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (conn < 0)
        return;
    /* who comes last is served: an asker that died may still be connected */
    if (c->conn_fd >= 0)
        hang_up(c);
    c->conn_fd = conn;
    if (libxl__ev_fd_register(c->ctx, &c->conn_ev, on_conn, conn, POLLIN)) {
        close(conn);
        c->conn_fd = -1;
    }
}

int blkd_control_start(struct blkd_control *c, int listen_fd)
{
    c->listen_fd = listen_fd;
    c->conn_fd = -1;
    c->got = 0;
    libxl__ev_fd_init(&c->listen_ev);
    libxl__ev_fd_init(&c->conn_ev);
    return libxl__ev_fd_register(c->ctx, &c->listen_ev, on_listen, listen_fd,
                                 POLLIN);
}

void blkd_control_stop(struct blkd_control *c)
{
    if (c->conn_fd >= 0)
        hang_up(c);
    libxl__ev_fd_deregister(c->ctx, &c->listen_ev);
    close(c->listen_fd);
}
