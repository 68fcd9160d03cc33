/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl-blkd - a virtio block device in a process of its own, over vhost-user or
 * vfio-user.
 *
 * options -> image, socket -> sandbox -> serve until a signal -> wait until
 * the guest's requests are done -> end
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/container.h"
#include "engine/ev_fd.h"
#include "ring/blk_dev.h"
#include "ring/blkd_image.h"
#include "ring/blkd_options.h"
#include "ring/blkd_sandbox.h"
#include "ring/vfu_virtio.h"
#include "ring/vhost_user.h"

struct blkd {
    libxl_logger logger;
    libxl_ctx *ctx;
    libxl__blk_dev *blk;
    libxl__vhost_user *vu; /* or */
    libxl__vfu_virtio *vfu;
    libxl__ev_fd signal_ev;
};

static void say(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                const char *text)
{
    if (level >= LIBXL_LOG_INFO)
        fprintf(stderr, "xl-blkd: %s\n", text);
}

static int listen_on(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(sa.sun_path)) {
        fprintf(stderr, "xl-blkd: socket path %s is longer than %zu bytes: "
                "use --socket-fd\n", path, sizeof(sa.sun_path) - 1);
        return -1;
    }
    strncpy(sa.sun_path, path, sizeof(sa.sun_path) - 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
        listen(fd, 4)) {
        fprintf(stderr, "xl-blkd: cannot listen on %s: %s\n", path,
                strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static int watch_signals(struct blkd *d, libxl__ev_fd_callback *on_signal)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return -1;
    return libxl__ev_fd_register(d->ctx, &d->signal_ev, on_signal, fd, POLLIN);
}

static struct blkd *blkd_of_signal(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct blkd, signal_ev);
}

/* The end of the process: an event that main waits for. */
static void tell_end(libxl__egc *egc)
{
    libxl_event *event =
        libxl__event_new(LIBXL_EVENT_TYPE_DOMAIN_DEATH, INVALID_DOMID, 0);

    if (!event)
        _exit(0);
    libxl__event_occurred(egc, event);
}

static void on_idle(libxl__egc *egc, libxl__vdev *dev)
{
    tell_end(egc);
}

static void on_signal(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                      short revents)
{
    struct blkd *d = blkd_of_signal(ev);
    libxl__vdev *dev = libxl__blk_dev_vdev(d->blk);

    libxl__ev_fd_deregister(d->ctx, ev);
    dev->idle = on_idle;
    libxl__vdev_quieten(egc, dev);
}

static int serve(struct blkd *d, const struct blkd_options *o)
{
    libxl_event *event;
    int r = o->no_sandbox ? 0 : blkd_sandbox_enter();

    if (r) {
        fprintf(stderr, "xl-blkd: no sandbox: %s (--no-sandbox goes without)\n",
                strerror(-r));
        return 1;
    }
    fprintf(stderr, "xl-blkd: serving %s%s, %u queue%s, %s\n", o->image,
            o->read_only ? " read-only" : "", o->queues,
            o->queues > 1 ? "s" : "", libxl__blk_dev_io_name(d->blk));
    if (libxl_event_wait(d->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL))
        return 1;
    libxl_event_free(d->ctx, event);
    libxl__vhost_user_stop(d->vu);
    libxl__vfu_virtio_stop(d->vfu);
    libxl__blk_dev_free(d->blk);
    return libxl_ctx_free(d->ctx) ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct blkd d = {.logger = {.message = say}};
    struct libxl__blk_params p = {0};
    struct blkd_options o;
    int listen_fd, status;

    if (blkd_options_parse(argc, argv, &o, &status))
        return status;
    p.fd = blkd_image_open(o.image, o.read_only, &p.bytes);
    if (p.fd < 0)
        return 1;
    listen_fd = o.socket_path ? listen_on(o.socket_path) : o.socket_fd;
    if (listen_fd < 0)
        return 1;
    p.read_only = o.read_only;
    p.nr_queues = o.queues;
    p.no_uring = o.no_uring;
    strncpy(p.id, o.serial, sizeof(p.id) - 1);

    if (libxl_ctx_alloc(&d.ctx, LIBXL_VERSION, 0, &d.logger))
        return 1;
    libxl__ev_fd_init(&d.signal_ev);
    d.blk = libxl__blk_dev_new(d.ctx, &p);
    if (!d.blk)
        return 1;
    if (o.vfio_user)
        d.vfu = libxl__vfu_virtio_start(d.ctx, libxl__blk_dev_vdev(d.blk),
                                        listen_fd);
    else
        d.vu = libxl__vhost_user_start(d.ctx, libxl__blk_dev_vdev(d.blk),
                                       listen_fd);
    if ((!d.vu && !d.vfu) || watch_signals(&d, on_signal))
        return 1;
    status = serve(&d, &o);
    if (o.socket_path)
        unlink(o.socket_path);
    return status;
}
