/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* event.c - the queue of events that the application takes. */
#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/log.h"
#include "engine/loop.h"

static struct libxl__event_node *node_of_event(libxl_event *event)
{
    return CONTAINER_OF(event, struct libxl__event_node, event);
}

libxl_event *libxl__event_new(libxl_event_type type, uint32_t domid,
                              libxl_ev_user for_user)
{
    struct libxl__event_node *node = calloc(1, sizeof(*node));

    if (!node)
        return NULL;
    node->event.type = type;
    node->event.domid = domid;
    node->event.for_user = for_user;
    return &node->event;
}

void libxl__event_occurred(libxl__egc *egc, libxl_event *event)
{
    libxl_ctx *ctx = libxl__egc_ctx(egc);

    STAILQ_INSERT_TAIL(&ctx->events, node_of_event(event), entry);
}

void libxl_event_free(libxl_ctx *ctx, libxl_event *event)
{
    if (event)
        free(node_of_event(event));
}

static bool in_mask(const libxl_event *event, uint64_t typemask)
{
    return typemask & ((uint64_t)1 << event->type);
}

static int take_event(libxl_ctx *ctx, libxl_event **event_r, uint64_t typemask,
                      libxl_event_predicate *predicate, void *predicate_user)
{
    struct libxl__event_node *node;

    STAILQ_FOREACH(node, &ctx->events, entry)
    {
        if (!in_mask(&node->event, typemask))
            continue;
        if (predicate && !predicate(&node->event, predicate_user))
            continue;
        STAILQ_REMOVE(&ctx->events, node, libxl__event_node, entry);
        *event_r = &node->event;
        return 0;
    }
    return ERROR_NOT_READY;
}

/* The loop cannot be turned from inside of itself. */
static int may_turn(libxl_ctx *ctx, const char *what)
{
    if (libxl__ctx_check(ctx))
        return ERROR_INVAL;
    if (!ctx->egcs)
        return 0;
    LOG(ctx, ERROR, "%s called from inside a callback", what);
    return ERROR_INVAL;
}

int libxl_event_check(libxl_ctx *ctx, libxl_event **event_r, uint64_t typemask,
                      libxl_event_predicate *predicate, void *predicate_user)
{
    int rc;

    *event_r = NULL;
    rc = may_turn(ctx, "libxl_event_check");
    if (rc)
        return rc;
    libxl__loop_turn(ctx, UV_RUN_NOWAIT);
    return take_event(ctx, event_r, typemask, predicate, predicate_user);
}

int libxl_event_wait(libxl_ctx *ctx, libxl_event **event_r, uint64_t typemask,
                     libxl_event_predicate *predicate, void *predicate_user)
{
    bool alive = true;
    int rc;

    *event_r = NULL;
    rc = may_turn(ctx, "libxl_event_wait");
    if (rc)
        return rc;
    for (;;) {
        rc = take_event(ctx, event_r, typemask, predicate, predicate_user);
        if (rc != ERROR_NOT_READY)
            return rc;
        if (!alive)
            break;
        alive = libxl__loop_turn(ctx, UV_RUN_ONCE);
    }
    LOG(ctx, ERROR,
        "libxl_event_wait: nothing is under way that could give "
        "an event");
    return ERROR_NOTFOUND;
}
