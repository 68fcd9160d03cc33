/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vu_state.h - a device's state through an fd that the frontend gives: out of
 * it to the fd's end, or in from it until its end.
 *
 * Owns:      the fd of the transfer under way.
 * Thread:    loop thread only; nothing here blocks. The process ignores
 *            SIGPIPE: a reader that goes away is an error here.
 * Errors:    a transfer that fails says so in the log and at its check; one
 *            that loaded nothing whole leaves the device unable to start rings
 *            until it is reset.
 */
#ifndef LIBXL_VU_STATE_H
#define LIBXL_VU_STATE_H

#include "engine/ev_fd.h"
#include "ring/vdev.h"

#define VU_STATE_PIECE 16384u
/* What a check reads at most while the frontend waits for its answer: far more
 * than a pipe holds. */
#define VU_STATE_CATCH_UP (16u << 20)

struct vu_state {
    libxl_ctx *ctx;
    libxl__vdev *dev;
    int fd; /* -1: no transfer */
    libxl__ev_fd ev;
    bool saving;
    int result; /* of the last transfer: 0, or negative errno */
    uint8_t piece[VU_STATE_PIECE];
    size_t have, done; /* saving: of the piece */
};

void libxl__vu_state_init(struct vu_state *s, libxl_ctx *ctx, libxl__vdev *dev);
/* fd becomes ours. 0, or negative errno. */
int libxl__vu_state_start(struct vu_state *s, bool saving, int fd);
bool libxl__vu_state_busy(const struct vu_state *s);
/* How did it end? Reads what still lies in the fd of a load; a transfer that
 * is not at its end after that is ended, as failed. */
int libxl__vu_state_check(struct vu_state *s);
/* The frontend is gone. The device is reset afterwards. */
void libxl__vu_state_drop(struct vu_state *s);

#endif
