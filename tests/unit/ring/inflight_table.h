/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inflight_table.h - the frontend's side of the table of requests under way:
 * written from docs/specs/vhost-user.md, not from the backend.
 */
#ifndef INFLIGHT_TABLE_H
#define INFLIGHT_TABLE_H

#include "ring/vu_frontend.h"

struct inflight_head {
    uint64_t features;
    uint16_t version, desc_num, last_batch_head, used_idx;
};

struct inflight_entry {
    uint8_t inflight, unused[5];
    uint16_t next;
    uint64_t counter;
};

struct inflight_table {
    int fd;
    uint8_t *map;
    size_t map_bytes;
    struct vu_inflight_info info;
};

/* From the backend, or (for a table that the test makes up) from nowhere. */
void inflight_table_get(struct vu_frontend *f, struct inflight_table *t,
                        uint16_t queues, uint16_t queue_size);
void inflight_table_make(struct inflight_table *t, uint16_t queues,
                         uint16_t queue_size);
void inflight_table_set(struct vu_frontend *f, const struct inflight_table *t);
void inflight_table_free(struct inflight_table *t);

volatile struct inflight_head *inflight_head(const struct inflight_table *t,
                                             unsigned q);
volatile struct inflight_entry *inflight_entry(const struct inflight_table *t,
                                               unsigned q, unsigned i);

#endif
