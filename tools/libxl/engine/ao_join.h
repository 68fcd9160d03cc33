/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ao_join.h - wait for several sub-operations, keep the first error.
 *
 * Lifetime:  the owner's struct holds it; idle again when all_done is called.
 * Rule:      all_done is called exactly once, never from inside join_add, and
 *            only after join_seal: children may finish before all are added.
 *            first_error is called at the first failing child, so that the
 *            owner can stop the others.
 */
#ifndef LIBXL_AO_JOIN_H
#define LIBXL_AO_JOIN_H

#include "engine/egc.h"

typedef struct libxl__ao_join libxl__ao_join;
typedef void libxl__ao_join_callback(libxl__egc *egc, libxl__ao_join *join,
                                     int rc);
struct libxl__ao_join {
    libxl__ao_join_callback *first_error; /* may be NULL */
    libxl__ao_join_callback *all_done;
    /* private */
    unsigned running;
    bool sealed;
    int rc;
};

void libxl__ao_join_init(libxl__ao_join *join);
void libxl__ao_join_add(libxl__ao_join *join);
void libxl__ao_join_child_done(libxl__egc *egc, libxl__ao_join *join, int rc);
void libxl__ao_join_seal(libxl__egc *egc, libxl__ao_join *join);

#endif
