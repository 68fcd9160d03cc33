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
static ssize_t write_some(struct libxl__agent_peer_state *st,
                          struct libxl__agent_out *out)
{
    const char *p = out->buf + out->put;
    size_t bytes = out->bytes - out->put;
    ssize_t n;

    if (!st->no_socket) {
        n = send(st->peer->fd, p, bytes, MSG_NOSIGNAL);
        if (n >= 0 || errno != ENOTSOCK)
            return n;
        st->no_socket = true;
    }
    return write(st->peer->fd, p, bytes);
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

/* Mostly there is room at once: no need to wait for POLLOUT. What has to be
 * told to a handler, and errors, wait for it all the same. */
static void write_now(struct libxl__agent_peer_state *st,
                      struct libxl__agent_out *out)
{
    libxl__agent_call *call = out->call;
    libxl__agent_job *job = out->job;
    ssize_t n = write_some(st, out);

    if (n > 0)
        out->put += (size_t)n;
    if (out->put < out->bytes || (job && job->sent))
        return;
    unqueue(st, out);
    if (call)
        libxl__agent_calls_sent(call);
    if (job)
        libxl__agent_jobs_sent(NULL, job);
}

void libxl__agent_out_queue(struct libxl__agent_peer_state *st,
                            struct libxl__agent_out *out)
{
    bool first = STAILQ_EMPTY(&st->out);

    STAILQ_INSERT_TAIL(&st->out, out, entry);
    st->out_messages++;
    st->out_bytes += out->bytes;
    if (first)
        write_now(st, out);
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

static void tell_owner(libxl__egc *egc, struct libxl__agent_peer_state *st,
                       libxl__agent_call *call, libxl__agent_job *job)
{
    if (call)
        libxl__agent_calls_sent(call);
    if (job)
        libxl__agent_jobs_sent(egc, job);
}

int libxl__agent_out_write(libxl__egc *egc, struct libxl__agent_peer_state *st,
                           bool *alive)
{
    libxl__agent_peer *peer = st->peer;
    struct libxl__agent_out *out;
    libxl__agent_call *call;
    libxl__agent_job *job;
    ssize_t n;
    int i;

    for (i = 0; i < WRITES_A_TURN && (out = STAILQ_FIRST(&st->out)); i++) {
        n = out->put < out->bytes ? write_some(st, out) : 0;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : errno;
        out->put += (size_t)n;
        if (out->put < out->bytes)
            return 0;
        call = out->call;
        job = out->job;
        unqueue(st, out);
        tell_owner(egc, st, call, job);
        *alive = peer->state == st;
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
