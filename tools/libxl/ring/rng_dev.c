/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/rng_dev.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/log.h"

#define VIRTIO_ID_ENTROPY 4u

struct libxl__rng_dev {
    libxl__vdev dev;
    struct libxl__vq_elem elem;
};

/* Bytes written to the request's pieces, in order. */
static uint32_t fill(const struct libxl__vq_elem *elem)
{
    const struct iovec *in = libxl__vq_in(elem);
    uint32_t done = 0;

    for (unsigned i = 0; i < elem->nr_in; i++) {
        size_t want = in[i].iov_len;
        ssize_t r;

        if (want > LIBXL__RNG_REQUEST_MAX - done)
            want = LIBXL__RNG_REQUEST_MAX - done;
        do
            r = getrandom(in[i].iov_base, want, 0);
        while (r < 0 && errno == EINTR);
        if (r > 0)
            done += (uint32_t)r;
        if (r < (ssize_t)in[i].iov_len)
            break;
    }
    return done;
}

static void handle_output(libxl__egc *egc, libxl__vdev *dev, unsigned q)
{
    libxl__rng_dev *rng = dev->user;

    while (libxl__vdev_pop(dev, q, &rng->elem)) {
        if (rng->elem.nr_out)
            libxl__vdev_break(dev, q, "an entropy request to read from");
        libxl__vdev_push(dev, q, &rng->elem, fill(&rng->elem));
    }
    libxl__vdev_pushed(egc, dev, q);
}

static void get_config(libxl__vdev *dev, uint8_t *config)
{
    /* it has none */
}

static bool set_config(libxl__vdev *dev, uint32_t offset, const uint8_t *data,
                       uint32_t bytes)
{
    return false;
}

static void reset(libxl__vdev *dev)
{
}

static const struct libxl__vdev_ops rng_ops = {
    .name = "entropy device",
    .virtio_id = VIRTIO_ID_ENTROPY,
    .get_config = get_config,
    .set_config = set_config,
    .handle_output = handle_output,
    .reset = reset,
};

libxl__rng_dev *libxl__rng_dev_new(libxl_ctx *ctx)
{
    libxl__rng_dev *rng = calloc(1, sizeof(*rng));

    if (!rng) {
        LOG(ctx, ERROR, "no memory for an entropy device");
        return NULL;
    }
    rng->dev.ops = &rng_ops;
    rng->dev.user = rng;
    rng->dev.nr_queues = 1;
    libxl__vdev_init(&rng->dev);
    return rng;
}

libxl__vdev *libxl__rng_dev_vdev(libxl__rng_dev *rng)
{
    return &rng->dev;
}

void libxl__rng_dev_free(libxl__rng_dev *rng)
{
    free(rng);
}
