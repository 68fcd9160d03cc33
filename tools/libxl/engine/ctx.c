/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctx.c - a ctx's birth and death, and the turning of its loop. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/log.h"
#include "engine/ev_child_private.h"
#include "engine/loop.h"
#include "engine/worker.h"

static libxl_ctx *ctx_of_interrupt(uv_async_t *handle)
{
    return CONTAINER_OF(handle, libxl_ctx, interrupt);
}

static void interrupted(uv_async_t *handle)
{
    libxl_ctx *ctx = ctx_of_interrupt(handle);
    libxl__egc egc;

    libxl__egc_begin(ctx, &egc);
    libxl__ao_abort_sync(&egc, atomic_load(&ctx->interrupts));
    libxl__egc_end(&egc);
}

static int loop_open(libxl_ctx *ctx)
{
    int r;

    r = uv_loop_init(&ctx->uv);
    if (r)
        return libxl__uv_rc(r);
    r = uv_async_init(&ctx->uv, &ctx->interrupt, interrupted);
    if (r) {
        uv_loop_close(&ctx->uv);
        return libxl__uv_rc(r);
    }
    uv_unref((uv_handle_t *)&ctx->interrupt);
    return 0;
}

int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                    libxl_logger *lg)
{
    libxl_ctx *ctx;
    int rc;

    *pctx = NULL;
    if (version != LIBXL_VERSION)
        return ERROR_VERSION;
    if (flags || !lg)
        return ERROR_INVAL;
    ctx = calloc(1, sizeof(*ctx));
    if (!ctx)
        return ERROR_NOMEM;
    ctx->lg = lg;
    ctx->thread = pthread_self();
    libxl__gc_init(&ctx->gc, ctx);
    ctx->immediates_end = &ctx->immediates;
    STAILQ_INIT(&ctx->notices);
    STAILQ_INIT(&ctx->events);
    rc = loop_open(ctx);
    if (rc) {
        LOG(ctx, ERROR, "cannot make an event loop: %s",
            libxl_error_to_string(rc));
        free(ctx);
        return rc;
    }
    *pctx = ctx;
    return 0;
}

static void close_slots(libxl_ctx *ctx)
{
    struct libxl__ctx_slot host = ctx->host;

    ctx->host = (struct libxl__ctx_slot){0};
    if (host.p && host.close)
        host.close(host.p);
    libxl__children_forget_all(ctx);
    libxl__worker_close(ctx);
}

static void drop_events(libxl_ctx *ctx)
{
    struct libxl__event_node *node;

    while ((node = STAILQ_FIRST(&ctx->events))) {
        STAILQ_REMOVE_HEAD(&ctx->events, entry);
        free(node);
    }
}

int libxl_ctx_free(libxl_ctx *ctx)
{
    int r;

    if (!ctx)
        return 0;
    if (libxl__ctx_check(ctx) || ctx->egcs)
        return ERROR_INVAL;
    if (!LIST_EMPTY(&ctx->aos)) {
        LOG(ctx, ERROR,
            "libxl_ctx_free: an operation is still running; "
            "abort it and wait for its completion first");
        return ERROR_INVAL;
    }
    close_slots(ctx);
    assert(LIST_EMPTY(&ctx->fd_slots));
    assert(!ctx->immediates);
    uv_close((uv_handle_t *)&ctx->interrupt, NULL);
    uv_run(&ctx->uv, UV_RUN_DEFAULT);
    r = uv_loop_close(&ctx->uv);
    assert(!r); /* a source of events was never deregistered */
    drop_events(ctx);
    libxl__gc_dispose(&ctx->gc);
    free(ctx);
    return 0;
}

int libxl__ctx_check(libxl_ctx *ctx)
{
    return pthread_equal(ctx->thread, pthread_self()) ? 0 : ERROR_INVAL;
}

libxl__gc *libxl__ctx_gc(libxl_ctx *ctx)
{
    return &ctx->gc;
}

libxl_logger *libxl__ctx_logger(libxl_ctx *ctx)
{
    return ctx->lg;
}

struct libxl__ctx_slot *libxl__ctx_host_slot(libxl_ctx *ctx)
{
    return &ctx->host;
}

void libxl_ctx_interrupt(libxl_ctx *ctx)
{
    int saved = errno;

    atomic_fetch_add(&ctx->interrupts, 1);
    uv_async_send(&ctx->interrupt);
    errno = saved;
}

bool libxl__loop_turn(libxl_ctx *ctx, uv_run_mode mode)
{
    ctx->turn_wanted = false;
    uv_run(&ctx->uv, mode);
    return uv_loop_alive(&ctx->uv);
}

int libxl_ctx_fd(libxl_ctx *ctx)
{
    if (libxl__ctx_check(ctx))
        return ERROR_INVAL;
    return uv_backend_fd(&ctx->uv);
}

int libxl_ctx_timeout_ms(libxl_ctx *ctx)
{
    if (libxl__ctx_check(ctx))
        return ERROR_INVAL;
    /* What was registered since the last turn is not in the epoll set yet. */
    if (ctx->turn_wanted || !STAILQ_EMPTY(&ctx->events))
        return 0;
    uv_update_time(&ctx->uv);
    return uv_backend_timeout(&ctx->uv);
}

int libxl__uv_rc(int uv_error)
{
    switch (uv_error) {
    case 0:
        return 0;
    case UV_ENOMEM:
        return ERROR_NOMEM;
    case UV_EPERM:
        return ERROR_NI;
    default:
        return ERROR_FAIL;
    }
}
