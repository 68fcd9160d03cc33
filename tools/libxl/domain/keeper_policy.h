/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper_policy.h - what becomes of a guest that has ended. Pure.
 */
#ifndef LIBXL_KEEPER_POLICY_H
#define LIBXL_KEEPER_POLICY_H

#include "libxl.h"

enum libxl__keeper_action {
    KEEPER_LEAVE,   /* it stays in the list, as shut down */
    KEEPER_DESTROY, /* it goes, with its records */
    KEEPER_RESTART, /* the same domain starts again */
};

struct libxl__keeper_end {
    libxl_shutdown_reason reason;
    bool restart; /* policy asked for (not `xl create -e`) */
    uint64_t lived_ms;
    const char *note; /* out: what could not be done as configured, or NULL */
};

/* A guest that lives less long than this is not started again: it would never
 * end. */
#define KEEPER_MIN_LIFE_MS 1000u

enum libxl__keeper_action
libxl__keeper_policy(const libxl_domain_config *config,
                     struct libxl__keeper_end *end);

#endif
