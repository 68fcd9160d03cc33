/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sock_at.c - unix stream sockets by /proc/self/fd/DIRFD/NAME.
 */
#include "base/sock_at.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

static int make(int dirfd, const char *name, struct sockaddr_un *addr)
{
    int n;

    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    n = snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s",
                 dirfd, name);
    if (n >= (int)sizeof(addr->sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int close_failed(int fd)
{
    int errnoval = errno;

    close(fd);
    errno = errnoval;
    return -1;
}

int libxl__listen_at(int dirfd, const char *name)
{
    struct sockaddr_un addr;
    int fd = make(dirfd, name, &addr);

    if (fd < 0)
        return -1;
    if (unlinkat(dirfd, name, 0) && errno != ENOENT)
        return close_failed(fd);
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
        fchmodat(dirfd, name, 0600, 0) || listen(fd, BACKLOG))
        return close_failed(fd);
    return fd;
}

int libxl__connect_at(int dirfd, const char *name)
{
    struct sockaddr_un addr;
    int fd = make(dirfd, name, &addr);

    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
        return close_failed(fd);
    return fd;
}
