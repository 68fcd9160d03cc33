/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ao_join.c - count sub-operations; the first error is the result. */
#include "engine/ao_join.h"

#include <assert.h>

void libxl__ao_join_init(libxl__ao_join *join)
{
    join->running = 0;
    join->sealed = false;
    join->rc = 0;
}

void libxl__ao_join_add(libxl__ao_join *join)
{
    assert(!join->sealed);
    join->running++;
}

static void check_all_done(libxl__egc *egc, libxl__ao_join *join)
{
    int rc = join->rc;

    if (!join->sealed || join->running)
        return;
    libxl__ao_join_init(join); /* the owner may free or reuse it */
    join->all_done(egc, join, rc);
}

/* first_error may end other children at once, which come back in here: this
 * one counts as running until it has returned. */
void libxl__ao_join_child_done(libxl__egc *egc, libxl__ao_join *join, int rc)
{
    assert(join->running);
    if (rc && !join->rc) {
        join->rc = rc;
        if (join->first_error)
            join->first_error(egc, join, rc);
    }
    join->running--;
    check_all_done(egc, join);
}

void libxl__ao_join_seal(libxl__egc *egc, libxl__ao_join *join)
{
    assert(!join->sealed);
    join->sealed = true;
    check_all_done(egc, join);
}
