/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vu_state.c - move a device's state, a piece at a time.
 *
 * libxl__vu_state_start -> on_fd (some pieces) ... -> finish
 *     -> libxl__vu_state_check, which may find it unfinished: then it reads on,
 *     as far as it can without waiting
 */
#include "ring/vu_state.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"

#define PIECES_PER_WAKEUP 16u

static struct vu_state *state_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct vu_state, ev);
}

void libxl__vu_state_init(struct vu_state *s, libxl_ctx *ctx, libxl__vdev *dev)
{
    *s = (struct vu_state){.ctx = ctx, .dev = dev, .fd = -1, .result = -EINVAL};
    libxl__ev_fd_init(&s->ev);
}

bool libxl__vu_state_busy(const struct vu_state *s)
{
    return s->fd >= 0;
}

static void close_fd(struct vu_state *s)
{
    libxl__ev_fd_deregister(s->ctx, &s->ev);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* result: 0 at the stream's end. The end of a load is where the device looks
 * whether it was whole; after a failed one it stays as it is. */
static void finish(struct vu_state *s, int result)
{
    int r = 0;

    close_fd(s);
    if (result != -EBUSY && (!result || s->saving))
        r = libxl__devmig_set_state(&s->dev->mig, DEVMIG_RUNNING);
    s->result = result ? result : r;
    if (s->result)
        LOG(s->ctx, ERROR, "%s: its state was not %s: %s", s->dev->ops->name,
            s->saving ? "saved" : "loaded", strerror(-s->result));
}

/* 1: go on; 0: the end; -EAGAIN: later; or why it failed. */
static int save_piece(struct vu_state *s)
{
    ssize_t r;

    if (s->done == s->have) {
        r = libxl__devmig_read(&s->dev->mig, s->piece, sizeof(s->piece));
        if (r <= 0)
            return (int)r;
        s->have = (size_t)r;
        s->done = 0;
    }
    do
        r = write(s->fd, s->piece + s->done, s->have - s->done);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return -errno;
    s->done += (size_t)r;
    return 1;
}

static int load_piece(struct vu_state *s)
{
    ssize_t r;
    int wrong;

    do
        r = read(s->fd, s->piece, sizeof(s->piece));
    while (r < 0 && errno == EINTR);
    if (r <= 0)
        return r ? -errno : 0;
    wrong = libxl__devmig_write(&s->dev->mig, s->piece, (uint64_t)r);
    return wrong ? wrong : 1;
}

/* True: it has ended. */
static bool move(struct vu_state *s, unsigned pieces)
{
    int r = 1;

    while (r > 0 && pieces--)
        r = s->saving ? save_piece(s) : load_piece(s);
    if (r > 0 || r == -EAGAIN)
        return false;
    finish(s, r);
    return true;
}

static void on_fd(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                  short revents)
{
    move(state_of_ev(ev), PIECES_PER_WAKEUP);
}

int libxl__vu_state_start(struct vu_state *s, bool saving, int fd)
{
    struct devmig *mig = &s->dev->mig;
    int r = -EBUSY; /* half loaded: only a reset helps */

    s->fd = fd;
    s->saving = saving;
    s->have = s->done = 0;
    s->result = -EINPROGRESS;
    if (mig->state == DEVMIG_RUNNING)
        r = libxl__devmig_set_state(mig, saving ? DEVMIG_STOP_COPY
                                                : DEVMIG_RESUMING);
    if (!r && libxl__ev_fd_register(s->ctx, &s->ev, on_fd, fd,
                                    saving ? POLLOUT : POLLIN))
        r = -EPERM; /* a file that cannot be waited for */
    if (r)
        finish(s, r);
    return r;
}

int libxl__vu_state_check(struct vu_state *s)
{
    if (!libxl__vu_state_busy(s))
        return s->result;
    /* the frontend has closed its end: what it wrote lies there, and an end */
    if (s->saving || !move(s, VU_STATE_CATCH_UP / VU_STATE_PIECE))
        finish(s, -EINPROGRESS);
    return s->result;
}

void libxl__vu_state_drop(struct vu_state *s)
{
    close_fd(s);
    s->result = -EINVAL;
}
