/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_states.h - the life of a call (ours) and of a job (the peer's call,
 * here), as two constant tables (docs/specs/agent-channel.md, 6).
 *
 * Thread:    any. Pure.
 * Errors:    an event that a state has no place for leaves it as it is, with
 *            ok false: the caller knows whether that is the peer's fault.
 */
#ifndef LIBXL_AGENT_STATES_H
#define LIBXL_AGENT_STATES_H

#include <stdbool.h>

enum libxl__agent_call_state {
    CALL_QUEUED, /* not given to the channel yet */
    CALL_SEND,   /* in the output queue */
    CALL_WAIT,   /* sent; an answer is due */
    CALL_CANCEL, /* we asked the peer to stop; an answer is due all the same */
    CALL_DONE,
    CALL_STATES,
};

enum libxl__agent_call_event {
    CALL_ADMIT,  /* the channel is up and the peer has a place */
    CALL_RECALL, /* a reset, before a byte was written */
    CALL_SENT,   /* the last byte is written */
    CALL_ANSWER, /* result or error */
    CALL_STOP,   /* the caller cancels */
    CALL_DEADLINE,
    CALL_RESET, /* the channel began anew */
    CALL_EVENTS,
};

enum libxl__agent_job_state {
    JOB_RUN,       /* the handler works */
    JOB_CANCELLED, /* it works, but the peer does not want the result */
    JOB_ORPHAN,    /* it works, but there is nobody to answer to */
    JOB_ANSWER,    /* the answer is in the output queue */
    JOB_DONE,
    JOB_STATES,
};

enum libxl__agent_job_event {
    JOB_FINISH, /* the handler has a result or an error */
    JOB_CANCEL,
    JOB_RESET,
    JOB_SENT,
    JOB_EVENTS,
};

struct libxl__agent_step {
    bool ok;
    int next;
};

struct libxl__agent_step
libxl__agent_call_step(enum libxl__agent_call_state state,
                       enum libxl__agent_call_event event);
struct libxl__agent_step
libxl__agent_job_step(enum libxl__agent_job_state state,
                      enum libxl__agent_job_event event);

#endif
