/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ctx.h - what the other rooms may ask of a ctx.
 *
 * Owns:      the loop, the logger's pointer, the slots below.
 * Thread:    the one that made the ctx. libxl__ctx_check is the first thing an
 *            entry point of the API does that starts no ao (libxl__ao_run does
 *            it itself).
 * Lifetime:  libxl_ctx_free closes the slots first, while the engine still
 *            works, and then turns the loop until nothing is left.
 */
#ifndef LIBXL_CTX_H
#define LIBXL_CTX_H

#include "base/gc.h"

/* 0, or ERROR_INVAL when called on another thread than the ctx's. */
int libxl__ctx_check(libxl_ctx *ctx);

/* Dies with the ctx: for the few things that are made once. */
libxl__gc *libxl__ctx_gc(libxl_ctx *ctx);

/* A pointer that a higher room hangs on the ctx, with its destructor. */
struct libxl__ctx_slot {
    void *p;
    void (*close)(void *p);
};

/* host/: this ctx's host backend. */
struct libxl__ctx_slot *libxl__ctx_host_slot(libxl_ctx *ctx);

#endif
