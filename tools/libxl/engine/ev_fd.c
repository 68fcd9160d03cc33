/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ev_fd.c - one uv_poll_t a file descriptor (libuv refuses a second one),
 * shared by any number of watchers.
 *
 * register -> (ready -> dispatch -> callbacks)* -> deregister -> closed
 *
 * The uv_poll_t lives in a slot of its own, because its memory is libuv's
 * until the close callback; watchers are the caller's and may go at any time.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/log.h"
#include "engine/ev_fd.h"
#include "engine/loop.h"

struct libxl__fd_slot {
    uv_poll_t poll;
    libxl_ctx *ctx;
    int fd;
    int flags; /* of the fd, before libuv made it O_NONBLOCK */
    int armed; /* UV_* bits that the poll handle waits for */
    unsigned round;
    LIST_HEAD(, libxl__ev_fd) watchers;
    LIST_ENTRY(libxl__fd_slot) entry;
};

static struct libxl__fd_slot *slot_of_poll(uv_poll_t *poll)
{
    return CONTAINER_OF(poll, struct libxl__fd_slot, poll);
}

static void slot_closed(uv_handle_t *handle)
{
    free(slot_of_poll((uv_poll_t *)handle));
}

static void slot_ready(uv_poll_t *poll, int status, int uv_events);

static int slot_update(struct libxl__fd_slot *slot)
{
    libxl__ev_fd *ev;
    int want = 0;

    LIST_FOREACH(ev, &slot->watchers, entry)
    {
        if (ev->events & POLLIN)
            want |= UV_READABLE;
        if (ev->events & POLLOUT)
            want |= UV_WRITABLE;
    }
    if (want == slot->armed)
        return 0;
    slot->armed = want;
    if (!want)
        return uv_poll_stop(&slot->poll);
    return uv_poll_start(&slot->poll, want, slot_ready);
}

static libxl__ev_fd *next_watcher(struct libxl__fd_slot *slot)
{
    libxl__ev_fd *ev;

    LIST_FOREACH(ev, &slot->watchers, entry)
    if (ev->round != slot->round)
        return ev;
    return NULL;
}

/* No place in the list is held across a callback: it may register and
 * deregister anything. The slot itself outlives this function, because libuv
 * calls slot_closed in a later phase of the loop. */
static void dispatch(libxl__egc *egc, struct libxl__fd_slot *slot, short ready)
{
    libxl__ev_fd *ev;
    short revents;

    slot->round++;
    while ((ev = next_watcher(slot))) {
        ev->round = slot->round;
        revents = ready & (ev->events | POLLERR);
        if (ev->events && revents)
            ev->callback(egc, ev, ev->fd, ev->events, revents);
    }
}

static void slot_ready(uv_poll_t *poll, int status, int uv_events)
{
    struct libxl__fd_slot *slot = slot_of_poll(poll);
    libxl__egc egc;
    short ready = 0;

    if (status < 0) {
        /* EPOLLERR arrives as UV_EBADF, the handle stopped. */
        ready |= POLLERR;
        slot->armed = 0;
    }
    if (uv_events & UV_READABLE)
        ready |= POLLIN;
    if (uv_events & UV_WRITABLE)
        ready |= POLLOUT;
    libxl__egc_begin(slot->ctx, &egc);
    dispatch(&egc, slot, ready);
    if (!LIST_EMPTY(&slot->watchers))
        slot_update(slot);
    libxl__egc_end(&egc);
}

static struct libxl__fd_slot *slot_find(libxl_ctx *ctx, int fd)
{
    struct libxl__fd_slot *slot;

    LIST_FOREACH(slot, &ctx->fd_slots, entry)
    if (slot->fd == fd)
        return slot;
    return NULL;
}

static int slot_open(libxl_ctx *ctx, int fd, struct libxl__fd_slot **out)
{
    struct libxl__fd_slot *slot;
    int r;

    slot = calloc(1, sizeof(*slot));
    if (!slot)
        return ERROR_NOMEM;
    slot->ctx = ctx;
    slot->fd = fd;
    slot->flags = fcntl(fd, F_GETFL);
    r = slot->flags < 0 ? -errno : uv_poll_init(&ctx->uv, &slot->poll, fd);
    if (r) {
        free(slot);
        if (r == UV_EPERM)
            return ERROR_NI;
        LOGE(ctx, ERROR, -r, "cannot watch fd %d", fd);
        return libxl__uv_rc(r);
    }
    LIST_INIT(&slot->watchers);
    LIST_INSERT_HEAD(&ctx->fd_slots, slot, entry);
    *out = slot;
    return 0;
}

static void give_flags_back(struct libxl__fd_slot *slot)
{
    int now;

    if (slot->flags & O_NONBLOCK)
        return;
    now = fcntl(slot->fd, F_GETFL);
    if (now >= 0)
        fcntl(slot->fd, F_SETFL, now & ~O_NONBLOCK);
}

static void slot_close(struct libxl__fd_slot *slot)
{
    LIST_REMOVE(slot, entry);
    uv_poll_stop(&slot->poll);
    give_flags_back(slot);
    uv_close((uv_handle_t *)&slot->poll, slot_closed);
}

void libxl__ev_fd_init(libxl__ev_fd *ev)
{
    ev->fd = -1;
    ev->slot = NULL;
}

int libxl__ev_fd_register(libxl_ctx *ctx, libxl__ev_fd *ev,
                          libxl__ev_fd_callback *callback, int fd, short events)
{
    struct libxl__fd_slot *slot;
    int rc = 0;

    assert(!libxl__ctx_check(ctx));
    assert(!libxl__ev_fd_isregistered(ev));
    assert(!(events & ~(POLLIN | POLLOUT)));

    slot = slot_find(ctx, fd);
    if (!slot)
        rc = slot_open(ctx, fd, &slot);
    if (rc)
        return rc;
    assert(slot);
    ev->fd = fd;
    ev->events = events;
    ev->round = slot->round; /* not in the dispatch that runs now */
    ev->callback = callback;
    ev->slot = slot;
    LIST_INSERT_HEAD(&slot->watchers, ev, entry);
    ctx->turn_wanted = true;
    rc = libxl__uv_rc(slot_update(slot));
    if (rc)
        libxl__ev_fd_deregister(ctx, ev);
    return rc;
}

int libxl__ev_fd_modify(libxl_ctx *ctx, libxl__ev_fd *ev, short events)
{
    assert(libxl__ev_fd_isregistered(ev));
    assert(!(events & ~(POLLIN | POLLOUT)));

    ev->events = events;
    ctx->turn_wanted = true;
    return libxl__uv_rc(slot_update(ev->slot));
}

void libxl__ev_fd_deregister(libxl_ctx *ctx, libxl__ev_fd *ev)
{
    struct libxl__fd_slot *slot = ev->slot;

    if (!slot)
        return;
    LIST_REMOVE(ev, entry);
    libxl__ev_fd_init(ev);
    if (LIST_EMPTY(&slot->watchers))
        slot_close(slot);
    else
        slot_update(slot);
}

bool libxl__ev_fd_isregistered(const libxl__ev_fd *ev)
{
    return ev->slot;
}
