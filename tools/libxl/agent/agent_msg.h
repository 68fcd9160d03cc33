/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_msg.h - codec of the channel's JSON-RPC 2.0 messages
 * (docs/specs/agent-channel.md, 4).
 *
 * Owns:      a decoded message owns its tree until dispose.
 * Thread:    any. Pure: no fd, no globals.
 * Errors:    what is wrong, as a constant string; nothing is logged. With
 *            AGENT_MSG_BROKEN an answer is due (code, and the id if there is
 *            one).
 * Rule:      the peer is hostile. Length, depth, UTF-8 and the kind of every
 *            field are checked; ids are integers from 1 to 2^53.
 */
#ifndef LIBXL_AGENT_MSG_H
#define LIBXL_AGENT_MSG_H

#include <stdbool.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

#include "base/json.h"

#define LIBXL__AGENT_DEPTH_MAX 16
#define LIBXL__AGENT_ID_MAX (UINT64_C(1) << 53)
#define LIBXL__AGENT_METHOD_MAX 64

/* JSON-RPC's own, and ours. Also a table in the specification. */
#define LIBXL__AGENT_ERRORS(X)                                                 \
    X(PARSE, -32700, "not a message")                                          \
    X(REQUEST, -32600, "not a valid request")                                  \
    X(METHOD, -32601, "there is no such call")                                 \
    X(PARAMS, -32602, "wrong parameters")                                      \
    X(INTERNAL, -32603, "internal error")                                      \
    X(BUSY, -32000, "too many calls at once")                                  \
    X(REFUSED, -32001, "not allowed by the configuration")                     \
    X(TIMEDOUT, -32002, "no answer in time")                                   \
    X(RESET, -32003, "the channel began anew")                                 \
    X(TOO_BIG, -32004, "too big")                                              \
    X(SYSTEM, -32005, "the system refused")                                    \
    X(AWAY, -32006, "nobody answers on the channel")                           \
    X(CANCELLED, -32800, "cancelled")

enum libxl__agent_error {
#define X(name, code, text) AGENT_E_##name = (code),
    LIBXL__AGENT_ERRORS(X)
#undef X
};
const char *libxl__agent_error_text(int code); /* never NULL */

enum libxl__agent_msg_kind {
    AGENT_MSG_BROKEN,
    AGENT_MSG_REQUEST,
    AGENT_MSG_NOTE, /* a notification: no answer */
    AGENT_MSG_RESULT,
    AGENT_MSG_ERROR,
};

struct libxl__agent_msg {
    enum libxl__agent_msg_kind kind;
    uint64_t id;        /* 0: none */
    const char *method; /* of REQUEST and NOTE */
    yajl_val params;    /* object, or NULL */
    yajl_val result;    /* of RESULT */
    int code;           /* of ERROR; of BROKEN: the answer's */
    const char *text;   /* of ERROR, BROKEN */
    yajl_val root;      /* private */
};

void libxl__agent_msg_decode(const char *json, size_t bytes,
                             struct libxl__agent_msg *out);
void libxl__agent_msg_dispose(struct libxl__agent_msg *m);

/* Text, from gc; NULL: no memory. params, result: JSON text; params NULL: none.
 * id 0: a notification. */
char *libxl__agent_msg_request(libxl__gc *gc, uint64_t id, const char *method,
                               const char *params);
char *libxl__agent_msg_result(libxl__gc *gc, uint64_t id, const char *result);
char *libxl__agent_msg_error(libxl__gc *gc, uint64_t id, int code,
                             const char *text);

#endif
