/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_peer_private.h - inside of an end. PRIVATE to agent_peer.c,
 * agent_dispatch.c, agent_calls.c, agent_jobs.c and agent_out.c.
 *
 * Owns:      all queues; the state dies in libxl__agent_peer_close.
 * Rule:      a callback of the owner may close the peer: whoever calls one
 *            looks at peer->state afterwards before touching anything.
 */
#ifndef LIBXL_AGENT_PEER_PRIVATE_H
#define LIBXL_AGENT_PEER_PRIVATE_H

#include "agent/agent_budget.h"
#include "agent/agent_peer.h"
#include "agent/agent_states.h"
#include "agent/agent_wire.h"

/* A piece of output: a line, or a message of a call, a job, or of nobody. */
struct libxl__agent_out {
    char *buf;
    size_t bytes, put;
    libxl__agent_call *call;
    libxl__agent_job *job;
    STAILQ_ENTRY(libxl__agent_out) entry;
};

struct libxl__agent_peer_state {
    libxl__agent_peer *peer;
    libxl_ctx *ctx;
    struct libxl__agent_reader reader;
    struct libxl__agent_budget budget;
    libxl__ev_fd ev;
    libxl__ev_time retry; /* ask again, while lost */
    libxl__ev_time stall; /* a half message */
    libxl__ev_time pause; /* the budget is spent */
    unsigned asked;       /* questions since the reader was found last */
    uint64_t progress_ms; /* bytes came last at */
    bool up;
    unsigned peer_calls; /* what its hello allows; 0: not up */
    unsigned strays;     /* answers to nothing, so far */

    STAILQ_HEAD(, libxl__agent_out) out;
    unsigned out_messages;
    size_t out_bytes;
    bool no_socket;
    bool corked; /* more output will come: it goes together */
    bool throttled; /* the peer does not read: neither do we */
    bool reading;

    LIST_HEAD(, libxl__agent_call) calls;
    unsigned calls_nr, calls_out;
    uint64_t last_id;

    LIST_HEAD(, libxl__agent_job) jobs;
    unsigned jobs_nr;
};

/* ---- agent_peer.c ---- */
void libxl__agent_watch(struct libxl__agent_peer_state *st);
void libxl__agent_get_lost(struct libxl__agent_peer_state *st, const char *why);
void libxl__agent_spend(struct libxl__agent_peer_state *st, size_t bytes);

/* ---- agent_dispatch.c ---- */
void libxl__agent_say_hello(struct libxl__agent_peer_state *st);
/* false: the owner closed the peer. */
bool libxl__agent_dispatch(libxl__egc *egc, struct libxl__agent_peer_state *st,
                           const struct libxl__agent_item *item);

/* ---- agent_out.c ---- */
int libxl__agent_out_line(struct libxl__agent_peer_state *st,
                          enum libxl__agent_item_kind kind, uint64_t token);
struct libxl__agent_out *
libxl__agent_out_make(const char *json, const void *data, size_t data_bytes);
void libxl__agent_out_free(struct libxl__agent_out *out);
void libxl__agent_out_queue(struct libxl__agent_peer_state *st,
                            struct libxl__agent_out *out);
void libxl__agent_out_cork(struct libxl__agent_peer_state *st, bool cork);
/* true: not a byte was written; it is the caller's again. */
bool libxl__agent_out_recall(struct libxl__agent_peer_state *st,
                             struct libxl__agent_out *out);
/* Taken back if not a byte of it was written; else it goes out ownerless. */
void libxl__agent_out_withdraw(struct libxl__agent_peer_state *st,
                               struct libxl__agent_out *out);
/* 0, or an errno: the fd is dead. *alive false: the owner closed the peer. */
int libxl__agent_out_write(libxl__egc *egc, struct libxl__agent_peer_state *st,
                           bool *alive);
void libxl__agent_out_drop_all(struct libxl__agent_peer_state *st);
bool libxl__agent_out_full(const struct libxl__agent_peer_state *st);

/* ---- agent_calls.c ---- */
void libxl__agent_calls_admit(struct libxl__agent_peer_state *st);
void libxl__agent_calls_sent(libxl__agent_call *call);
/* Each may call the owner, who may close the peer. */
void libxl__agent_calls_answered(libxl__egc *egc,
                                 struct libxl__agent_peer_state *st,
                                 const struct libxl__agent_msg *msg,
                                 const uint8_t *data, size_t data_bytes);
void libxl__agent_calls_reset(libxl__egc *egc,
                              struct libxl__agent_peer_state *st);
void libxl__agent_calls_close(libxl__egc *egc,
                              struct libxl__agent_peer_state *st);

/* ---- agent_jobs.c ---- */
/* Takes msg over. */
void libxl__agent_jobs_asked(libxl__egc *egc,
                             struct libxl__agent_peer_state *st,
                             struct libxl__agent_msg *msg, const uint8_t *data,
                             size_t data_bytes);
void libxl__agent_jobs_cancel(libxl__egc *egc,
                              struct libxl__agent_peer_state *st, uint64_t id);
void libxl__agent_jobs_sent(libxl__egc *egc, libxl__agent_job *job);
void libxl__agent_jobs_reset(libxl__egc *egc,
                             struct libxl__agent_peer_state *st);
void libxl__agent_jobs_close(libxl__egc *egc,
                             struct libxl__agent_peer_state *st);
/* An answer that no job stands behind. */
void libxl__agent_answer_error(struct libxl__agent_peer_state *st, uint64_t id,
                               int code, const char *text);

#endif
