/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devproc.h - what every device process does: listen, map the toolstack's
 * dirty log, and end with a signal or with its guest.
 *
 * Owns:      the fds given to it.
 * Thread:    loop thread only.
 * Errors:    negative, told on stderr.
 */
#ifndef LIBXL_DEVPROC_H
#define LIBXL_DEVPROC_H

#include "engine/ev_fd.h"
#include "ring/ring_mem.h"

/* A listening socket at path, or -1. */
int libxl__devproc_listen(const char *program, const char *path);
/* fd -1: there is none, and 0. It stays mapped for as long as the process
 * lives. */
int libxl__devproc_map_log(const char *program, struct libxl__ring_mem *mem,
                           int fd);

/* SIGTERM, SIGINT, and the end of whoever holds the other end of lifeline_fd:
 * QEMU, which gets nothing through it. */
struct libxl__devproc_end {
    /* caller fills */
    libxl_ctx *ctx;
    int lifeline_fd; /* -1: none */
    void (*ended)(libxl__egc *egc, struct libxl__devproc_end *end); /* once */
    /* private */
    libxl__ev_fd signal_ev, lifeline_ev;
};
int libxl__devproc_watch_end(struct libxl__devproc_end *end);
void libxl__devproc_unwatch(struct libxl__devproc_end *end);
/* Ends libxl_event_wait in the process's main. */
void libxl__devproc_tell_main(libxl__egc *egc);

#endif
