/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ao_private.h - inside of an ao. PRIVATE to engine/ao*.c.
 *
 * Lifetime:  freed when the application has been told (asynchronous), or when
 *            libxl__ao_run has read rc (synchronous); a nested one by
 *            libxl__nested_ao_free.
 */
#ifndef LIBXL_AO_PRIVATE_H
#define LIBXL_AO_PRIVATE_H

#include "engine/loop.h"

enum libxl__ao_state { AO_STARTING, AO_RUNNING, AO_COMPLETE };

struct libxl__ao {
    libxl_ctx *ctx;
    libxl__gc gc;
    uint32_t domid;
    libxl__ao *root; /* itself, unless nested */
    unsigned nested; /* children alive; root only */
    enum libxl__ao_state state;
    bool aborting;
    int rc; /* valid when complete */
    bool sync;
    unsigned interrupts;   /* ctx's count when this ao began */
    libxl_asyncop_how how; /* valid unless sync */
    libxl_event *event;    /* made at the start: completing cannot fail */
    libxl__notice notice;
    LIST_HEAD(, libxl__ao_abortable) abortables;
    LIST_ENTRY(libxl__ao) entry; /* ctx->aos, until complete */
};

#endif
