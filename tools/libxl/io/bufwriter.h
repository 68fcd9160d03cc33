/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bufwriter.h - one buffer to an fd (pipe, socket, device or file), whole.
 *
 * Owns:      a copy of the buffer, or the buffer itself when it was given with
 *            libxl__bufwriter_start_owned (from malloc; freed in any case,
 *            also when start_owned fails).
 * Lifetime:  the callback never runs from inside start. Dead when it runs; may
 *            be started again from it.
 * Result:    DC_DONE: the kernel has the bytes. A closed pipe is DC_WRITE_ERR
 *            with EPIPE; SIGPIPE is never raised.
 */
#ifndef LIBXL_BUFWRITER_H
#define LIBXL_BUFWRITER_H

#include "io/datacopier.h"

typedef struct libxl__bufwriter libxl__bufwriter;
typedef void libxl__bufwriter_callback(libxl__egc *egc, libxl__bufwriter *bw,
                                       const struct libxl__dc_result *res);
struct libxl__bufwriter {
    /* caller fills */
    libxl__ao *ao;
    int fd;
    const char *what; /* for messages */
    libxl__bufwriter_callback *callback;
    /* private */
    struct libxl__bw_state *state;
};

void libxl__bufwriter_init(libxl__bufwriter *bw);
int libxl__bufwriter_start(libxl__bufwriter *bw, const void *buf, size_t bytes);
int libxl__bufwriter_start_owned(libxl__bufwriter *bw, void *buf, size_t bytes);
void libxl__bufwriter_kill(libxl__bufwriter *bw); /* no callback; idempotent */

#endif
