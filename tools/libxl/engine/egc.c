/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* egc.c - the end of a turn: immediates, then what the application is told. */
#include <assert.h>

#include "engine/loop.h"

void libxl__egc_begin(libxl_ctx *ctx, libxl__egc *egc)
{
    assert(!libxl__ctx_check(ctx));
    egc->ctx = ctx;
    libxl__gc_init(&egc->gc, ctx);
    ctx->egcs++;
    ctx->turn_wanted = true;
}

static bool run_immediate(libxl__egc *egc)
{
    libxl_ctx *ctx = egc->ctx;
    libxl__ev_immediate *ei = ctx->immediates;

    if (!ei)
        return false;
    ctx->immediates = ei->next;
    if (!ctx->immediates)
        ctx->immediates_end = &ctx->immediates;
    ei->callback(egc, ei);
    return true;
}

static bool deliver_notice(libxl_ctx *ctx)
{
    libxl__notice *notice = STAILQ_FIRST(&ctx->notices);

    if (!notice)
        return false;
    STAILQ_REMOVE_HEAD(&ctx->notices, entry);
    notice->deliver(ctx, notice);
    return true;
}

/* The application may start operations from its callbacks; such a call has an
 * egc of its own, which takes over where this one stands. */
void libxl__egc_end(libxl__egc *egc)
{
    while (run_immediate(egc) || deliver_notice(egc->ctx))
        ;
    libxl__gc_dispose(&egc->gc);
    egc->ctx->egcs--;
}

libxl__gc *libxl__egc_gc(libxl__egc *egc)
{
    return &egc->gc;
}

libxl_ctx *libxl__egc_ctx(libxl__egc *egc)
{
    return egc->ctx;
}

void libxl__egc_immediate(libxl__egc *egc, libxl__ev_immediate *ei)
{
    libxl_ctx *ctx = egc->ctx;

    ei->next = NULL;
    *ctx->immediates_end = ei;
    ctx->immediates_end = &ei->next;
}

void libxl__notice_queue(libxl_ctx *ctx, libxl__notice *notice)
{
    STAILQ_INSERT_TAIL(&ctx->notices, notice, entry);
}
