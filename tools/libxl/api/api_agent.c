/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * api_agent.c - entry points: the guest's agent.
 */
#include <stdlib.h>
#include <string.h>

#include "domain/agent_ops.h"

int libxl_agent_call(libxl_ctx *ctx, uint32_t domid, const libxl_agent_how *how,
                     libxl_agent_reply *reply, const libxl_asyncop_how *ao_how)
{
    const struct libxl__agent_call_params p = {.how = how, .reply = reply};

    memset(reply, 0, sizeof(*reply));
    return libxl__ao_run(ctx, domid, ao_how, libxl__agent_call_op_start, &p);
}

void libxl_agent_reply_dispose(libxl_agent_reply *reply)
{
    free(reply->result_json);
    free(reply->data);
    memset(reply, 0, sizeof(*reply));
}

int libxl_agent_getfile(libxl_ctx *ctx, uint32_t domid, const char *path,
                        int fd, bool verify, uint32_t wait_ms,
                        uint64_t *bytes_out, const libxl_asyncop_how *ao_how)
{
    const struct libxl__agent_getfile_params p = {
        .path = path,
        .fd = fd,
        .verify = verify,
        .wait_ms = wait_ms,
        .bytes_out = bytes_out,
    };

    return libxl__ao_run(ctx, domid, ao_how, libxl__agent_getfile_start, &p);
}

int libxl_agent_ping(libxl_ctx *ctx, uint32_t domid, uint64_t count,
                     unsigned parallel, uint32_t wait_ms,
                     libxl_agent_ping_stats *out,
                     const libxl_asyncop_how *ao_how)
{
    const struct libxl__agent_ping_params p = {
        .count = count,
        .parallel = parallel,
        .wait_ms = wait_ms,
        .out = out,
    };

    return libxl__ao_run(ctx, domid, ao_how, libxl__agent_ping_start, &p);
}
