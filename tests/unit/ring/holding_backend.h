/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holding_backend.h - a vhost-user backend in a process of its own, which
 * answers flushes at once and holds all else until it is told to let go: to be
 * killed in between.
 */
#ifndef HOLDING_BACKEND_H
#define HOLDING_BACKEND_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

struct holding_backend {
    pid_t pid;
    int release_fd; /* one byte: answer all that is held */
    struct sockaddr_un addr;
    socklen_t addr_bytes;
};

void holding_backend_start(struct holding_backend *h);
void holding_backend_connect(const struct holding_backend *h, int *fd);
/* SIGKILL, if it still lives. */
void holding_backend_kill(struct holding_backend *h);

#endif
