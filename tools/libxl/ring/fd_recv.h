/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fd_recv.h - mover: bytes and file descriptors from a unix socket, a piece at
 * a time, without blocking. Both device protocols are read with it.
 *
 * Owns:      fds that came are the caller's, in its array; what does not fit is
 *            closed here, and is an error.
 */
#ifndef LIBXL_FD_RECV_H
#define LIBXL_FD_RECV_H

#include <stddef.h>
#include <stdint.h>

struct fd_recv {
    int socket;
    uint8_t *buf;
    size_t *got; /* bytes in buf */
    int *fds;
    unsigned *nr_fds;
    unsigned max_fds; /* at most 16 */
};

/* Until 'want' bytes are in buf. 1: they are; 0: call again when the socket
 * is readable; -1: over, with *wrong saying why if that is the peer's fault. */
int libxl__fd_recv(struct fd_recv *in, size_t want, const char **wrong);
/* Closes those that are not -1. */
void libxl__fds_drop(int *fds, unsigned *nr);

#endif
