/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_qga_tasks.c - the queue: serve -> begin -> finish -> the next one
 */
#include <stdlib.h>

#include "agent/agent_qga_private.h"

static void begin_next(libxl__egc *egc, libxl__agent_qga *q);

/* ---- the end of a task ---- */

static void task_free(libxl__qga_task *t)
{
    libxl__agent_qga *q = t->q;

    STAILQ_REMOVE(&q->tasks, t, libxl__qga_task, entry);
    q->tasks_nr--;
    if (q->task == t)
        q->task = NULL;
    libxl__ev_time_deregister(q->ctx, &t->poll);
    libxl__gc_dispose(&t->gc);
    free(t->data);
    free(t);
}

void libxl__qga_fail(libxl__egc *egc, libxl__qga_task *t, int code,
                     const char *text)
{
    libxl__agent_qga *q = t->q;

    libxl__agent_job_error(egc, t->job, code, text);
    task_free(t);
    begin_next(egc, q);
}

void libxl__qga_finish(libxl__egc *egc, libxl__qga_task *t, const char *result)
{
    libxl__agent_qga *q = t->q;

    if (!result) {
        libxl__qga_fail(egc, t, AGENT_E_INTERNAL, NULL);
        return;
    }
    libxl__agent_job_result(egc, t->job, result, t->data, t->have);
    task_free(t);
    begin_next(egc, q);
}

/* A task that fails at once begins the next one: at most LIBXL__QGA_JOBS
 * deep. */
static void begin_next(libxl__egc *egc, libxl__agent_qga *q)
{
    libxl__qga_task *t = STAILQ_FIRST(&q->tasks);

    if (q->task || !t || q->fd < 0)
        return;
    if (!q->synced) {
        libxl__qga_fail(egc, t, AGENT_E_RESET, NULL);
        return;
    }
    q->task = t;
    t->call->begin(egc, t);
}

void libxl__agent_qga_serve(libxl__egc *egc, libxl__agent_qga *q,
                            libxl__agent_job *job)
{
    const struct libxl__qga_call *call = libxl__qga_call_find(job->method);
    libxl__qga_task *t;

    if (!call) {
        libxl__agent_job_error(egc, job, AGENT_E_METHOD,
                               "the guest's agent is qemu-ga, which does not "
                               "do this");
        return;
    }
    t = q->tasks_nr < LIBXL__QGA_JOBS ? calloc(1, sizeof(*t)) : NULL;
    if (!t) {
        libxl__agent_job_error(egc, job, AGENT_E_BUSY, NULL);
        return;
    }
    t->q = q;
    t->job = job;
    t->call = call;
    libxl__gc_init(&t->gc, q->ctx);
    libxl__ev_time_init(&t->poll);
    STAILQ_INSERT_TAIL(&q->tasks, t, entry);
    q->tasks_nr++;
    begin_next(egc, q);
}

void libxl__qga_tasks_close(libxl__egc *egc, libxl__agent_qga *q)
{
    libxl__qga_task *t;

    /* The analyzer does not see that task_free takes it off the queue.
     * NOLINTBEGIN(clang-analyzer-unix.Malloc) */
    while ((t = STAILQ_FIRST(&q->tasks))) {
        /* a guest that went while it was asked to go has obeyed */
        if (q->task == t && t->call->ends_guest)
            libxl__agent_job_result(egc, t->job, "{}", NULL, 0);
        else
            libxl__agent_job_error(egc, t->job, AGENT_E_AWAY, NULL);
        task_free(t);
    }
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
}
