// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A table of requests under way that is not to be trusted, and the ring that
 * starts with it. Input: the ring's size and its two indices, then the table;
 * what is done again is answered, then another device takes the table over.
 */
#include <stdlib.h>
#include <string.h>

#include "ring/vq_layout.h"
#include "ring/vu_inflight.h"

#define BASE UINT64_C(0x10000)
#define MEM_BYTES 8192u
#define DESC 0u
#define AVAIL 2048u
#define USED 3072u
#define DATA 4096u
#define ENTRIES 16u
#define SETUP_BYTES 5u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each descriptor a whole request of 16 bytes. */
static void make_ring(uint8_t *memory, const uint8_t *setup)
{
    for (unsigned i = 0; i < 2 * ENTRIES; i++) {
        struct vq_desc d = {BASE + DATA, 16, 0, 0};

        memcpy(memory + DESC + i * sizeof(d), &d, sizeof(d));
    }
    memcpy(memory + AVAIL + 2, setup + 1, 2);
    memcpy(memory + USED + 2, setup + 3, 2);
}

/* How many were answered; the second device must find none of them. */
static unsigned run(struct libxl__ring_mem *mem, uint8_t *table,
                    uint16_t ring_size)
{
    static struct libxl__vq_elem elem;
    struct vu_inflight in = {.at = table, .size = ENTRIES};
    struct libxl__vq_params p = {.size = ring_size,
                                 .desc = BASE + DESC,
                                 .avail = BASE + AVAIL,
                                 .used = BASE + USED};
    struct libxl__vq vq;
    unsigned done = 0;
    uint16_t head;

    libxl__vq_init(&vq, mem);
    if (libxl__vq_setup(&vq, &p))
        abort();
    vq.last_avail = vq.used_idx; /* for a new table, which changes nothing */
    if (libxl__vu_inflight_start(&in, &vq))
        return 0;
    while (libxl__vu_inflight_again(&in, &head)) {
        if (libxl__vq_pop_again(&vq, head, &elem) <= 0)
            abort();
        libxl__vu_inflight_pushing(&in, head);
        if (!libxl__vq_push(&vq, &elem, 0))
            abort();
        libxl__vu_inflight_pushed(&in, head, vq.used_idx);
        done++;
    }
    if (done > ring_size || (uint16_t)(vq.last_avail - vq.used_idx))
        abort();
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _Alignas(16) static uint8_t memory[MEM_BYTES];
    struct libxl__ring_mem mem;
    uint64_t bytes = libxl__vu_inflight_bytes(ENTRIES);
    uint16_t ring_size;
    uint8_t *table;

    if (size < SETUP_BYTES)
        return 0;
    table = calloc(1, bytes); /* exactly: nothing lies behind it */
    if (!table)
        return 0;
    ring_size = (uint16_t)(1u << data[0] % 6); /* twice too large at most */
    memset(memory, 0, sizeof(memory));
    make_ring(memory, data);
    size -= SETUP_BYTES;
    memcpy(table, data + SETUP_BYTES, size < bytes ? size : bytes);
    libxl__ring_mem_init(&mem);
    libxl__ring_mem_add(&mem, BASE, MEM_BYTES, memory, 0);
    run(&mem, table, ring_size);
    if (run(&mem, table, ring_size))
        abort();
    free(table);
    return 0;
}
