/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lease.h - an operation's connection to the keeper: it says nothing, and its
 * end, however it comes, tells the keeper to look at the journal and the lock.
 *
 * Owns:      the fd is the operation's until libxl__lease_end.
 * Errors:    none: without a lease the keeper finds out later, by itself.
 */
#ifndef LIBXL_LEASE_H
#define LIBXL_LEASE_H

#include "store/store.h"

int libxl__lease_begin(libxl__store *st, uint32_t domid); /* -1: no keeper */
void libxl__lease_end(int *fd);                           /* idempotent */

#endif
