/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * datacopier.h - bytes from one fd to another, and nothing else.
 *
 * Owns:      its buffers (256 KiB in flight at most: a slow writer stops the
 *            reader). The fds stay the caller's.
 * Thread:    loop thread only.
 * Lifetime:  the callback never runs from inside start. Dead when it runs; may
 *            be started again from it.
 * Abort:     through the ao: result DC_ABORTED, and the callback still runs.
 */
#ifndef LIBXL_DATACOPIER_H
#define LIBXL_DATACOPIER_H

#include "engine/engine.h"

enum libxl__dc_how {
    DC_DONE,  /* the wanted bytes, or all up to EOF, have been written */
    DC_SHORT, /* EOF before the wanted count: an error */
    DC_READ_ERR,
    DC_WRITE_ERR,
    DC_ABORTED,
    DC_ENGINE, /* an event could not be registered */
};

struct libxl__dc_result {
    enum libxl__dc_how how;
    int errnoval;   /* of DC_READ_ERR, DC_WRITE_ERR */
    uint64_t bytes; /* written */
};

/* The libxl error for a result; 0 for DC_DONE alone. */
int libxl__dc_rc(const struct libxl__dc_result *res);

typedef struct libxl__datacopier libxl__datacopier;
typedef void libxl__datacopier_callback(libxl__egc *egc, libxl__datacopier *dc,
                                        const struct libxl__dc_result *res);

#define LIBXL__DC_TO_EOF UINT64_MAX

struct libxl__datacopier {
    /* caller fills; stays valid until the callback */
    libxl__ao *ao;
    int readfd, writefd;
    uint64_t bytes_to_read;                      /* LIBXL__DC_TO_EOF: all */
    const char *copywhat, *readwhat, *writewhat; /* for messages */
    libxl__datacopier_callback *callback;
    /* private */
    struct libxl__dc_state *state;
};

void libxl__datacopier_init(libxl__datacopier *dc);
int libxl__datacopier_start(libxl__datacopier *dc);
void libxl__datacopier_kill(
    libxl__datacopier *dc); /* no callback; idempotent */

#endif
