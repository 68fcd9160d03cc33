/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ao.c - an operation's life: run -> start function -> ... -> complete ->
 * told to the application -> freed. Abort and progress are in ao_abort.c and
 * ao_progress.c.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/log.h"
#include "engine/ao_private.h"

static libxl__ao *ao_of_notice(libxl__notice *notice)
{
    return CONTAINER_OF(notice, libxl__ao, notice);
}

static libxl__ao *ao_alloc(libxl_ctx *ctx, uint32_t domid)
{
    libxl__ao *ao = calloc(1, sizeof(*ao));

    if (!ao)
        return NULL;
    ao->ctx = ctx;
    ao->domid = domid;
    ao->root = ao;
    ao->state = AO_STARTING;
    libxl__gc_init(&ao->gc, ctx);
    LIST_INIT(&ao->abortables);
    return ao;
}

static void ao_free(libxl__ao *ao)
{
    assert(!ao->nested);
    assert(LIST_EMPTY(&ao->abortables));
    libxl_event_free(ao->ctx, ao->event);
    libxl__gc_dispose(&ao->gc);
    free(ao);
}

static libxl__ao *ao_create(libxl_ctx *ctx, uint32_t domid,
                            const libxl_asyncop_how *how)
{
    libxl__ao *ao = ao_alloc(ctx, domid);

    if (!ao)
        return NULL;
    ao->sync = !how;
    ao->interrupts = atomic_load(&ctx->interrupts);
    if (how)
        ao->how = *how;
    if (how && !how->callback) {
        ao->event = libxl__event_new(LIBXL_EVENT_TYPE_OPERATION_COMPLETE, domid,
                                     how->u.for_event);
        if (!ao->event) {
            ao_free(ao);
            return NULL;
        }
    }
    LIST_INSERT_HEAD(&ctx->aos, ao, entry);
    return ao;
}

static void tell_application(libxl_ctx *ctx, libxl__notice *notice)
{
    libxl__ao *ao = ao_of_notice(notice);
    libxl_asyncop_how how = ao->how;
    int rc = ao->rc;

    ao_free(ao);
    how.callback(ctx, rc, how.u.for_callback);
}

static void drop_completed(libxl_ctx *ctx, libxl__notice *notice)
{
    ao_free(ao_of_notice(notice));
}

void libxl__ao_complete(libxl__egc *egc, libxl__ao *ao, int rc)
{
    assert(ao->root == ao);
    assert(ao->state != AO_COMPLETE);
    assert(!ao->nested);
    assert(LIST_EMPTY(&ao->abortables));

    ao->state = AO_COMPLETE;
    ao->rc = rc;
    LIST_REMOVE(ao, entry);
    if (ao->sync)
        return;
    if (ao->event) {
        ao->event->u.operation_complete.rc = rc;
        libxl__event_occurred(egc, ao->event);
        ao->event = NULL;
    }
    ao->notice.deliver = ao->how.callback ? tell_application : drop_completed;
    libxl__notice_queue(ao->ctx, &ao->notice);
}

static int wait_for_sync(libxl_ctx *ctx, libxl__ao *ao)
{
    bool alive = true;
    int rc;

    while (ao->state != AO_COMPLETE) {
        assert(alive); /* it would wait for ever: it registered nothing */
        alive = libxl__loop_turn(ctx, UV_RUN_ONCE);
    }
    rc = ao->rc;
    ao_free(ao);
    return rc;
}

static void undo_create(libxl__ao *ao)
{
    assert(ao->state == AO_STARTING);
    LIST_REMOVE(ao, entry);
    ao_free(ao);
}

int libxl__ao_run(libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *how,
                  libxl__ao_start_fn *start, const void *params)
{
    libxl__egc egc;
    libxl__ao *ao;
    int rc;

    if (libxl__ctx_check(ctx))
        return ERROR_INVAL;
    if (!how && ctx->egcs) {
        LOGD(ctx, domid, ERROR,
             "a synchronous operation cannot be started "
             "from inside a callback");
        return ERROR_INVAL;
    }
    ao = ao_create(ctx, domid, how);
    if (!ao) {
        LOGD(ctx, domid, ERROR, "no memory for an operation");
        return ERROR_NOMEM;
    }
    libxl__egc_begin(ctx, &egc);
    rc = start(&egc, ao, params);
    if (rc)
        undo_create(ao);
    else if (ao->state == AO_STARTING)
        ao->state = AO_RUNNING;
    libxl__egc_end(&egc); /* may free an asynchronous ao */
    if (rc || how)
        return rc;
    return wait_for_sync(ctx, ao);
}

libxl__gc *libxl__ao_gc(libxl__ao *ao)
{
    assert(ao->root->state != AO_COMPLETE);
    return &ao->gc;
}

libxl_ctx *libxl__ao_ctx(libxl__ao *ao)
{
    return ao->ctx;
}

uint32_t libxl__ao_domid(const libxl__ao *ao)
{
    return ao->domid;
}

libxl__ao *libxl__nested_ao_create(libxl__ao *parent)
{
    libxl__ao *child;

    assert(parent->root->state != AO_COMPLETE);
    child = ao_alloc(parent->ctx, parent->domid);
    if (!child)
        return NULL;
    child->root = parent->root;
    child->root->nested++;
    return child;
}

void libxl__nested_ao_free(libxl__ao *child)
{
    assert(child->root != child);
    child->root->nested--;
    ao_free(child);
}
