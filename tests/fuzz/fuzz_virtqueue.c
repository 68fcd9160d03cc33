// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that writes what it likes into its rings and descriptors, and a block
 * device that pops what it finds there. Input: two bytes of set-up, then the
 * guest's memory; the rings lie at its start.
 */
#include <stdlib.h>
#include <string.h>

#include "ring/blk_req.h"
#include "ring/vq.h"
#include "ring/vq_layout.h"

#define MEM_BYTES 16384u
#define BASE UINT64_C(0x10000)
#define DESC BASE
#define AVAIL (BASE + 1024)
#define USED (BASE + 1280)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every byte that the device was given is the guest's. */
static void touch(const struct libxl__vq_elem *e, const uint8_t *mem)
{
    uint64_t out = 0, in = 0;

    for (unsigned i = 0; i < e->nr_out + e->nr_in; i++) {
        const uint8_t *at = e->iov[i].iov_base;

        if (at < mem || e->iov[i].iov_len > MEM_BYTES ||
            at + e->iov[i].iov_len > mem + MEM_BYTES)
            abort();
        *(i < e->nr_out ? &out : &in) += e->iov[i].iov_len;
    }
    if (out != e->out_bytes || in != e->in_bytes)
        abort();
}

static void serve(struct libxl__vq *vq, struct libxl__vq_elem *e,
                  const uint8_t *mem)
{
    struct blk_limits limits = {.bytes = 1 << 20};
    struct blk_req req;

    for (unsigned n = 0; n < 200 && libxl__vq_pop(vq, e) > 0; n++) {
        uint32_t written = 0;

        touch(e, mem);
        if (!libxl__blk_req_parse(e, &limits, &req)) {
            for (unsigned i = 0; req.type == BLK_T_IN && i < req.nr_iov; i++)
                memset(req.iov[i].iov_base, 0x5a, req.iov[i].iov_len);
            *req.status_byte = (uint8_t)req.status;
            libxl__blk_req_restore(e, &req);
            written = libxl__blk_req_written(e, &req);
        }
        touch(e, mem);
        libxl__vq_push(vq, e, written);
        libxl__vq_should_notify(vq);
        libxl__vq_set_kick(vq, n & 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct libxl__vq_elem elem;
    struct libxl__ring_mem mem;
    struct libxl__vq vq;
    struct libxl__vq_params p = {.desc = DESC, .avail = AVAIL, .used = USED};
    uint8_t log[16] = {0}, *low, *high;

    if (size < 2)
        return 0;
    p.flags = data[0] & 3;
    p.size = (uint16_t)(1u << data[0] / 4 % 6);
    p.last_avail = data[1];
    low = calloc(1, MEM_BYTES);
    if (!low)
        return 0;
    memcpy(low, data + 2, size - 2 < MEM_BYTES ? size - 2 : MEM_BYTES);
    /* two regions side by side: buffers may cross */
    high = low + MEM_BYTES / 2;
    libxl__ring_mem_init(&mem);
    if (libxl__ring_mem_add(&mem, BASE, MEM_BYTES / 2, low, 0) ||
        libxl__ring_mem_add(&mem, BASE + MEM_BYTES / 2, MEM_BYTES / 2, high,
                            MEM_BYTES / 2))
        abort();
    libxl__ring_mem_set_log(&mem, LIBXL__RING_LOG_FRONTEND, log, sizeof(log));
    libxl__ring_mem_set_log(&mem, LIBXL__RING_LOG_TOOLSTACK, log, sizeof(log));
    libxl__vq_init(&vq, &mem);
    if (!libxl__vq_setup(&vq, &p))
        serve(&vq, &elem, low);
    free(low);
    return 0;
}
