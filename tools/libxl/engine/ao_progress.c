/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ao_progress.c - reports of an operation that is still running. */
#include <assert.h>

#include "base/container.h"
#include "engine/ao_private.h"

static struct libxl__event_node *node_of_notice(libxl__notice *notice)
{
    return CONTAINER_OF(notice, struct libxl__event_node, notice);
}

static void discard(libxl_ctx *ctx, libxl_event *event, void *for_callback)
{
    libxl_event_free(ctx, event);
}

void libxl__ao_progress_gethow(libxl_asyncprogress_how *in_state,
                               const libxl_asyncprogress_how *from_app)
{
    if (from_app)
        *in_state = *from_app;
    else
        *in_state = (libxl_asyncprogress_how){.callback = discard};
}

static void tell_progress(libxl_ctx *ctx, libxl__notice *notice)
{
    struct libxl__event_node *node = node_of_notice(notice);

    node->how.callback(ctx, &node->event, node->how.u.for_callback);
}

void libxl__ao_progress_report(libxl__egc *egc, libxl__ao *ao,
                               const libxl_asyncprogress_how *how,
                               libxl_event *event)
{
    struct libxl__event_node *node =
        CONTAINER_OF(event, struct libxl__event_node, event);

    assert(ao->root == ao && ao->state != AO_COMPLETE);
    if (!how->callback) {
        event->for_user = how->u.for_event;
        libxl__event_occurred(egc, event);
        return;
    }
    node->how = *how;
    node->notice.deliver = tell_progress;
    libxl__notice_queue(ao->ctx, &node->notice);
}
