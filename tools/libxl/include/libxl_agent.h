/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl_agent.h - calls to the agent that runs in a guest (xl-agentd), through
 * the domain's keeper (docs/specs/agent-channel.md).
 *
 * Takes no lock: calls of several commands go side by side, and beside saves.
 * Errors: ERROR_NOT_READY: nobody answers on the channel; ERROR_NI: the agent
 * does not have the call, or its configuration refuses it; ERROR_TIMEDOUT;
 * ERROR_ABORTED; ERROR_FAIL: the agent's own error. The cause is logged.
 */
#ifndef LIBXL_AGENT_H
#define LIBXL_AGENT_H

#ifndef LIBXL_H
#error "include libxl.h"
#endif

/* All 0: no parameters, 10 s for the answer, no waiting for the agent. */
typedef struct {
    const char *method;      /* "guest.info" */
    const char *params_json; /* an object */
    const void *data;        /* at most 524,288 bytes go along */
    size_t data_bytes;
    uint32_t timeout_ms;
    uint32_t wait_ms; /* for an agent that is not there yet */
    bool quiet;       /* nothing is logged when nobody is there */
} libxl_agent_how;

typedef struct {
    char *result_json; /* malloc'ed */
    void *data;        /* malloc'ed; NULL: none */
    size_t data_bytes;
} libxl_agent_reply;

/* *reply is filled on success alone; dispose of it in any case. */
int libxl_agent_call(libxl_ctx *ctx, uint32_t domid, const libxl_agent_how *how,
                     libxl_agent_reply *reply, const libxl_asyncop_how *ao_how);
void libxl_agent_reply_dispose(libxl_agent_reply *reply);

/* A file of the guest into fd (a file, pipe or device), from fd's position on.
 * verify: with a checksum of each piece, made in the guest. A file that
 * changes meanwhile is an error. bytes_out may be NULL. */
int libxl_agent_getfile(libxl_ctx *ctx, uint32_t domid, const char *path,
                        int fd, bool verify, uint32_t wait_ms,
                        uint64_t *bytes_out, const libxl_asyncop_how *ao_how);

typedef struct {
    uint64_t calls;
    uint64_t total_ns; /* from the first call to the last answer */
    uint64_t min_ns, mean_ns, max_ns; /* of one call */
} libxl_agent_ping_stats;

/* count calls, parallel (1 to 16) of them at a time. */
int libxl_agent_ping(libxl_ctx *ctx, uint32_t domid, uint64_t count,
                     unsigned parallel, uint32_t wait_ms,
                     libxl_agent_ping_stats *out,
                     const libxl_asyncop_how *ao_how);

#endif
