/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * received.h - the receiving side's memory that a guest was taken over, which
 * outlives the guest: a sender that lost the link asks for it, perhaps when the
 * guest has already shut down here, or has gone elsewhere and come back.
 *
 * The file received/UUID in the state directory (where that is /run/xl, which
 * does not outlive the host, in /var/lib/xl) lists the migrations of the guest
 * with this uuid to here, a line each, the latest last: "-" and the id when the
 * guest begins to come, "+" and the id before it runs, both on the disk. The
 * file keeps the last LIBXL__RECEIVED_MAX; one that has lost some begins with
 * "older".
 *
 * Thread:    loop thread only.
 * Errors:    rc, logged.
 */
#ifndef LIBXL_RECEIVED_H
#define LIBXL_RECEIVED_H

#include "store/store.h"

#define LIBXL__RECEIVED_MAX 64u

enum libxl__received {
    LIBXL__RECEIVED_NO,
    LIBXL__RECEIVED_YES,
    LIBXL__RECEIVED_UNKNOWN, /* so long ago that it may have been forgotten */
};

/* Idempotent. id: LIBXL__HS_ID_CHARS digits. clear: it will never run. */
int libxl__received_begin(libxl__store *st, const char *uuid, const char *id);
int libxl__received_set(libxl__store *st, const char *uuid, const char *id);
int libxl__received_clear(libxl__store *st, const char *uuid, const char *id);
/* ERROR_FAIL: it cannot be known. */
int libxl__received_look(libxl__store *st, const char *uuid, const char *id,
                         enum libxl__received *out);

#endif
