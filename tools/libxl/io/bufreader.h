/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bufreader.h - exactly N bytes from an fd (pipe, socket, device or file) into
 * the caller's buffer, and never one byte more: the fd is handed on to another
 * reader afterwards.
 *
 * Errors:    DC_SHORT when the stream ends before N bytes: EOF is never
 *            success. result.bytes says how many came.
 * Lifetime:  the buffer must stay until the callback, which never runs from
 *            inside start. Dead when it runs; may be started again from it.
 */
#ifndef LIBXL_BUFREADER_H
#define LIBXL_BUFREADER_H

#include "io/datacopier.h"

typedef struct libxl__bufreader libxl__bufreader;
typedef void libxl__bufreader_callback(libxl__egc *egc, libxl__bufreader *br,
                                       const struct libxl__dc_result *res);
struct libxl__bufreader {
    /* caller fills */
    libxl__ao *ao;
    int fd;
    const char *what; /* for messages */
    libxl__bufreader_callback *callback;
    /* private */
    struct libxl__br_state *state;
};

void libxl__bufreader_init(libxl__bufreader *br);
int libxl__bufreader_start(libxl__bufreader *br, void *buf, size_t bytes);
/* No callback; idempotent. The buffer is free to go: a file read in flight
 * works on memory of its own. */
void libxl__bufreader_kill(libxl__bufreader *br);

#endif
