/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * io_end.h - one end of a mover: an fd that is polled where it can be, used in
 * the next turn where it never waits (files in memory), and used through the
 * worker where it may wait unseen (other files, some devices).
 * PRIVATE to io/.
 *
 * Owns:      its event sources; never the fd. While a transfer runs it uses
 *            the buffer.
 * Thread:    loop thread only.
 * Errors:    the callback gets bytes (at least 1), 0 at end of file, or a
 *            negative errno; never -EAGAIN.
 * Lifetime:  after libxl__io_end_close no callback runs. One transfer at a
 *            time; one read(2) or write(2) a turn of the loop, so that a fast
 *            peer starves nobody.
 */
#ifndef LIBXL_IO_END_H
#define LIBXL_IO_END_H

#include "engine/engine.h"

typedef struct libxl__io_end libxl__io_end;
typedef void libxl__io_end_callback(libxl__egc *egc, libxl__io_end *end,
                                    ssize_t result);
struct libxl__io_end {
    /* private */
    libxl_ctx *ctx;
    int fd;
    bool writes;
    bool is_file, in_memory;
    bool wanted;
    void *buf;
    size_t bytes;
    libxl__io_end_callback *callback;
    libxl__ev_fd ev_fd;
    libxl__ev_file ev_file;
    libxl__ev_time next_turn;
};

void libxl__io_end_init(libxl_ctx *ctx, libxl__io_end *end);
int libxl__io_end_open(libxl__io_end *end, int fd, bool writes,
                       libxl__io_end_callback *callback);
/* Some of bytes (> 0). In file mode buf must come from malloc. */
int libxl__io_end_transfer(libxl__io_end *end, void *buf, size_t bytes);
/* true: a file call still uses the transfer's buffer, of which owned is the
 * malloc'ed begin; it has been taken over and will be freed. */
bool libxl__io_end_close(libxl__io_end *end, void *owned);

#endif
