/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * helper_inbox.h - whole messages out of the helper's non-blocking socket.
 *
 * Owns:      at most one partial frame. Never more memory than that: the
 *            helper is as little trusted as the stream that it reads.
 * Errors:    negative errno; -EPIPE: the helper's end is closed; -EPROTO,
 *            -EMSGSIZE: it sent what no helper sends. Final.
 */
#ifndef LIBXL_HELPER_INBOX_H
#define LIBXL_HELPER_INBOX_H

#include "helper/helper_wire.h"

struct libxl__helper_inbox {
    uint8_t frame[LIBXL__HW_FRAME_MAX];
    size_t have;
};

/* 1: *out is the next message; 0: no whole one there yet. */
int libxl__helper_inbox_take(struct libxl__helper_inbox *in, int fd,
                             struct libxl__hw_msg *out);

#endif
