/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devctl_stream.c - a device's state as frames: u32 length (1..1 MiB) and so
 * many bytes, again and again; at the end u32 0, u32 errno, u64 all bytes. No
 * more than one frame is held.
 */
#include "ring/devctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ring/vfu_wire.h"

bool devctl_stream_begin(struct devctl_conn *conn, enum devctl_mode mode)
{
    conn->frame = malloc(4 + DEVCTL_FRAME_BYTES);
    if (!conn->frame)
        return false;
    conn->mode = mode;
    conn->out_bytes = conn->out_done = conn->head_got = 0;
    conn->total = conn->promised = 0;
    conn->left = 0;
    conn->counted = conn->last = false;
    conn->error = 0;
    return true;
}

void devctl_stream_wake(struct devctl_conn *conn)
{
    /* POLLIN too: the asker's end is seen while there is nothing to send */
    if (libxl__ev_fd_modify(conn->c->ctx, &conn->ev, POLLIN | POLLOUT))
        shutdown(conn->fd, SHUT_RDWR);
}

/* ---- out ---- */

static void put_end(struct devctl_conn *conn)
{
    libxl__vfu_put32(conn->frame, 0);
    libxl__vfu_put32(conn->frame + 4, (uint32_t)-conn->error);
    libxl__vfu_put64(conn->frame + 8, conn->total);
    conn->out_bytes = DEVCTL_END_BYTES;
    conn->last = true;
}

/* In stop-and-copy a device says how much there is, and that comes. */
static void check_count(struct devctl_conn *conn)
{
    if (!conn->error && conn->total != conn->promised)
        conn->error = -EPROTO;
    put_end(conn);
}

/* The next frame; false: there is none now. */
static bool fill(struct devctl_conn *conn)
{
    struct devmig *m = &conn->c->pci->mig;
    bool stopped = m->state == DEVMIG_STOP_COPY;
    uint32_t got = 0;

    if (!stopped && m->state != DEVMIG_PRE_COPY)
        return false;
    if (stopped && !conn->counted) {
        conn->counted = true;
        conn->promised = conn->total + libxl__devmig_left(m);
    }
    while (got < DEVCTL_FRAME_BYTES) {
        ssize_t r = libxl__devmig_read(m, conn->frame + 4 + got,
                                       DEVCTL_FRAME_BYTES - got);

        if (r < 0)
            conn->error = (int)r;
        if (r <= 0)
            break;
        got += (uint32_t)r;
        /* one that never comes to an end */
        if (conn->counted && conn->total + got > conn->promised)
            conn->error = -EPROTO;
        if (conn->error)
            break;
    }
    conn->out_done = 0;
    if (got && !conn->error) {
        libxl__vfu_put32(conn->frame, got);
        conn->out_bytes = 4 + got;
        conn->total += got;
    } else if (conn->error || stopped) {
        check_count(conn);
    }
    return conn->out_bytes;
}

void devctl_stream_out(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devmig *m = &conn->c->pci->mig;
    char byte;
    ssize_t r = recv(conn->fd, &byte, 1, MSG_DONTWAIT);

    /* nothing is said while state flows; but the asker may leave */
    if (r >= 0 || errno != EAGAIN) {
        devctl_hang_up(egc, conn);
        return;
    }
    if (m->state == DEVMIG_STOP && !conn->last) {
        /* stopped with its guest; nobody else changes its state */
        int e = libxl__devmig_set_state(m, DEVMIG_STOP_COPY);

        if (e) {
            conn->error = e;
            put_end(conn);
        }
    }
    if (!conn->out_bytes && !(conn->last || fill(conn))) {
        libxl__ev_fd_modify(conn->c->ctx, &conn->ev, POLLIN);
        return;
    }
    r = send(conn->fd, conn->frame + conn->out_done,
             conn->out_bytes - conn->out_done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (r < 0 && errno != EAGAIN && errno != EINTR) {
        devctl_hang_up(egc, conn);
        return;
    }
    conn->out_done += r > 0 ? (size_t)r : 0;
    if (conn->out_done < conn->out_bytes)
        return;
    conn->out_bytes = conn->out_done = 0;
    if (conn->last)
        libxl__ev_fd_modify(conn->c->ctx, &conn->ev, POLLIN);
}

/* ---- in ---- */

static void end_load(struct devctl_conn *conn)
{
    uint64_t total = libxl__vfu_get64(conn->head + 8);

    if (!conn->error && (libxl__vfu_get32(conn->head + 4) ||
                         total != conn->total))
        conn->error = -EPROTO;
    devctl_say(conn, conn->error ? strerror(-conn->error) : NULL);
    free(conn->frame);
    conn->frame = NULL;
    conn->mode = DEVCTL_LINES;
}

/* How many bytes of the head are needed now. */
static size_t head_want(const struct devctl_conn *conn)
{
    return conn->head_got < 4 || libxl__vfu_get32(conn->head)
               ? 4 : DEVCTL_END_BYTES;
}

static void take_head(libxl__egc *egc, struct devctl_conn *conn)
{
    if (conn->head_got < head_want(conn))
        return;
    conn->head_got = 0;
    conn->left = libxl__vfu_get32(conn->head);
    if (conn->left > DEVCTL_FRAME_MAX) {
        devctl_hang_up(egc, conn);
        return;
    }
    if (!conn->left)
        end_load(conn);
}

void devctl_stream_in(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devmig *m = &conn->c->pci->mig;
    size_t want = conn->left;
    ssize_t r;

    if (want > DEVCTL_FRAME_BYTES)
        want = DEVCTL_FRAME_BYTES;
    if (conn->left)
        r = recv(conn->fd, conn->frame, want, MSG_DONTWAIT);
    else
        r = recv(conn->fd, conn->head + conn->head_got,
                 head_want(conn) - conn->head_got, MSG_DONTWAIT);
    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (r <= 0) {
        devctl_hang_up(egc, conn);
        return;
    }
    if (!conn->left) {
        conn->head_got += (size_t)r;
        take_head(egc, conn);
        return;
    }
    conn->left -= (uint32_t)r;
    conn->total += (uint64_t)r;
    /* what follows a piece that was refused is read, and dropped */
    if (!conn->error)
        conn->error = libxl__devmig_write(m, conn->frame, (uint64_t)r);
}
