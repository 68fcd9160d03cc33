/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/vpci_legacy.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "ring/vq_layout.h"

#define REGISTERS 0x18u
#define ISR_QUEUE 1u
#define OFFERED_MASK UINT32_MAX

static void put16(uint8_t *p, uint16_t v)
{
    v = htole16(v);
    memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, sizeof(v));
}

static uint32_t offered(const struct libxl__vpci *vpci)
{
    return (uint32_t)(libxl__vdev_offered(vpci->dev) & OFFERED_MASK);
}

static bool has_queue(const struct libxl__vpci *vpci, uint32_t q)
{
    return q < vpci->dev->nr_queues;
}

void libxl__vpci_init(struct libxl__vpci *vpci, libxl__vdev *dev)
{
    *vpci = (struct libxl__vpci){.dev = dev, .config_vector = VPCI_NO_VECTOR};
    for (unsigned q = 0; q < LIBXL__VDEV_MAX_QUEUES; q++)
        vpci->vectors[q] = VPCI_NO_VECTOR;
}

void libxl__vpci_reset(struct libxl__vpci *vpci)
{
    struct libxl__vpci fresh;

    libxl__vdev_reset(vpci->dev);
    libxl__vpci_init(&fresh, vpci->dev);
    fresh.raise = vpci->raise;
    fresh.msix = vpci->msix;
    *vpci = fresh;
}

void libxl__vpci_interrupt(struct libxl__vpci *vpci, unsigned q)
{
    vpci->isr |= ISR_QUEUE;
    vpci->raise(vpci, vpci->msix ? vpci->vectors[q] : VPCI_NO_VECTOR);
}

/* All registers as they are now, without side effects. */
static void snapshot(const struct libxl__vpci *vpci, uint8_t *r)
{
    bool queue = has_queue(vpci, vpci->queue_sel);

    memset(r, 0, REGISTERS);
    put32(r + VPCI_HOST_FEATURES, offered(vpci));
    put32(r + VPCI_GUEST_FEATURES, (uint32_t)vpci->dev->features);
    put32(r + VPCI_QUEUE_PFN, queue ? vpci->pfns[vpci->queue_sel] : 0);
    put16(r + VPCI_QUEUE_NUM, queue ? VPCI_QUEUE_SIZE : 0);
    put16(r + VPCI_QUEUE_SEL, vpci->queue_sel);
    r[VPCI_STATUS] = vpci->status;
    r[VPCI_ISR] = vpci->isr;
    if (!vpci->msix)
        return;
    put16(r + VPCI_CONFIG_VECTOR, vpci->config_vector);
    put16(r + VPCI_QUEUE_VECTOR,
          queue ? vpci->vectors[vpci->queue_sel] : VPCI_NO_VECTOR);
}

int libxl__vpci_read(struct libxl__vpci *vpci, uint64_t offset, void *buf,
                     uint32_t bytes)
{
    uint8_t all[VPCI_BAR_BYTES] = {0};

    if (offset > sizeof(all) || bytes > sizeof(all) - offset)
        return -EINVAL;
    snapshot(vpci, all);
    vpci->dev->ops->get_config(vpci->dev, all + VPCI_CONFIG(vpci->msix));
    memcpy(buf, all + offset, bytes);
    if (offset <= VPCI_ISR && offset + bytes > VPCI_ISR)
        vpci->isr = 0;
    return 0;
}

/* The legacy layout: one block from the page on, used on the next page. */
static void legacy_params(const struct libxl__vpci *vpci, uint32_t pfn,
                          uint16_t last_avail, struct libxl__vq_params *p)
{
    uint64_t avail_end;

    p->size = VPCI_QUEUE_SIZE;
    p->flags = libxl__vdev_ring_flags(vpci->dev);
    p->desc = (uint64_t)pfn * VQ_LEGACY_ALIGN;
    p->avail = p->desc + VPCI_QUEUE_SIZE * sizeof(struct vq_desc);
    avail_end = p->avail + VQ_AVAIL_BYTES(VPCI_QUEUE_SIZE);
    p->used = (avail_end + VQ_LEGACY_ALIGN - 1) & ~(uint64_t)(VQ_LEGACY_ALIGN - 1);
    p->last_avail = last_avail;
}

/* A page that is not memory: the driver finds the queue dead. */
static void start_queue(struct libxl__vpci *vpci, unsigned q, uint32_t pfn,
                        uint16_t last_avail)
{
    struct libxl__vq_params p;

    legacy_params(vpci, pfn, last_avail, &p);
    vpci->dev->enabled[q] = !libxl__vq_setup(&vpci->dev->queues[q], &p);
}

static int write_pfn(libxl__egc *egc, struct libxl__vpci *vpci, uint32_t pfn)
{
    uint16_t q = vpci->queue_sel;

    if (!has_queue(vpci, q))
        return 0;
    if (vpci->dev->queues[q].state != LIBXL__VQ_STOPPED) {
        if (vpci->dev->queues[q].nr_held)
            return -EAGAIN;
        libxl__vq_stop(&vpci->dev->queues[q]);
        vpci->dev->enabled[q] = false;
    }
    vpci->pfns[q] = pfn;
    if (pfn)
        start_queue(vpci, q, pfn, 0);
    return 0;
}

static int write_status(struct libxl__vpci *vpci, uint8_t status)
{
    if (status) {
        vpci->status = status;
        return 0;
    }
    if (libxl__vdev_held(vpci->dev))
        return -EAGAIN;
    libxl__vpci_reset(vpci);
    return 0;
}

static int write_register(libxl__egc *egc, struct libxl__vpci *vpci,
                          uint64_t offset, uint32_t value, uint32_t bytes)
{
    switch (offset) {
    case VPCI_GUEST_FEATURES:
        if (bytes == 4)
            vpci->dev->features = value & offered(vpci);
        return 0;
    case VPCI_QUEUE_PFN:
        return bytes == 4 ? write_pfn(egc, vpci, value) : 0;
    case VPCI_QUEUE_SEL:
        if (bytes == 2)
            vpci->queue_sel = (uint16_t)value;
        return 0;
    case VPCI_QUEUE_NOTIFY:
        if (bytes == 2 && has_queue(vpci, value))
            libxl__vdev_kick(egc, vpci->dev, value);
        return 0;
    case VPCI_STATUS:
        return bytes == 1 ? write_status(vpci, (uint8_t)value) : 0;
    case VPCI_CONFIG_VECTOR:
        if (vpci->msix && bytes == 2)
            vpci->config_vector = (uint16_t)value;
        return 0;
    case VPCI_QUEUE_VECTOR:
        if (vpci->msix && bytes == 2 && has_queue(vpci, vpci->queue_sel))
            vpci->vectors[vpci->queue_sel] = (uint16_t)value;
        return 0;
    default:
        return 0; /* read only, or two registers at once: as if not written */
    }
}

int libxl__vpci_write(libxl__egc *egc, struct libxl__vpci *vpci,
                      uint64_t offset, const void *buf, uint32_t bytes)
{
    uint32_t value = 0, config = VPCI_CONFIG(vpci->msix);

    if (offset > VPCI_BAR_BYTES || bytes > VPCI_BAR_BYTES - offset)
        return -EINVAL;
    if (offset >= config) {
        /* what is not writable stays as it is */
        vpci->dev->ops->set_config(vpci->dev, (uint32_t)offset - config, buf,
                                   bytes);
        return 0;
    }
    if (bytes != 1 && bytes != 2 && bytes != 4)
        return -EINVAL;
    memcpy(&value, buf, bytes);
    return write_register(egc, vpci, offset, le32toh(value), bytes);
}

/* State: "VPCI", u32 version 1, u32 features, u16 queue_sel, u8 status, u8 isr,
 * u16 config_vector, u16 nr_queues, u32 0; then for each of 16 queues u32 pfn,
 * u16 last_avail, u16 vector, u32 0. */
#define STATE_MAGIC 0x49435056u
#define STATE_VERSION 1u
#define STATE_HEAD 24u
#define STATE_QUEUE 12u

static uint16_t get16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return le16toh(v);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return le32toh(v);
}

void libxl__vpci_save(const struct libxl__vpci *vpci,
                      uint8_t out[VPCI_STATE_BYTES])
{
    memset(out, 0, VPCI_STATE_BYTES);
    put32(out, STATE_MAGIC);
    put32(out + 4, STATE_VERSION);
    put32(out + 8, (uint32_t)vpci->dev->features);
    put16(out + 12, vpci->queue_sel);
    out[14] = vpci->status;
    out[15] = vpci->isr;
    put16(out + 16, vpci->config_vector);
    put16(out + 18, (uint16_t)vpci->dev->nr_queues);
    for (unsigned q = 0; q < vpci->dev->nr_queues; q++) {
        uint8_t *at = out + STATE_HEAD + q * STATE_QUEUE;

        put32(at, vpci->pfns[q]);
        put16(at + 4, vpci->dev->queues[q].last_avail);
        put16(at + 6, vpci->vectors[q]);
    }
}

static const char *check_state(const struct libxl__vpci *vpci,
                               const uint8_t *in)
{
    if (get32(in) != STATE_MAGIC || get32(in + 4) != STATE_VERSION)
        return "device state of another kind or version";
    if (get32(in + 8) & ~offered(vpci))
        return "device state with features that this device does not have";
    if (get16(in + 18) != vpci->dev->nr_queues)
        return "device state with another number of queues";
    return NULL;
}

int libxl__vpci_load(struct libxl__vpci *vpci,
                     const uint8_t in[VPCI_STATE_BYTES], const char **why)
{
    *why = check_state(vpci, in);
    if (*why)
        return -EPROTO;
    libxl__vpci_reset(vpci);
    vpci->dev->features = get32(in + 8);
    for (unsigned q = 0; q < vpci->dev->nr_queues; q++) {
        const uint8_t *at = in + STATE_HEAD + q * STATE_QUEUE;

        vpci->vectors[q] = get16(at + 6);
        vpci->pfns[q] = get32(at);
        if (!vpci->pfns[q])
            continue;
        start_queue(vpci, q, vpci->pfns[q], get16(at + 4));
        if (!vpci->dev->enabled[q]) {
            libxl__vpci_reset(vpci);
            *why = "device state with a ring outside the guest's memory";
            return -EPROTO;
        }
    }
    vpci->queue_sel = get16(in + 12);
    vpci->status = in[14];
    vpci->isr = in[15];
    vpci->config_vector = get16(in + 16);
    return 0;
}
