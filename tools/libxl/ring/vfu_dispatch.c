/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfu_dispatch.c - what each vfio-user command does: one function a command,
 * in a const table. Each returns 0 with its reply, or an errno for an error
 * reply; the connection stays in either case.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ring/vfu_internal.h"

static int do_version(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                      uint32_t *bytes)
{
    static const char json[] =
        "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,"
        "\"migration\":{\"pgsize\":4096}}}";

    if (vfu->negotiated || vfu->msg.u.version.major != 0)
        return EINVAL;
    vfu->negotiated = true;
    libxl__vfu_put16(body, 0);
    libxl__vfu_put16(body + 2, 0);
    memcpy(body + 4, json, sizeof(json));
    *bytes = 4 + sizeof(json);
    return 0;
}

static int do_dma_map(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                      uint32_t *bytes)
{
    return libxl__vfu_map(vfu, &vfu->msg.u.dma, vfu->nr_fds ? vfu->fds[0] : -1);
}

static int do_dma_unmap(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                        uint32_t *bytes)
{
    const struct vfu_dma *d = &vfu->msg.u.dma;
    int r = libxl__vfu_unmap(vfu, d);

    libxl__vfu_put32(body, d->argsz);
    libxl__vfu_put32(body + 4, d->flags);
    libxl__vfu_put64(body + 8, d->addr);
    libxl__vfu_put64(body + 16, d->bytes);
    *bytes = 24;
    return r;
}

static uint32_t nr_regions(const libxl__vfu *vfu)
{
    return VFU_NR_REGIONS + vfu->dev->v1;
}

static int do_get_info(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                       uint32_t *bytes)
{
    libxl__vfu_put32(body, 16);
    libxl__vfu_put32(body + 4, VFU_DEVICE_F_RESET | VFU_DEVICE_F_PCI);
    libxl__vfu_put32(body + 8, nr_regions(vfu));
    libxl__vfu_put32(body + 12, VFU_NR_IRQS);
    *bytes = 16;
    return 0;
}

static uint64_t region_bytes(const libxl__vfu *vfu, uint32_t region)
{
    if (region < PCI_NR_BARS)
        return vfu->dev->bar_bytes[region];
    if (region == VFU_REGION_V1 && vfu->dev->v1)
        return VFU_V1_DATA_AT + VFU_V1_DATA_BYTES;
    return region == VFU_REGION_CONFIG ? PCI_CONFIG_BYTES : 0;
}

static int do_get_region_info(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                              uint32_t *bytes)
{
    uint64_t size;

    if (vfu->msg.u.info.index >= nr_regions(vfu))
        return EINVAL;
    size = region_bytes(vfu, vfu->msg.u.info.index);
    memset(body, 0, 32);
    libxl__vfu_put32(body, 32);
    libxl__vfu_put32(body + 4,
                     size ? VFU_REGION_F_READ | VFU_REGION_F_WRITE : 0);
    libxl__vfu_put32(body + 8, vfu->msg.u.info.index);
    libxl__vfu_put64(body + 16, size);
    *bytes = 32;
    if (vfu->msg.u.info.index == VFU_REGION_V1)
        *bytes = libxl__vfu_v1_info(body, vfu->msg.u.info.argsz);
    return 0;
}

static int do_get_irq_info(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                           uint32_t *bytes)
{
    uint32_t index = vfu->msg.u.info.index, flags = VFU_IRQ_F_EVENTFD;

    if (index >= VFU_NR_IRQS)
        return EINVAL;
    if (index == VFU_IRQ_INTX)
        flags |= VFU_IRQ_F_MASKABLE;
    libxl__vfu_put32(body, 16);
    libxl__vfu_put32(body + 4, flags);
    libxl__vfu_put32(body + 8, index);
    libxl__vfu_put32(body + 12, vfu->dev->nr_irqs[index]);
    *bytes = 16;
    return 0;
}

static int do_set_irqs(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                       uint32_t *bytes)
{
    return libxl__vfu_set_irqs(vfu, &vfu->msg.u.irqs);
}

/* Is the access wholly inside its region? */
static bool inside(const libxl__vfu *vfu, const struct vfu_region_access *a)
{
    uint64_t size = region_bytes(vfu, a->region);

    return a->count && a->offset < size && a->count <= size - a->offset;
}

static void access_head(const struct vfu_region_access *a, uint8_t *body)
{
    libxl__vfu_put64(body, a->offset);
    libxl__vfu_put32(body + 8, a->region);
    libxl__vfu_put32(body + 12, a->count);
}

static int do_region_read(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                          uint32_t *bytes)
{
    const struct vfu_region_access *a = &vfu->msg.u.access;
    libxl__vfu_device *dev = vfu->dev;
    int r;

    if (!inside(vfu, a))
        return EINVAL;
    access_head(a, body);
    *bytes = 16 + a->count;
    if (a->region == VFU_REGION_CONFIG)
        r = libxl__pci_config_read(&dev->config, a->offset, body + 16,
                                   a->count);
    else if (a->region == VFU_REGION_V1)
        r = -libxl__vfu_v1_read(vfu, a->offset, body + 16, a->count);
    else
        r = dev->ops->read(egc, dev, a->region, a->offset, body + 16, a->count);
    return -r;
}

static int do_region_write(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                           uint32_t *bytes)
{
    const struct vfu_region_access *a = &vfu->msg.u.access;
    libxl__vfu_device *dev = vfu->dev;
    int r;

    if (!inside(vfu, a))
        return EINVAL;
    access_head(a, body);
    *bytes = 16;
    if (a->region == VFU_REGION_CONFIG)
        r = libxl__pci_config_write(&dev->config, a->offset, a->data, a->count);
    else if (a->region == VFU_REGION_V1)
        r = -libxl__vfu_v1_write(vfu, a->offset, a->data, a->count);
    else
        r = dev->ops->write(egc, dev, a->region, a->offset, a->data, a->count);
    return -r;
}

static int do_reset(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                    uint32_t *bytes)
{
    vfu->dev->ops->reset(egc, vfu->dev);
    vfu->dev->mig.state = DEVMIG_RUNNING;
    return 0;
}

static vfu_handler *const handlers[] = {
    [VFU_VERSION] = do_version,
    [VFU_DMA_MAP] = do_dma_map,
    [VFU_DMA_UNMAP] = do_dma_unmap,
    [VFU_DEVICE_GET_INFO] = do_get_info,
    [VFU_DEVICE_GET_REGION_INFO] = do_get_region_info,
    [VFU_DEVICE_GET_IRQ_INFO] = do_get_irq_info,
    [VFU_DEVICE_SET_IRQS] = do_set_irqs,
    [VFU_REGION_READ] = do_region_read,
    [VFU_REGION_WRITE] = do_region_write,
    [VFU_DEVICE_RESET] = do_reset,
    [VFU_DIRTY_PAGES] = libxl__vfu_do_dirty_pages,
    [VFU_DEVICE_FEATURE] = libxl__vfu_do_feature,
    [VFU_MIG_DATA_READ] = libxl__vfu_do_mig_read,
    [VFU_MIG_DATA_WRITE] = libxl__vfu_do_mig_write,
};

vfu_handler *libxl__vfu_handler(uint16_t command)
{
    return command < sizeof(handlers) / sizeof(handlers[0]) ? handlers[command]
                                                            : NULL;
}
