/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfu_v1.c - migration as vfio-user had it in 2021: registers in a region of
 * its own, and dirty pages by a command. It drives the callbacks that the
 * current protocol drives.
 */
#include <errno.h>
#include <string.h>

#include "ring/vfu_internal.h"

enum { REG_STATE = 0, REG_PENDING = 8, REG_OFFSET = 16, REG_SIZE = 24,
       REGS_END = 32 };

#define CAP_TYPE 2u /* of a region's information */
#define REGION_F_CAPS 8u
#define TYPE_MIGRATION 3u
#define SUBTYPE_MIGRATION 1u
#define INFO_BYTES 32u
#define CAP_BYTES 16u

/* device_state: bit 0 running, bit 1 saving, bit 2 resuming */
static const enum devmig_state states[8] = {
    DEVMIG_STOP, DEVMIG_RUNNING, DEVMIG_STOP_COPY, DEVMIG_PRE_COPY,
    DEVMIG_RESUMING, DEVMIG_ERROR, DEVMIG_ERROR, DEVMIG_ERROR,
};
#define NR_V1_STATES 5u
#define V1_ERROR 6u

/* allowed[from], a bit a state */
static const uint8_t allowed[NR_V1_STATES] = {
    [0] = 1u << 1,
    [1] = 1u << 0 | 1u << 2 | 1u << 3 | 1u << 4,
    [2] = 1u << 0 | 1u << 1,
    [3] = 1u << 2,
    [4] = 1u << 1,
};

static uint32_t v1_state(const struct devmig *m)
{
    for (uint32_t i = 0; i < NR_V1_STATES; i++)
        if (states[i] == m->state)
            return i;
    return V1_ERROR;
}

/* A change that fails leaves the old state, or error where that cannot be. */
static int set_state(libxl__vfu *vfu, uint32_t to)
{
    struct devmig *m = &vfu->dev->mig;
    enum devmig_state was = m->state;
    uint32_t from = v1_state(m);
    int r;

    if (from == to)
        return 0;
    if (from >= NR_V1_STATES || to >= NR_V1_STATES ||
        !(allowed[from] & 1u << to))
        return EINVAL;
    if (!vfu->is_idle)
        return EAGAIN;
    m->piece_done += vfu->v1.bytes; /* what was shown was taken */
    r = libxl__devmig_set_state(m, states[to]);
    if (r && m->state != was && libxl__devmig_set_state(m, was))
        m->state = DEVMIG_ERROR;
    vfu->v1 = (struct vfu_v1){0};
    return -r;
}

/* ---- out: an iteration begins with a read of pending_bytes ---- */

static bool is_saving(const struct devmig *m)
{
    return m->state == DEVMIG_PRE_COPY || m->state == DEVMIG_STOP_COPY;
}

static uint64_t begin_iteration(libxl__vfu *vfu)
{
    struct devmig *m = &vfu->dev->mig;

    if (!is_saving(m))
        return 0;
    m->piece_done += vfu->v1.bytes; /* what the last one has shown */
    vfu->v1 = (struct vfu_v1){0};
    return libxl__devmig_left(m);
}

/* The data is ready before the register that points to it is answered. */
static int ready_data(libxl__vfu *vfu)
{
    struct devmig *m = &vfu->dev->mig;
    uint64_t left;
    ssize_t r;

    if (vfu->v1.ready || !is_saving(m))
        return 0;
    if (m->piece_done == m->piece_bytes) {
        r = m->ops->prepare_data(m->dev);
        if (r < 0)
            return (int)-r;
        m->piece_bytes = (uint64_t)r;
        m->piece_done = 0;
    }
    left = m->piece_bytes - m->piece_done;
    vfu->v1.bytes = left < VFU_V1_DATA_BYTES ? (uint32_t)left
                                             : VFU_V1_DATA_BYTES;
    vfu->v1.ready = true;
    return 0;
}

static int read_register(libxl__vfu *vfu, uint64_t at, uint8_t out[8],
                         uint32_t *width)
{
    int r = 0;

    memset(out, 0, 8);
    *width = 8;
    if (at == REG_OFFSET || at == REG_SIZE)
        r = ready_data(vfu);
    switch (at) {
    case REG_STATE:
        libxl__vfu_put32(out, v1_state(&vfu->dev->mig));
        *width = 4;
        return 0;
    case REG_PENDING:
        libxl__vfu_put64(out, begin_iteration(vfu));
        return 0;
    case REG_OFFSET:
        libxl__vfu_put64(out, VFU_V1_DATA_AT);
        return r;
    case REG_SIZE:
        libxl__vfu_put64(out, vfu->v1.bytes);
        return r;
    default:
        return EINVAL;
    }
}

static int read_data(libxl__vfu *vfu, uint64_t at, uint8_t *out, uint32_t n)
{
    struct devmig *m = &vfu->dev->mig;
    ssize_t r;

    if (!vfu->v1.ready || at > vfu->v1.bytes || n > vfu->v1.bytes - at)
        return EINVAL;
    r = m->ops->read_data(m->dev, out, n, m->piece_done + at);
    if (r < 0)
        return (int)-r;
    return (uint32_t)r == n ? 0 : EIO;
}

int libxl__vfu_v1_read(libxl__vfu *vfu, uint64_t at, uint8_t *out, uint32_t n)
{
    uint8_t reg[8];
    uint32_t width;
    int r;

    if (at >= VFU_V1_DATA_AT)
        return read_data(vfu, at - VFU_V1_DATA_AT, out, n);
    r = read_register(vfu, at, reg, &width);
    if (!r && n != width)
        r = EINVAL;
    if (!r)
        memcpy(out, reg, n);
    return r;
}

/* ---- in ---- */

static int write_data(libxl__vfu *vfu, uint64_t at, const uint8_t *in,
                      uint32_t n)
{
    struct devmig *m = &vfu->dev->mig;
    ssize_t r;

    if (m->state != DEVMIG_RESUMING)
        return EINVAL;
    r = m->ops->write_data(m->dev, in, n, at);
    if (r < 0)
        return (int)-r;
    return (uint32_t)r == n ? 0 : EPROTO;
}

int libxl__vfu_v1_write(libxl__vfu *vfu, uint64_t at, const uint8_t *in,
                        uint32_t n)
{
    struct devmig *m = &vfu->dev->mig;

    if (at >= VFU_V1_DATA_AT)
        return write_data(vfu, at - VFU_V1_DATA_AT, in, n);
    if (at == REG_STATE && n == 4)
        return set_state(vfu, libxl__vfu_get32(in));
    if (at != REG_SIZE || n != 8 || m->state != DEVMIG_RESUMING ||
        libxl__vfu_get64(in) > VFU_V1_DATA_BYTES)
        return EINVAL;
    return -m->ops->data_written(m->dev, libxl__vfu_get64(in));
}

/* ---- the region's place ---- */

uint32_t libxl__vfu_v1_info(uint8_t *body, uint32_t argsz)
{
    libxl__vfu_put32(body, INFO_BYTES + CAP_BYTES);
    if (argsz < INFO_BYTES + CAP_BYTES)
        return INFO_BYTES; /* asked again with room for it */
    libxl__vfu_put32(body + 4, libxl__vfu_get32(body + 4) | REGION_F_CAPS);
    libxl__vfu_put32(body + 12, INFO_BYTES);
    memset(body + INFO_BYTES, 0, CAP_BYTES);
    libxl__vfu_put16(body + INFO_BYTES, CAP_TYPE);
    libxl__vfu_put16(body + INFO_BYTES + 2, 1);
    libxl__vfu_put32(body + INFO_BYTES + 8, TYPE_MIGRATION);
    libxl__vfu_put32(body + INFO_BYTES + 12, SUBTYPE_MIGRATION);
    return INFO_BYTES + CAP_BYTES;
}

/* ---- dirty pages ---- */

int libxl__vfu_do_dirty_pages(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                              uint32_t *bytes)
{
    const struct vfu_dirty *d = &vfu->msg.u.dirty;
    uint64_t words;
    int r;

    if (!vfu->dev->v1)
        return ENOTSUP;
    libxl__vfu_put32(body + 4, d->flags);
    *bytes = 8;
    if (d->flags == VFU_DIRTY_START) {
        r = libxl__vfu_log_begin(vfu);
    } else if (d->flags == VFU_DIRTY_STOP) {
        r = vfu->log ? 0 : EINVAL;
        libxl__vfu_log_stop(vfu);
    } else {
        r = libxl__vfu_log_take(vfu, d->addr, d->bytes, d->page_bytes,
                                body + 40, &words);
        if (!r && d->bitmap_bytes < words * 8)
            r = EINVAL;
        libxl__vfu_put64(body + 8, d->addr);
        libxl__vfu_put64(body + 16, d->bytes);
        libxl__vfu_put64(body + 24, d->page_bytes);
        libxl__vfu_put64(body + 32, d->bitmap_bytes);
        *bytes = r ? 0 : (uint32_t)(40 + words * 8);
    }
    libxl__vfu_put32(body, *bytes);
    return r;
}
