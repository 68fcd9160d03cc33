/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/vdev.h"

#include <assert.h>

void libxl__vdev_init(libxl__vdev *dev)
{
    assert(dev->nr_queues && dev->nr_queues <= LIBXL__VDEV_MAX_QUEUES);
    libxl__ring_mem_init(&dev->mem);
    dev->features = 0;
    dev->quiet = false;
    for (unsigned q = 0; q < LIBXL__VDEV_MAX_QUEUES; q++) {
        libxl__vq_init(&dev->queues[q], &dev->mem);
        dev->enabled[q] = false;
    }
}

uint64_t libxl__vdev_offered(const libxl__vdev *dev)
{
    return (dev->ops->features & ~dev->features_off) | VIRTIO_F_MODERN |
           VIRTIO_F_ANY_LAYOUT | VIRTIO_F_RING_INDIRECT |
           VIRTIO_F_RING_EVENT_IDX;
}

unsigned libxl__vdev_ring_flags(const libxl__vdev *dev)
{
    return (dev->features & VIRTIO_F_RING_INDIRECT ? LIBXL__VQ_F_INDIRECT : 0) |
           (dev->features & VIRTIO_F_RING_EVENT_IDX ? LIBXL__VQ_F_EVENT_IDX
                                                    : 0);
}

bool libxl__vdev_pop(libxl__vdev *dev, unsigned q, struct libxl__vq_elem *elem)
{
    struct libxl__vq *vq = &dev->queues[q];
    int r;

    if (dev->quiet || !dev->enabled[q])
        return false;
    r = libxl__vq_pop(vq, elem);
    if (r < 0)
        dev->broken(dev, q, vq->broken);
    return r > 0;
}

void libxl__vdev_push(libxl__vdev *dev, unsigned q,
                      const struct libxl__vq_elem *elem, uint32_t written)
{
    struct libxl__vq *vq = &dev->queues[q];
    bool live = vq->state == LIBXL__VQ_LIVE;

    libxl__vq_push(vq, elem, written);
    if (live && vq->state == LIBXL__VQ_BROKEN)
        dev->broken(dev, q, vq->broken);
}

void libxl__vdev_break(libxl__vdev *dev, unsigned q, const char *reason)
{
    libxl__vq_break(&dev->queues[q], reason);
    dev->broken(dev, q, reason);
}

unsigned libxl__vdev_held(const libxl__vdev *dev)
{
    unsigned held = 0;

    for (unsigned q = 0; q < dev->nr_queues; q++)
        held += dev->queues[q].nr_held;
    return held;
}

static void tell_if_idle(libxl__egc *egc, libxl__vdev *dev)
{
    if (dev->quiet && !libxl__vdev_held(dev))
        dev->idle(egc, dev);
}

void libxl__vdev_pushed(libxl__egc *egc, libxl__vdev *dev, unsigned q)
{
    if (libxl__vq_should_notify(&dev->queues[q]))
        dev->interrupt(dev, q);
    tell_if_idle(egc, dev);
}

void libxl__vdev_quieten(libxl__egc *egc, libxl__vdev *dev)
{
    dev->quiet = true;
    tell_if_idle(egc, dev);
}

void libxl__vdev_kick(libxl__egc *egc, libxl__vdev *dev, unsigned q)
{
    if (!dev->quiet && dev->enabled[q])
        dev->ops->handle_output(egc, dev, q);
}

void libxl__vdev_resume(libxl__egc *egc, libxl__vdev *dev)
{
    dev->quiet = false;
    /* kicks that came meanwhile were not looked at */
    for (unsigned q = 0; q < dev->nr_queues; q++)
        libxl__vdev_kick(egc, dev, q);
}

void libxl__vdev_reset(libxl__vdev *dev)
{
    assert(!libxl__vdev_held(dev));
    for (unsigned q = 0; q < dev->nr_queues; q++) {
        libxl__vq_stop(&dev->queues[q]);
        dev->enabled[q] = false;
    }
    dev->features = 0;
    dev->ops->reset(dev);
}
