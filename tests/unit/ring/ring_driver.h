/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring_driver.h - the opposite of ring/vq: a driver's side of a split
 * virtqueue over memory that the test owns, able to break every rule.
 *
 * Two regions of guest memory, side by side in the guest and apart here, so
 * that buffers can cross. Addresses are the guest's.
 */
#ifndef RING_DRIVER_H
#define RING_DRIVER_H

#include "ring/vq.h"
#include "ring/vq_layout.h"

#define DRV_LOW 0x100000u       /* first region: 64 KiB, rings at its start */
#define DRV_REGION 0x10000u
#define DRV_HIGH (DRV_LOW + DRV_REGION) /* second region, adjacent */
#define DRV_DATA (DRV_LOW + 0x8000u)    /* free for buffers */

struct ring_driver {
    struct libxl__ring_mem mem;
    struct libxl__vq vq;
    struct libxl__vq_params params;
    uint8_t *low, *high;
    uint8_t log[64];
    uint16_t avail_idx, used_seen;
    struct libxl__vq_elem elem; /* last popped */
};

/* size descriptors; LIBXL__VQ_F_* flags; the queue is set up. */
void ring_driver_init(struct ring_driver *d, uint16_t size, unsigned flags);
void ring_driver_free(struct ring_driver *d);

void *ring_driver_at(struct ring_driver *d, uint64_t gpa);
void ring_driver_desc(struct ring_driver *d, uint16_t i, uint64_t addr,
                      uint32_t len, uint16_t flags, uint16_t next);
/* A descriptor of an indirect table that lies at table. */
void ring_driver_indirect(struct ring_driver *d, uint64_t table, uint16_t i,
                          uint64_t addr, uint32_t len, uint16_t flags,
                          uint16_t next);
void ring_driver_offer(struct ring_driver *d, uint16_t head);
void ring_driver_set_avail_idx(struct ring_driver *d, uint16_t idx);
void ring_driver_set_avail_flags(struct ring_driver *d, uint16_t flags);
void ring_driver_set_used_event(struct ring_driver *d, uint16_t idx);
uint16_t ring_driver_used_idx(struct ring_driver *d);
uint16_t ring_driver_used_flags(struct ring_driver *d);
uint16_t ring_driver_avail_event(struct ring_driver *d);
/* The next used entry; false: none. */
bool ring_driver_take(struct ring_driver *d, uint32_t *id, uint32_t *len);
int ring_driver_pop(struct ring_driver *d); /* vq_pop into d->elem */

#endif
