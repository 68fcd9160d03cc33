/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_line.c - chain: start -> on_line -> callback
 *                              on_deadline -> callback
 */
#include "dev/dev_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "base/sock_at.h"

static libxl__dev_line *line_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__dev_line, ev);
}

static libxl__dev_line *line_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__dev_line, deadline);
}

void libxl__dev_name(int dirfd, unsigned index,
                     char name[LIBXL__DEV_NAME_BYTES])
{
    char file[24];
    ssize_t r = -1;
    int fd;

    snprintf(file, sizeof(file), "dev-%u.name", index);
    fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        r = read(fd, name, LIBXL__DEV_NAME_BYTES - 1);
        close(fd);
    }
    if (r > 0)
        name[r] = '\0';
    else
        snprintf(name, LIBXL__DEV_NAME_BYTES, "%u", index);
}

void libxl__dev_line_init(libxl__dev_line *line)
{
    memset(line, 0, sizeof(*line));
    line->fd = -1;
    libxl__ev_fd_init(&line->ev);
    libxl__ev_time_init(&line->deadline);
}

static void quiet(libxl__dev_line *line)
{
    libxl__ev_fd_deregister(line->ctx, &line->ev);
    libxl__ev_time_deregister(line->ctx, &line->deadline);
}

void libxl__dev_line_stop(libxl__dev_line *line)
{
    if (!line->ctx)
        return;
    quiet(line);
    if (line->fd >= 0)
        close(line->fd);
    line->fd = -1;
}

static void finish(libxl__egc *egc, libxl__dev_line *line, int rc)
{
    quiet(line);
    if (rc)
        libxl__dev_line_stop(line);
    line->callback(egc, line, rc);
}

static void log_dead(libxl__dev_line *line)
{
    char name[LIBXL__DEV_NAME_BYTES];

    libxl__dev_name(line->dirfd, line->index, name);
    LOGD(line->ctx, line->domid, ERROR,
         "the process of device %s does not answer%s%s: it has ended, and the "
         "guest's device with it", name, line->request ? " to " : "",
         line->request ? line->request : "");
}

/* A byte at a time: what follows the line is not ours. */
static void on_line(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                    short revents)
{
    libxl__dev_line *line = line_of_ev(ev);
    ssize_t r;

    while (line->got < sizeof(line->text) - 1) {
        r = recv(fd, line->text + line->got, 1, MSG_DONTWAIT);
        if (r < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (r <= 0)
            break;
        if (line->text[line->got] == '\n') {
            line->text[line->got] = '\0';
            finish(egc, line, 0);
            return;
        }
        line->got++;
    }
    log_dead(line);
    finish(egc, line, ERROR_NOT_READY);
}

static void on_deadline(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__dev_line *line = line_of_deadline(ev);
    char name[LIBXL__DEV_NAME_BYTES];

    libxl__dev_name(line->dirfd, line->index, name);
    LOGD(line->ctx, line->domid, ERROR,
         "device %s did not answer%s%s within %d s", name,
         line->request ? " to " : "", line->request ? line->request : "",
         LIBXL__DEV_ANSWER_MS / 1000);
    finish(egc, line, ERROR_NOT_READY);
}

static int send_request(libxl__dev_line *line)
{
    char name[16], out[64];
    int n;

    snprintf(name, sizeof(name), "dev-%u", line->index);
    if (line->fd < 0)
        line->fd = libxl__connect_at(line->dirfd, name);
    if (line->fd < 0 && errno == ENOENT)
        return ERROR_NOTFOUND;
    if (line->fd < 0 && errno == ECONNREFUSED && line->revive &&
        !line->revive(line))
        line->fd = libxl__connect_at(line->dirfd, name);
    if (line->fd < 0) {
        log_dead(line);
        return ERROR_NOT_READY;
    }
    if (!line->request)
        return 0;
    n = snprintf(out, sizeof(out), "%s\n", line->request);
    if (send(line->fd, out, (size_t)n, MSG_NOSIGNAL) == n)
        return 0;
    log_dead(line);
    return ERROR_NOT_READY;
}

int libxl__dev_line_start(libxl__dev_line *line)
{
    int rc = send_request(line);

    line->got = 0;
    if (!rc)
        rc = libxl__ev_time_register_rel(line->ctx, NULL, &line->deadline,
                                         on_deadline, LIBXL__DEV_ANSWER_MS);
    if (!rc)
        rc = libxl__ev_fd_register(line->ctx, &line->ev, on_line, line->fd,
                                   POLLIN);
    if (rc)
        libxl__dev_line_stop(line);
    return rc;
}

bool libxl__dev_line_ok(libxl__dev_line *line)
{
    char name[LIBXL__DEV_NAME_BYTES];

    if (!strcmp(line->text, "ok"))
        return true;
    libxl__dev_name(line->dirfd, line->index, name);
    LOGD(line->ctx, line->domid, ERROR, "device %s refused%s%s: %s", name,
         line->request ? " to " : "", line->request ? line->request : "",
         strncmp(line->text, "error ", 6) ? "no proper answer"
                                          : line->text + 6);
    return false;
}
