/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vu_inflight.h - a queue's part of the table of requests under way, in memory
 * that the frontend keeps while this process dies (docs/specs/vhost-user.md).
 *
 * Owns:      nothing: the mapping is the transport's.
 * Thread:    one thread.
 * Errors:    a string constant that says which rule the table breaks.
 * Rule:      the table is shared with a frontend that may be hostile. It is
 *            read only when a ring starts, each value once; its sizes are those
 *            that were agreed on, never what stands in it.
 */
#ifndef LIBXL_VU_INFLIGHT_H
#define LIBXL_VU_INFLIGHT_H

#include "ring/vq.h"

struct vu_inflight {
    uint8_t *at;      /* NULL: there is no table, and all below does nothing */
    uint16_t size;    /* entries: one a descriptor of the largest ring */
    uint64_t counter; /* of the next request */
    uint16_t nr_again, next_again;
    uint16_t again[LIBXL__VQ_MAX_SIZE]; /* heads, in the order to redo them */
};

/* Of one queue's part; parts lie behind one another. */
uint64_t libxl__vu_inflight_bytes(uint16_t size);
/* Can this be a table of so many entries? A new one is all zero. */
const char *libxl__vu_inflight_check(const uint8_t *at, uint16_t size);
/* ring was just set up: finds what an earlier device left undone, and lets the
 * ring go on behind it. */
const char *libxl__vu_inflight_start(struct vu_inflight *in,
                                     struct libxl__vq *ring);
/* The next head to do again, before any new one. */
bool libxl__vu_inflight_again(struct vu_inflight *in, uint16_t *head);
void libxl__vu_inflight_popped(struct vu_inflight *in, uint16_t head);
/* Before, and after, the driver is told by the used index. */
void libxl__vu_inflight_pushing(struct vu_inflight *in, uint16_t head);
void libxl__vu_inflight_pushed(struct vu_inflight *in, uint16_t head,
                               uint16_t used_idx);

#endif
