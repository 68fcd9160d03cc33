/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/vfu_wire.h"

#include <endian.h>
#include <string.h>

#define ENTRY(command, min, max, fds, is_quiet) \
    [VFU_##command] = {#command, min, max, fds, is_quiet}

static const struct vfu_command_info infos[] = {
    ENTRY(VERSION, 4, 4096, 0, false),
    ENTRY(DMA_MAP, 32, 32, 1, false),
    ENTRY(DMA_UNMAP, 24, 40, 0, true),
    ENTRY(DEVICE_GET_INFO, 16, 24, 0, false),
    ENTRY(DEVICE_GET_REGION_INFO, 32, 32, 0, false),
    ENTRY(DEVICE_GET_REGION_IO_FDS, 16, 16, 0, false),
    ENTRY(DEVICE_GET_IRQ_INFO, 16, 16, 0, false),
    ENTRY(DEVICE_SET_IRQS, 20, 20 + 2048, VFU_MAX_FDS, false),
    ENTRY(REGION_READ, 16, 16, 0, false),
    ENTRY(REGION_WRITE, 16, 16 + VFU_MAX_XFER, 0, false),
    ENTRY(DEVICE_RESET, 0, 0, 0, true),
    ENTRY(DIRTY_PAGES, 8, 40, 0, false),
    /* a change of state is made when nothing is under way */
    ENTRY(DEVICE_FEATURE, 8, 8 + 4096, 0, true),
    ENTRY(MIG_DATA_READ, 8, 8, 0, false),
    ENTRY(MIG_DATA_WRITE, 8, 8 + VFU_MAX_XFER, 0, false),
};

const struct vfu_command_info *libxl__vfu_command_info(uint16_t command)
{
    if (command >= sizeof(infos) / sizeof(infos[0]) || !infos[command].name)
        return NULL;
    return &infos[command];
}

static uint16_t get16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return le16toh(v);
}

uint32_t libxl__vfu_get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return le32toh(v);
}

uint64_t libxl__vfu_get64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

void libxl__vfu_put16(uint8_t *p, uint16_t v)
{
    v = htole16(v);
    memcpy(p, &v, sizeof(v));
}

void libxl__vfu_put32(uint8_t *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, sizeof(v));
}

void libxl__vfu_put64(uint8_t *p, uint64_t v)
{
    v = htole64(v);
    memcpy(p, &v, sizeof(v));
}

const char *libxl__vfu_decode_header(const uint8_t buf[VFU_HEADER_BYTES],
                                     struct vfu_header *h)
{
    h->id = get16(buf);
    h->command = get16(buf + 2);
    h->bytes = libxl__vfu_get32(buf + 4);
    h->flags = libxl__vfu_get32(buf + 8);
    h->error = libxl__vfu_get32(buf + 12);
    if (h->bytes < VFU_HEADER_BYTES)
        return "a message that is shorter than its header";
    if (h->bytes > VFU_HEADER_BYTES + VFU_MAX_BODY)
        return "a message of more than 1 MiB";
    if ((h->flags & VFU_F_KIND) != VFU_F_COMMAND)
        return "a reply that nothing asked for";
    return NULL;
}

static const char *decode_version(const uint8_t *body, uint32_t bytes,
                                  struct vfu_msg *msg)
{
    msg->u.version.major = get16(body);
    msg->u.version.minor = get16(body + 2);
    msg->u.version.json = "";
    if (bytes == 4)
        return NULL;
    if (memchr(body + 4, 0, bytes - 4) != body + bytes - 1)
        return "capabilities that do not end in one NUL";
    msg->u.version.json = (const char *)body + 4;
    return NULL;
}

static const char *decode_dma_map(const uint8_t *body, struct vfu_dma *d)
{
    d->argsz = libxl__vfu_get32(body);
    d->flags = libxl__vfu_get32(body + 4);
    d->offset = libxl__vfu_get64(body + 8);
    d->addr = libxl__vfu_get64(body + 16);
    d->bytes = libxl__vfu_get64(body + 24);
    return d->flags & ~(VFU_DMA_F_READ | VFU_DMA_F_WRITE)
               ? "a DMA mapping with unknown flags"
               : NULL;
}

static const char *decode_dma_unmap(const uint8_t *body, struct vfu_dma *d)
{
    d->argsz = libxl__vfu_get32(body);
    d->flags = libxl__vfu_get32(body + 4);
    d->addr = libxl__vfu_get64(body + 8);
    d->bytes = libxl__vfu_get64(body + 16);
    if (d->flags & ~VFU_DMA_UNMAP_F_ALL)
        return "a DMA unmapping with flags that are not supported";
    if (d->flags & VFU_DMA_UNMAP_F_ALL && (d->addr || d->bytes))
        return "a DMA unmapping of all, and of a range";
    return NULL;
}

static const char *decode_irqs(const uint8_t *body, uint32_t bytes,
                               unsigned nr_fds, struct vfu_irq_set *s)
{
    uint32_t data, action;

    s->argsz = libxl__vfu_get32(body);
    s->flags = libxl__vfu_get32(body + 4);
    s->index = libxl__vfu_get32(body + 8);
    s->start = libxl__vfu_get32(body + 12);
    s->count = libxl__vfu_get32(body + 16);
    s->bools = body + 20;
    data = s->flags & VFU_IRQ_SET_DATA;
    action = s->flags & VFU_IRQ_SET_ACTION;
    if (s->flags & ~(VFU_IRQ_SET_DATA | VFU_IRQ_SET_ACTION) || !data ||
        data & (data - 1) || !action || action & (action - 1))
        return "an interrupt setting without one kind of data and one action";
    if (data == VFU_IRQ_SET_BOOL ? bytes - 20 != s->count : bytes != 20)
        return "an interrupt setting whose length is not what it says";
    if (data == VFU_IRQ_SET_EVENTFD ? nr_fds > s->count : nr_fds)
        return "an interrupt setting with more fds than interrupts";
    return NULL;
}

static const char *decode_access(const struct vfu_header *h,
                                 const uint8_t *body, uint32_t bytes,
                                 struct vfu_region_access *a)
{
    a->offset = libxl__vfu_get64(body);
    a->region = libxl__vfu_get32(body + 8);
    a->count = libxl__vfu_get32(body + 12);
    a->data = body + 16;
    if (a->count > VFU_MAX_XFER)
        return "an access of more than 1 MiB";
    if (h->command == VFU_REGION_WRITE && bytes - 16 != a->count)
        return "a write whose length is not what it says";
    return NULL;
}

static const char *decode_feature(const uint8_t *body, uint32_t bytes,
                                  struct vfu_feature_req *f)
{
    uint32_t op;

    f->argsz = libxl__vfu_get32(body);
    f->flags = libxl__vfu_get32(body + 4);
    f->data = body + 8;
    f->data_bytes = bytes - 8;
    op = f->flags & ~VFU_FEATURE_MASK;
    if (op & ~(VFU_FEATURE_GET | VFU_FEATURE_SET | VFU_FEATURE_PROBE) || !op)
        return "a feature request with unknown flags, or none";
    if (!(op & VFU_FEATURE_PROBE) && (op & VFU_FEATURE_GET) &&
        (op & VFU_FEATURE_SET))
        return "a feature to get and set at once";
    return NULL;
}

static const char *decode_dirty(const uint8_t *body, uint32_t bytes,
                                struct vfu_dirty *d)
{
    bool get;

    *d = (struct vfu_dirty){libxl__vfu_get32(body), libxl__vfu_get32(body + 4)};
    get = d->flags == VFU_DIRTY_GET;
    if (!get && d->flags != VFU_DIRTY_START && d->flags != VFU_DIRTY_STOP)
        return "a request for dirty pages without one action";
    if (bytes != (get ? 40u : 8u))
        return "a request for dirty pages of another length";
    if (!get)
        return NULL;
    d->addr = libxl__vfu_get64(body + 8);
    d->bytes = libxl__vfu_get64(body + 16);
    d->page_bytes = libxl__vfu_get64(body + 24);
    d->bitmap_bytes = libxl__vfu_get64(body + 32);
    return NULL;
}

static const char *decode_mig(const struct vfu_header *h, const uint8_t *body,
                              uint32_t bytes, struct vfu_mig_data *m)
{
    m->argsz = libxl__vfu_get32(body);
    m->bytes = libxl__vfu_get32(body + 4);
    m->data = body + 8;
    if (m->bytes > VFU_MAX_XFER)
        return "device state of more than 1 MiB in one message";
    if (h->command == VFU_MIG_DATA_WRITE && bytes - 8 != m->bytes)
        return "device state whose length is not what it says";
    return NULL;
}

static const char *decode_body(const struct vfu_header *h, const uint8_t *body,
                               uint32_t bytes, unsigned nr_fds,
                               struct vfu_msg *msg)
{
    switch ((enum vfu_command)h->command) {
    case VFU_VERSION:
        return decode_version(body, bytes, msg);
    case VFU_DMA_MAP:
        return decode_dma_map(body, &msg->u.dma);
    case VFU_DMA_UNMAP:
        return decode_dma_unmap(body, &msg->u.dma);
    case VFU_DEVICE_GET_REGION_INFO:
    case VFU_DEVICE_GET_REGION_IO_FDS:
    case VFU_DEVICE_GET_IRQ_INFO:
        msg->u.info.argsz = libxl__vfu_get32(body);
        msg->u.info.index = libxl__vfu_get32(body + 8);
        return NULL;
    case VFU_DEVICE_SET_IRQS:
        return decode_irqs(body, bytes, nr_fds, &msg->u.irqs);
    case VFU_REGION_READ:
    case VFU_REGION_WRITE:
        return decode_access(h, body, bytes, &msg->u.access);
    case VFU_DEVICE_FEATURE:
        return decode_feature(body, bytes, &msg->u.feature);
    case VFU_MIG_DATA_READ:
    case VFU_MIG_DATA_WRITE:
        return decode_mig(h, body, bytes, &msg->u.mig);
    case VFU_DIRTY_PAGES:
        return decode_dirty(body, bytes, &msg->u.dirty);
    case VFU_DEVICE_GET_INFO:
    case VFU_DEVICE_RESET:
        return NULL;
    }
    return NULL;
}

const char *libxl__vfu_decode(const struct vfu_header *h, const uint8_t *body,
                              unsigned nr_fds, struct vfu_msg *msg)
{
    uint32_t bytes = h->bytes - VFU_HEADER_BYTES;

    memset(msg, 0, sizeof(*msg));
    msg->h = *h;
    msg->info = libxl__vfu_command_info(h->command);
    if (!msg->info)
        return "a command that is not known";
    if (bytes < msg->info->min_bytes || bytes > msg->info->max_bytes)
        return "a length that the command does not have";
    if (nr_fds > msg->info->max_fds)
        return "more fds than the command has";
    return decode_body(h, body, bytes, nr_fds, msg);
}

void libxl__vfu_encode_header(uint8_t out[VFU_HEADER_BYTES],
                              const struct vfu_header *of, uint32_t body_bytes,
                              uint32_t error)
{
    libxl__vfu_put16(out, of->id);
    libxl__vfu_put16(out + 2, of->command);
    libxl__vfu_put32(out + 4, VFU_HEADER_BYTES + body_bytes);
    libxl__vfu_put32(out + 8, VFU_F_REPLY | (error ? VFU_F_ERROR : 0));
    libxl__vfu_put32(out + 12, error);
}
