/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring/holding_backend.h"

#include <endian.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/ev_fd.h"
#include "ring/blk_req.h"
#include "ring/vhost_user.h"

#define MAX_HELD 16

struct holder {
    libxl__vdev dev;
    libxl__ev_fd release_ev;
    struct libxl__vq_elem *held[MAX_HELD];
    unsigned nr_held;
};

static void nothing(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
}

static void answer(libxl__vdev *dev, struct libxl__vq_elem *elem)
{
    const struct iovec *last = libxl__vq_in(elem) + elem->nr_in - 1;

    *(uint8_t *)last->iov_base = BLK_S_OK;
    libxl__vdev_push(dev, 0, elem, 1);
    free(elem);
}

static void handle_output(libxl__egc *egc, libxl__vdev *dev, unsigned q)
{
    struct holder *h = dev->user;
    struct libxl__vq_elem *elem = malloc(sizeof(*elem));
    uint32_t type;

    while (elem && h->nr_held < MAX_HELD && libxl__vdev_pop(dev, q, elem)) {
        memcpy(&type, elem->iov[0].iov_base, sizeof(type));
        if (le32toh(type) == BLK_T_FLUSH)
            answer(dev, elem);
        else
            h->held[h->nr_held++] = elem;
        elem = malloc(sizeof(*elem));
    }
    free(elem);
}

static void on_release(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                       short revents)
{
    struct holder *h =
        (struct holder *)((char *)ev - offsetof(struct holder, release_ev));
    char byte;

    if (read(fd, &byte, 1) != 1)
        return;
    for (unsigned i = 0; i < h->nr_held; i++)
        answer(&h->dev, h->held[i]);
    h->nr_held = 0;
    libxl__vdev_pushed(egc, &h->dev, 0);
}

static void get_config(libxl__vdev *dev, uint8_t *config)
{
}

static bool set_config(libxl__vdev *dev, uint32_t offset, const uint8_t *data,
                       uint32_t bytes)
{
    return false;
}

static void reset(libxl__vdev *dev)
{
}

static const struct libxl__vdev_ops ops = {
    .name = "holding device",
    .virtio_id = 2,
    .get_config = get_config,
    .set_config = set_config,
    .handle_output = handle_output,
    .reset = reset,
};

static void serve(int listen_fd, int release_fd)
{
    static struct holder h;
    libxl_logger logger = {.message = nothing};
    libxl_event *event;
    libxl_ctx *ctx;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &logger))
        _exit(1);
    h.dev.ops = &ops;
    h.dev.user = &h;
    h.dev.nr_queues = 2;
    libxl__vdev_init(&h.dev);
    libxl__ev_fd_init(&h.release_ev);
    if (!libxl__vhost_user_start(ctx, &h.dev, listen_fd) ||
        libxl__ev_fd_register(ctx, &h.release_ev, on_release, release_fd,
                              POLLIN))
        _exit(1);
    libxl_event_wait(ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL);
    _exit(1);
}

void holding_backend_start(struct holding_backend *h)
{
    int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int release[2];

    /* an abstract address that the kernel chooses */
    h->addr.sun_family = AF_UNIX;
    h->addr_bytes = sizeof(h->addr);
    assert_int_equal(bind(listen_fd, (struct sockaddr *)&h->addr,
                          sizeof(sa_family_t)), 0);
    getsockname(listen_fd, (struct sockaddr *)&h->addr, &h->addr_bytes);
    assert_int_equal(listen(listen_fd, 4), 0);
    assert_int_equal(pipe(release), 0);
    h->pid = fork();
    assert_true(h->pid >= 0);
    if (!h->pid)
        serve(listen_fd, release[0]);
    close(listen_fd);
    close(release[0]);
    h->release_fd = release[1];
}

void holding_backend_connect(const struct holding_backend *h, int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*fd, (const struct sockaddr *)&h->addr,
                             h->addr_bytes), 0);
}

void holding_backend_kill(struct holding_backend *h)
{
    if (h->pid <= 0)
        return;
    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
    close(h->release_fd);
    h->pid = 0;
}
