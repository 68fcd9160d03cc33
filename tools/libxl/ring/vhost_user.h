/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhost_user.h - serve one virtio device to a vhost-user frontend
 * (docs/specs/vhost-user.md).
 *
 * Owns:      the listening socket given to it, the connection, the frontend's
 *            memory mappings, its eventfds and its dirty log.
 * Thread:    loop thread only.
 * Errors:    a frontend that breaks a rule loses its connection, with a reason
 *            in the log; the next one is served. One frontend at a time: a
 *            second waits in the socket's queue.
 * Lifetime:  after libxl__vhost_user_stop nothing of it is called.
 */
#ifndef LIBXL_VHOST_USER_H
#define LIBXL_VHOST_USER_H

#include "ring/vdev.h"

typedef struct libxl__vhost_user libxl__vhost_user;

/* dev was made ready with libxl__vdev_init; its transport part is filled here.
 * listen_fd becomes ours. NULL: no memory, or the socket cannot be watched
 * (logged). */
libxl__vhost_user *libxl__vhost_user_start(libxl_ctx *ctx, libxl__vdev *dev,
                                           int listen_fd);
/* The same for one frontend that is connected already (fd becomes ours): gone
 * is called, with nothing held, when it has ended. */
libxl__vhost_user *libxl__vhost_user_start_connected(
    libxl_ctx *ctx, libxl__vdev *dev, int fd,
    void (*gone)(libxl__egc *egc, libxl__vdev *dev));
/* Only while the device holds no request. NULL accepted. */
void libxl__vhost_user_stop(libxl__vhost_user *vu);
/* Why the last connection ended: a string constant, NULL if it did not end by
 * a broken rule. */
const char *libxl__vhost_user_reason(const libxl__vhost_user *vu);

#endif
