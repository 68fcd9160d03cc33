/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * received.h - the receiving side's memory that a guest was taken over, which
 * outlives the guest: a sender that lost the link asks for it, perhaps when the
 * guest has already shut down here.
 *
 * A mark is an empty file received/UUID in the state directory; where that is
 * /run/xl, which does not outlive the host, in /var/lib/xl. It is cleared, on
 * the disk, before a receiver says "ready", and set, on the disk, before the
 * guest runs.
 *
 * Thread:    loop thread only.
 * Errors:    rc, logged.
 */
#ifndef LIBXL_RECEIVED_H
#define LIBXL_RECEIVED_H

#include "store/store.h"

int libxl__received_set(libxl__store *st, const char *uuid);
int libxl__received_clear(libxl__store *st, const char *uuid);
/* ERROR_FAIL: it cannot be known. */
int libxl__received_is_set(libxl__store *st, const char *uuid, bool *set);

#endif
