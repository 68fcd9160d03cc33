/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ev_time.h - one-shot deadlines on the monotonic clock.
 *
 * Units:     milliseconds.
 * Lifetime:  already deregistered when its callback runs. With an ao, it is
 *            an abortable: the callback gets ERROR_ABORTED instead of
 *            ERROR_TIMEDOUT.
 */
#ifndef LIBXL_EV_TIME_H
#define LIBXL_EV_TIME_H

#include "engine/ao.h"

typedef struct libxl__ev_time libxl__ev_time;
typedef void libxl__ev_time_callback(libxl__egc *egc, libxl__ev_time *ev,
                                     int rc);
struct libxl__ev_time {
    /* private */
    libxl__ev_time_callback *callback;
    libxl__ao_abortable abrt;
    struct libxl__time_slot *slot; /* NULL when idle */
};

void libxl__ev_time_init(libxl__ev_time *ev);
/* ao may be NULL: not abortable. */
int libxl__ev_time_register_rel(libxl_ctx *ctx, libxl__ao *ao,
                                libxl__ev_time *ev,
                                libxl__ev_time_callback *callback,
                                uint64_t delay_ms);
void libxl__ev_time_deregister(libxl_ctx *ctx, libxl__ev_time *ev);
bool libxl__ev_time_isregistered(const libxl__ev_time *ev);

uint64_t libxl__now_ms(libxl_ctx *ctx); /* monotonic, read now */

#endif
