/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gc.h - arenas for strings and small structs.
 *
 * Owns:      every allocation made through a libxl__gc, until its dispose.
 *            An egc has one (dies with the callback round), an ao has one
 *            (dies with the operation), a ctx has one (dies with the ctx).
 * Thread:    loop thread only.
 * Errors:    NULL when there is no memory: the caller returns ERROR_NOMEM.
 * Lifetime:  never for anything sized by a peer or a guest: that has one
 *            owner and an explicit dispose.
 */
#ifndef LIBXL_GC_H
#define LIBXL_GC_H

#include <stdarg.h>
#include <stddef.h>

#include "libxl.h"

typedef struct libxl__gc libxl__gc;
struct libxl__gc_block;

struct libxl__gc {
    libxl_ctx *ctx;
    struct libxl__gc_block *blocks; /* private to gc.c */
};

void libxl__gc_init(libxl__gc *gc, libxl_ctx *ctx);
void libxl__gc_dispose(libxl__gc *gc); /* idempotent; gc may be reused */

void *libxl__zalloc(libxl__gc *gc, size_t bytes);
char *libxl__strdup(libxl__gc *gc, const char *s);
char *libxl__strndup(libxl__gc *gc, const char *s, size_t n);
char *libxl__sprintf(libxl__gc *gc, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
char *libxl__vsprintf(libxl__gc *gc, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Hand a malloc'ed pointer to the arena. On failure it is freed, and NULL
 * returned. */
void *libxl__gc_take(libxl__gc *gc, void *p);

#endif
