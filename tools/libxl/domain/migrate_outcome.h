/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_outcome.h - what became, here, of a guest that a sender gave away and
 * then lost the link. A copy that waits for GO without its receiver is given
 * up, on record, and removed: after NEVER_RAN it cannot run here any more.
 *
 * Thread:    loop thread only.
 * Errors:    LIBXL__OUTCOME_NONE: it cannot be known (logged).
 * Lifetime:  the struct stays until the callback, which runs exactly once,
 *            perhaps from inside start.
 */
#ifndef LIBXL_MIGRATE_OUTCOME_H
#define LIBXL_MIGRATE_OUTCOME_H

#include "domain/recover_one.h"
#include "migrate/answer.h"
#include "migrate/handshake.h"

struct libxl__migrate_outcome {
    /* caller fills */
    libxl__ao *ao;
    struct libxl__hs_query query;
    void *user;
    void (*callback)(libxl__egc *egc, struct libxl__migrate_outcome *mo,
                     enum libxl__outcome outcome);
    /* private */
    char id[LIBXL__HS_ID_CHARS + 1];
    libxl__host *host;
    libxl__store *store;
    libxl__domain_lock *lock;
    int lease;
    struct libxl__recover_one recover;
    enum libxl__outcome outcome; /* when recover succeeds */
};

void libxl__migrate_outcome_start(libxl__egc *egc,
                                  struct libxl__migrate_outcome *mo);

#endif
