/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blkd_control.h - the toolstack's socket of a device process
 * (docs/specs/device-control.md): one line a request, one line an answer.
 *
 *   activate    take the image's lock      ok | error WHY
 *   inactivate  give it up; the device's   ok | error WHY
 *               queues must have stopped
 *   status                                 ok active | ok inactive
 *
 * Owns:      the listening socket given to it, and one connection at a time.
 * Thread:    loop thread only.
 */
#ifndef BLKD_CONTROL_H
#define BLKD_CONTROL_H

#include "engine/ev_fd.h"

#define BLKD_LINE_BYTES 64u

struct blkd_control {
    /* caller fills */
    libxl_ctx *ctx;
    void *user;
    /* NULL: done; else why not (a string constant) */
    const char *(*set_active)(void *user, bool active);
    bool (*is_active)(void *user);
    /* private */
    int listen_fd, conn_fd;
    libxl__ev_fd listen_ev, conn_ev;
    char line[BLKD_LINE_BYTES];
    size_t got;
};

/* rc */
int blkd_control_start(struct blkd_control *c, int listen_fd);
void blkd_control_stop(struct blkd_control *c);

#endif
