/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ao_abort.c - asking an operation to stop, and the waits that listen. */
#include <assert.h>

#include "engine/ao_private.h"

void libxl__ao_abortable_init(libxl__ao_abortable *abrt)
{
    abrt->registered = false;
}

int libxl__ao_abortable_register(libxl__ao_abortable *abrt)
{
    libxl__ao *root = abrt->ao->root;

    assert(!abrt->registered);
    assert(root->state != AO_COMPLETE);
    if (root->aborting)
        return ERROR_ABORTED;
    LIST_INSERT_HEAD(&root->abortables, abrt, entry);
    abrt->registered = true;
    return 0;
}

void libxl__ao_abortable_deregister(libxl__ao_abortable *abrt)
{
    if (!abrt->registered)
        return;
    LIST_REMOVE(abrt, entry);
    abrt->registered = false;
}

int libxl__ao_aborting(libxl__ao *ao)
{
    return ao->root->aborting ? ERROR_ABORTED : 0;
}

/* Each callback may deregister or complete anything: the list is begun anew
 * after each. The ao itself is freed at the end of the egc at the earliest. */
static int abort_ao(libxl__egc *egc, libxl__ao *ao)
{
    libxl__ao_abortable *abrt;

    if (ao->aborting)
        return ERROR_ABORTED;
    ao->aborting = true;
    while ((abrt = LIST_FIRST(&ao->abortables))) {
        libxl__ao_abortable_deregister(abrt);
        abrt->callback(egc, abrt, ERROR_ABORTED);
    }
    return 0;
}

static bool how_matches(const libxl__ao *ao, const libxl_asyncop_how *how)
{
    if (!how)
        return ao->sync;
    if (ao->sync || ao->how.callback != how->callback)
        return false;
    if (how->callback)
        return ao->how.u.for_callback == how->u.for_callback;
    return ao->how.u.for_event == how->u.for_event;
}

static libxl__ao *find_ao(libxl_ctx *ctx, const libxl_asyncop_how *how)
{
    libxl__ao *ao;

    LIST_FOREACH(ao, &ctx->aos, entry)
    if (how_matches(ao, how))
        return ao;
    return NULL;
}

int libxl_ao_abort(libxl_ctx *ctx, const libxl_asyncop_how *how)
{
    libxl__egc egc;
    libxl__ao *ao;
    int rc;

    if (libxl__ctx_check(ctx))
        return ERROR_INVAL;
    ao = find_ao(ctx, how);
    if (!ao)
        return ERROR_NOTFOUND;
    libxl__egc_begin(ctx, &egc);
    rc = abort_ao(&egc, ao);
    libxl__egc_end(&egc);
    return rc;
}

/* An interrupt is meant for the operation that ran when it came: one that was
 * started since then (to put things right, perhaps) goes on. */
void libxl__ao_abort_sync(libxl__egc *egc, unsigned interrupts)
{
    libxl__ao *ao = find_ao(libxl__egc_ctx(egc), NULL);

    if (ao && ao->interrupts != interrupts)
        abort_ao(egc, ao);
}
