/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_populate.h"

#include <errno.h>

int xc_sr_populate_init(struct xc_sr_populate *p, struct xc_hv *hv,
                        const struct xc_hv_info *info)
{
    *p = (struct xc_sr_populate){.hv = hv, .zero_fresh = info->zero_fresh};
    return xc_bitmap_init(&p->there, info->nr_pfns);
}

void xc_sr_populate_dispose(struct xc_sr_populate *p)
{
    xc_bitmap_dispose(&p->there);
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

int xc_sr_populate(struct xc_sr_populate *p, const xc_pfn_t *pfns, size_t n)
{
    xc_pfn_t fresh[XC_BATCH_MAX];
    size_t nr_fresh = 0;
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++) {
        if (xc_sr_populated(p, pfns[i]))
            continue;
        fresh[nr_fresh++] = pfns[i];
        /* at once: a PFN may be listed twice */
        xc_bitmap_set(&p->there, pfns[i]);
        if (nr_fresh == XC_BATCH_MAX) {
            rc = xc_hv_populate(p->hv, fresh, nr_fresh);
            nr_fresh = 0;
        }
    }
    if (!rc && nr_fresh)
        rc = xc_hv_populate(p->hv, fresh, nr_fresh);
    return rc;
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
