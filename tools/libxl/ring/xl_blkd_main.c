/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl-blkd - a virtio block device in a process of its own, over vhost-user or
 * vfio-user.
 *
 * options -> (wait for the frontend) -> image, lock, log, socket -> sandbox -> serve until a signal, or
 * until its one frontend is gone -> wait until the guest's requests are done
 * -> end
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "engine/ev_fd.h"
#include "ring/blk_dev.h"
#include "ring/blkd_image.h"
#include "ring/blkd_options.h"
#include "ring/blkd_sandbox.h"
#include "ring/devctl.h"
#include "ring/devproc.h"
#include "ring/vfu_virtio.h"
#include "ring/vhost_user.h"

/* Less than the toolstack's patience. */
#define SPEAKS_MS 15000

struct blkd {
    struct blkd_options o;
    libxl_logger logger;
    libxl_ctx *ctx;
    int image_fd;
    bool active; /* holds the image's lock */
    bool unheard; /* the frontend does not speak to it */
    libxl__blk_dev *blk;
    libxl__vhost_user *vu; /* or */
    libxl__vfu_virtio *vfu;
    struct devctl control;
    struct libxl__devproc_end end;
};

static void say(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                const char *text)
{
    if (level >= LIBXL_LOG_INFO)
        fprintf(stderr, "xl-blkd: %s\n", text);
}

/* ---- the image's lock ---- */

static const char *activate(struct blkd *d)
{
    const char *why =
        d->active ? NULL : blkd_image_lock(d->image_fd, d->o.read_only);

    if (d->unheard)
        return "QEMU gave it up, as it died while the guest was paused; save "
               "the guest and restore it";
    d->active = !why;
    return why;
}

/* Nobody gives up an image that its guest still writes. */
static const char *inactivate(struct blkd *d)
{
    const libxl__vdev *dev = libxl__blk_dev_vdev(d->blk);

    /* over vfio-user they are live while the device stands still */
    for (unsigned q = 0; d->vu && q < dev->nr_queues; q++)
        if (dev->queues[q].state == LIBXL__VQ_LIVE)
            return "its queues have not stopped";
    if (d->active)
        blkd_image_unlock(d->image_fd);
    d->active = false;
    return NULL;
}

static const char *set_active(void *user, bool active)
{
    return active ? activate(user) : inactivate(user);
}

static bool is_active(void *user)
{
    const struct blkd *d = user;

    return d->active;
}

/* ---- its end ---- */

static struct blkd *blkd_of_end(struct libxl__devproc_end *end)
{
    return CONTAINER_OF(end, struct blkd, end);
}

static void tell_end(libxl__egc *egc, libxl__vdev *dev)
{
    libxl__devproc_tell_main(egc);
}

static void ended(libxl__egc *egc, struct libxl__devproc_end *end)
{
    libxl__vdev *dev = libxl__blk_dev_vdev(blkd_of_end(end)->blk);

    dev->idle = tell_end;
    libxl__vdev_quieten(egc, dev);
}

static int watch_end(struct blkd *d)
{
    d->end.ctx = d->ctx;
    d->end.lifeline_fd = d->o.lifeline_fd;
    d->end.ended = ended;
    return libxl__devproc_watch_end(&d->end);
}

/* ---- its parts ---- */

/* A QEMU that connects again speaks first, and soon. One (7.2) whose device
 * process dies while its guest does not run never does. Its rings have stopped
 * then, and all requests are answered: its state can be saved. */
static void wait_for_frontend(struct blkd *d)
{
    struct pollfd pfd = {.fd = d->o.connected_fd, .events = POLLIN};

    d->unheard = d->o.again && poll(&pfd, 1, SPEAKS_MS) == 0;
}

static int open_image(struct blkd *d, struct libxl__blk_params *p)
{
    const char *why;

    d->image_fd = blkd_image_open(d->o.image, d->o.read_only, &p->bytes);
    if (d->image_fd < 0)
        return -1;
    p->fd = d->image_fd;
    why = d->o.inactive ? NULL : activate(d);
    if (why)
        fprintf(stderr, "xl-blkd: cannot use image %s: %s\n", d->o.image, why);
    return why ? -1 : 0;
}

static int map_log(struct blkd *d)
{
    return libxl__devproc_map_log("xl-blkd", &libxl__blk_dev_vdev(d->blk)->mem,
                                  d->o.log_fd);
}

static int start_transport(struct blkd *d)
{
    libxl__vdev *dev = libxl__blk_dev_vdev(d->blk);
    int fd = d->o.socket_fd;

    if (d->o.connected_fd >= 0) {
        d->vu = libxl__vhost_user_start_connected(d->ctx, dev,
                                                  d->o.connected_fd, tell_end);
        return d->vu ? 0 : -1;
    }
    if (d->o.socket_path)
        fd = libxl__devproc_listen("xl-blkd", d->o.socket_path);
    if (fd < 0)
        return -1;
    if (d->o.vfio_user)
        d->vfu = libxl__vfu_virtio_start(d->ctx, dev, fd);
    else
        d->vu = libxl__vhost_user_start(d->ctx, dev, fd);
    return d->vu || d->vfu ? 0 : -1;
}

static int start_control(struct blkd *d)
{
    if (d->o.control_fd < 0)
        return 0;
    d->control.ctx = d->ctx;
    d->control.user = d;
    d->control.set_active = set_active;
    d->control.is_active = is_active;
    if (d->vfu)
        d->control.pci = libxl__vfu_virtio_pci(d->vfu);
    return devctl_start(&d->control, d->o.control_fd);
}

static int serve(struct blkd *d)
{
    libxl_event *event;
    int r = d->o.no_sandbox ? 0 : blkd_sandbox_enter();

    if (r) {
        fprintf(stderr, "xl-blkd: no sandbox: %s (--no-sandbox goes without)\n",
                strerror(-r));
        return 1;
    }
    if (d->o.connected_fd < 0)
        fprintf(stderr, "xl-blkd: serving %s%s, %u queue%s, %s\n",
                d->o.image, d->o.read_only ? " read-only" : "", d->o.queues,
                d->o.queues > 1 ? "s" : "", libxl__blk_dev_io_name(d->blk));
    if (libxl_event_wait(d->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL))
        return 1;
    libxl_event_free(d->ctx, event);
    libxl__devproc_unwatch(&d->end);
    if (d->o.control_fd >= 0)
        devctl_stop(&d->control);
    libxl__vhost_user_stop(d->vu);
    libxl__vfu_virtio_stop(d->vfu);
    libxl__blk_dev_free(d->blk);
    return libxl_ctx_free(d->ctx) ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct blkd d = {.logger = {.message = say}};
    struct libxl__blk_params p = {0};
    int status;

    if (blkd_options_parse(argc, argv, &d.o, &status))
        return status;
    wait_for_frontend(&d);
    if (open_image(&d, &p))
        return 1;
    p.read_only = d.o.read_only;
    p.nr_queues = d.o.queues;
    p.no_uring = d.o.no_uring;
    memcpy(p.id, d.o.serial, strlen(d.o.serial));

    if (libxl_ctx_alloc(&d.ctx, LIBXL_VERSION, 0, &d.logger))
        return 1;
    d.blk = libxl__blk_dev_new(d.ctx, &p);
    if (!d.blk || map_log(&d) || start_transport(&d) || start_control(&d) ||
        watch_end(&d))
        return 1;
    status = serve(&d);
    if (d.o.socket_path)
        unlink(d.o.socket_path);
    return status;
}
