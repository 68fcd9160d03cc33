/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ev_time.c - register -> (fired | aborted) -> callback, or deregister. */
#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "engine/ev_time.h"
#include "engine/loop.h"

struct libxl__time_slot {
    uv_timer_t timer;
    libxl_ctx *ctx;
    libxl__ev_time *ev; /* NULL: deregistered, waiting for libuv */
};

static struct libxl__time_slot *slot_of_timer(uv_timer_t *timer)
{
    return CONTAINER_OF(timer, struct libxl__time_slot, timer);
}

static libxl__ev_time *ev_of_abortable(libxl__ao_abortable *abrt)
{
    return CONTAINER_OF(abrt, libxl__ev_time, abrt);
}

static void slot_closed(uv_handle_t *handle)
{
    free(slot_of_timer((uv_timer_t *)handle));
}

static void fired(uv_timer_t *timer)
{
    struct libxl__time_slot *slot = slot_of_timer(timer);
    libxl__ev_time *ev = slot->ev;
    libxl_ctx *ctx = slot->ctx;
    libxl__egc egc;

    libxl__egc_begin(ctx, &egc);
    libxl__ev_time_deregister(ctx, ev);
    ev->callback(&egc, ev, ERROR_TIMEDOUT);
    libxl__egc_end(&egc);
}

static void aborted(libxl__egc *egc, libxl__ao_abortable *abrt, int rc)
{
    libxl__ev_time *ev = ev_of_abortable(abrt);

    libxl__ev_time_deregister(libxl__egc_ctx(egc), ev);
    ev->callback(egc, ev, rc);
}

void libxl__ev_time_init(libxl__ev_time *ev)
{
    libxl__ao_abortable_init(&ev->abrt);
    ev->slot = NULL;
}

static int slot_open(libxl_ctx *ctx, libxl__ev_time *ev, uint64_t delay_ms)
{
    struct libxl__time_slot *slot = calloc(1, sizeof(*slot));

    if (!slot)
        return ERROR_NOMEM;
    slot->ctx = ctx;
    slot->ev = ev;
    uv_timer_init(&ctx->uv, &slot->timer);
    /* libuv counts from the begin of its turn, which may be long ago */
    uv_update_time(&ctx->uv);
    uv_timer_start(&slot->timer, fired, delay_ms, 0);
    ev->slot = slot;
    return 0;
}

int libxl__ev_time_register_rel(libxl_ctx *ctx, libxl__ao *ao,
                                libxl__ev_time *ev,
                                libxl__ev_time_callback *callback,
                                uint64_t delay_ms)
{
    int rc = 0;

    assert(!libxl__ctx_check(ctx));
    assert(!libxl__ev_time_isregistered(ev));

    ev->callback = callback;
    ev->abrt.ao = ao;
    ev->abrt.callback = aborted;
    if (ao)
        rc = libxl__ao_abortable_register(&ev->abrt);
    if (rc)
        return rc;
    ctx->turn_wanted = true;
    rc = slot_open(ctx, ev, delay_ms);
    if (rc)
        libxl__ao_abortable_deregister(&ev->abrt);
    return rc;
}

void libxl__ev_time_deregister(libxl_ctx *ctx, libxl__ev_time *ev)
{
    struct libxl__time_slot *slot = ev->slot;

    libxl__ao_abortable_deregister(&ev->abrt);
    if (!slot)
        return;
    ev->slot = NULL;
    slot->ev = NULL;
    uv_timer_stop(&slot->timer);
    uv_close((uv_handle_t *)&slot->timer, slot_closed);
}

bool libxl__ev_time_isregistered(const libxl__ev_time *ev)
{
    return ev->slot;
}

uint64_t libxl__now_ms(libxl_ctx *ctx)
{
    return uv_hrtime() / 1000000;
}
