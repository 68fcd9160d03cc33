/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * worker.c
 *
 * loop thread: submit -> (queue) ... finished -> done
 * worker:                run -> (finished queue) -> wake the loop
 */
#include "engine/worker.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/log.h"
#include "engine/loop.h"

STAILQ_HEAD(job_queue, libxl__job);

struct libxl__worker {
    libxl_ctx *ctx;
    uv_async_t wake;
    unsigned pending; /* loop thread: submitted, not done */
    pthread_t thread;
    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t work;
    struct job_queue queued, finished;
    bool ending;
};

enum { STACK_BYTES = 256 * 1024 };

static struct libxl__worker *worker_of_wake(uv_async_t *wake)
{
    return CONTAINER_OF(wake, struct libxl__worker, wake);
}

static void *worker_main(void *arg)
{
    struct libxl__worker *w = arg;
    libxl__job *job;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->ending && STAILQ_EMPTY(&w->queued))
            pthread_cond_wait(&w->work, &w->lock);
        if (w->ending)
            break;
        job = STAILQ_FIRST(&w->queued);
        STAILQ_REMOVE_HEAD(&w->queued, entry);
        pthread_mutex_unlock(&w->lock);
        job->run(job);
        pthread_mutex_lock(&w->lock);
        STAILQ_INSERT_TAIL(&w->finished, job, entry);
        uv_async_send(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static libxl__job *take_finished(struct libxl__worker *w)
{
    libxl__job *job;

    pthread_mutex_lock(&w->lock);
    job = STAILQ_FIRST(&w->finished);
    if (job)
        STAILQ_REMOVE_HEAD(&w->finished, entry);
    pthread_mutex_unlock(&w->lock);
    return job;
}

static void finish_jobs(libxl__egc *egc, struct libxl__worker *w)
{
    libxl__job *job;

    while ((job = take_finished(w))) {
        /* the loop is only kept alive by jobs that somebody waits for */
        if (!--w->pending)
            uv_unref((uv_handle_t *)&w->wake);
        job->done(egc, job);
    }
}

static void woken(uv_async_t *wake)
{
    struct libxl__worker *w = worker_of_wake(wake);
    libxl__egc egc;

    libxl__egc_begin(w->ctx, &egc);
    finish_jobs(&egc, w);
    libxl__egc_end(&egc);
}

/* Signals are for the application's own threads. */
static int start_thread(struct libxl__worker *w)
{
    size_t stack = STACK_BYTES + (size_t)PTHREAD_STACK_MIN;
    sigset_t all, before;
    pthread_attr_t attr;
    int r;

    r = pthread_attr_init(&attr);
    if (r)
        return r;
    pthread_attr_setstacksize(&attr, stack);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&w->thread, &attr, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return r;
}

static void wake_closed(uv_handle_t *handle)
{
    struct libxl__worker *w = worker_of_wake((uv_async_t *)handle);

    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static int worker_open(libxl_ctx *ctx)
{
    struct libxl__worker *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return ERROR_NOMEM;
    w->ctx = ctx;
    STAILQ_INIT(&w->queued);
    STAILQ_INIT(&w->finished);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    r = uv_async_init(&ctx->uv, &w->wake, woken);
    if (r) {
        wake_closed((uv_handle_t *)&w->wake);
        return libxl__uv_rc(r);
    }
    uv_unref((uv_handle_t *)&w->wake);
    r = start_thread(w);
    if (r) {
        LOGE(ctx, ERROR, r, "cannot start a thread for calls that block");
        uv_close((uv_handle_t *)&w->wake, wake_closed);
        return ERROR_NOMEM;
    }
    ctx->worker = w;
    return 0;
}

int libxl__worker_submit(libxl_ctx *ctx, libxl__job *job)
{
    struct libxl__worker *w;
    int rc;

    if (!ctx->worker) {
        rc = worker_open(ctx);
        if (rc)
            return rc;
    }
    w = ctx->worker;
    if (!w->pending++)
        uv_ref((uv_handle_t *)&w->wake);
    ctx->turn_wanted = true;
    pthread_mutex_lock(&w->lock);
    STAILQ_INSERT_TAIL(&w->queued, job, entry);
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    return 0;
}

void libxl__worker_close(libxl_ctx *ctx)
{
    struct libxl__worker *w = ctx->worker;
    libxl__egc egc;

    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    STAILQ_CONCAT(&w->finished, &w->queued);
    libxl__egc_begin(ctx, &egc);
    finish_jobs(&egc, w);
    libxl__egc_end(&egc);
    assert(!w->pending);
    ctx->worker = NULL;
    uv_close((uv_handle_t *)&w->wake, wake_closed);
}
