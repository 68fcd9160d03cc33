/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_jobs.c - the peer's calls: asked -> (handler) -> finished -> sent, or
 * cancelled, or orphaned by a reset.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_peer_private.h"

struct job_room {
    libxl__agent_job job; /* first */
    uint8_t data[];
};

static bool step(libxl__agent_job *job, enum libxl__agent_job_event event)
{
    struct libxl__agent_step s =
        libxl__agent_job_step((enum libxl__agent_job_state)job->state, event);

    if (s.ok)
        job->state = s.next;
    return s.ok;
}

static void job_free(libxl__agent_job *job)
{
    if (job->st) {
        LIST_REMOVE(job, entry);
        job->st->jobs_nr--;
    }
    libxl__agent_msg_dispose(&job->msg);
    free(job);
}

static libxl__agent_job *job_new(struct libxl__agent_peer_state *st,
                                 struct libxl__agent_msg *msg,
                                 const uint8_t *data, size_t data_bytes)
{
    struct job_room *room = calloc(1, sizeof(*room) + data_bytes);
    libxl__agent_job *job = room ? &room->job : NULL;

    if (!job)
        return NULL;
    if (data_bytes)
        memcpy(room->data, data, data_bytes);
    job->data = room->data;
    job->data_bytes = data_bytes;
    job->msg = *msg;
    memset(msg, 0, sizeof(*msg));
    job->method = job->msg.method;
    job->params = job->msg.params;
    job->id = job->msg.id;
    job->state = JOB_RUN;
    job->st = st;
    LIST_INSERT_HEAD(&st->jobs, job, entry);
    st->jobs_nr++;
    return job;
}

libxl__agent_peer *libxl__agent_job_peer(const libxl__agent_job *job)
{
    return job->st ? job->st->peer : NULL;
}

static libxl__agent_job *find(struct libxl__agent_peer_state *st, uint64_t id)
{
    libxl__agent_job *job;

    LIST_FOREACH(job, &st->jobs, entry)
    if (job->id == id && job->state != JOB_ORPHAN)
        return job;
    return NULL;
}

static void queue_answer(struct libxl__agent_peer_state *st,
                         libxl__agent_job *job, const char *json,
                         const void *data, size_t data_bytes)
{
    struct libxl__agent_out *out = NULL;

    if (json)
        out = libxl__agent_out_make(json, data, data_bytes);
    if (!out) {
        /* No memory to answer: the caller has a deadline. */
        if (job)
            job_free(job);
        return;
    }
    out->job = job;
    libxl__agent_out_queue(st, out);
}

void libxl__agent_answer_error(struct libxl__agent_peer_state *st, uint64_t id,
                               int code, const char *text)
{
    libxl__gc gc;

    libxl__gc_init(&gc, st->ctx);
    queue_answer(st, NULL, libxl__agent_msg_error(&gc, id, code, text), NULL,
                 0);
    libxl__gc_dispose(&gc);
}

void libxl__agent_jobs_asked(libxl__egc *egc,
                             struct libxl__agent_peer_state *st,
                             struct libxl__agent_msg *msg, const uint8_t *data,
                             size_t data_bytes)
{
    uint64_t id = msg->id;
    libxl__agent_job *job;
    int code = 0;

    if (st->peer->distrusted)
        libxl__agent_spend(st, data_bytes);
    if (!st->peer->serve)
        code = AGENT_E_METHOD;
    else if (find(st, id))
        code = AGENT_E_REQUEST; /* two calls of one id: which is answered? */
    else if (st->jobs_nr >= LIBXL__AGENT_JOBS)
        code = AGENT_E_BUSY;
    if (code) {
        libxl__agent_spend(st, data_bytes);
        libxl__agent_answer_error(st, id, code, NULL);
        return;
    }
    job = job_new(st, msg, data, data_bytes);
    if (!job) {
        libxl__agent_answer_error(st, id, AGENT_E_BUSY, "no memory");
        return;
    }
    st->peer->serve(egc, st->peer, job);
}

/* Nobody to answer to: the result goes nowhere. */
static bool is_orphan(libxl__agent_job *job)
{
    return !job->st || job->state == JOB_ORPHAN;
}

static void finish(libxl__agent_job *job, const char *json, const void *data,
                   size_t data_bytes)
{
    step(job, JOB_FINISH);
    queue_answer(job->st, job, json, data, data_bytes);
}

void libxl__agent_job_error(libxl__egc *egc, libxl__agent_job *job, int code,
                            const char *text)
{
    libxl__gc gc;

    if (is_orphan(job)) {
        job_free(job);
        return;
    }
    if (job->state == JOB_CANCELLED) {
        code = AGENT_E_CANCELLED;
        text = NULL;
    }
    libxl__gc_init(&gc, job->st->ctx);
    finish(job, libxl__agent_msg_error(&gc, job->id, code, text), NULL, 0);
    libxl__gc_dispose(&gc);
}

void libxl__agent_job_result(libxl__egc *egc, libxl__agent_job *job,
                             const char *result, const void *data,
                             size_t data_bytes)
{
    libxl__gc gc;

    if (is_orphan(job) || job->state == JOB_CANCELLED) {
        libxl__agent_job_error(egc, job, AGENT_E_CANCELLED, NULL);
        return;
    }
    if (strlen(result) + 128 > LIBXL__AGENT_JSON_MAX ||
        data_bytes > LIBXL__AGENT_DATA_MAX) {
        libxl__agent_job_error(egc, job, AGENT_E_TOO_BIG, NULL);
        return;
    }
    libxl__gc_init(&gc, job->st->ctx);
    finish(job, libxl__agent_msg_result(&gc, job->id, result), data,
           data_bytes);
    libxl__gc_dispose(&gc);
}

void libxl__agent_jobs_cancel(libxl__egc *egc,
                              struct libxl__agent_peer_state *st, uint64_t id)
{
    libxl__agent_job *job = find(st, id);

    if (job && step(job, JOB_CANCEL) && job->stop)
        job->stop(egc, job);
}

void libxl__agent_jobs_sent(libxl__egc *egc, libxl__agent_job *job)
{
    step(job, JOB_SENT);
    if (job->sent)
        job->sent(egc, job);
    job_free(job);
}

/* Takes back the answers that wait to be written. */
static void drop_answers(struct libxl__agent_peer_state *st)
{
    struct libxl__agent_out *out, *next;
    libxl__agent_job *job;

    for (out = STAILQ_FIRST(&st->out); out; out = next) {
        next = STAILQ_NEXT(out, entry);
        job = out->job;
        if (!job)
            continue;
        libxl__agent_out_withdraw(st, out);
        step(job, JOB_RESET);
        job_free(job);
    }
}

static libxl__agent_job *any_working(struct libxl__agent_peer_state *st)
{
    libxl__agent_job *job;

    LIST_FOREACH(job, &st->jobs, entry)
    if (job->state == JOB_RUN || job->state == JOB_CANCELLED)
        return job;
    return NULL;
}

void libxl__agent_jobs_reset(libxl__egc *egc,
                             struct libxl__agent_peer_state *st)
{
    libxl__agent_peer *peer = st->peer;
    libxl__agent_job *job;
    bool tell;

    drop_answers(st);
    while (peer->state == st && (job = any_working(st))) {
        tell = job->state == JOB_RUN && job->stop;
        step(job, JOB_RESET);
        if (tell)
            job->stop(egc, job);
    }
}

/* Jobs that a handler still works on outlive the peer, cut off from it. */
void libxl__agent_jobs_close(libxl__egc *egc,
                             struct libxl__agent_peer_state *st)
{
    libxl__agent_job *job;

    drop_answers(st);
    while ((job = LIST_FIRST(&st->jobs))) {
        LIST_REMOVE(job, entry);
        st->jobs_nr--;
        job->st = NULL;
        if (job->state == JOB_RUN && job->stop)
            job->stop(egc, job);
    }
}
