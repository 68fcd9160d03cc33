/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ev_file.h - one read, write or fsync of a regular file, off the loop thread
 * (such files cannot be polled).
 *
 * Thread:    loop thread only; the call itself is made on another one. Calls
 *            of one ctx are made in the order in which they were started.
 * Lifetime:  a started call cannot be taken back: the buffer, and the file
 *            behind the fd, are in use until the callback (the fd itself is
 *            not: the call has a duplicate). libxl__ev_file_forget gives up
 *            the callback at once; the struct may go, and the buffer (which
 *            must come from malloc) is freed by the engine when the call has
 *            ended.
 * Errors:    rc when the call could not be started; result is bytes, 0 at end
 *            of file (or for fsync), or a negative errno.
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
/* owned_buf may be NULL. */
void libxl__ev_file_forget(libxl__ev_file *ev, void *owned_buf);
bool libxl__ev_file_busy(const libxl__ev_file *ev);

#endif
