/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring/inflight_table.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY_BYTES 24u

static void encode(const struct vu_inflight_info *info, uint8_t *body)
{
    uint64_t place[2] = {htole64(info->mmap_bytes), htole64(info->mmap_offset)};
    uint16_t room[2] = {htole16(info->queues), htole16(info->queue_size)};

    memset(body, 0, BODY_BYTES);
    memcpy(body, place, sizeof(place));
    memcpy(body + 16, room, sizeof(room));
}

static uint64_t part_bytes(uint16_t queue_size)
{
    return (16u + 16u * queue_size + 63u) / 64u * 64u;
}

static void map(struct inflight_table *t)
{
    t->map_bytes = t->info.mmap_bytes;
    t->map = mmap(NULL, t->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                  t->fd, 0);
    assert_true(t->map != MAP_FAILED);
}

void inflight_table_get(struct vu_frontend *f, struct inflight_table *t,
                        uint16_t queues, uint16_t queue_size)
{
    uint8_t body[BODY_BYTES];

    t->info = (struct vu_inflight_info){.queues = queues,
                                        .queue_size = queue_size};
    encode(&t->info, body);
    vuf_send(f, VU_GET_INFLIGHT_FD, 0, body, sizeof(body), NULL, 0);
    t->fd = vuf_reply_fd(f, VU_GET_INFLIGHT_FD, body, sizeof(body));
    memcpy(&t->info.mmap_bytes, body, 8);
    memcpy(&t->info.mmap_offset, body + 8, 8);
    memcpy(&t->info.queues, body + 16, 2);
    memcpy(&t->info.queue_size, body + 18, 2);
    map(t);
}

void inflight_table_make(struct inflight_table *t, uint16_t queues,
                         uint16_t queue_size)
{
    t->info = (struct vu_inflight_info){
        .mmap_bytes = queues * part_bytes(queue_size),
        .queues = queues,
        .queue_size = queue_size};
    t->fd = memfd_create("table", MFD_CLOEXEC);
    assert_int_equal(ftruncate(t->fd, (off_t)t->info.mmap_bytes), 0);
    map(t);
    for (unsigned q = 0; q < queues; q++) {
        inflight_head(t, q)->version = htole16(1);
        inflight_head(t, q)->desc_num = htole16(queue_size);
    }
}

void inflight_table_set(struct vu_frontend *f, const struct inflight_table *t)
{
    uint8_t body[BODY_BYTES];

    encode(&t->info, body);
    vuf_send(f, VU_SET_INFLIGHT_FD, 0, body, sizeof(body), &t->fd, 1);
}

void inflight_table_free(struct inflight_table *t)
{
    if (!t->map)
        return;
    munmap(t->map, t->map_bytes);
    close(t->fd);
    t->map = NULL;
}

volatile struct inflight_head *inflight_head(const struct inflight_table *t,
                                             unsigned q)
{
    return (volatile struct inflight_head *)(t->map +
                                             q * part_bytes(t->info.queue_size));
}

volatile struct inflight_entry *inflight_entry(const struct inflight_table *t,
                                               unsigned q, unsigned i)
{
    return (volatile struct inflight_entry *)(inflight_head(t, q) + 1) + i;
}
