/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * converter.h - a legacy stream read as a libxl stream: a child process,
 * convert-legacy-stream, between the two (docs/specs/legacy-stream.md).
 *
 * Owns:      the child. out_fd is the caller's. The legacy fd is lent: blocking
 *            meanwhile, and put back.
 * Thread:    loop thread only.
 * Abort:     none of its own: who reads out_fd is aborted, and stops it.
 * Errors:    ERROR_FAIL, logged; the child says on stderr what it dislikes.
 * Lifetime:  start -> callback, exactly once, when the child is dead; that may
 *            be before all of out_fd is read. Never from inside start or stop.
 */
#ifndef LIBXL_CONVERTER_H
#define LIBXL_CONVERTER_H

#include "engine/engine.h"

typedef struct libxl__converter libxl__converter;
struct libxl__converter {
    /* caller fills; stays valid until the callback */
    libxl__ao *ao;
    uint32_t domid;
    int fd; /* the legacy stream, its xl header read */
    bool hvm;
    void *user;
    void (*callback)(libxl__egc *egc, libxl__converter *cv, int rc);
    /* result of start: the libxl stream; the caller closes it */
    int out_fd;
    /* private */
    libxl__ev_child child;
    int fd_flags;
    bool stopped;
};

/* Non-zero: nothing was started, and no callback comes. */
int libxl__converter_start(libxl__converter *cv);
/* Nobody reads on: the child is ended. Its callback then has rc 0. */
void libxl__converter_stop(libxl__converter *cv);

#endif
