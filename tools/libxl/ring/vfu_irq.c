/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfu_irq.c - interrupts, by eventfds of the client. */
#include <errno.h>
#include <unistd.h>

#include "ring/vfu_internal.h"

static void raise_irq(struct vfu_irq *irq)
{
    uint64_t one = 1;

    irq->pending = irq->masked;
    /* a counter that is full has been seen by nobody yet: it will be */
    if (!irq->masked && irq->fd >= 0 && write(irq->fd, &one, sizeof(one)) < 0)
        return;
}

void libxl__vfu_trigger(libxl__vfu_device *dev, unsigned index, unsigned vector)
{
    if (index < VFU_NR_IRQS && vector < dev->nr_irqs[index])
        raise_irq(&dev->vfu->irqs[index][vector]);
}

static void set_fd(struct vfu_irq *irq, int fd)
{
    if (irq->fd >= 0)
        close(irq->fd);
    irq->fd = fd;
}

static void apply(libxl__vfu *vfu, const struct vfu_irq_set *set, uint32_t i,
                  struct vfu_irq *irq)
{
    uint32_t data = set->flags & VFU_IRQ_SET_DATA;

    if (data == VFU_IRQ_SET_EVENTFD) {
        set_fd(irq, i < vfu->nr_fds ? libxl__vfu_take_fd(vfu, i) : -1);
        return;
    }
    if (data == VFU_IRQ_SET_BOOL && !set->bools[i])
        return;
    switch (set->flags & VFU_IRQ_SET_ACTION) {
    case VFU_IRQ_SET_MASK:
        irq->masked = true;
        break;
    case VFU_IRQ_SET_UNMASK:
        irq->masked = false;
        if (irq->pending)
            raise_irq(irq);
        break;
    default:
        raise_irq(irq);
    }
}

int libxl__vfu_set_irqs(libxl__vfu *vfu, const struct vfu_irq_set *set)
{
    uint32_t have, data = set->flags & VFU_IRQ_SET_DATA;
    uint32_t action = set->flags & VFU_IRQ_SET_ACTION;

    if (set->index >= VFU_NR_IRQS)
        return EINVAL;
    have = vfu->dev->nr_irqs[set->index];
    if (set->start > have || set->count > have - set->start)
        return EINVAL;
    /* eventfds that tell us to mask or unmask: no client here sends them */
    if (data == VFU_IRQ_SET_EVENTFD && action != VFU_IRQ_SET_TRIGGER)
        return ENOTSUP;
    if (data == VFU_IRQ_SET_NONE && action == VFU_IRQ_SET_TRIGGER &&
        !set->count) {
        for (uint32_t i = 0; i < have; i++)
            set_fd(&vfu->irqs[set->index][i], -1);
        return 0;
    }
    for (uint32_t i = 0; i < set->count; i++)
        apply(vfu, set, i, &vfu->irqs[set->index][set->start + i]);
    return 0;
}

void libxl__vfu_irqs_reset(libxl__vfu *vfu)
{
    for (unsigned i = 0; i < VFU_NR_IRQS; i++)
        for (unsigned v = 0; v < VFU_MAX_VECTORS; v++) {
            set_fd(&vfu->irqs[i][v], -1);
            vfu->irqs[i][v] = (struct vfu_irq){.fd = -1};
        }
}
