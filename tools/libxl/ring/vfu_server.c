/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfu_server.c - connections and messages of a vfio-user client.
 *
 * on_listen -> on_conn -> (header, body) -> take_message
 *     -> answer, at once, or when the device is idle (libxl__vfu_idle)
 * A connection that ends first makes the device idle too: nobody may unmap
 * the memory that it uses.
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
#include "ring/vfu_internal.h"

#define MESSAGES_PER_WAKEUP 64

static libxl__vfu *vfu_of_conn(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__vfu, conn_ev);
}

static libxl__vfu *vfu_of_acceptor(libxl__acceptor *ac)
{
    return CONTAINER_OF(ac, libxl__vfu, acceptor);
}

int libxl__vfu_take_fd(libxl__vfu *vfu, unsigned i)
{
    int fd = vfu->fds[i];

    vfu->fds[i] = -1;
    return fd;
}

static libxl__acceptor_callback on_listen;
static void on_conn(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                    short revents);

static void finish_close(libxl__egc *egc, libxl__vfu *vfu)
{
    libxl__vfu_log_stop(vfu);
    libxl__vfu_irqs_reset(vfu);
    libxl__vfu_unmap_all(vfu);
    libxl__fds_drop(vfu->fds, &vfu->nr_fds);
    close(vfu->conn_fd);
    vfu->conn_fd = -1;
    vfu->in_got = 0;
    vfu->negotiated = vfu->closing = vfu->waiting = false;
    vfu->dev->ops->resume(egc, vfu->dev);
    if (libxl__acceptor_start(vfu->ctx, &vfu->acceptor, on_listen,
                              vfu->listen_fd, vfu->dev->ops->name))
        LOG(vfu->ctx, ERROR, "%s: the socket can no longer be watched: restart "
            "the device process", vfu->dev->ops->name);
}

static void begin_close(libxl__egc *egc, libxl__vfu *vfu, const char *reason)
{
    if (vfu->closing)
        return;
    vfu->closing = true;
    vfu->reason = reason;
    if (reason)
        LOG(vfu->ctx, ERROR, "%s: connection ended: the client sent %s",
            vfu->dev->ops->name, reason);
    libxl__ev_fd_deregister(vfu->ctx, &vfu->conn_ev);
    vfu->waiting = true;
    vfu->dev->ops->quieten(egc, vfu->dev);
}

/* NULL, or why the connection must end. */
static const char *send_all(libxl__vfu *vfu, const uint8_t *buf, size_t bytes)
{
    while (bytes) {
        ssize_t r = send(vfu->conn_fd, buf, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0 && errno == EAGAIN) {
            /* a large reply is taken as fast as the client reads; one that
             * does not read for seconds has given up */
            struct pollfd pfd = {vfu->conn_fd, POLLOUT, 0};

            if (poll(&pfd, 1, 5000) == 1)
                continue;
        }
        if (r <= 0)
            return "no sign of reading its replies";
        buf += r;
        bytes -= (size_t)r;
    }
    return NULL;
}

static void wait_for_idle(libxl__egc *egc, libxl__vfu *vfu)
{
    libxl__ev_fd_deregister(vfu->ctx, &vfu->conn_ev);
    vfu->waiting = true;
    vfu->dev->ops->quieten(egc, vfu->dev);
}

static void answer(libxl__egc *egc, libxl__vfu *vfu)
{
    vfu_handler *handler = libxl__vfu_handler(vfu->header.command);
    const char *wrong = NULL;
    uint32_t bytes = 0;
    int error = EINVAL;

    if (!handler)
        error = ENOTSUP;
    else if (!vfu->negotiated && vfu->header.command != VFU_VERSION)
        wrong = "a command before its version";
    else
        error = handler(egc, vfu, vfu->out + VFU_HEADER_BYTES, &bytes);
    if (error == EAGAIN) {
        /* a register that stops queues: again when nothing is under way */
        wait_for_idle(egc, vfu);
        return;
    }
    if (!wrong && !(vfu->header.flags & VFU_F_NO_REPLY)) {
        bytes = error ? 0 : bytes;
        libxl__vfu_encode_header(vfu->out, &vfu->header, bytes,
                                 (uint32_t)error);
        wrong = send_all(vfu, vfu->out, VFU_HEADER_BYTES + bytes);
    }
    libxl__fds_drop(vfu->fds, &vfu->nr_fds);
    vfu->in_got = 0;
    if (!wrong && libxl__vfu_memory_lost(vfu))
        wrong = "memory that it has truncated";
    if (wrong)
        begin_close(egc, vfu, wrong);
}

void libxl__vfu_move(libxl__egc *egc, libxl__vfu_device *dev,
                     enum devmig_state to, libxl__vfu_moved *done, void *user)
{
    libxl__vfu *vfu = dev->vfu;

    if (vfu->moved) {
        done(egc, user, -EBUSY);
        return;
    }
    vfu->move_to = to;
    vfu->moved = done;
    vfu->moved_user = user;
    dev->ops->quieten(egc, dev);
}

static void finish_move(libxl__egc *egc, libxl__vfu *vfu)
{
    libxl__vfu_moved *done = vfu->moved;
    int r = libxl__devmig_set_state(&vfu->dev->mig, vfu->move_to);

    vfu->moved = NULL;
    if (!vfu->waiting)
        vfu->dev->ops->resume(egc, vfu->dev);
    done(egc, vfu->moved_user, r);
}

void libxl__vfu_idle(libxl__egc *egc, libxl__vfu_device *dev)
{
    libxl__vfu *vfu = dev->vfu;

    if (vfu->moved)
        finish_move(egc, vfu);
    if (!vfu->waiting)
        return;
    vfu->waiting = false;
    if (vfu->closing) {
        finish_close(egc, vfu);
        return;
    }
    vfu->is_idle = true;
    answer(egc, vfu);
    vfu->is_idle = false;
    if (vfu->closing || vfu->conn_fd < 0)
        return;
    if (libxl__ev_fd_register(vfu->ctx, &vfu->conn_ev, on_conn, vfu->conn_fd,
                              POLLIN)) {
        begin_close(egc, vfu, "a connection that can no longer be watched");
        return;
    }
    dev->ops->resume(egc, dev);
}

/* A wrong command is answered with an error, like one that fails. */
static void refuse(libxl__egc *egc, libxl__vfu *vfu, const char *wrong)
{
    uint32_t error = vfu->msg.info ? EINVAL : ENOTSUP;

    LOG(vfu->ctx, DEBUG, "%s: refused %s", vfu->dev->ops->name, wrong);
    vfu->reason = wrong;
    libxl__fds_drop(vfu->fds, &vfu->nr_fds);
    vfu->in_got = 0;
    if (vfu->header.flags & VFU_F_NO_REPLY)
        return;
    libxl__vfu_encode_header(vfu->out, &vfu->header, 0, error);
    wrong = send_all(vfu, vfu->out, VFU_HEADER_BYTES);
    if (wrong)
        begin_close(egc, vfu, wrong);
}

/* A whole message lies in vfu->in. */
static void take_message(libxl__egc *egc, libxl__vfu *vfu)
{
    const char *wrong = libxl__vfu_decode(
        &vfu->header, vfu->in + VFU_HEADER_BYTES, vfu->nr_fds, &vfu->msg);

    if (wrong) {
        refuse(egc, vfu, wrong);
        return;
    }
    if (!vfu->msg.info->quiet) {
        answer(egc, vfu);
        return;
    }
    wait_for_idle(egc, vfu);
}

/* 1: a message is whole; 0: later; -1: over. */
static int receive_message(libxl__vfu *vfu, const char **wrong)
{
    struct fd_recv in = {vfu->conn_fd, vfu->in, &vfu->in_got,
                         vfu->fds,     &vfu->nr_fds, VFU_MAX_FDS};
    int r;

    if (vfu->in_got < VFU_HEADER_BYTES) {
        r = libxl__fd_recv(&in, VFU_HEADER_BYTES, wrong);
        if (r <= 0)
            return r;
        *wrong = libxl__vfu_decode_header(vfu->in, &vfu->header);
        if (*wrong)
            return -1;
    }
    if (vfu->header.bytes == vfu->in_got)
        return 1;
    return libxl__fd_recv(&in, vfu->header.bytes, wrong);
}

static void on_conn(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                    short revents)
{
    libxl__vfu *vfu = vfu_of_conn(ev);
    const char *wrong = NULL;

    for (unsigned i = 0; i < MESSAGES_PER_WAKEUP; i++) {
        int r = receive_message(vfu, &wrong);

        if (r < 0) {
            begin_close(egc, vfu, wrong);
            return;
        }
        if (!r)
            return;
        take_message(egc, vfu);
        if (vfu->closing || vfu->waiting || vfu->conn_fd < 0)
            return;
    }
}

static void on_listen(libxl__egc *egc, libxl__acceptor *ac, int fd)
{
    libxl__vfu *vfu = vfu_of_acceptor(ac);

    vfu->conn_fd = fd;
    if (libxl__ev_fd_register(vfu->ctx, &vfu->conn_ev, on_conn, vfu->conn_fd,
                              POLLIN)) {
        close(vfu->conn_fd);
        vfu->conn_fd = -1;
        return;
    }
    vfu->reason = NULL;
    libxl__acceptor_stop(&vfu->acceptor);
}

static void vfu_free(libxl__vfu *vfu)
{
    free(vfu->in);
    free(vfu->out);
    free(vfu);
}

libxl__vfu *libxl__vfu_start(libxl_ctx *ctx, libxl__vfu_device *dev,
                             struct libxl__ring_mem *mem, int listen_fd)
{
    libxl__vfu *vfu = calloc(1, sizeof(*vfu));

    if (vfu) {
        vfu->in = malloc(VFU_HEADER_BYTES + VFU_MAX_BODY);
        vfu->out = malloc(VFU_HEADER_BYTES + VFU_MAX_BODY);
    }
    if (!vfu || !vfu->in || !vfu->out) {
        LOG(ctx, ERROR, "%s: no memory for a vfio-user server", dev->ops->name);
        if (vfu)
            vfu_free(vfu);
        return NULL;
    }
    vfu->ctx = ctx;
    vfu->dev = dev;
    vfu->listen_fd = listen_fd;
    vfu->conn_fd = -1;
    libxl__acceptor_init(&vfu->acceptor);
    libxl__ev_fd_init(&vfu->conn_ev);
    for (unsigned i = 0; i < VFU_NR_IRQS; i++) {
        assert(dev->nr_irqs[i] <= VFU_MAX_VECTORS);
        for (unsigned v = 0; v < VFU_MAX_VECTORS; v++)
            vfu->irqs[i][v].fd = -1;
    }
    dev->mem = mem;
    dev->vfu = vfu;
    dev->mig.state = DEVMIG_RUNNING;
    if (libxl__acceptor_start(ctx, &vfu->acceptor, on_listen, listen_fd,
                              dev->ops->name)) {
        vfu_free(vfu);
        return NULL;
    }
    return vfu;
}

void libxl__vfu_stop(libxl__vfu *vfu)
{
    if (!vfu)
        return;
    libxl__ev_fd_deregister(vfu->ctx, &vfu->conn_ev);
    libxl__acceptor_stop(&vfu->acceptor);
    libxl__vfu_log_stop(vfu);
    libxl__vfu_irqs_reset(vfu);
    libxl__vfu_unmap_all(vfu);
    libxl__fds_drop(vfu->fds, &vfu->nr_fds);
    if (vfu->conn_fd >= 0)
        close(vfu->conn_fd);
    close(vfu->listen_fd);
    vfu_free(vfu);
}
