/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_populate.h"

#include <errno.h>

int xc_sr_populate_init(struct xc_sr_populate *p, struct xc_hv *hv,
                        const struct xc_hv_info *info)
{
    int rc;

    *p = (struct xc_sr_populate){
        .hv = hv,
        .zero_fresh = info->zero_fresh,
        .has_extents = info->has_extents,
    };
    rc = xc_bitmap_init(&p->there, info->nr_pfns);
    return rc ? rc : xc_bitmap_init(&p->ahead, XC_EXTENT_PAGES);
}

void xc_sr_populate_dispose(struct xc_sr_populate *p)
{
    xc_bitmap_dispose(&p->there);
    xc_bitmap_dispose(&p->ahead);
}

bool xc_sr_populated(const struct xc_sr_populate *p, xc_pfn_t pfn)
{
    return xc_bitmap_test(&p->there, pfn);
}

static int wipe_run(struct xc_hv *hv, struct xc_pfn_run run)
{
    xc_pfn_t pfns[XC_BATCH_MAX];
    int rc = 0;

    while (!rc && run.count) {
        size_t n = run.count < XC_BATCH_MAX ? run.count : XC_BATCH_MAX;

        for (size_t i = 0; i < n; i++)
            pfns[i] = run.first + i;
        rc = xc_hv_zero_pages(hv, pfns, n);
        run.first += n;
        run.count -= n;
    }
    return rc;
}

int xc_sr_populate_wipe(struct xc_sr_populate *p)
{
    struct xc_pfn_run run = {0};
    int rc = 0;

    while (!rc && p->zero_fresh) {
        rc = xc_hv_next_run(p->hv, run.first + run.count, &run);
        if (rc == -ENOENT)
            return 0;
        if (!rc)
            rc = wipe_run(p->hv, run);
    }
    return rc;
}

int xc_sr_populate_end(struct xc_sr_populate *p)
{
    xc_pfn_t pfns[XC_EXTENT_PAGES];
    uint64_t i = 0;
    size_t n = 0;

    while ((i = xc_bitmap_next(&p->ahead, i)) < p->ahead.bits)
        pfns[n++] = p->extent + i++;
    xc_bitmap_clear_all(&p->ahead);
    return n ? xc_hv_unpopulate(p->hv, pfns, n) : 0;
}

/* One that the extent has brought already. */
static bool was_ahead(struct xc_sr_populate *p, xc_pfn_t pfn)
{
    uint64_t i = pfn - p->extent;

    if (pfn < p->extent || i >= p->ahead.bits || !xc_bitmap_test(&p->ahead, i))
        return false;
    xc_bitmap_clear(&p->ahead, i);
    return true;
}

/* How many from fresh[0] on stand in a row inside one extent, from its
 * beginning. */
static size_t row_of_extent(const xc_pfn_t *fresh, size_t n)
{
    size_t row = 1;

    if (fresh[0] % XC_EXTENT_PAGES)
        return 0;
    while (row < n && row < XC_EXTENT_PAGES && fresh[row] == fresh[0] + row)
        row++;
    return row;
}

/* None of the rest of the extent is there already. */
static bool rest_is_free(const struct xc_sr_populate *p, xc_pfn_t first,
                         size_t row)
{
    xc_pfn_t end = first + XC_EXTENT_PAGES;

    return end <= p->there.bits &&
           xc_bitmap_next(&p->there, first + row) >= end;
}

/* How many from fresh[0] on a piece is to bring; 0: it is not worth one. */
static size_t row_worth_extent(const struct xc_sr_populate *p,
                               const xc_pfn_t *fresh, size_t n)
{
    size_t row = p->has_extents ? row_of_extent(fresh, n) : 0;

    if (row < XC_EXTENT_PAGES / 2 || !rest_is_free(p, fresh[0], row))
        return 0;
    return row;
}

/* How many of the row it made: all, or none, which come singly then. */
static size_t make_extent(struct xc_sr_populate *p, xc_pfn_t first, size_t row,
                          int *rc)
{
    *rc = xc_sr_populate_end(p);
    if (*rc || xc_hv_populate_extent(p->hv, first))
        return 0;
    p->extent = first;
    xc_bitmap_set_range(&p->ahead, row, XC_EXTENT_PAGES - row);
    return row;
}

/* What is ahead counts against the domain's maximum, which may leave room for
 * no page more than are still to come: it goes away first. */
static int make_singly(struct xc_sr_populate *p, const xc_pfn_t *fresh,
                       size_t n)
{
    int rc = n ? xc_sr_populate_end(p) : 0;

    return rc || !n ? rc : xc_hv_populate(p->hv, fresh, n);
}

static int make(struct xc_sr_populate *p, const xc_pfn_t *fresh, size_t n)
{
    size_t from = 0, i = 0, row, made;
    int rc = 0;

    while (i < n) {
        row = row_worth_extent(p, fresh + i, n - i);
        if (!row) {
            i++;
            continue;
        }
        rc = make_singly(p, fresh + from, i - from);
        if (rc)
            return rc;
        from = i;
        made = make_extent(p, fresh[i], row, &rc);
        if (rc)
            return rc;
        from += made;
        i += row;
    }
    return make_singly(p, fresh + from, n - from);
}

int xc_sr_populate(struct xc_sr_populate *p, const xc_pfn_t *pfns, size_t n)
{
    xc_pfn_t fresh[XC_BATCH_MAX];
    size_t nr_fresh = 0;
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++) {
        if (xc_sr_populated(p, pfns[i]))
            continue;
        /* at once: a PFN may be listed twice */
        xc_bitmap_set(&p->there, pfns[i]);
        if (was_ahead(p, pfns[i]))
            continue;
        fresh[nr_fresh++] = pfns[i];
        if (nr_fresh == XC_BATCH_MAX) {
            rc = make(p, fresh, nr_fresh);
            nr_fresh = 0;
        }
    }
    return rc || !nr_fresh ? rc : make(p, fresh, nr_fresh);
}

int xc_sr_populate_zero(struct xc_sr_populate *p, const xc_pfn_t *pfns,
                        size_t n)
{
    xc_pfn_t stale[XC_BATCH_MAX];
    size_t nr_stale = 0;
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++) {
        if (p->zero_fresh && !xc_sr_populated(p, pfns[i]))
            continue;
        stale[nr_stale++] = pfns[i];
        if (nr_stale == XC_BATCH_MAX) {
            rc = xc_sr_populate(p, stale, nr_stale);
            if (!rc)
                rc = xc_hv_zero_pages(p->hv, stale, nr_stale);
            nr_stale = 0;
        }
    }
    if (!rc)
        rc = xc_sr_populate(p, pfns, n);
    if (!rc && nr_stale)
        rc = xc_hv_zero_pages(p->hv, stale, nr_stale);
    return rc;
}
