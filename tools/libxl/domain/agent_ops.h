/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_ops.h - operations on a guest's agent, as libxl__ao_run starts them.
 *
 * As in domain.h: params need only live until the start function returns, what
 * they point to until the ao completes.
 */
#ifndef LIBXL_AGENT_OPS_H
#define LIBXL_AGENT_OPS_H

#include "engine/engine.h"

struct libxl__agent_call_params {
    const libxl_agent_how *how;
    libxl_agent_reply *reply;
};
struct libxl__agent_getfile_params {
    const char *path;
    int fd;
    bool verify;
    uint32_t wait_ms;
    uint64_t *bytes_out;
};
struct libxl__agent_ping_params {
    uint64_t count;
    unsigned parallel;
    uint32_t wait_ms;
    libxl_agent_ping_stats *out;
};

libxl__ao_start_fn libxl__agent_call_op_start;
libxl__ao_start_fn libxl__agent_getfile_start;
libxl__ao_start_fn libxl__agent_ping_start;

#endif
