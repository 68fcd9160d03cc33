/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* acceptor.c - start -> readable { -> accepted | -> pause -> go_on } */
#include "io/acceptor.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/container.h"
#include "base/log.h"

#define PAUSE_MS 1000

static libxl__acceptor *acceptor_of_readable(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__acceptor, readable);
}

static libxl__acceptor *acceptor_of_pause(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__acceptor, pause);
}

static void readable(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                     short revents);
static void go_on(libxl__egc *egc, libxl__ev_time *ev, int rc);

void libxl__acceptor_init(libxl__acceptor *ac)
{
    ac->ctx = NULL;
    ac->said = false;
    libxl__ev_fd_init(&ac->readable);
    libxl__ev_time_init(&ac->pause);
}

int libxl__acceptor_start(libxl_ctx *ctx, libxl__acceptor *ac,
                          libxl__acceptor_callback *accepted, int listen_fd,
                          const char *what)
{
    ac->ctx = ctx;
    ac->accepted = accepted;
    ac->what = what;
    return libxl__ev_fd_register(ctx, &ac->readable, readable, listen_fd,
                                 POLLIN);
}

void libxl__acceptor_stop(libxl__acceptor *ac)
{
    if (!ac->ctx)
        return;
    libxl__ev_fd_deregister(ac->ctx, &ac->readable);
    libxl__ev_time_deregister(ac->ctx, &ac->pause);
}

/* The connection is gone again, or another process has it. */
static bool is_passing(int errnoval)
{
    switch (errnoval) {
    case EAGAIN:
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
        return true;
    default:
        return false;
    }
}

static void rest(libxl__acceptor *ac, int errnoval)
{
    if (!ac->said)
        LOGE(ac->ctx, WARN, errnoval,
             "%s: nobody can be let in for now; who comes waits", ac->what);
    ac->said = true;
    /* Without a timer it goes on as it is: busy, but not deaf. */
    if (!libxl__ev_time_register_rel(ac->ctx, NULL, &ac->pause, go_on,
                                     PAUSE_MS))
        (void)libxl__ev_fd_modify(ac->ctx, &ac->readable, 0);
}

static void readable(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                     short revents)
{
    libxl__acceptor *ac = acceptor_of_readable(ev);
    int got;

    if (libxl__ev_time_isregistered(&ac->pause))
        return;
    got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (got >= 0) {
        ac->said = false;
        ac->accepted(egc, ac, got);
    } else if (!is_passing(errno)) {
        rest(ac, errno);
    }
}

static void go_on(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__acceptor *ac = acceptor_of_pause(ev);

    if (libxl__ev_fd_modify(ac->ctx, &ac->readable, POLLIN))
        LOG(ac->ctx, ERROR, "%s: the socket can no longer be watched",
            ac->what);
}
