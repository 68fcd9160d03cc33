/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake_guest.h - a fake guest: its record "fake" (its run state, and nothing
 * else), its size, which the record "domain" tells, and its device model's state.
 *
 * Thread:    loop thread only.
 * Errors:    rc, logged.
 */
#ifndef LIBXL_FAKE_GUEST_H
#define LIBXL_FAKE_GUEST_H

#include "store/store.h"

enum libxl__fake_state {
    FAKE_NONE, /* there is no record: never built, or destroyed */
    FAKE_PAUSED,
    FAKE_RUNNING,
    FAKE_SHUTDOWN,
};

struct libxl__fake_guest {
    enum libxl__fake_state state;
    enum libxl__fake_state
        was;        /* suspended: what resume goes back to; or NONE */
    int64_t reason; /* of FAKE_SHUTDOWN */
};

int libxl__fake_guest_read(libxl__store *st, uint32_t domid,
                           struct libxl__fake_guest *out);
int libxl__fake_guest_write(libxl__store *st, uint32_t domid,
                            const struct libxl__fake_guest *g);
int libxl__fake_guest_set(libxl__store *st, uint32_t domid,
                          enum libxl__fake_state state,
                          enum libxl__fake_state was);
/* What its PFNs span. */
int libxl__fake_guest_memory(libxl__store *st, uint32_t domid, bool xen,
                             uint64_t *bytes);
int libxl__fake_guest_erase(libxl__store *st, uint32_t domid);

int libxl__fake_dm_write(libxl_ctx *ctx, uint32_t domid, int fd);
int libxl__fake_dm_check(libxl_ctx *ctx, uint32_t domid, int fd);

#endif
