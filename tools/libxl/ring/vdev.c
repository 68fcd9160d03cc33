/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/vdev.h"

#include <assert.h>

void libxl__vdev_init(libxl__vdev *dev)
{
    assert(dev->nr_queues && dev->nr_queues <= LIBXL__VDEV_MAX_QUEUES);
    libxl__ring_mem_init(&dev->mem);
    dev->features = 0;
    dev->track = NULL;
    dev->mig.state = DEVMIG_RUNNING;
    dev->quiet = false;
    for (unsigned q = 0; q < LIBXL__VDEV_MAX_QUEUES; q++) {
        libxl__vq_init(&dev->queues[q], &dev->mem);
        dev->enabled[q] = dev->told_broken[q] = false;
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

/* Any look at a ring may find it broken: told once. */
static void tell_if_broken(libxl__vdev *dev, unsigned q)
{
    const struct libxl__vq *vq = &dev->queues[q];
    bool is_broken = vq->state == LIBXL__VQ_BROKEN;

    if (is_broken && !dev->told_broken[q])
        dev->broken(dev, q, vq->broken);
    dev->told_broken[q] = is_broken;
}

bool libxl__vdev_pop(libxl__vdev *dev, unsigned q, struct libxl__vq_elem *elem)
{
    struct libxl__vq *vq = &dev->queues[q];
    uint16_t head;

    if (dev->quiet || !dev->enabled[q] || vq->state != LIBXL__VQ_LIVE)
        return false;
    if (dev->track && dev->track->again(dev, q, &head))
        return libxl__vq_pop_again(vq, head, elem) > 0;
    if (libxl__vq_pop(vq, elem) <= 0)
        return false;
    if (dev->track)
        dev->track->popped(dev, q, elem->head);
    return true;
}

void libxl__vdev_push(libxl__vdev *dev, unsigned q,
                      const struct libxl__vq_elem *elem, uint32_t written)
{
    const struct libxl__vdev_track *track = dev->track;

    if (track)
        track->pushing(dev, q, elem->head);
    if (libxl__vq_push(&dev->queues[q], elem, written) && track)
        track->pushed(dev, q, elem->head);
}

void libxl__vdev_break(libxl__vdev *dev, unsigned q, const char *reason)
{
    libxl__vq_break(&dev->queues[q], reason);
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
    tell_if_broken(dev, q);
    tell_if_idle(egc, dev);
}

void libxl__vdev_quieten(libxl__egc *egc, libxl__vdev *dev)
{
    dev->quiet = true;
    tell_if_idle(egc, dev);
}

void libxl__vdev_kick(libxl__egc *egc, libxl__vdev *dev, unsigned q)
{
    if (dev->quiet || !dev->enabled[q])
        return;
    dev->ops->handle_output(egc, dev, q);
    tell_if_broken(dev, q);
}

void libxl__vdev_resume(libxl__egc *egc, libxl__vdev *dev)
{
    dev->quiet = false;
    /* kicks that came meanwhile were not looked at */
    for (unsigned q = 0; q < dev->nr_queues; q++)
        if (dev->queues[q].state == LIBXL__VQ_LIVE &&
            libxl__vq_mapped(&dev->queues[q]))
            libxl__vdev_kick(egc, dev, q);
}

void libxl__vdev_reset(libxl__vdev *dev)
{
    assert(!libxl__vdev_held(dev));
    for (unsigned q = 0; q < dev->nr_queues; q++) {
        libxl__vq_stop(&dev->queues[q]);
        dev->enabled[q] = dev->told_broken[q] = false;
    }
    dev->features = 0;
    dev->ops->reset(dev);
    dev->mig.state = DEVMIG_RUNNING;
    dev->mig.piece_bytes = dev->mig.piece_done = 0;
}
