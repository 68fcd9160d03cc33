/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * memory_end.h - a guest's memory outlives its process by a moment: a process
 * of ours is the last to hold it, and gives it back at low priority while
 * nobody waits. (To free a gigabyte takes a tenth of a second.)
 *
 * Owns:      the process until let_go; from there on it ends by itself, also
 *            when we die. memory_fd stays the caller's.
 * Thread:    loop thread only.
 * Errors:    none: without it whoever ends the guest waits a little longer.
 */
#ifndef LIBXL_MEMORY_END_H
#define LIBXL_MEMORY_END_H

#include "engine/engine.h"

struct libxl__memory_end {
    /* private */
    libxl__ev_child child;
    int lifeline; /* -1: nobody holds it */
};

void libxl__memory_end_init(struct libxl__memory_end *me);
/* Before the guest's process is told to end. */
void libxl__memory_end_hold(libxl_ctx *ctx, struct libxl__memory_end *me,
                            int memory_fd);
void libxl__memory_end_let_go(struct libxl__memory_end *me); /* idempotent */

#endif
