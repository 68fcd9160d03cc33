/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xs_calls.h - xenstore, as a table of functions that a plugin fills
 * (xl-host-xen.so, store_xenstore.c): whoever has no Xen has no plugin, and
 * runs the same programs. Plain C on both sides: the plugin knows nothing of
 * this library, and tests put a table of their own in its place.
 *
 * Owns:      a handle is one connection, close ends it.
 * Thread:    a handle belongs to the thread that uses it.
 * Errors:    0, or negative errno. -ENOENT: no such node.
 * Rule:      a call is one request and one answer of the daemon.
 */
#ifndef LIBXL_XS_CALLS_H
#define LIBXL_XS_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBXL__XEN_PLUGIN "xl-host-xen.so"
#define LIBXL__XS_CALLS_NAME "libxl__xs_calls"
#define LIBXL__XS_CALLS_VERSION 1u

/* What a node's owner and the guest may do with it. */
enum libxl__xs_perms {
    LIBXL__XS_PRIVATE,     /* the host alone */
    LIBXL__XS_GUEST_READS, /* the host's; the guest may read */
    LIBXL__XS_GUEST_OWNS,  /* the guest's; the host may do all it likes */
    LIBXL__XS_GUEST_SHARES /* the guest's; the host may read */
};

struct libxl__xs_handle; /* the plugin's */

struct libxl__xs_calls {
    unsigned version;
    int (*open)(struct libxl__xs_handle **out);
    void (*close)(struct libxl__xs_handle *h); /* NULL accepted */

    /* txn: 0, or one that begin gave. text: malloc'ed, NUL-terminated. */
    int (*read)(struct libxl__xs_handle *h, uint32_t txn, const char *path,
                char **text);
    int (*write)(struct libxl__xs_handle *h, uint32_t txn, const char *path,
                 const char *text);
    int (*remove)(struct libxl__xs_handle *h, uint32_t txn, const char *path);
    /* One block to free: pointers, then names. */
    int (*children)(struct libxl__xs_handle *h, uint32_t txn, const char *path,
                    char ***names, unsigned *nr);
    int (*set_perms)(struct libxl__xs_handle *h, uint32_t txn,
                     const char *path, uint32_t guest,
                     enum libxl__xs_perms perms);
    int (*begin)(struct libxl__xs_handle *h, uint32_t *txn);
    /* -EAGAIN: somebody was quicker, do it all again. */
    int (*end)(struct libxl__xs_handle *h, uint32_t txn, bool commit);

    /* The daemon begins, and resumes, to serve a guest. */
    int (*introduce)(struct libxl__xs_handle *h, uint32_t domid,
                     uint64_t store_gfn, uint32_t port);
    int (*resumed)(struct libxl__xs_handle *h, uint32_t domid);
};

#endif
