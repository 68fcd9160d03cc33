/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ev_file.h - one read, write, fsync or close of a regular file, off the loop
 * thread (such files cannot be polled).
 *
 * Lifetime:  the struct and the buffer must stay until the callback has run:
 *            a started call cannot be taken back. ev_file_forget gives up the
 *            callback and leaves struct and buffer to the engine to free() -
 *            both must then have been malloc'ed.
 * Errors:    result is bytes, 0 at end of file, or a negative errno.
 */
#ifndef LIBXL_EV_FILE_H
#define LIBXL_EV_FILE_H

#include <sys/types.h>

#include "engine/egc.h"

typedef struct libxl__ev_file libxl__ev_file;
typedef void libxl__ev_file_callback(libxl__egc *egc, libxl__ev_file *ev,
                                     ssize_t result);
struct libxl__ev_file {
    /* private */
    libxl__ev_file_callback *callback;
    struct libxl__file_req *req; /* NULL when idle */
};

void libxl__ev_file_init(libxl__ev_file *ev);
/* offset -1: the file position. */
int libxl__ev_file_read(libxl_ctx *ctx, libxl__ev_file *ev,
                        libxl__ev_file_callback *callback, int fd, void *buf,
                        size_t bytes, int64_t offset);
int libxl__ev_file_write(libxl_ctx *ctx, libxl__ev_file *ev,
                         libxl__ev_file_callback *callback, int fd,
                         const void *buf, size_t bytes, int64_t offset);
int libxl__ev_file_fsync(libxl_ctx *ctx, libxl__ev_file *ev,
                         libxl__ev_file_callback *callback, int fd);
void libxl__ev_file_forget(libxl__ev_file *ev, void *owned_buf);
bool libxl__ev_file_busy(const libxl__ev_file *ev);

#endif
