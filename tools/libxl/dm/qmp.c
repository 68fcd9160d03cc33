/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp.c - QMP client. Chain, in order of time:
 *
 *   connect -> (retry_time: QEMU's backlog is full) -> greeting
 *           -> qmp_capabilities -> done
 *   command -> writable (what did not fit at once) -> answer -> done
 *   any     -> deadline | abort | loss -> done with an error
 *
 * One state on the heap serves a connection. A callback may close the client:
 * the state then stays until the loop over the buffered lines has left it
 * ('busy'), and is marked 'closed'.
 */
#include "dm/qmp.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "dm/qmp_wire.h"

enum {
    RETRY_MS = 5,
    READ_ROUNDS = 16, /* a chatty QEMU must not starve the other events */
};

enum qmp_phase { QMP_CONNECTING, QMP_WAIT_GREETING, QMP_IDLE, QMP_WAIT_ANSWER };

struct libxl__qmp_state {
    libxl__qmp *qmp; /* not looked at once closed */
    libxl_ctx *ctx;
    libxl__gc gc; /* the command that is being sent */
    enum qmp_phase phase;
    bool busy, closed;
    int fd, dirfd;
    char sockname[32];
    libxl__ev_fd ready;
    libxl__ev_time deadline, retry;
    struct libxl__qmp_lines in;
    const char *out;
    size_t out_left;
    int out_fd;
    uint64_t id;
    char command[48];
    uint32_t timeout_ms;
    libxl__qmp_callback *done;
};

static void on_ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                     short revents);
static void on_deadline(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void on_retry(libxl__egc *egc, libxl__ev_time *ev, int rc);

static struct libxl__qmp_state *state_of_ready(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__qmp_state, ready);
}

static struct libxl__qmp_state *state_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__qmp_state, deadline);
}

static struct libxl__qmp_state *state_of_retry(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__qmp_state, retry);
}

/* ---- ends ---- */

static void stop_io(struct libxl__qmp_state *st)
{
    libxl__ev_fd_deregister(st->ctx, &st->ready);
    libxl__ev_time_deregister(st->ctx, &st->deadline);
    libxl__ev_time_deregister(st->ctx, &st->retry);
    if (st->fd >= 0)
        close(st->fd);
    st->fd = -1;
}

static void free_state(struct libxl__qmp_state *st)
{
    libxl__qmp_lines_dispose(&st->in);
    libxl__gc_dispose(&st->gc);
    free(st);
}

/* The running command (or connect) ends; the callback may close the client. */
static void finish(libxl__egc *egc, struct libxl__qmp_state *st, int rc,
                   yajl_val result)
{
    libxl__qmp_callback *done = st->done;

    libxl__ev_time_deregister(st->ctx, &st->deadline);
    libxl__ev_time_deregister(st->ctx, &st->retry);
    st->phase = QMP_IDLE;
    st->done = NULL;
    libxl__gc_dispose(&st->gc);
    if (done)
        done(egc, st->qmp, rc, result);
}

/* The connection is of no more use. */
static void lose(libxl__egc *egc, struct libxl__qmp_state *st, int rc)
{
    bool idle = st->phase == QMP_IDLE;

    stop_io(st);
    if (!idle)
        finish(egc, st, rc, NULL);
    else if (st->qmp->lost)
        st->qmp->lost(egc, st->qmp, rc);
}

static void lose_loudly(libxl__egc *egc, struct libxl__qmp_state *st,
                        int errnoval, const char *why)
{
    if (!st->qmp->quiet_loss)
        LOGED(st->ctx, st->qmp->domid, ERROR, errnoval,
              "QMP connection to QEMU lost%s%s: %s",
              st->phase == QMP_WAIT_ANSWER ? " during " : "",
              st->phase == QMP_WAIT_ANSWER ? st->command : "", why);
    lose(egc, st, ERROR_NOT_READY);
}

void libxl__qmp_init(libxl__qmp *qmp)
{
    qmp->state = NULL;
}

bool libxl__qmp_usable(const libxl__qmp *qmp)
{
    return qmp->state && qmp->state->fd >= 0 && qmp->state->phase == QMP_IDLE;
}

void libxl__qmp_close(libxl__qmp *qmp)
{
    struct libxl__qmp_state *st = qmp->state;

    if (!st)
        return;
    qmp->state = NULL;
    stop_io(st);
    st->closed = true;
    if (!st->busy)
        free_state(st);
}

/* Left by whoever set busy. False: the state is gone. */
static bool leave(struct libxl__qmp_state *st)
{
    st->busy = false;
    if (!st->closed)
        return true;
    free_state(st);
    return false;
}

/* ---- deadline and abort ---- */

static void on_deadline(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct libxl__qmp_state *st = state_of_deadline(ev);

    st->busy = true;
    if (rc == ERROR_ABORTED) {
        /* A late answer is known by its id, and dropped. Half of a command
         * on the wire, or half a greeting, cannot be taken back. */
        if (st->phase != QMP_WAIT_ANSWER || st->out_left)
            stop_io(st);
        finish(egc, st, ERROR_ABORTED, NULL);
    } else {
        LOGD(st->ctx, st->qmp->domid, ERROR,
             "QEMU gave no %s%s within %u ms%s",
             st->phase == QMP_WAIT_ANSWER ? "answer to " : "greeting",
             st->phase == QMP_WAIT_ANSWER ? st->command : "", st->timeout_ms,
             st->phase == QMP_WAIT_ANSWER
                 ? ""
                 : " (another program may be using its control socket)");
        lose(egc, st, ERROR_TIMEDOUT);
    }
    leave(st);
}

static int start_deadline(struct libxl__qmp_state *st, uint32_t timeout_ms)
{
    st->timeout_ms = timeout_ms;
    return libxl__ev_time_register_rel(st->ctx, st->qmp->ao, &st->deadline,
                                       on_deadline, timeout_ms);
}

/* ---- writing ---- */

static int wanted_events(const struct libxl__qmp_state *st)
{
    return st->out_left ? POLLIN | POLLOUT : POLLIN;
}

/* The first byte of a command carries the fd that goes with it. */
static ssize_t send_some(struct libxl__qmp_state *st)
{
    struct iovec iov = { .iov_base = (void *)(uintptr_t)st->out,
                         .iov_len = st->out_left };
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct cmsghdr *c;

    if (st->out_fd >= 0) {
        msg.msg_control = control;
        msg.msg_controllen = sizeof(control);
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &st->out_fd, sizeof(int));
    }
    return sendmsg(st->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* 0 or an errno. */
static int flush_out(struct libxl__qmp_state *st)
{
    ssize_t put;

    while (st->out_left) {
        put = send_some(st);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EAGAIN)
            return 0;
        if (put < 0)
            return errno;
        st->out += put;
        st->out_left -= (size_t)put;
        st->out_fd = -1;
    }
    return 0;
}

static int send_command(struct libxl__qmp_state *st, const char *command,
                        const char *args_json, int pass_fd)
{
    int rc;

    st->out = libxl__qmp_encode(&st->gc, ++st->id, command, args_json);
    if (!st->out)
        return ERROR_NOMEM;
    st->out_left = strlen(st->out);
    st->out_fd = pass_fd;
    st->phase = QMP_WAIT_ANSWER;
    snprintf(st->command, sizeof(st->command), "%s", command);
    rc = flush_out(st);
    if (rc) {
        if (!st->qmp->quiet_loss)
            LOGED(st->ctx, st->qmp->domid, ERROR, rc,
                  "cannot send %s to QEMU", command);
        return ERROR_NOT_READY;
    }
    return libxl__ev_fd_modify(st->ctx, &st->ready, (short)wanted_events(st));
}

/* ---- reading ---- */

static void on_answer(libxl__egc *egc, struct libxl__qmp_state *st,
                      const struct libxl__qmp_message *m)
{
    int rc = 0;

    if (st->phase != QMP_WAIT_ANSWER || !m->has_id || m->id != st->id)
        return; /* of a command that was given up */
    if (st->out_left) {
        lose_loudly(egc, st, 0, "an answer came before its question was out");
        return;
    }
    if (m->kind == LIBXL__QMP_ERROR) {
        rc = libxl__qmp_error_rc(m->name);
        if (!st->qmp->quiet_errors)
            LOGD(st->ctx, st->qmp->domid, ERROR, "QEMU refused %s: %s",
                 st->command, m->desc);
    }
    finish(egc, st, rc, m->data);
}

static void on_message(libxl__egc *egc, struct libxl__qmp_state *st,
                       const struct libxl__qmp_message *m)
{
    int rc;

    switch (m->kind) {
    case LIBXL__QMP_GREETING:
        if (st->phase != QMP_WAIT_GREETING) {
            lose_loudly(egc, st, 0, "a second greeting");
            return;
        }
        rc = send_command(st, "qmp_capabilities", NULL, -1);
        if (rc)
            lose(egc, st, rc);
        return;
    case LIBXL__QMP_EVENT:
        if (st->qmp->event)
            st->qmp->event(egc, st->qmp, m->name, m->data);
        return;
    case LIBXL__QMP_RETURN:
    case LIBXL__QMP_ERROR:
        on_answer(egc, st, m);
        return;
    }
}

static void take_lines(libxl__egc *egc, struct libxl__qmp_state *st)
{
    struct libxl__qmp_message m;
    const char *line, *why;
    size_t bytes;

    while (!st->closed && st->fd >= 0 &&
           libxl__qmp_lines_next(&st->in, &line, &bytes)) {
        if (!bytes)
            continue;
        why = libxl__qmp_decode(line, bytes, &m);
        if (why) {
            lose_loudly(egc, st, 0, why);
            return;
        }
        on_message(egc, st, &m);
        libxl__qmp_message_dispose(&m);
    }
}

/* False: nothing more for now, or the connection has ended. */
static bool read_some(libxl__egc *egc, struct libxl__qmp_state *st)
{
    size_t room;
    ssize_t got;
    char *where;

    where = libxl__qmp_lines_room(&st->in, &room);
    if (!where) {
        lose_loudly(egc, st, 0, "a line without end, or no memory for it");
        return false;
    }
    got = recv(st->fd, where, room, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return errno == EINTR;
    if (got <= 0) {
        lose_loudly(egc, st, got < 0 ? errno : 0,
                    got < 0 ? "read error" : "QEMU closed it");
        return false;
    }
    libxl__qmp_lines_got(&st->in, (size_t)got);
    take_lines(egc, st);
    return !st->closed && st->fd >= 0;
}

static void on_ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                     short revents)
{
    struct libxl__qmp_state *st = state_of_ready(ev);
    int rounds, e;

    st->busy = true;
    if (st->out_left) {
        e = flush_out(st);
        if (e)
            lose_loudly(egc, st, e, "write error");
        else if (!st->out_left)
            libxl__ev_fd_modify(st->ctx, &st->ready, POLLIN);
    }
    for (rounds = 0; rounds < READ_ROUNDS && !st->closed && st->fd >= 0;
         rounds++)
        if (!read_some(egc, st))
            break;
    leave(st);
}

/* ---- connect ---- */

/* 0, EAGAIN (backlog full), or another errno. */
static int try_connect(struct libxl__qmp_state *st)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    int fd;

    snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/%s",
             st->dirfd, st->sockname);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
        int e = errno;

        close(fd);
        return e;
    }
    st->fd = fd;
    st->phase = QMP_WAIT_GREETING;
    return 0;
}

static int connected_or_retry(struct libxl__qmp_state *st)
{
    int e = try_connect(st);

    if (e == EAGAIN)
        return libxl__ev_time_register_rel(st->ctx, st->qmp->ao, &st->retry,
                                           on_retry, RETRY_MS);
    if (e) {
        if (!st->qmp->quiet_loss)
            LOGED(st->ctx, st->qmp->domid, ERROR, e,
                  "cannot reach QEMU at its socket \"%s\"", st->sockname);
        return ERROR_NOT_READY;
    }
    return libxl__ev_fd_register(st->ctx, &st->ready, on_ready, st->fd, POLLIN);
}

static void on_retry(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct libxl__qmp_state *st = state_of_retry(ev);

    if (rc == ERROR_ABORTED)
        return; /* the deadline's callback tells the owner */
    st->busy = true;
    rc = connected_or_retry(st);
    if (rc)
        lose(egc, st, rc);
    leave(st);
}

int libxl__qmp_connect(libxl__egc *egc, libxl__qmp *qmp, int dirfd,
                       const char *sockname, uint32_t timeout_ms,
                       libxl__qmp_callback *done)
{
    struct libxl__qmp_state *st;
    int rc;

    assert(!qmp->state);
    st = calloc(1, sizeof(*st));
    if (!st)
        return ERROR_NOMEM;
    st->qmp = qmp;
    st->ctx = qmp->ctx;
    st->fd = st->out_fd = -1;
    st->dirfd = dirfd;
    st->done = done;
    snprintf(st->sockname, sizeof(st->sockname), "%s", sockname);
    libxl__gc_init(&st->gc, qmp->ctx);
    libxl__ev_fd_init(&st->ready);
    libxl__ev_time_init(&st->deadline);
    libxl__ev_time_init(&st->retry);
    qmp->state = st;
    rc = start_deadline(st, timeout_ms);
    if (!rc)
        rc = connected_or_retry(st);
    if (rc)
        libxl__qmp_close(qmp);
    return rc;
}

int libxl__qmp_command(libxl__egc *egc, libxl__qmp *qmp, const char *command,
                       const char *args_json, int pass_fd, uint32_t timeout_ms,
                       libxl__qmp_callback *done)
{
    struct libxl__qmp_state *st = qmp->state;
    int rc;

    assert(libxl__qmp_usable(qmp));
    rc = start_deadline(st, timeout_ms);
    if (rc)
        return rc;
    rc = send_command(st, command, args_json, pass_fd);
    if (rc) {
        stop_io(st);
        st->phase = QMP_IDLE;
        return rc;
    }
    st->done = done;
    return 0;
}
