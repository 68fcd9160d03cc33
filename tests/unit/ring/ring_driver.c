/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring/ring_driver.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define DESC DRV_LOW
#define AVAIL (DRV_LOW + 0x4000u)
#define USED (DRV_LOW + 0x5000u)

void *ring_driver_at(struct ring_driver *d, uint64_t gpa)
{
    return gpa < DRV_HIGH ? d->low + (gpa - DRV_LOW)
                          : d->high + (gpa - DRV_HIGH);
}

static void put16(struct ring_driver *d, uint64_t gpa, uint16_t v)
{
    v = htole16(v);
    memcpy(ring_driver_at(d, gpa), &v, 2);
}

static uint16_t get16(struct ring_driver *d, uint64_t gpa)
{
    uint16_t v;

    memcpy(&v, ring_driver_at(d, gpa), 2);
    return le16toh(v);
}

void ring_driver_init(struct ring_driver *d, uint16_t size, unsigned flags)
{
    memset(d, 0, sizeof(*d));
    d->low = calloc(1, DRV_REGION);
    d->high = calloc(1, DRV_REGION);
    if (!d->low || !d->high)
        abort();
    libxl__ring_mem_init(&d->mem);
    if (libxl__ring_mem_add(&d->mem, DRV_LOW, DRV_REGION, d->low, 0) ||
        libxl__ring_mem_add(&d->mem, DRV_HIGH, DRV_REGION, d->high, 0))
        abort();
    d->params = (struct libxl__vq_params){.size = size,
                                          .flags = flags,
                                          .desc = DESC,
                                          .avail = AVAIL,
                                          .used = USED};
    libxl__vq_init(&d->vq, &d->mem);
    if (libxl__vq_setup(&d->vq, &d->params))
        abort();
}

void ring_driver_free(struct ring_driver *d)
{
    free(d->low);
    free(d->high);
}

static void put_desc(void *at, uint64_t addr, uint32_t len, uint16_t flags,
                     uint16_t next)
{
    struct vq_desc v = {htole64(addr), htole32(len), htole16(flags),
                        htole16(next)};

    memcpy(at, &v, sizeof(v));
}

void ring_driver_desc(struct ring_driver *d, uint16_t i, uint64_t addr,
                      uint32_t len, uint16_t flags, uint16_t next)
{
    put_desc(ring_driver_at(d, DESC + i * 16u), addr, len, flags, next);
}

void ring_driver_indirect(struct ring_driver *d, uint64_t table, uint16_t i,
                          uint64_t addr, uint32_t len, uint16_t flags,
                          uint16_t next)
{
    put_desc(ring_driver_at(d, table + i * 16u), addr, len, flags, next);
}

void ring_driver_offer(struct ring_driver *d, uint16_t head)
{
    put16(d, AVAIL + VQ_AVAIL_RING(d->avail_idx % d->params.size), head);
    ring_driver_set_avail_idx(d, (uint16_t)(d->avail_idx + 1));
}

void ring_driver_set_avail_idx(struct ring_driver *d, uint16_t idx)
{
    d->avail_idx = idx;
    put16(d, AVAIL + VQ_AVAIL_IDX, idx);
}

void ring_driver_set_avail_flags(struct ring_driver *d, uint16_t flags)
{
    put16(d, AVAIL, flags);
}

void ring_driver_set_used_event(struct ring_driver *d, uint16_t idx)
{
    put16(d, AVAIL + VQ_AVAIL_RING(d->params.size), idx);
}

uint16_t ring_driver_used_idx(struct ring_driver *d)
{
    return get16(d, USED + VQ_USED_IDX);
}

uint16_t ring_driver_used_flags(struct ring_driver *d)
{
    return get16(d, USED);
}

uint16_t ring_driver_avail_event(struct ring_driver *d)
{
    return get16(d, USED + VQ_USED_RING(d->params.size));
}

bool ring_driver_take(struct ring_driver *d, uint32_t *id, uint32_t *len)
{
    uint32_t entry[2];

    if (d->used_seen == ring_driver_used_idx(d))
        return false;
    memcpy(
        entry,
        ring_driver_at(d, USED + VQ_USED_RING(d->used_seen % d->params.size)),
        sizeof(entry));
    d->used_seen++;
    *id = le32toh(entry[0]);
    *len = le32toh(entry[1]);
    return true;
}

int ring_driver_pop(struct ring_driver *d)
{
    return libxl__vq_pop(&d->vq, &d->elem);
}
