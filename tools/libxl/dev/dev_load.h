/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_load.h - the other way: state of a domain's devices, as it comes from a
 * stream, to their processes.
 *
 *   { piece -> ready; so many bytes are written to fd }... -> end -> ended
 *
 * Owns:      the connection to the device whose state comes.
 * Thread:    loop thread only.
 * Errors:    rc, logged with the device's name.
 * Lifetime:  callbacks never run from inside the function that asks for them.
 */
#ifndef LIBXL_DEV_LOAD_H
#define LIBXL_DEV_LOAD_H

#include "dev/dev.h"
#include "io/bufwriter.h"

typedef struct libxl__dev_load libxl__dev_load;
typedef void libxl__dev_load_callback(libxl__egc *egc, libxl__dev_load *dl,
                                      int rc);

struct libxl__dev_load {
    /* caller fills */
    libxl__ao *ao;
    uint32_t domid;
    int dirfd;
    libxl__dev_load_callback *ready, *ended;
    void *user;
    int fd; /* when ready: where the piece goes */
    /* private */
    int process; /* whose state comes; -1: none yet */
    unsigned wanted;
    uint32_t bytes;
    uint64_t total;
    bool ending;
    libxl__dev_line line;
    libxl__bufwriter bw;
};

void libxl__dev_load_init(libxl__dev_load *dl);
/* The next bytes are for this process's device; in the order of processes. */
int libxl__dev_load_piece(libxl__dev_load *dl, unsigned process,
                          uint32_t bytes);
/* There are no more. With nothing loaded it has ended at once: ERROR_NOTFOUND,
 * and no callback. */
int libxl__dev_load_end(libxl__dev_load *dl);
void libxl__dev_load_stop(libxl__dev_load *dl); /* no callback; idempotent */

#endif
