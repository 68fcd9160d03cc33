/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_ask.c - one request to each device process of a domain. Chain:
 *
 *   start -> next -> on_answer -> next ... -> finish
 *                    on_deadline -> finish
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "base/sock_at.h"
#include "dev/dev.h"

enum { ANSWER_MS = 30000 };

static libxl__dev_ask *ask_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__dev_ask, ev);
}

static libxl__dev_ask *ask_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__dev_ask, deadline);
}

static void name_of(unsigned index, char name[16])
{
    snprintf(name, 16, "dev-%u", index);
}

bool libxl__dev_any(int dirfd)
{
    return !faccessat(dirfd, "dev-0", F_OK, 0);
}

void libxl__dev_ask_init(libxl__dev_ask *ask)
{
    memset(ask, 0, sizeof(*ask));
    ask->fd = -1;
    libxl__ev_fd_init(&ask->ev);
    libxl__ev_time_init(&ask->deadline);
}

static void hang_up(libxl__dev_ask *ask)
{
    libxl__ev_fd_deregister(ask->ctx, &ask->ev);
    if (ask->fd >= 0)
        close(ask->fd);
    ask->fd = -1;
    ask->got = 0;
}

void libxl__dev_ask_stop(libxl__dev_ask *ask)
{
    if (!ask->ctx)
        return;
    hang_up(ask);
    libxl__ev_time_deregister(ask->ctx, &ask->deadline);
}

static void finish(libxl__egc *egc, libxl__dev_ask *ask, int rc)
{
    libxl__dev_ask_stop(ask);
    ask->callback(egc, ask, rc);
}

static void on_answer(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                      short revents);

/* ERROR_NOTFOUND: there is no such device any more. */
static int ask_one(libxl__dev_ask *ask)
{
    char name[16], out[64];
    int n, rc;

    name_of(ask->index, name);
    ask->fd = libxl__connect_at(ask->dirfd, name);
    if (ask->fd < 0 && errno == ENOENT)
        return ERROR_NOTFOUND;
    if (ask->fd < 0 && errno == ECONNREFUSED && ask->revive) {
        rc = ask->revive(ask, ask->index);
        if (!rc)
            ask->fd = libxl__connect_at(ask->dirfd, name);
        else
            errno = ECONNREFUSED;
    }
    n = snprintf(out, sizeof(out), "%s\n", ask->request);
    if (ask->fd < 0 || send(ask->fd, out, (size_t)n, MSG_NOSIGNAL) != n) {
        LOGED(ask->ctx, ask->domid, ERROR, errno,
              "the process of disk device %s does not answer: it has ended, "
              "and the guest's disk with it", name);
        return ERROR_FAIL;
    }
    rc = libxl__ev_fd_register(ask->ctx, &ask->ev, on_answer, ask->fd, POLLIN);
    return rc;
}

static bool answered_ok(libxl__dev_ask *ask)
{
    char name[16];

    name_of(ask->index, name);
    if (!strcmp(ask->line, "ok"))
        return true;
    LOGD(ask->ctx, ask->domid, ERROR, "disk device %s refused to %s: %s", name,
         ask->request,
         strncmp(ask->line, "error ", 6) ? "no proper answer" : ask->line + 6);
    return false;
}

static void on_answer(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                      short revents)
{
    libxl__dev_ask *ask = ask_of_ev(ev);
    ssize_t r = recv(fd, ask->line + ask->got,
                     sizeof(ask->line) - 1 - ask->got, MSG_DONTWAIT);
    char *end;
    int rc;

    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (r > 0)
        ask->got += (size_t)r;
    ask->line[ask->got] = '\0';
    end = strchr(ask->line, '\n');
    if (!end && r > 0 && ask->got < sizeof(ask->line) - 1)
        return;
    if (end)
        *end = '\0';
    if (!answered_ok(ask)) {
        finish(egc, ask, ERROR_FAIL);
        return;
    }
    hang_up(ask);
    ask->index++;
    rc = ask_one(ask);
    if (rc)
        finish(egc, ask, rc == ERROR_NOTFOUND ? 0 : rc);
}

static void on_deadline(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__dev_ask *ask = ask_of_deadline(ev);

    LOGD(ask->ctx, ask->domid, ERROR,
         "disk device dev-%u did not answer \"%s\" within %d s", ask->index,
         ask->request, ANSWER_MS / 1000);
    finish(egc, ask, ERROR_TIMEDOUT);
}

int libxl__dev_ask_start(libxl__dev_ask *ask)
{
    int rc = libxl__ev_time_register_rel(ask->ctx, NULL, &ask->deadline,
                                         on_deadline, ANSWER_MS);

    ask->index = 0;
    if (!rc)
        rc = ask_one(ask);
    if (rc)
        libxl__dev_ask_stop(ask);
    return rc;
}
