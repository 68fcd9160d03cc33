/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vu_server.c - connections and messages of a vhost-user frontend.
 *
 * on_listen -> on_conn -> (header, body) -> take_message
 *     -> libxl__vu_dispatch, at once, or when the device is idle (on_idle)
 * A connection that ends first makes the device idle too: nobody may unmap the
 * memory under a request.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "ring/fd_recv.h"
#include "ring/vu_internal.h"

#define MESSAGES_PER_WAKEUP 16
#define UNREAD "replies that the frontend does not read"

static libxl__vhost_user *vu_of_conn(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__vhost_user, conn_ev);
}

static libxl__vhost_user *vu_of_acceptor(libxl__acceptor *ac)
{
    return CONTAINER_OF(ac, libxl__vhost_user, acceptor);
}

int libxl__vu_take_fd(libxl__vhost_user *vu, unsigned i)
{
    int fd = vu->fds[i];

    vu->fds[i] = -1;
    return fd;
}

const char *libxl__vu_send(libxl__vhost_user *vu, const uint8_t *buf,
                           size_t bytes)
{
    ssize_t r;

    /* replies are small, and a frontend waits for each: a full socket means
     * that it does not read them */
    do
        r = send(vu->conn_fd, buf, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r == (ssize_t)bytes ? NULL : UNREAD;
}

const char *libxl__vu_send_fd(libxl__vhost_user *vu, const uint8_t *buf,
                              size_t bytes, int fd)
{
    struct iovec iov = {(void *)buf, bytes};
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control.buf,
                        .msg_controllen = sizeof(control.buf)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
    ssize_t r;

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    do
        r = sendmsg(vu->conn_fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r == (ssize_t)bytes ? NULL : UNREAD;
}

static libxl__acceptor_callback on_listen;

static void watch_listen(libxl__vhost_user *vu)
{
    if (libxl__acceptor_start(vu->ctx, &vu->acceptor, on_listen, vu->listen_fd,
                              vu->dev->ops->name))
        LOG(vu->ctx, ERROR, "%s: the socket can no longer be watched: restart "
            "the device process", vu->dev->ops->name);
}

/* The device holds nothing. */
static void finish_close(libxl__egc *egc, libxl__vhost_user *vu)
{
    libxl__ev_fd_deregister(vu->ctx, &vu->conn_ev);
    libxl__vu_state_drop(&vu->state);
    libxl__vdev_reset(vu->dev);
    for (unsigned q = 0; q < vu->dev->nr_queues; q++)
        libxl__vu_queue_reset(vu, q);
    libxl__vu_unmap_all(vu);
    libxl__vu_unmap_log(vu);
    libxl__vu_unmap_inflight(vu);
    libxl__fds_drop(vu->fds, &vu->nr_fds);
    close(vu->conn_fd);
    vu->conn_fd = -1;
    vu->in_got = 0;
    vu->protocol_features = 0;
    vu->closing = vu->waiting = false;
    vu->dev->quiet = false;
    if (vu->listen_fd >= 0)
        watch_listen(vu);
    else if (vu->gone)
        vu->gone(egc, vu->dev);
}

void libxl__vu_close(libxl__egc *egc, libxl__vhost_user *vu,
                     const char *reason)
{
    if (vu->closing)
        return;
    vu->closing = true;
    vu->reason = reason;
    if (reason)
        LOG(vu->ctx, ERROR, "%s: connection ended: the frontend sent %s%s%s",
            vu->dev->ops->name, reason, vu->msg.info ? " in " : "",
            vu->msg.info ? vu->msg.info->name : "");
    libxl__ev_fd_deregister(vu->ctx, &vu->conn_ev);
    vu->waiting = true;
    libxl__vdev_quieten(egc, vu->dev);
}

static void dispatch(libxl__egc *egc, libxl__vhost_user *vu)
{
    const char *wrong = libxl__vu_dispatch(egc, vu);

    libxl__fds_drop(vu->fds, &vu->nr_fds);
    vu->in_got = 0;
    if (!wrong && libxl__vu_memory_lost(vu))
        wrong = VU_MEMORY_LOST;
    if (wrong)
        libxl__vu_close(egc, vu, wrong);
}

static void on_conn(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                    short revents);

static void on_idle(libxl__egc *egc, libxl__vdev *dev)
{
    libxl__vhost_user *vu = dev->transport;

    if (!vu->waiting)
        return;
    vu->waiting = false;
    if (vu->closing) {
        finish_close(egc, vu);
        return;
    }
    dispatch(egc, vu);
    if (vu->closing || vu->conn_fd < 0)
        return;
    if (libxl__ev_fd_register(vu->ctx, &vu->conn_ev, on_conn, vu->conn_fd,
                              POLLIN)) {
        libxl__vu_close(egc, vu, "a connection that can no longer be watched");
        return;
    }
    libxl__vdev_resume(egc, dev);
}

/* A whole message lies in vu->in. */
static void take_message(libxl__egc *egc, libxl__vhost_user *vu)
{
    const char *wrong = libxl__vu_decode(&vu->header, vu->in + VU_HEADER_BYTES,
                                         vu->nr_fds, &vu->msg);

    if (wrong) {
        libxl__vu_close(egc, vu, wrong);
        return;
    }
    if (!vu->msg.info->quiet) {
        dispatch(egc, vu);
        return;
    }
    libxl__ev_fd_deregister(vu->ctx, &vu->conn_ev);
    vu->waiting = true;
    libxl__vdev_quieten(egc, vu->dev);
}

/* 1: a message is whole; 0: later; -1: over. */
static int receive_message(libxl__vhost_user *vu, const char **wrong)
{
    struct fd_recv in = {vu->conn_fd, vu->in, &vu->in_got,
                         vu->fds,     &vu->nr_fds, VU_MAX_FDS};
    int r;

    if (vu->in_got < VU_HEADER_BYTES) {
        vu->msg.info = NULL;
        r = libxl__fd_recv(&in, VU_HEADER_BYTES, wrong);
        if (r <= 0)
            return r;
        *wrong = libxl__vu_decode_header(vu->in, &vu->header);
        if (*wrong)
            return -1;
    }
    if (!vu->header.bytes)
        return 1;
    return libxl__fd_recv(&in, VU_HEADER_BYTES + vu->header.bytes, wrong);
}

static void on_conn(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                    short revents)
{
    libxl__vhost_user *vu = vu_of_conn(ev);
    const char *wrong = NULL;

    for (unsigned i = 0; i < MESSAGES_PER_WAKEUP; i++) {
        int r = receive_message(vu, &wrong);

        if (r < 0) {
            libxl__vu_close(egc, vu, wrong);
            return;
        }
        if (!r)
            return;
        take_message(egc, vu);
        if (vu->closing || vu->waiting || vu->conn_fd < 0)
            return;
    }
}

static void on_listen(libxl__egc *egc, libxl__acceptor *ac, int fd)
{
    libxl__vhost_user *vu = vu_of_acceptor(ac);

    vu->conn_fd = fd;
    if (libxl__ev_fd_register(vu->ctx, &vu->conn_ev, on_conn, vu->conn_fd,
                              POLLIN)) {
        close(vu->conn_fd);
        vu->conn_fd = -1;
        return;
    }
    vu->reason = NULL;
    libxl__acceptor_stop(&vu->acceptor);
}

static void interrupt(libxl__vdev *dev, unsigned q)
{
    libxl__vhost_user *vu = dev->transport;
    uint64_t one = 1;

    /* a counter that is full has been seen by nobody yet: it will be */
    if (vu->queues[q].call_fd >= 0 &&
        write(vu->queues[q].call_fd, &one, sizeof(one)) < 0)
        return;
}

static void broken(libxl__vdev *dev, unsigned q, const char *reason)
{
    libxl__vhost_user *vu = dev->transport;
    uint64_t one = 1;

    vu->reason = reason;
    LOG(vu->ctx, ERROR, "%s: queue %u is broken: the driver offered %s",
        dev->ops->name, q, reason);
    if (vu->queues[q].err_fd >= 0 &&
        write(vu->queues[q].err_fd, &one, sizeof(one)) < 0)
        return;
}

/* Without its fds. NULL: logged. */
static libxl__vhost_user *vu_new(libxl_ctx *ctx, libxl__vdev *dev)
{
    libxl__vhost_user *vu = calloc(1, sizeof(*vu));

    if (!vu) {
        LOG(ctx, ERROR, "%s: no memory for a vhost-user server",
            dev->ops->name);
        return NULL;
    }
    vu->ctx = ctx;
    vu->dev = dev;
    vu->listen_fd = vu->conn_fd = -1;
    libxl__acceptor_init(&vu->acceptor);
    libxl__ev_fd_init(&vu->conn_ev);
    libxl__vu_state_init(&vu->state, ctx, dev);
    for (unsigned q = 0; q < LIBXL__VDEV_MAX_QUEUES; q++) {
        vu->queues[q] = (struct vu_queue){.vu = vu, .index = q, .kick_fd = -1,
                                          .call_fd = -1, .err_fd = -1};
        libxl__ev_fd_init(&vu->queues[q].kick_ev);
    }
    dev->transport = vu;
    dev->interrupt = interrupt;
    dev->broken = broken;
    dev->idle = on_idle;
    return vu;
}

libxl__vhost_user *libxl__vhost_user_start(libxl_ctx *ctx, libxl__vdev *dev,
                                           int listen_fd)
{
    libxl__vhost_user *vu = vu_new(ctx, dev);

    if (!vu)
        return NULL;
    vu->listen_fd = listen_fd;
    if (!libxl__acceptor_start(ctx, &vu->acceptor, on_listen, listen_fd,
                               dev->ops->name))
        return vu;
    free(vu);
    return NULL;
}

libxl__vhost_user *libxl__vhost_user_start_connected(
    libxl_ctx *ctx, libxl__vdev *dev, int fd,
    void (*gone)(libxl__egc *egc, libxl__vdev *dev))
{
    libxl__vhost_user *vu = vu_new(ctx, dev);

    if (!vu)
        return NULL;
    vu->conn_fd = fd;
    vu->gone = gone;
    if (!libxl__ev_fd_register(ctx, &vu->conn_ev, on_conn, fd, POLLIN))
        return vu;
    free(vu);
    return NULL;
}

void libxl__vhost_user_stop(libxl__vhost_user *vu)
{
    if (!vu)
        return;
    assert(!libxl__vdev_held(vu->dev));
    vu->gone = NULL;
    if (vu->conn_fd >= 0)
        finish_close(NULL, vu);
    libxl__acceptor_stop(&vu->acceptor);
    if (vu->listen_fd >= 0)
        close(vu->listen_fd);
    free(vu);
}

const char *libxl__vhost_user_reason(const libxl__vhost_user *vu)
{
    return vu->reason;
}
