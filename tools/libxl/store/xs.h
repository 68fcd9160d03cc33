/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xs.h - xenstore, as the rest of the library uses it: one connection, strings
 * from a gc, paths made by printf.
 *
 * Owns:      the connection, from open to close.
 * Thread:    loop thread only: a call is one short exchange with the daemon.
 * Errors:    rc, logged, unless noted.
 */
#ifndef LIBXL_XS_H
#define LIBXL_XS_H

#include "base/gc.h"
#include "store/xs_calls.h"

struct libxl__xs {
    libxl_ctx *ctx;
    const struct libxl__xs_calls *calls;
    struct libxl__xs_handle *handle;
    uint32_t txn; /* 0: none is open */
};

int libxl__xs_open(struct libxl__xs *xs, libxl_ctx *ctx,
                   const struct libxl__xs_calls *calls);
void libxl__xs_close(struct libxl__xs *xs); /* idempotent */

/* From gc. NULL: there is no such node, or it cannot be read (not logged). */
char *libxl__xs_read(struct libxl__xs *xs, libxl__gc *gc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What the domain's node memory/KEY says; 0: it says nothing. */
uint64_t libxl__xs_memory_kb(struct libxl__xs *xs, libxl__gc *gc,
                             uint32_t domid, const char *key);
/* The names below a node, from gc; NULL-terminated. NULL: no such node. */
char **libxl__xs_children(struct libxl__xs *xs, libxl__gc *gc, const char *fmt,
                          ...) __attribute__((format(printf, 3, 4)));
int libxl__xs_remove(struct libxl__xs *xs, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Nodes below a base path, for one guest. After a failure (logged) the rest is
 * left out; rc says so. */
struct libxl__xs_writer {
    struct libxl__xs *xs;
    libxl__gc *gc;
    uint32_t guest;
    const char *base;
    int rc;
    /* private: of the base itself, once it is written: what lies below has
     * them too, from xenstored */
    const char *made;
    enum libxl__xs_perms made_perms;
};
void libxl__xs_put(struct libxl__xs_writer *w, enum libxl__xs_perms perms,
                   const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* All that is written between the two is seen at once. commit:
 * ERROR_NOT_READY: somebody was quicker, do it all again. */
int libxl__xs_begin(struct libxl__xs *xs);
int libxl__xs_commit(struct libxl__xs *xs);
void libxl__xs_rollback(struct libxl__xs *xs); /* idempotent */

#endif
