/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent_states.c - the two tables, and nothing else. */
#include "agent/agent_states.h"

#define TO(s) {true, s}
#define NO {false, 0}

/* A call of which no byte was written survives a reset: the peer cannot have
 * seen it. An answer before the last byte of the question was written is
 * the answer to something else. */
static const struct libxl__agent_step calls[CALL_STATES][CALL_EVENTS] = {
    /*               ADMIT          RECALL           SENT           ANSWER         STOP             DEADLINE       RESET */
    [CALL_QUEUED] = {TO(CALL_SEND), NO,              NO,            NO,            TO(CALL_DONE),   TO(CALL_DONE), TO(CALL_QUEUED)},
    [CALL_SEND]   = {NO,            TO(CALL_QUEUED), TO(CALL_WAIT), NO,            TO(CALL_CANCEL), TO(CALL_DONE), TO(CALL_DONE)},
    [CALL_WAIT]   = {NO,            NO,              NO,            TO(CALL_DONE), TO(CALL_CANCEL), TO(CALL_DONE), TO(CALL_DONE)},
    [CALL_CANCEL] = {NO,            NO,              TO(CALL_CANCEL), TO(CALL_DONE), NO,            TO(CALL_DONE), TO(CALL_DONE)},
    [CALL_DONE]   = {NO,            NO,              NO,            NO,            NO,              NO,            NO},
};

static const struct libxl__agent_step jobs[JOB_STATES][JOB_EVENTS] = {
    /*                 FINISH          CANCEL             RESET           SENT */
    [JOB_RUN]       = {TO(JOB_ANSWER), TO(JOB_CANCELLED), TO(JOB_ORPHAN), NO},
    [JOB_CANCELLED] = {TO(JOB_ANSWER), NO,                TO(JOB_ORPHAN), NO},
    [JOB_ORPHAN]    = {TO(JOB_DONE),   NO,                TO(JOB_ORPHAN), NO},
    [JOB_ANSWER]    = {NO,             NO,                TO(JOB_DONE),   TO(JOB_DONE)},
    [JOB_DONE]      = {NO,             NO,                NO,             NO},
};

struct libxl__agent_step
libxl__agent_call_step(enum libxl__agent_call_state state,
                       enum libxl__agent_call_event event)
{
    return calls[state][event];
}

struct libxl__agent_step
libxl__agent_job_step(enum libxl__agent_job_state state,
                      enum libxl__agent_job_event event)
{
    return jobs[state][event];
}
