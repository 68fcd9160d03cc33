/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent_dispatch.c - what one item from the peer means. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "agent/agent_peer_private.h"
#include "base/log.h"

/* What was on the way, either way, cannot be relied on any more. Nothing new
 * is let out meanwhile: it would come before the hello. */
static void reset(libxl__egc *egc, struct libxl__agent_peer_state *st)
{
    libxl__agent_peer *peer = st->peer;

    st->up = false;
    libxl__agent_calls_reset(egc, st);
    if (peer->state == st)
        libxl__agent_jobs_reset(egc, st);
}

static const char *hello_of(libxl__gc *gc, const libxl__agent_peer *peer)
{
    struct timespec ts;

    if (!peer->tells_time || clock_gettime(CLOCK_REALTIME, &ts))
        return peer->hello;
    return libxl__sprintf(gc, "{\"time_ns\":%" PRIu64 ",%s",
                          (uint64_t)ts.tv_sec * 1000000000 +
                              (uint64_t)ts.tv_nsec,
                          peer->hello + 1);
}

void libxl__agent_say_hello(struct libxl__agent_peer_state *st)
{
    struct libxl__agent_out *out = NULL;
    libxl__gc gc;
    char *json;

    libxl__gc_init(&gc, st->ctx);
    json = libxl__agent_msg_request(&gc, 0, "hello", hello_of(&gc, st->peer));
    if (json)
        out = libxl__agent_out_make(json, NULL, 0);
    libxl__gc_dispose(&gc);
    if (out)
        libxl__agent_out_queue(st, out);
    else
        LOGD(st->ctx, st->peer->domid, ERROR,
             "agent channel: no memory to say hello");
}

static bool wanted(libxl__egc *egc, struct libxl__agent_peer_state *st,
                   uint64_t token)
{
    libxl__agent_peer *peer = st->peer;

    libxl__agent_spend(st, 0);
    reset(egc, st);
    if (peer->state != st)
        return false;
    if (!libxl__agent_out_line(st, AGENT_ITEM_HERE, token))
        libxl__agent_say_hello(st);
    return true; /* its own hello comes next */
}

static bool greeted(libxl__egc *egc, struct libxl__agent_peer_state *st,
                    yajl_val hello)
{
    libxl__agent_peer *peer = st->peer;
    uint64_t version, calls;

    if (!libxl__json_u64(hello, "version", &version) || version != 1 ||
        !libxl__json_u64(hello, "calls", &calls) || calls < 1 || calls > 64) {
        libxl__agent_get_lost(st, "a hello of another version");
        return true;
    }
    reset(egc, st);
    if (peer->state != st)
        return false;
    st->up = true;
    st->peer_calls = (unsigned)calls;
    if (peer->up)
        peer->up(egc, peer, hello);
    if (peer->state != st)
        return false;
    libxl__agent_calls_admit(st);
    return true;
}

static bool noted(libxl__egc *egc, struct libxl__agent_peer_state *st,
                  const struct libxl__agent_msg *msg)
{
    libxl__agent_peer *peer = st->peer;
    uint64_t id;

    libxl__agent_spend(st, 0);
    if (!strcmp(msg->method, "hello"))
        return greeted(egc, st, msg->params);
    if (!strcmp(msg->method, "rpc.cancel")) {
        if (libxl__json_u64(msg->params, "id", &id))
            libxl__agent_jobs_cancel(egc, st, id);
    } else if (peer->noted) {
        peer->noted(egc, peer, msg->method, msg->params);
    }
    return peer->state == st;
}

static bool is_hello(const struct libxl__agent_msg *msg)
{
    return msg->kind == AGENT_MSG_NOTE && !strcmp(msg->method, "hello");
}

static void message(libxl__egc *egc, struct libxl__agent_peer_state *st,
                    struct libxl__agent_msg *msg,
                    const struct libxl__agent_item *item)
{
    if (!st->up && !is_hello(msg)) {
        libxl__agent_spend(st, item->data_bytes);
        libxl__agent_get_lost(st, "a message before the hello");
        return;
    }
    switch (msg->kind) {
    case AGENT_MSG_BROKEN:
        libxl__agent_spend(st, item->data_bytes);
        libxl__agent_answer_error(st, msg->id, msg->code, msg->text);
        return;
    case AGENT_MSG_REQUEST:
        libxl__agent_jobs_asked(egc, st, msg, item->data, item->data_bytes);
        return;
    case AGENT_MSG_NOTE:
        noted(egc, st, msg);
        return;
    case AGENT_MSG_RESULT:
    case AGENT_MSG_ERROR:
        libxl__agent_calls_answered(egc, st, msg, item->data, item->data_bytes);
        return;
    }
}

bool libxl__agent_dispatch(libxl__egc *egc, struct libxl__agent_peer_state *st,
                           const struct libxl__agent_item *item)
{
    libxl__agent_peer *peer = st->peer;
    struct libxl__agent_msg msg;

    switch (item->kind) {
    case AGENT_ITEM_NONE:
        break;
    case AGENT_ITEM_WANT:
        return wanted(egc, st, item->token);
    case AGENT_ITEM_HERE:
        libxl__agent_spend(st, 0);
        if (!st->reader.lost && st->asked) {
            st->asked = 0; /* found: the hello comes next */
            libxl__ev_time_deregister(st->ctx, &st->retry);
        }
        break;
    case AGENT_ITEM_LOST:
        libxl__agent_spend(st, 0);
        libxl__agent_get_lost(st, item->why);
        break;
    case AGENT_ITEM_MESSAGE:
        libxl__agent_msg_decode(item->json, item->json_bytes, &msg);
        message(egc, st, &msg, item);
        libxl__agent_msg_dispose(&msg);
        break;
    }
    return peer->state == st;
}
