/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_qga_private.h - one of our calls, on its way through qemu-ga's
 * commands. PRIVATE to agent_qga_tasks.c (the queue) and agent_qga_calls.c (the
 * steps).
 *
 * Lifetime:  a task is freed by libxl__qga_fail and libxl__qga_finish, which
 *            also begin the next one.
 */
#ifndef LIBXL_AGENT_QGA_PRIVATE_H
#define LIBXL_AGENT_QGA_PRIVATE_H

#include "agent/agent_qga.h"

struct libxl__qga_call {
    const char *method;
    void (*begin)(libxl__egc *egc, libxl__qga_task *t);
    bool ends_guest; /* no answer may come, because the guest is gone */
};

struct libxl__qga_task {
    libxl__agent_qga *q;
    libxl__agent_job *job;
    const struct libxl__qga_call *call;
    libxl__gc gc; /* dies with the task */
    libxl__ev_time poll;
    uint64_t handle; /* of a file, or a pid */
    uint8_t *data;
    size_t have;
    bool truncated;
    char *os, *kernel, *hostname;
    STAILQ_ENTRY(libxl__qga_task) entry;
};

/* ---- agent_qga_calls.c ---- */
/* NULL: qemu-ga has nothing for it. */
const struct libxl__qga_call *libxl__qga_call_find(const char *method);

/* ---- agent_qga_tasks.c ---- */
void libxl__qga_fail(libxl__egc *egc, libxl__qga_task *t, int code,
                     const char *text);
/* result NULL: no memory for it. The data go along. */
void libxl__qga_finish(libxl__egc *egc, libxl__qga_task *t, const char *result);

#endif
