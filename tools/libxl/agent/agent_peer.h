/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_peer.h - one end of an agent channel: calls to the peer, jobs for it.
 *
 * Owns:      its event sources and queues; the fd stays the caller's.
 * Thread:    loop thread only.
 * Errors:    a call ends with a code of agent_msg.h. Only a lost fd ends the
 *            peer; whatever the peer sends does not.
 * Lifetime:  a call's struct stays until its done callback, which runs exactly
 *            once, never from inside libxl__agent_call_start. A job is the
 *            peer's until a handler has finished it, also when the peer has
 *            been closed meanwhile. After libxl__agent_peer_close no callback
 *            but done (of the calls it ends) runs.
 * Bounds:    see docs/specs/agent-channel.md, 6.
 */
#ifndef LIBXL_AGENT_PEER_H
#define LIBXL_AGENT_PEER_H

#include "agent/agent_msg.h"
#include "engine/engine.h"

#define LIBXL__AGENT_CALLS_QUEUED 64 /* a caller's, queued or on the way */
#define LIBXL__AGENT_JOBS 16         /* what our hello offers */

typedef struct libxl__agent_peer libxl__agent_peer;
typedef struct libxl__agent_call libxl__agent_call;
typedef struct libxl__agent_job libxl__agent_job;

struct libxl__agent_peer {
    /* caller fills */
    libxl_ctx *ctx;
    int fd; /* pollable */
    uint32_t domid;
    const char *hello; /* params of our hello: JSON object; valid until close */
    bool tells_time;   /* time_ns is added to the hello, as it is then */
    bool distrusted;   /* the peer's requests are rationed too (a guest) */
    void *user;
    /* up: the peer's hello. May be NULL. */
    void (*up)(libxl__egc *egc, libxl__agent_peer *peer, yajl_val hello);
    /* Takes the job over: it must be finished some time. NULL: no calls. */
    void (*serve)(libxl__egc *egc, libxl__agent_peer *peer,
                  libxl__agent_job *job);
    /* A notification that the channel itself does not know. May be NULL. */
    void (*noted)(libxl__egc *egc, libxl__agent_peer *peer, const char *method,
                  yajl_val params);
    /* The fd is dead (0: end of file, else an errno); the peer is closed. */
    void (*gone)(libxl__egc *egc, libxl__agent_peer *peer, int errnoval);
    /* private */
    struct libxl__agent_peer_state *state;
};

void libxl__agent_peer_init(libxl__agent_peer *peer);
int libxl__agent_peer_open(libxl__agent_peer *peer);
/* Idempotent. Calls end with code AGENT_E_AWAY. */
void libxl__agent_peer_close(libxl__egc *egc, libxl__agent_peer *peer);
bool libxl__agent_peer_is_up(const libxl__agent_peer *peer);

/* ---- calls ---- */

struct libxl__agent_answer {
    int code; /* 0: result */
    const char *text;
    yajl_val result;
    const uint8_t *data;
    size_t data_bytes;
};

struct libxl__agent_call {
    /* caller fills */
    void *user;
    void (*done)(libxl__egc *egc, libxl__agent_call *call,
                 const struct libxl__agent_answer *answer);
    /* private; agent_calls.c */
    struct libxl__agent_peer_state *st; /* NULL when idle */
    struct libxl__agent_out *out;       /* its frame, until it is written */
    int state;
    bool stopped; /* by libxl__agent_call_stop */
    uint64_t id;
    libxl__ev_time deadline;
    LIST_ENTRY(libxl__agent_call) entry;
};

void libxl__agent_call_init(libxl__agent_call *call);
/* params: JSON object, or NULL. All is copied. ERROR_BUFFERFULL: too many calls
 * already; ERROR_NOT_READY: the peer is closed. */
int libxl__agent_call_start(libxl__agent_peer *peer, libxl__agent_call *call,
                            const char *method, const char *params,
                            const void *data, size_t data_bytes,
                            uint32_t deadline_ms);
/* Asks the peer to stop; done still comes, soon. Idempotent. */
void libxl__agent_call_stop(libxl__egc *egc, libxl__agent_call *call);

/* A notification to the peer; dropped, with ERROR_NOT_READY, unless up, and
 * with ERROR_BUFFERFULL if the peer does not read. */
int libxl__agent_note(libxl__agent_peer *peer, const char *method,
                      const char *params);

/* ---- jobs ---- */

struct libxl__agent_job {
    const char *method;
    yajl_val params; /* object or NULL */
    const uint8_t *data;
    size_t data_bytes;
    /* The handler's. stop: the peer does not want the result any more, or is
     * gone; the job is still to be finished. May be NULL. */
    void *user;
    void (*stop)(libxl__egc *egc, libxl__agent_job *job);
    /* Called when the answer has been written, with the job about to be freed;
     * not called when it never is. May be NULL. */
    void (*sent)(libxl__egc *egc, libxl__agent_job *job);
    /* private; agent_jobs.c */
    struct libxl__agent_peer_state *st; /* NULL: the peer was closed */
    int state;
    uint64_t id;
    struct libxl__agent_msg msg;
    LIST_ENTRY(libxl__agent_job) entry;
};

/* NULL: the peer was closed meanwhile. */
libxl__agent_peer *libxl__agent_job_peer(const libxl__agent_job *job);
/* Each finishes the job: it is not the handler's any more. */
void libxl__agent_job_result(libxl__egc *egc, libxl__agent_job *job,
                             const char *result, const void *data,
                             size_t data_bytes);
void libxl__agent_job_error(libxl__egc *egc, libxl__agent_job *job, int code,
                            const char *text);

#endif
