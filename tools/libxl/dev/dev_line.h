/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_line.h - one request to one device process, and the line that answers it.
 *
 * Owns:      fd, from the connect on; given away by setting it to -1.
 * Thread:    loop thread only.
 * Errors:    rc, logged with the device's name. Not more is read than the line:
 *            frames may follow it.
 * Lifetime:  the callback runs once, never from inside start.
 */
#ifndef LIBXL_DEV_LINE_H
#define LIBXL_DEV_LINE_H

#include "engine/engine.h"

#define LIBXL__DEV_NAME_BYTES 64

typedef struct libxl__dev_line libxl__dev_line;
struct libxl__dev_line {
    /* caller fills */
    libxl_ctx *ctx;
    uint32_t domid;
    int dirfd;
    unsigned index;      /* of the device's process */
    const char *request; /* NULL: only wait for a line */
    /* rc 0: text is the answer, of any kind. ERROR_NOT_READY: the process has
     * ended, or has not answered in time. */
    void (*callback)(libxl__egc *egc, libxl__dev_line *line, int rc);
    /* NULL, or: starts a process that has ended again, for this request; rc */
    int (*revive)(libxl__dev_line *line);
    int fd; /* -1: connect first */
    char text[256];
    /* private */
    libxl__ev_fd ev;
    libxl__ev_time deadline;
    size_t got;
};
void libxl__dev_line_init(libxl__dev_line *line);
/* ERROR_NOTFOUND, not logged: there is no such device. */
int libxl__dev_line_start(libxl__dev_line *line);
void libxl__dev_line_stop(libxl__dev_line *line); /* closes fd; idempotent */
/* The answer is "ok"; else it is logged. */
bool libxl__dev_line_ok(libxl__dev_line *line);

/* How long a device may take for an answer, or for its next piece of state. */
#define LIBXL__DEV_ANSWER_MS 30000
/* "vda", "demo": for messages. */
void libxl__dev_name(int dirfd, unsigned index,
                     char name[LIBXL__DEV_NAME_BYTES]);

#endif
