/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfu_feature.c - DEVICE_FEATURE and MIG_DATA: migration and dirty logging. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring/vfu_internal.h"

#define MIGRATION_STOP_COPY 1u
#define MIGRATION_PRE_COPY 4u
#define MAX_LOG_BYTES (UINT64_C(1) << 25) /* a bit a page: 1 TiB */

/* The reply repeats argsz and flags. */
static uint8_t *reply_head(libxl__vfu *vfu, uint8_t *body)
{
    libxl__vfu_put32(body, vfu->msg.u.feature.argsz);
    libxl__vfu_put32(body + 4, vfu->msg.u.feature.flags);
    return body + 8;
}

static int get_migration(libxl__vfu *vfu, uint8_t *data, uint32_t *bytes)
{
    libxl__vfu_put64(data, MIGRATION_STOP_COPY | MIGRATION_PRE_COPY);
    *bytes = 8;
    return 0;
}

static int get_mig_state(libxl__vfu *vfu, uint8_t *data, uint32_t *bytes)
{
    libxl__vfu_put32(data, vfu->dev->mig.state);
    libxl__vfu_put32(data + 4, UINT32_MAX);
    *bytes = 8;
    return 0;
}

static int set_mig_state(libxl__vfu *vfu, uint8_t *data, uint32_t *bytes)
{
    const struct vfu_feature_req *f = &vfu->msg.u.feature;

    if (f->data_bytes != 8)
        return EINVAL;
    return -libxl__devmig_set_state(
        &vfu->dev->mig, (enum devmig_state)libxl__vfu_get32(f->data));
}

static uint64_t memory_end(const libxl__vfu *vfu)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < vfu->nr_mappings; i++) {
        const struct vfu_mapping *m = &vfu->mappings[i];

        if (m->map && m->addr + m->bytes > end)
            end = m->addr + m->bytes;
    }
    return end;
}

void libxl__vfu_log_stop(libxl__vfu *vfu)
{
    libxl__ring_mem_set_log(vfu->dev->mem, LIBXL__RING_LOG_FRONTEND, NULL, 0);
    free(vfu->log);
    vfu->log = NULL;
}

/* All memory is logged, whatever ranges were asked for: a report gives only
 * what is asked of it. */
int libxl__vfu_log_begin(libxl__vfu *vfu)
{
    uint64_t end = memory_end(vfu);

    if (vfu->log)
        return EBUSY;
    vfu->log_bytes = (end / LIBXL__RING_LOG_PAGE + 63) / 64 * 8;
    if (!end || vfu->log_bytes > MAX_LOG_BYTES)
        return EINVAL;
    vfu->log = calloc(1, vfu->log_bytes);
    if (!vfu->log)
        return ENOMEM;
    libxl__ring_mem_set_log(vfu->dev->mem, LIBXL__RING_LOG_FRONTEND, vfu->log,
                            vfu->log_bytes);
    return 0;
}

static int set_log_start(libxl__vfu *vfu, uint8_t *data, uint32_t *bytes)
{
    const struct vfu_feature_req *f = &vfu->msg.u.feature;

    if (f->data_bytes < 16 ||
        (f->data_bytes - 16) / 16 != libxl__vfu_get32(f->data + 8) ||
        (f->data_bytes - 16) % 16 ||
        libxl__vfu_get64(f->data) != LIBXL__RING_LOG_PAGE)
        return EINVAL;
    return libxl__vfu_log_begin(vfu);
}

static int set_log_stop(libxl__vfu *vfu, uint8_t *data, uint32_t *bytes)
{
    if (!vfu->log)
        return EINVAL;
    libxl__vfu_log_stop(vfu);
    return 0;
}

int libxl__vfu_log_take(libxl__vfu *vfu, uint64_t addr, uint64_t bytes,
                        uint64_t page_bytes, uint8_t *out, uint64_t *words)
{
    uint64_t first = addr / LIBXL__RING_LOG_PAGE;
    uint64_t pages = bytes / LIBXL__RING_LOG_PAGE;

    *words = (pages + 63) / 64;
    if (!vfu->log || page_bytes != LIBXL__RING_LOG_PAGE ||
        addr % LIBXL__RING_LOG_PAGE || bytes % LIBXL__RING_LOG_PAGE || !pages ||
        *words * 8 > VFU_MAX_XFER || addr > UINT64_MAX - bytes)
        return EINVAL;
    if (vfu->dev->mem->logs[LIBXL__RING_LOG_FRONTEND].overrun)
        return EIO;
    memset(out, 0, *words * 8);
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t page = first + i;
        uint8_t bit = (uint8_t)(1u << page % 8);

        if (page / 8 >= vfu->log_bytes)
            break;
        if (__atomic_fetch_and(&vfu->log[page / 8], (uint8_t)~bit,
                               __ATOMIC_SEQ_CST) & bit)
            out[i / 8] |= (uint8_t)(1u << i % 8);
    }
    return 0;
}

static int get_log_report(libxl__vfu *vfu, uint8_t *data, uint32_t *bytes)
{
    const struct vfu_feature_req *f = &vfu->msg.u.feature;
    uint64_t words;
    int r;

    if (f->data_bytes != 24)
        return EINVAL;
    memcpy(data, f->data, 24);
    r = libxl__vfu_log_take(vfu, libxl__vfu_get64(f->data),
                            libxl__vfu_get64(f->data + 8),
                            libxl__vfu_get64(f->data + 16), data + 24, &words);
    *bytes = r ? 0 : (uint32_t)(24 + words * 8);
    return r;
}

static const struct feature {
    enum vfu_feature number;
    bool needs_migration;
    int (*get)(libxl__vfu *vfu, uint8_t *data, uint32_t *bytes);
    int (*set)(libxl__vfu *vfu, uint8_t *data, uint32_t *bytes);
} features[] = {
    {VFU_FEATURE_MIGRATION, true, get_migration, NULL},
    {VFU_FEATURE_MIG_STATE, true, get_mig_state, set_mig_state},
    {VFU_FEATURE_LOG_START, false, NULL, set_log_start},
    {VFU_FEATURE_LOG_STOP, false, NULL, set_log_stop},
    {VFU_FEATURE_LOG_REPORT, false, get_log_report, NULL},
};

int libxl__vfu_do_feature(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                          uint32_t *bytes)
{
    uint32_t flags = vfu->msg.u.feature.flags, data_bytes = 0;
    const struct feature *f = NULL;
    int r = 0;

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if (features[i].number == (flags & VFU_FEATURE_MASK))
            f = &features[i];
    if (!f || vfu->dev->v1 || (f->needs_migration && !vfu->dev->mig.ops) ||
        (flags & VFU_FEATURE_GET && !f->get) ||
        (flags & VFU_FEATURE_SET && !f->set))
        return ENOTTY;
    if (!(flags & VFU_FEATURE_PROBE)) {
        uint8_t *data = reply_head(vfu, body);

        r = flags & VFU_FEATURE_GET ? f->get(vfu, data, &data_bytes)
                                    : f->set(vfu, data, &data_bytes);
    }
    reply_head(vfu, body);
    *bytes = 8 + data_bytes;
    return r;
}

int libxl__vfu_do_mig_read(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                           uint32_t *bytes)
{
    uint32_t want = vfu->msg.u.mig.bytes, got = 0;

    if (!vfu->dev->mig.ops || vfu->dev->v1)
        return ENOTTY;
    /* a short reply means the end: fill it as long as there is anything */
    while (got < want) {
        ssize_t r =
            libxl__devmig_read(&vfu->dev->mig, body + 8 + got, want - got);

        if (r < 0)
            return (int)-r;
        if (!r)
            break;
        got += (uint32_t)r;
    }
    libxl__vfu_put32(body, 8 + got);
    libxl__vfu_put32(body + 4, got);
    *bytes = 8 + got;
    return 0;
}

int libxl__vfu_do_mig_write(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                            uint32_t *bytes)
{
    const struct vfu_mig_data *m = &vfu->msg.u.mig;

    if (!vfu->dev->mig.ops || vfu->dev->v1)
        return ENOTTY;
    return -libxl__devmig_write(&vfu->dev->mig, m->data, m->bytes);
}
