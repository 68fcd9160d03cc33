/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keep.h - see to it that a domain has its keeper (docs/specs/keeper.md).
 *
 * Thread:    loop thread only.
 * Errors:    rc, logged. A domain without a keeper works: it has no console
 *            log and no restarts until the next command starts one.
 * Lifetime:  the struct stays the caller's until the callback, which runs
 *            exactly once, perhaps from inside start.
 */
#ifndef LIBXL_KEEP_H
#define LIBXL_KEEP_H

#include "domain/keeper_record.h"
#include "host/host.h"

typedef struct libxl__keep libxl__keep;
struct libxl__keep {
    /* caller fills */
    libxl__ao *ao;
    libxl__host *host;
    uint32_t domid;
    enum libxl__keep_policy {
        KEEP_AS_IT_WAS, /* no opinion */
        KEEP_RESTART,
        KEEP_NO_RESTART,
    } policy;
    void *user;
    void (*callback)(libxl__egc *egc, libxl__keep *ke, int rc);
    /* private */
    libxl__ev_child child;
    libxl__ev_fd ready;
    libxl__ev_time deadline;
    int ready_fd;
};

void libxl__keep_start(libxl__egc *egc, libxl__keep *ke);

#endif
