/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ao.h - one asynchronous operation, which completes exactly once.
 *
 * Owns:      its gc; its list of abortables.
 * Thread:    loop thread only.
 * Lifetime:  from libxl__ao_run to the application's notification. After
 *            libxl__ao_complete nothing of the ao's gc may be used.
 *
 * state        run      complete     abort                  callbacks
 * starting     -        -> complete  -> aborting            no
 * running      -        -> complete  -> aborting            yes
 * aborting     -        -> complete  ERROR_ABORTED          yes
 * complete     -        assert       ERROR_NOTFOUND         no
 */
#ifndef LIBXL_AO_H
#define LIBXL_AO_H

#include <sys/queue.h>

#include "engine/egc.h"

typedef struct libxl__ao libxl__ao;

/* Starts the operation. Non-zero: nothing was started, and this is what the
 * API call returns. Zero: libxl__ao_complete was or will be called. */
typedef int libxl__ao_start_fn(libxl__egc *egc, libxl__ao *ao,
                               const void *params);

/* Body of every ao entry point of the API. params need only live until the
 * start function returns; what it keeps it copies to the ao's gc. */
int libxl__ao_run(libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *how,
                  libxl__ao_start_fn *start, const void *params);

void libxl__ao_complete(libxl__egc *egc, libxl__ao *ao, int rc);

libxl__gc *libxl__ao_gc(libxl__ao *ao);
libxl_ctx *libxl__ao_ctx(libxl__ao *ao);
uint32_t libxl__ao_domid(const libxl__ao *ao);

/* A nested ao has a gc of its own for loops that outlive no single round; it
 * is never completed, aborted or used for progress. Abort lives in the root. */
libxl__ao *libxl__nested_ao_create(libxl__ao *parent); /* NULL: no memory */
void libxl__nested_ao_free(libxl__ao *child);

/* Every internal wait registers an abortable. When the ao is aborted each
 * callback is called once with ERROR_ABORTED, already deregistered. Registering
 * one on an aborting ao fails at once with ERROR_ABORTED. */
typedef struct libxl__ao_abortable libxl__ao_abortable;
typedef void libxl__ao_abortable_callback(libxl__egc *egc,
                                          libxl__ao_abortable *abrt, int rc);
struct libxl__ao_abortable {
    libxl__ao *ao;                          /* caller fills */
    libxl__ao_abortable_callback *callback; /* caller fills */
    bool registered;                        /* private */
    LIST_ENTRY(libxl__ao_abortable) entry;
};
void libxl__ao_abortable_init(libxl__ao_abortable *abrt);
int libxl__ao_abortable_register(libxl__ao_abortable *abrt);
void libxl__ao_abortable_deregister(libxl__ao_abortable *abrt); /* idempotent */
/* 0, or ERROR_ABORTED: for code with long non-waiting loops. */
int libxl__ao_aborting(libxl__ao *ao);

/* Progress: reported and returned before the ao counts as finished. */
void libxl__ao_progress_gethow(libxl_asyncprogress_how *in_state,
                               const libxl_asyncprogress_how *from_app);
void libxl__ao_progress_report(libxl__egc *egc, libxl__ao *ao,
                               const libxl_asyncprogress_how *how,
                               libxl_event *event);

#endif
