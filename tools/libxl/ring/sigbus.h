/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sigbus.h - survive a frontend that truncates the memory it has shared.
 *
 * A touched page that is beyond the end of its file raises SIGBUS. Inside a
 * guarded range the handler puts an empty private page in its place and marks
 * the range lost; the owner looks at the mark after each round of work and
 * ends the connection. Outside every guarded range the signal does what it did
 * before.
 *
 * Owns:      the process's SIGBUS disposition from the first guard on. The table
 *            of ranges is global, because a signal handler has no other.
 * Thread:    one thread guards and unguards.
 */
#ifndef LIBXL_SIGBUS_H
#define LIBXL_SIGBUS_H

#include <stdbool.h>
#include <stddef.h>

#define LIBXL__SIGBUS_MAX 128u

/* 0; -ENOSPC: the table is full; or negative errno of sigaction. */
int libxl__sigbus_guard(void *addr, size_t bytes);
void libxl__sigbus_unguard(void *addr);
/* Has a page of the range been lost? */
bool libxl__sigbus_lost(void *addr);

#endif
