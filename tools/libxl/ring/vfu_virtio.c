/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfu_virtio.c - glue: vfio-user in front, the legacy register file behind it,
 * the vdev behind that.
 */
#include "ring/vfu_virtio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ring/vfu_wire.h"
#include "ring/vpci_legacy.h"

#define VENDOR_VIRTIO 0x1af4u
#define DEVICE_LEGACY_BASE 0x1000u /* transitional ids start here */
#define CLASS_STORAGE_SCSI 0x010000u
#define CLASS_OTHER 0xff0000u
#define VIRTIO_ID_BLOCK 2u

#define STATE_BYTES (PCI_CONFIG_BYTES + VPCI_STATE_BYTES)

struct libxl__vfu_virtio {
    libxl_ctx *ctx;
    libxl__vdev *vdev;
    struct libxl__vpci vpci;
    libxl__vfu_device pci;
    libxl__vfu *vfu;
    uint8_t state[STATE_BYTES]; /* being saved or loaded */
    uint64_t loaded;
    bool prepared, stopped;
};

libxl__vfu_device *libxl__vfu_virtio_pci(libxl__vfu_virtio *vv)
{
    return &vv->pci;
}

static libxl__vfu_virtio *of_pci(libxl__vfu_device *dev)
{
    return dev->user;
}

static int bar_read(libxl__egc *egc, libxl__vfu_device *dev, unsigned bar,
                    uint64_t offset, void *buf, uint32_t bytes)
{
    return libxl__vpci_read(&of_pci(dev)->vpci, offset, buf, bytes);
}

static int bar_write(libxl__egc *egc, libxl__vfu_device *dev, unsigned bar,
                     uint64_t offset, const void *buf, uint32_t bytes)
{
    return libxl__vpci_write(egc, &of_pci(dev)->vpci, offset, buf, bytes);
}

static void reset(libxl__egc *egc, libxl__vfu_device *dev)
{
    libxl__vpci_reset(&of_pci(dev)->vpci);
}

static void quieten(libxl__egc *egc, libxl__vfu_device *dev)
{
    libxl__vdev_quieten(egc, of_pci(dev)->vdev);
}

/* A stopped device stays quiet until its migration lets it run. An interrupt
 * that the driver has not seen may have been raised in another host's QEMU. */
static void resume(libxl__egc *egc, libxl__vfu_device *dev)
{
    libxl__vfu_virtio *vv = of_pci(dev);

    if (dev->mig.state != DEVMIG_RUNNING && dev->mig.state != DEVMIG_PRE_COPY)
        return;
    if (vv->stopped && vv->vpci.isr)
        libxl__vfu_trigger(dev, VFU_IRQ_INTX, 0);
    vv->stopped = false;
    libxl__vdev_resume(egc, vv->vdev);
}

static const struct libxl__vfu_device_ops pci_ops = {
    .name = "legacy virtio device",
    .read = bar_read,
    .write = bar_write,
    .reset = reset,
    .quieten = quieten,
    .resume = resume,
};

/* ---- the vdev's transport ---- */

static void raise_irq(struct libxl__vpci *vpci, uint16_t vector)
{
    libxl__vfu_virtio *vv = vpci->dev->transport;

    libxl__vfu_trigger(&vv->pci, VFU_IRQ_INTX, 0);
}

static void vdev_interrupt(libxl__vdev *vdev, unsigned q)
{
    libxl__vfu_virtio *vv = vdev->transport;

    libxl__vpci_interrupt(&vv->vpci, q);
}

static void vdev_broken(libxl__vdev *vdev, unsigned q, const char *reason)
{
    libxl__vfu_virtio *vv = vdev->transport;

    LOG(vv->ctx, ERROR, "%s: queue %u is broken: the driver offered %s",
        vdev->ops->name, q, reason);
}

static void vdev_idle(libxl__egc *egc, libxl__vdev *vdev)
{
    libxl__vfu_virtio *vv = vdev->transport;

    libxl__vfu_idle(egc, &vv->pci);
}

/* ---- migration: the state is small, and one piece ---- */

static int load_state(libxl__vfu_virtio *vv)
{
    const char *why = "device state that is not whole";
    int r = -EPROTO;

    if (vv->loaded == STATE_BYTES)
        r = libxl__vpci_load(&vv->vpci, vv->state + PCI_CONFIG_BYTES, &why);
    if (r) {
        LOG(vv->ctx, ERROR, "%s: cannot load %s", vv->vdev->ops->name, why);
        return r;
    }
    /* identity and BAR sizes are this device's own; what a driver may write
     * is the state's */
    return libxl__pci_config_write(&vv->pci.config, 0, vv->state,
                                   PCI_CONFIG_BYTES);
}

static int transition(void *dev, enum devmig_state from, enum devmig_state to)
{
    libxl__vfu_virtio *vv = dev;

    if (to == DEVMIG_STOP_COPY || to == DEVMIG_PRE_COPY)
        vv->prepared = false;
    if (to == DEVMIG_STOP || to == DEVMIG_STOP_COPY)
        vv->stopped = true;
    if (to == DEVMIG_RESUMING)
        vv->loaded = 0;
    if (from == DEVMIG_RESUMING)
        return load_state(vv);
    return 0;
}

static uint64_t get_pending_bytes(void *dev)
{
    libxl__vfu_virtio *vv = dev;

    return vv->prepared ? 0 : STATE_BYTES;
}

/* Nothing before the device has stopped: all of it may still change. */
static ssize_t prepare_data(void *dev)
{
    libxl__vfu_virtio *vv = dev;

    if (vv->prepared || vv->pci.mig.state != DEVMIG_STOP_COPY)
        return 0;
    memcpy(vv->state, vv->pci.config.bytes, PCI_CONFIG_BYTES);
    libxl__vpci_save(&vv->vpci, vv->state + PCI_CONFIG_BYTES);
    vv->prepared = true;
    return STATE_BYTES;
}

static ssize_t read_data(void *dev, void *buf, uint64_t bytes, uint64_t offset)
{
    libxl__vfu_virtio *vv = dev;

    if (offset > STATE_BYTES || bytes > STATE_BYTES - offset)
        return -EINVAL;
    memcpy(buf, vv->state + offset, bytes);
    return (ssize_t)bytes;
}

static ssize_t write_data(void *dev, const void *buf, uint64_t bytes,
                          uint64_t offset)
{
    libxl__vfu_virtio *vv = dev;

    if (offset > STATE_BYTES - vv->loaded ||
        bytes > STATE_BYTES - vv->loaded - offset)
        return -EPROTO;
    memcpy(vv->state + vv->loaded + offset, buf, bytes);
    return (ssize_t)bytes;
}

static int data_written(void *dev, uint64_t bytes)
{
    libxl__vfu_virtio *vv = dev;

    vv->loaded += bytes;
    return 0;
}

static const struct devmig_ops mig_ops = {
    .transition = transition,
    .get_pending_bytes = get_pending_bytes,
    .prepare_data = prepare_data,
    .read_data = read_data,
    .write_data = write_data,
    .data_written = data_written,
};

static void set_identity(libxl__vfu_virtio *vv)
{
    uint16_t id = vv->vdev->ops->virtio_id;
    /* transitional ids: network 0, block 1, balloon 2, ... */
    struct pci_identity pci = {
        .vendor = VENDOR_VIRTIO,
        .device = (uint16_t)(DEVICE_LEGACY_BASE + id - 1),
        .subsystem_vendor = VENDOR_VIRTIO,
        .subsystem = id,
        .revision = 0,
        .class_code = id == VIRTIO_ID_BLOCK ? CLASS_STORAGE_SCSI : CLASS_OTHER,
        .intx = true,
    };

    libxl__pci_config_init(&vv->pci.config, &pci);
    libxl__pci_config_bar(&vv->pci.config, 0, VPCI_BAR_BYTES, true);
    vv->pci.bar_bytes[0] = VPCI_BAR_BYTES;
    vv->pci.nr_irqs[VFU_IRQ_INTX] = 1;
}

libxl__vfu_virtio *libxl__vfu_virtio_start(libxl_ctx *ctx, libxl__vdev *vdev,
                                           int listen_fd)
{
    libxl__vfu_virtio *vv = calloc(1, sizeof(*vv));

    if (!vv) {
        LOG(ctx, ERROR, "%s: no memory", vdev->ops->name);
        return NULL;
    }
    vv->ctx = ctx;
    vv->vdev = vdev;
    vdev->transport = vv;
    vdev->interrupt = vdev_interrupt;
    vdev->broken = vdev_broken;
    vdev->idle = vdev_idle;
    libxl__vpci_init(&vv->vpci, vdev);
    vv->vpci.raise = raise_irq;
    vv->pci.ops = &pci_ops;
    vv->pci.user = vv;
    vv->pci.mig = (struct devmig){.ops = &mig_ops, .dev = vv};
    set_identity(vv);
    vv->vfu = libxl__vfu_start(ctx, &vv->pci, &vdev->mem, listen_fd);
    if (!vv->vfu) {
        free(vv);
        return NULL;
    }
    return vv;
}

void libxl__vfu_virtio_stop(libxl__vfu_virtio *vv)
{
    if (!vv)
        return;
    libxl__vfu_stop(vv->vfu);
    free(vv);
}
