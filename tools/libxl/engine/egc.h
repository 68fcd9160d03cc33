/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * egc.h - one turn of the loop: what must be told to the application when the
 * turn ends, and a gc that dies with it.
 *
 * Owns:      its gc. What was queued during the turn is told to the
 *            application when the egc ends, immediates first, then progress
 *            and completions in the order in which they were queued.
 * Thread:    loop thread only. One lives on the stack of each uv callback and
 *            of each ao-starting API call; internal code only passes it on.
 * Rule:      internal code never calls the application: it queues here.
 */
#ifndef LIBXL_EGC_H
#define LIBXL_EGC_H

#include "base/gc.h"

typedef struct libxl__egc libxl__egc;

libxl__gc *libxl__egc_gc(libxl__egc *egc);
libxl_ctx *libxl__egc_ctx(libxl__egc *egc);

/* Run fn(egc, p) as a fresh event of this turn: breaks recursion. */
typedef struct libxl__ev_immediate libxl__ev_immediate;
typedef void libxl__ev_immediate_callback(libxl__egc *egc,
                                          libxl__ev_immediate *ei);
struct libxl__ev_immediate {
    libxl__ev_immediate_callback *callback;
    libxl__ev_immediate *next; /* private */
};
void libxl__egc_immediate(libxl__egc *egc, libxl__ev_immediate *ei);

/* An event to fill; NULL: no memory. Freed with libxl_event_free by whoever
 * has it last. */
libxl_event *libxl__event_new(libxl_event_type type, uint32_t domid,
                              libxl_ev_user for_user);
/* Queue an event, made by libxl__event_new, for libxl_event_check/wait. It is
 * the engine's from here on. */
void libxl__event_occurred(libxl__egc *egc, libxl_event *event);

#endif
