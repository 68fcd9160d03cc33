/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_qga.c - lines to and from qemu-ga, one command at a time.
 *
 * open -> sync (-> again)* -> synced -> (command -> answer | too late -> sync)*
 *
 * qemu-ga answers nonsense before a sync with an error line; so all up to the
 * byte 0xFF, which comes right before the sync's own answer, is thrown away.
 */
#include "agent/agent_qga.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent_qga_private.h"
#include "agent/agent_utf8.h"
#include "base/container.h"
#include "base/log.h"

enum { MARK = 0xff, SYNC_MS = 2000, SYNC_DOUBLINGS = 5, DEPTH_MAX = 16 };

static libxl__agent_qga *qga_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__agent_qga, ev);
}

static libxl__agent_qga *qga_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__agent_qga, deadline);
}

static libxl__agent_qga *qga_of_pause(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__agent_qga, pause);
}

static void watch(libxl__agent_qga *q)
{
    short events = 0;

    if (!libxl__ev_time_isregistered(&q->pause))
        events |= POLLIN;
    if (q->out_put < q->out_have)
        events |= POLLOUT;
    libxl__ev_fd_modify(q->ctx, &q->ev, events);
}

/* ---- writing ---- */

static void drop_output(libxl__agent_qga *q)
{
    free(q->out);
    q->out = NULL;
    q->out_have = q->out_put = 0;
}

static void write_some(libxl__agent_qga *q)
{
    ssize_t n;

    n = send(q->fd, q->out + q->out_put, q->out_have - q->out_put,
             MSG_NOSIGNAL);
    if (n > 0)
        q->out_put += (size_t)n;
    if (q->out_put == q->out_have)
        drop_output(q);
}

/* text is malloc'ed, taken over. What is left of an earlier line goes first:
 * half a line would eat the next one. */
static int put(libxl__agent_qga *q, char *text, int bytes)
{
    char *both;

    if (bytes < 0)
        return ERROR_NOMEM;
    if (q->out) {
        both = realloc(q->out, q->out_have + (size_t)bytes);
        if (!both) {
            free(text);
            return ERROR_NOMEM;
        }
        memcpy(both + q->out_have, text, (size_t)bytes);
        q->out = both;
        q->out_have += (size_t)bytes;
        free(text);
    } else {
        q->out = text;
        q->out_have = (size_t)bytes;
        q->out_put = 0;
        write_some(q);
    }
    watch(q);
    return 0;
}

/* ---- sync ---- */

static void too_late(libxl__egc *egc, libxl__ev_time *ev, int rc);

static void sync_again(libxl__agent_qga *q)
{
    unsigned doublings = q->syncs < SYNC_DOUBLINGS ? q->syncs : SYNC_DOUBLINGS;
    char *text = NULL;
    int n;

    q->synced = false;
    q->skipping = true;
    /* nobody has read the last one: not one more */
    if (!q->out && getrandom(&q->sync_id, sizeof(q->sync_id), 0) > 0) {
        q->sync_id >>= 12; /* qemu-ga's integers are signed */
        n = asprintf(&text,
                     "\xff{\"execute\":\"guest-sync-delimited\","
                     "\"arguments\":{\"id\":%" PRIu64 "}}\n",
                     q->sync_id);
        put(q, text, n);
        q->syncs++;
    }
    libxl__ev_time_deregister(q->ctx, &q->deadline);
    libxl__ev_time_register_rel(q->ctx, NULL, &q->deadline, too_late,
                                (uint64_t)SYNC_MS << doublings);
}

/* What may still come answers nothing: who waits for it is told. */
static void begin_anew(libxl__egc *egc, libxl__agent_qga *q)
{
    q->syncs = 0;
    q->callback = NULL;
    sync_again(q);
    if (q->task)
        libxl__qga_fail(egc, q->task, AGENT_E_RESET, NULL);
}

static void take_sync(libxl__agent_qga *q, yajl_val root)
{
    uint64_t id;

    if (!libxl__json_u64(root, "return", &id) || id != q->sync_id) {
        q->skipping = true; /* the answer to an earlier one */
        return;
    }
    q->synced = true;
    q->syncs = 0;
    libxl__ev_time_deregister(q->ctx, &q->deadline);
}

/* ---- commands ---- */

static void answer(libxl__egc *egc, libxl__agent_qga *q, int code,
                   const char *text, yajl_val result)
{
    libxl__qga_callback *callback = q->callback;

    q->callback = NULL;
    libxl__ev_time_deregister(q->ctx, &q->deadline);
    callback(egc, q, code, text, result);
}

static void too_late(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__agent_qga *q = qga_of_deadline(ev);

    if (q->callback) {
        q->synced = false; /* its answer may still come, and be the next's */
        q->syncs = 0;
        answer(egc, q, AGENT_E_TIMEDOUT, NULL, NULL);
    }
    if (q->fd >= 0)
        sync_again(q);
}

int libxl__qga_command(libxl__agent_qga *q, const char *command,
                       const char *args, uint32_t deadline_ms,
                       libxl__qga_callback *callback)
{
    char *text = NULL;
    int n, rc;

    if (!q->synced)
        return ERROR_NOT_READY;
    n = asprintf(&text, "{\"execute\":\"%s\"%s%s}\n", command,
                 args ? ",\"arguments\":" : "", args ? args : "");
    rc = put(q, text, n);
    if (rc)
        return rc;
    rc = libxl__ev_time_register_rel(q->ctx, NULL, &q->deadline, too_late,
                                     deadline_ms);
    if (!rc)
        q->callback = callback;
    return rc;
}

/* ---- reading ---- */

static void spend(libxl__agent_qga *q, size_t bytes)
{
    libxl__agent_budget_spend(&q->budget, libxl__now_ms(q->ctx), bytes);
}

static yajl_val parse(const char *line, size_t bytes)
{
    if (memchr(line, '\0', bytes) || !libxl__agent_utf8_ok(line, bytes) ||
        !libxl__json_depth_ok(line, bytes, DEPTH_MAX))
        return NULL;
    return yajl_tree_parse(line, NULL, 0);
}

static void take_answer(libxl__egc *egc, libxl__agent_qga *q, yajl_val root)
{
    yajl_val result = libxl__json_get(root, "return");
    yajl_val error = libxl__json_get(root, "error");
    const char *desc = error ? libxl__json_string(error, "desc") : NULL;

    if (!q->callback) {
        spend(q, 0); /* nobody asked */
        return;
    }
    if (result)
        answer(egc, q, 0, NULL, result);
    else
        answer(egc, q, AGENT_E_SYSTEM, desc ? desc : "an answer that is none",
               NULL);
}

/* line is terminated. */
static void take_line(libxl__egc *egc, libxl__agent_qga *q, const char *line,
                      size_t bytes)
{
    yajl_val root = parse(line, bytes);

    if (!YAJL_IS_OBJECT(root)) {
        spend(q, bytes);
        if (q->synced)
            begin_anew(egc, q);
        else
            q->skipping = true;
    } else if (q->synced) {
        take_answer(egc, q, root);
    } else {
        spend(q, 0);
        take_sync(q, root);
    }
    yajl_tree_free(root);
}

static void drop_input(libxl__agent_qga *q, size_t bytes)
{
    memmove(q->in, q->in + bytes, q->in_have - bytes);
    q->in_have -= bytes;
}

/* false: more is needed. */
static bool skip_to_mark(libxl__agent_qga *q)
{
    char *mark = memchr(q->in, MARK, q->in_have);
    size_t bytes = mark ? (size_t)(mark - q->in) + 1 : q->in_have;

    spend(q, bytes);
    drop_input(q, bytes);
    q->skipping = !mark;
    return mark;
}

static bool take_one(libxl__egc *egc, libxl__agent_qga *q)
{
    char *end;
    size_t bytes;

    if (!q->in_have || (q->skipping && !skip_to_mark(q)))
        return false;
    end = memchr(q->in, '\n', q->in_have);
    if (!end) {
        if (q->in_have >= LIBXL__QGA_LINE_MAX) {
            drop_input(q, q->in_have);
            begin_anew(egc, q);
        }
        return false;
    }
    *end = '\0';
    bytes = (size_t)(end - q->in);
    take_line(egc, q, q->in, bytes);
    if (q->fd >= 0)
        drop_input(q, bytes + 1);
    return q->fd >= 0;
}

static bool make_room(libxl__agent_qga *q)
{
    size_t room = q->in_room ? q->in_room * 2 : 4096;
    char *in;

    if (q->in_have < q->in_room)
        return true;
    if (room > LIBXL__QGA_LINE_MAX)
        room = LIBXL__QGA_LINE_MAX;
    if (room == q->in_room)
        return false;
    in = realloc(q->in, room);
    if (!in)
        return false;
    q->in = in;
    q->in_room = room;
    return true;
}

static void pause_over(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    watch(qga_of_pause(ev));
}

static void read_some(libxl__egc *egc, libxl__agent_qga *q)
{
    uint32_t ms;
    ssize_t n;

    if (!make_room(q)) {
        libxl__agent_qga_close(egc, q);
        return;
    }
    n = read(q->fd, q->in + q->in_have, q->in_room - q->in_have);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        libxl__agent_qga_close(egc, q);
        return;
    }
    q->in_have += (size_t)n;
    while (take_one(egc, q))
        ;
    if (q->fd < 0)
        return;
    ms = libxl__agent_budget_pause_ms(&q->budget, libxl__now_ms(q->ctx));
    if (ms && !libxl__ev_time_isregistered(&q->pause))
        libxl__ev_time_register_rel(q->ctx, NULL, &q->pause, pause_over, ms);
}

static void ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                  short revents)
{
    libxl__agent_qga *q = qga_of_ev(ev);

    if ((revents & POLLOUT) && q->out)
        write_some(q);
    if (revents & (POLLIN | POLLERR))
        read_some(egc, q);
    if (q->fd >= 0)
        watch(q);
}

/* ---- life ---- */

void libxl__agent_qga_init(libxl__agent_qga *q)
{
    libxl_ctx *ctx = q->ctx;
    uint32_t domid = q->domid;

    memset(q, 0, sizeof(*q));
    q->ctx = ctx;
    q->domid = domid;
    q->fd = -1;
    STAILQ_INIT(&q->tasks);
    libxl__ev_fd_init(&q->ev);
    libxl__ev_time_init(&q->deadline);
    libxl__ev_time_init(&q->pause);
}

int libxl__agent_qga_open(libxl__agent_qga *q, int fd)
{
    int rc;

    libxl__agent_budget_init(&q->budget, libxl__now_ms(q->ctx));
    rc = libxl__ev_fd_register(q->ctx, &q->ev, ready, fd, POLLIN);
    if (rc) {
        close(fd);
        return rc;
    }
    q->fd = fd;
    q->syncs = 0;
    sync_again(q);
    return 0;
}

void libxl__agent_qga_close(libxl__egc *egc, libxl__agent_qga *q)
{
    if (q->fd < 0)
        return;
    libxl__ev_fd_deregister(q->ctx, &q->ev);
    libxl__ev_time_deregister(q->ctx, &q->deadline);
    libxl__ev_time_deregister(q->ctx, &q->pause);
    close(q->fd);
    q->fd = -1;
    q->synced = false;
    q->callback = NULL;
    drop_output(q);
    free(q->in);
    q->in = NULL;
    q->in_have = q->in_room = 0;
    libxl__qga_tasks_close(egc, q);
}

bool libxl__agent_qga_is_up(const libxl__agent_qga *q)
{
    return q->fd >= 0 && q->synced;
}
