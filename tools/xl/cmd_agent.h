/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd_agent.h - what xl's agent commands share. PRIVATE to cmd_agent*.c.
 */
#ifndef XL_CMD_AGENT_H
#define XL_CMD_AGENT_H

#include "xl.h"

struct agent_args {
    uint32_t domid;
    bool json, verify;
    uint32_t wait_ms, timeout_ms;
    uint64_t count, seconds;
    uint32_t parallel;
    const char *mode;
};

/* takes: the command's options as getopt's letters, with J for --json and V for
 * --verify. The domain is the first argument. */
bool xl_agent_parse(struct xl *xl, int argc, char **argv, const char *takes,
                    int min, int max, struct agent_args *a, int *exit_code);
/* A libxl error. Dispose of the reply in any case. */
int xl_agent_ask(struct xl *xl, const struct agent_args *a, const char *method,
                 const char *params, const void *data, size_t data_bytes,
                 libxl_agent_reply *reply);
/* A call, and what it answers on standard output; an exit code. */
int xl_agent_show(struct xl *xl, const struct agent_args *a, const char *method,
                  const char *params);
/* What came from a guest: on a terminal without control characters. */
void xl_agent_put_text(const char *text, size_t bytes);

#endif
