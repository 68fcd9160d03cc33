/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_ask.h - a sender that lost the link asks the receiver, by the command
 * of that migration, what became of the guest.
 *
 * Thread:    loop thread only.
 * Abort:     through the ao; the callback still runs.
 * Errors:    LIBXL__OUTCOME_NONE: no answer (logged).
 * Lifetime:  the struct stays until the callback, which runs exactly once,
 *            never from inside start.
 */
#ifndef LIBXL_MIGRATE_ASK_H
#define LIBXL_MIGRATE_ASK_H

#include "io/bufwriter.h"
#include "migrate/transport.h"

struct libxl__migrate_ask {
    /* caller fills */
    libxl__ao *ao;
    uint32_t domid;
    const char *peer; /* for `sh -c` */
    struct libxl__hs_query query;
    void *user;
    void (*callback)(libxl__egc *egc, struct libxl__migrate_ask *ma,
                     enum libxl__outcome outcome);
    /* private */
    enum libxl__outcome outcome;
    bool closing;
    libxl__transport link;
    libxl__bufwriter bw;
};

void libxl__migrate_ask_start(libxl__egc *egc, struct libxl__migrate_ask *ma);

#endif
