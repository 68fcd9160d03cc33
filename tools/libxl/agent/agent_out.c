/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent_out.c - what is to be written, in order; poll for room, never spin. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent_peer_private.h"

enum {
    MESSAGES_MAX = 128,
    BYTES_MAX = 8 * 1024 * 1024,
    WRITES_A_TURN = 8,
    GATHER_BYTES = 16 * 1024,
};

static struct libxl__agent_out *out_new(size_t bytes)
{
    struct libxl__agent_out *out = calloc(1, sizeof(*out));

    if (!out)
        return NULL;
    out->buf = malloc(bytes);
    if (!out->buf) {
        free(out);
        return NULL;
    }
    out->bytes = bytes;
    return out;
}

void libxl__agent_out_free(struct libxl__agent_out *out)
{
    if (!out)
        return;
    free(out->buf);
    free(out);
}

struct libxl__agent_out *
libxl__agent_out_make(const char *json, const void *data, size_t data_bytes)
{
    size_t json_bytes = strlen(json), header_bytes;
    char header[LIBXL__AGENT_HEADER_MAX];
    struct libxl__agent_out *out;

    if (json_bytes > LIBXL__AGENT_JSON_MAX ||
        data_bytes > LIBXL__AGENT_DATA_MAX)
        return NULL;
    header_bytes = libxl__agent_put_header(header, json_bytes, data_bytes);
    out = out_new(header_bytes + json_bytes + data_bytes);
    if (!out)
        return NULL;
    memcpy(out->buf, header, header_bytes);
    memcpy(out->buf + header_bytes, json, json_bytes);
    if (data_bytes)
        memcpy(out->buf + header_bytes + json_bytes, data, data_bytes);
    return out;
}

/* The fd is a socket, or a character device, which knows no SIGPIPE. */
static ssize_t write_some(struct libxl__agent_peer_state *st, const char *p,
                          size_t bytes)
{
    ssize_t n;

    if (!st->no_socket) {
        n = send(st->peer->fd, p, bytes, MSG_NOSIGNAL);
        if (n >= 0 || errno != ENOTSOCK)
            return n;
        st->no_socket = true;
    }
    return write(st->peer->fd, p, bytes);
}

/* Small messages go together: each write wakes the other end, and to a guest
 * is an exit of its cpu. */
static size_t gather(struct libxl__agent_peer_state *st, char *buf, size_t room)
{
    struct libxl__agent_out *out;
    size_t have = 0, rest;

    STAILQ_FOREACH(out, &st->out, entry)
    {
        rest = out->bytes - out->put;
        if (rest > room - have)
            break;
        memcpy(buf + have, out->buf + out->put, rest);
        have += rest;
    }
    return have;
}

static ssize_t write_first(struct libxl__agent_peer_state *st)
{
    struct libxl__agent_out *first = STAILQ_FIRST(&st->out);
    size_t rest = first->bytes - first->put, have;
    char together[GATHER_BYTES];

    if (rest < sizeof(together) && STAILQ_NEXT(first, entry)) {
        have = gather(st, together, sizeof(together));
        return have ? write_some(st, together, have) : 0;
    }
    return rest ? write_some(st, first->buf + first->put, rest) : 0;
}

/* Nobody is told yet: who is told may take back what is not begun. */
static void advance(struct libxl__agent_peer_state *st, size_t n)
{
    struct libxl__agent_out *out;
    size_t part;

    STAILQ_FOREACH(out, &st->out, entry)
    {
        part = out->bytes - out->put < n ? out->bytes - out->put : n;
        out->put += part;
        n -= part;
        if (!n)
            return;
    }
}

static void unlink_out(struct libxl__agent_peer_state *st,
                       struct libxl__agent_out *out)
{
    STAILQ_REMOVE(&st->out, out, libxl__agent_out, entry);
    st->out_messages--;
    st->out_bytes -= out->bytes;
}

static void unqueue(struct libxl__agent_peer_state *st,
                    struct libxl__agent_out *out)
{
    unlink_out(st, out);
    libxl__agent_out_free(out);
}

bool libxl__agent_out_recall(struct libxl__agent_peer_state *st,
                             struct libxl__agent_out *out)
{
    if (out->put)
        return false;
    unlink_out(st, out);
    return true;
}

int libxl__agent_out_line(struct libxl__agent_peer_state *st,
                          enum libxl__agent_item_kind kind, uint64_t token)
{
    struct libxl__agent_out *out = out_new(LIBXL__AGENT_LINE_BYTES);

    if (!out)
        return ERROR_NOMEM;
    libxl__agent_put_line(out->buf, kind, token);
    libxl__agent_out_queue(st, out);
    return 0;
}

/* Takes what is written off the queue, and tells whose it was. Without an egc,
 * what has to be told to a handler stays. false: the owner closed the peer. */
static bool pop_written(libxl__egc *egc, struct libxl__agent_peer_state *st)
{
    libxl__agent_peer *peer = st->peer;
    struct libxl__agent_out *out;
    libxl__agent_call *call;
    libxl__agent_job *job;

    while ((out = STAILQ_FIRST(&st->out)) && out->put == out->bytes) {
        call = out->call;
        job = out->job;
        if (job && job->sent && !egc)
            return true;
        unqueue(st, out);
        if (call)
            libxl__agent_calls_sent(call);
        if (job)
            libxl__agent_jobs_sent(egc, job);
        if (peer->state != st)
            return false;
    }
    return true;
}

/* Mostly there is room at once: no need to wait for POLLOUT. What has to be
 * told to a handler, and errors, wait for it all the same. */
static void write_now(struct libxl__agent_peer_state *st)
{
    ssize_t n = write_first(st);

    if (n > 0)
        advance(st, (size_t)n);
    pop_written(NULL, st);
}

void libxl__agent_out_cork(struct libxl__agent_peer_state *st, bool cork)
{
    st->corked = cork;
    if (!cork && !STAILQ_EMPTY(&st->out))
        write_now(st);
}

void libxl__agent_out_queue(struct libxl__agent_peer_state *st,
                            struct libxl__agent_out *out)
{
    bool first = STAILQ_EMPTY(&st->out);

    STAILQ_INSERT_TAIL(&st->out, out, entry);
    st->out_messages++;
    st->out_bytes += out->bytes;
    if (first && !st->corked)
        write_now(st);
    libxl__agent_watch(st);
}

void libxl__agent_out_withdraw(struct libxl__agent_peer_state *st,
                               struct libxl__agent_out *out)
{
    out->call = NULL;
    out->job = NULL;
    if (!out->put)
        unqueue(st, out);
}

int libxl__agent_out_write(libxl__egc *egc, struct libxl__agent_peer_state *st,
                           bool *alive)
{
    ssize_t n;
    int i;

    for (i = 0; i < WRITES_A_TURN && !STAILQ_EMPTY(&st->out); i++) {
        n = write_first(st);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : errno;
        advance(st, (size_t)n);
        *alive = pop_written(egc, st);
        if (!*alive)
            return 0;
    }
    return 0;
}

void libxl__agent_out_drop_all(struct libxl__agent_peer_state *st)
{
    struct libxl__agent_out *out;

    while ((out = STAILQ_FIRST(&st->out)))
        unqueue(st, out);
}

/* Wide apart, so that a peer that reads slowly does not make us turn on and
 * off at each message. */
bool libxl__agent_out_full(const struct libxl__agent_peer_state *st)
{
    unsigned messages = st->throttled ? MESSAGES_MAX / 2 : MESSAGES_MAX;
    size_t bytes = st->throttled ? BYTES_MAX / 2 : BYTES_MAX;

    return st->out_messages >= messages || st->out_bytes >= bytes;
}
