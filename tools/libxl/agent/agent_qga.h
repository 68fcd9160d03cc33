/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_qga.h - the host's end of a stock qemu-guest-agent's channel, for
 * guests without xl-agentd: the same calls, in the other dialect
 * (docs/specs/agent-channel.md, 8).
 *
 * Owns:      its fd, its queue of jobs.
 * Thread:    loop thread only.
 * Errors:    a job ends with a code of agent_msg.h.
 * Bounds:    one line of 160 KiB; 16 jobs, one at a time (the dialect has no
 *            ids); what nobody asked for is rationed as in agent_peer.h.
 * Lifetime:  close is idempotent, and ends the jobs.
 */
#ifndef LIBXL_AGENT_QGA_H
#define LIBXL_AGENT_QGA_H

#include "agent/agent_budget.h"
#include "agent/agent_peer.h"

#define LIBXL__QGA_LINE_MAX (160u * 1024)
#define LIBXL__QGA_JOBS 16

typedef struct libxl__agent_qga libxl__agent_qga;
typedef struct libxl__qga_task libxl__qga_task;

/* result: of "return"; NULL: it failed, with code and text. */
typedef void libxl__qga_callback(libxl__egc *egc, libxl__agent_qga *q, int code,
                                 const char *text, yajl_val result);

struct libxl__agent_qga {
    /* caller fills */
    libxl_ctx *ctx;
    uint32_t domid;
    /* private */
    int fd; /* -1: closed */
    libxl__ev_fd ev;
    libxl__ev_time deadline; /* of the command, or of the sync */
    libxl__ev_time pause;
    struct libxl__agent_budget budget;
    bool synced;
    unsigned syncs;
    uint64_t sync_id;
    char *in, *out;
    size_t in_have, in_room, out_have, out_put;
    bool skipping;                 /* to the next 0xFF */
    libxl__qga_callback *callback; /* NULL: no command is running */
    libxl__qga_task *task;         /* the first of the queue, running */
    STAILQ_HEAD(, libxl__qga_task) tasks;
    unsigned tasks_nr;
};

void libxl__agent_qga_init(libxl__agent_qga *q);
/* fd is taken over, also on failure. */
int libxl__agent_qga_open(libxl__agent_qga *q, int fd);
void libxl__agent_qga_close(libxl__egc *egc, libxl__agent_qga *q);
bool libxl__agent_qga_is_up(const libxl__agent_qga *q);
/* Takes the job over. */
void libxl__agent_qga_serve(libxl__egc *egc, libxl__agent_qga *q,
                            libxl__agent_job *job);

/* ---- for agent_qga_tasks.c ---- */
/* args: JSON object or NULL. One at a time. ERROR_NOT_READY: out of step. */
int libxl__qga_command(libxl__agent_qga *q, const char *command,
                       const char *args, uint32_t deadline_ms,
                       libxl__qga_callback *callback);
void libxl__qga_tasks_close(libxl__egc *egc, libxl__agent_qga *q);

#endif
