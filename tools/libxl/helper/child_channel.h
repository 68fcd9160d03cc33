/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * child_channel.h - the save helper's side of its control socket.
 *
 * Owns:      nothing: the socket is fd 0 for the life of the process.
 * Thread:    blocks; a signal does not end a wait, only the parent's end does.
 * Errors:    0 or negative errno; -EPIPE: the parent is gone.
 */
#ifndef CHILD_CHANNEL_H
#define CHILD_CHANNEL_H

#include "helper/helper_wire.h"

int child_channel_send(const struct libxl__hw_msg *msg);
int child_channel_receive(struct libxl__hw_msg *msg);
/* Sends a request and waits for its REPLY; returns what the REPLY says. */
int child_channel_call(const struct libxl__hw_msg *msg);
/* Has the parent said TAKES_XALLOC by now? Does not wait for it. */
bool child_channel_takes_xalloc(void);

#endif
