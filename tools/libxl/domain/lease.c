/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lease.c - an operation's connection to the keeper.
 */
#include "domain/lease.h"

#include <unistd.h>

#include "base/sock_at.h"

int libxl__lease_begin(libxl__store *st, uint32_t domid)
{
    int dirfd, fd;

    if (st->ops->open_dir(st, domid, &dirfd))
        return -1;
    fd = libxl__connect_at(dirfd, "keeper.sock");
    close(dirfd);
    return fd;
}

void libxl__lease_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
