/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_calls.c - our calls: start -> admit -> sent -> answered, or stopped,
 * too late, or reset; then done, once.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "agent/agent_peer_private.h"
#include "base/container.h"
#include "base/log.h"

enum { STOP_MS = 10000 };

static libxl__agent_call *call_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__agent_call, deadline);
}

static bool step(libxl__agent_call *call, enum libxl__agent_call_event event)
{
    struct libxl__agent_step s = libxl__agent_call_step(
        (enum libxl__agent_call_state)call->state, event);

    if (s.ok)
        call->state = s.next;
    return s.ok;
}

static bool on_the_way(const libxl__agent_call *call)
{
    return call->state != CALL_QUEUED;
}

/* A frame that waits for admission is not in the output queue yet. */
static void drop_frame(struct libxl__agent_peer_state *st,
                       libxl__agent_call *call, bool queued_only)
{
    if (!call->out)
        return;
    if (queued_only)
        libxl__agent_out_free(call->out);
    else
        libxl__agent_out_withdraw(st, call->out);
    call->out = NULL;
}

/* The call is idle, and may be started again, when done runs. */
static void finish(libxl__egc *egc, libxl__agent_call *call, bool was_on_way,
                   const struct libxl__agent_answer *answer)
{
    struct libxl__agent_peer_state *st = call->st;

    assert(call->state == CALL_DONE);
    drop_frame(st, call, !was_on_way);
    libxl__ev_time_deregister(st->ctx, &call->deadline);
    LIST_REMOVE(call, entry);
    st->calls_nr--;
    if (was_on_way)
        st->calls_out--;
    call->st = NULL;
    libxl__agent_calls_admit(st);
    call->done(egc, call, answer);
}

static void finish_with(libxl__egc *egc, libxl__agent_call *call,
                        bool was_on_way, int code)
{
    const struct libxl__agent_answer answer = {
        .code = call->stopped ? AGENT_E_CANCELLED : code,
        .text =
            libxl__agent_error_text(call->stopped ? AGENT_E_CANCELLED : code),
    };

    finish(egc, call, was_on_way, &answer);
}

/* The peer has not seen a byte of it: there is nothing to stop. */
static void recall(libxl__agent_call *call)
{
    struct libxl__agent_peer_state *st = call->st;

    if (call->state != CALL_SEND || !libxl__agent_out_recall(st, call->out))
        return;
    step(call, CALL_RECALL);
    st->calls_out--;
}

/* Not if the peer does not read: then it has a deadline of its own. */
static void tell_peer_to_stop(libxl__agent_call *call)
{
    char params[48];

    snprintf(params, sizeof(params), "{\"id\":%" PRIu64 "}", call->id);
    libxl__agent_note(call->st->peer, "rpc.cancel", params);
}

static void too_late(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__agent_call *call = call_of_deadline(ev);
    bool was_on_way;

    recall(call);
    was_on_way = on_the_way(call);
    if (was_on_way && !call->stopped)
        tell_peer_to_stop(call);
    step(call, CALL_DEADLINE);
    finish_with(egc, call, was_on_way, AGENT_E_TIMEDOUT);
}

void libxl__agent_call_init(libxl__agent_call *call)
{
    call->st = NULL;
    call->out = NULL;
    libxl__ev_time_init(&call->deadline);
}

static int make_frame(libxl__agent_call *call, const char *method,
                      const char *params, const void *data, size_t data_bytes)
{
    struct libxl__agent_peer_state *st = call->st;
    libxl__gc gc;
    char *json;

    libxl__gc_init(&gc, st->ctx);
    json = libxl__agent_msg_request(&gc, call->id, method, params);
    if (json)
        call->out = libxl__agent_out_make(json, data, data_bytes);
    libxl__gc_dispose(&gc);
    if (!call->out)
        return ERROR_NOMEM;
    call->out->call = call;
    return 0;
}

int libxl__agent_call_start(libxl__agent_peer *peer, libxl__agent_call *call,
                            const char *method, const char *params,
                            const void *data, size_t data_bytes,
                            uint32_t deadline_ms)
{
    struct libxl__agent_peer_state *st = peer->state;
    int rc;

    assert(!call->st);
    if (!st)
        return ERROR_NOT_READY;
    if (st->calls_nr >= LIBXL__AGENT_CALLS_QUEUED)
        return ERROR_BUFFERFULL;
    call->st = st;
    call->state = CALL_QUEUED;
    call->stopped = false;
    call->id = ++st->last_id;
    rc = make_frame(call, method, params, data, data_bytes);
    if (rc)
        goto fail;
    rc = libxl__ev_time_register_rel(st->ctx, NULL, &call->deadline, too_late,
                                     deadline_ms);
    if (rc)
        goto fail;
    LIST_INSERT_HEAD(&st->calls, call, entry);
    st->calls_nr++;
    libxl__agent_calls_admit(st);
    return 0;
fail:
    libxl__agent_out_free(call->out);
    call->out = NULL;
    call->st = NULL;
    return rc;
}

static libxl__agent_call *oldest_queued(struct libxl__agent_peer_state *st)
{
    libxl__agent_call *call, *oldest = NULL;

    LIST_FOREACH(call, &st->calls, entry)
    if (call->state == CALL_QUEUED && (!oldest || call->id < oldest->id))
        oldest = call;
    return oldest;
}

void libxl__agent_calls_admit(struct libxl__agent_peer_state *st)
{
    libxl__agent_call *call;

    while (st->up && st->calls_out < st->peer_calls) {
        call = oldest_queued(st);
        if (!call)
            return;
        step(call, CALL_ADMIT);
        st->calls_out++;
        libxl__agent_out_queue(st, call->out);
    }
}

void libxl__agent_calls_sent(libxl__agent_call *call)
{
    call->out = NULL;
    step(call, CALL_SENT);
}

static libxl__agent_call *find(struct libxl__agent_peer_state *st, uint64_t id)
{
    libxl__agent_call *call;

    LIST_FOREACH(call, &st->calls, entry)
    if (call->id == id)
        return call;
    return NULL;
}

/* Calls that were given up are answered too, so strays are no crime; but a
 * flood of them is rationed. */
static void stray(struct libxl__agent_peer_state *st, size_t bytes)
{
    libxl__agent_spend(st, bytes);
    if (!st->strays++)
        LOGD(st->ctx, st->peer->domid, DEBUG,
             "agent channel: an answer to a call that is not on the way");
}

void libxl__agent_calls_answered(libxl__egc *egc,
                                 struct libxl__agent_peer_state *st,
                                 const struct libxl__agent_msg *msg,
                                 const uint8_t *data, size_t data_bytes)
{
    struct libxl__agent_answer answer = {
        .code = msg->kind == AGENT_MSG_ERROR ? msg->code : 0,
        .text = msg->text,
        .result = msg->result,
        .data = data,
        .data_bytes = data_bytes,
    };
    libxl__agent_call *call = msg->id ? find(st, msg->id) : NULL;

    if (!call || !step(call, CALL_ANSWER)) {
        stray(st, data_bytes);
        return;
    }
    if (msg->kind == AGENT_MSG_ERROR && !msg->code)
        answer.code = AGENT_E_INTERNAL; /* 0 would read as success */
    if (call->stopped)
        finish_with(egc, call, true, AGENT_E_CANCELLED);
    else
        finish(egc, call, true, &answer);
}

/* A peer that does not stop holds a place here for a short time only. */
static void shorten_deadline(libxl__agent_call *call)
{
    libxl_ctx *ctx = call->st->ctx;

    libxl__ev_time_deregister(ctx, &call->deadline);
    if (libxl__ev_time_register_rel(ctx, NULL, &call->deadline, too_late,
                                    STOP_MS))
        LOGD(ctx, call->st->peer->domid, ERROR,
             "agent channel: no memory for a deadline");
}

void libxl__agent_call_stop(libxl__egc *egc, libxl__agent_call *call)
{
    if (!call->st || call->stopped)
        return;
    call->stopped = true;
    recall(call);
    if (on_the_way(call)) {
        step(call, CALL_STOP);
        tell_peer_to_stop(call);
        shorten_deadline(call);
        return;
    }
    step(call, CALL_STOP);
    finish_with(egc, call, false, AGENT_E_CANCELLED);
}

static libxl__agent_call *any_on_the_way(struct libxl__agent_peer_state *st)
{
    libxl__agent_call *call;

    LIST_FOREACH(call, &st->calls, entry)
    if (on_the_way(call))
        return call;
    return NULL;
}

static void recall_unwritten(struct libxl__agent_peer_state *st)
{
    libxl__agent_call *call;

    LIST_FOREACH(call, &st->calls, entry)
    recall(call);
}

void libxl__agent_calls_reset(libxl__egc *egc,
                              struct libxl__agent_peer_state *st)
{
    libxl__agent_peer *peer = st->peer;
    libxl__agent_call *call;

    recall_unwritten(st);
    while (peer->state == st && (call = any_on_the_way(st))) {
        step(call, CALL_RESET);
        finish_with(egc, call, true, AGENT_E_RESET);
    }
}

void libxl__agent_calls_close(libxl__egc *egc,
                              struct libxl__agent_peer_state *st)
{
    libxl__agent_call *call;
    bool was_on_way;

    while ((call = LIST_FIRST(&st->calls))) {
        was_on_way = on_the_way(call);
        call->state = CALL_DONE;
        finish_with(egc, call, was_on_way, AGENT_E_AWAY);
    }
}
