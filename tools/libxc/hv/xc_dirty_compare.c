/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_dirty_compare.c - the last resort: every page that the memory holds is
 * hashed at each read (about 9 GB/s) and compared with what was last taken.
 * Works anywhere; costs a copy of each page that is sent.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "hv/xc_dirty.h"
#include "hv/xc_dirty_taken.h"

struct compare_log {
    struct xc_dirty base;
    const struct xc_hv_qemu_params *p;
    const uint8_t *memory;
    struct xc_dirty_taken taken;
};

static_assert(offsetof(struct compare_log, base) == 0, "cast from its base");

static struct compare_log *log_of(struct xc_dirty *d)
{
    return (struct compare_log *)d;
}

static int compare_start(const struct xc_dirty_target *t, struct xc_dirty **out)
{
    struct compare_log *l = calloc(1, sizeof(*l));
    int rc;

    if (!l)
        return -ENOMEM;
    l->base.ops = &xc_dirty_compare;
    l->p = t->p;
    l->memory = t->memory;
    rc = xc_dirty_taken_init(&l->taken, t->p->memory_bytes >> XC_PAGE_SHIFT);
    if (rc) {
        free(l);
        return rc;
    }
    *out = &l->base;
    return 0;
}

static int compare_read_clear(struct xc_dirty *d, struct xc_bitmap *into)
{
    struct compare_log *l = log_of(d);
    struct xc_pfn_run run;
    xc_pfn_t at = 0;
    int rc;

    while (at < l->taken.nr_pfns) {
        rc = xc_dirty_next_run(l->p->memory_fd, l->taken.nr_pfns, at, &run);
        if (rc == -ENOENT)
            run = (struct xc_pfn_run){l->taken.nr_pfns, 0};
        else if (rc)
            return rc;
        xc_dirty_taken_were_not_zero(&l->taken, at, run.first, into);
        for (at = run.first; at < run.first + run.count; at++)
            if (xc_dirty_taken_differs(&l->taken, at,
                                       l->memory + xc_pages_to_bytes(at)))
                xc_bitmap_set(into, at);
    }
    return 0;
}

static int compare_take(struct xc_dirty *d, const xc_pfn_t *pfns, size_t n,
                        const void **pages)
{
    xc_dirty_taken_take(&log_of(d)->taken, pfns, n, pages);
    return 0;
}

static int compare_stop(struct xc_dirty *d)
{
    struct compare_log *l = log_of(d);

    xc_dirty_taken_dispose(&l->taken);
    free(l);
    return 0;
}

const struct xc_dirty_ops xc_dirty_compare = {
    .name = "comparison of contents",
    .start = compare_start,
    .read_clear = compare_read_clear,
    .take = compare_take,
    .stop = compare_stop,
};
