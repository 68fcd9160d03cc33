/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ev_fd.h - watch a file descriptor for readiness.
 *
 * Owns:      nothing of the caller's; several ev_fd may watch one fd.
 * Thread:    loop thread only.
 * Errors:    rc. ERROR_NI: the fd cannot be polled (a regular file): use
 *            ev_file.
 * Lifetime:  after deregister returns, no callback runs and the struct may be
 *            freed at once, also from inside its own callback.
 * Rules:     deregister before closing the fd. revents with POLLERR means: do
 *            the I/O and read its errno. The fd is O_NONBLOCK while watched;
 *            the flag is given back when the last watcher goes.
 *
 * state   init   register   deregister  callback may run
 * undef   -> idle  -        -           no
 * idle    -> idle  -> active -> idle    no
 * active  -        -        -> idle     yes, never from within register
 */
#ifndef LIBXL_EV_FD_H
#define LIBXL_EV_FD_H

#include <poll.h>
#include <sys/queue.h>

#include "engine/egc.h"

typedef struct libxl__ev_fd libxl__ev_fd;
typedef void libxl__ev_fd_callback(libxl__egc *egc, libxl__ev_fd *ev, int fd,
                                   short events, short revents);
struct libxl__ev_fd {
    /* private to ev_fd.c */
    int fd;
    short events;
    unsigned round;
    libxl__ev_fd_callback *callback;
    struct libxl__fd_slot *slot;
    LIST_ENTRY(libxl__ev_fd) entry;
};

void libxl__ev_fd_init(libxl__ev_fd *ev);
int libxl__ev_fd_register(libxl_ctx *ctx, libxl__ev_fd *ev,
                          libxl__ev_fd_callback *callback, int fd,
                          short events /* POLLIN, POLLOUT */);
/* events 0: registered, but not called until the next modify (POLLERR alone
 * is not told either). */
int libxl__ev_fd_modify(libxl_ctx *ctx, libxl__ev_fd *ev, short events);
void libxl__ev_fd_deregister(libxl_ctx *ctx, libxl__ev_fd *ev);
bool libxl__ev_fd_isregistered(const libxl__ev_fd *ev);

#endif
