/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sock_at.h - unix stream sockets by name in a directory that is open: a path
 * of any length (sun_path is 108 bytes), and nobody can exchange it.
 *
 * Owns:      a returned fd (close-on-exec, non-blocking) is the caller's.
 * Errors:    -1 with errno.
 */
#ifndef LIBXL_SOCK_AT_H
#define LIBXL_SOCK_AT_H

int libxl__listen_at(int dirfd, const char *name); /* replaces a stale one */
int libxl__connect_at(int dirfd, const char *name);

#endif
