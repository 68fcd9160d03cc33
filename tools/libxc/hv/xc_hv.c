/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv.c - the checked wrappers round a backend's ops.
 *
 * A caller's broken contract (states, counts) is our own bug: assert. What a
 * backend hands back comes from a hypervisor or a kernel: checked, -EIO.
 * PFNs are checked here once for all backends: -ERANGE.
 */
#include "hv/xc_hv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void xc_hv_buf_free(struct xc_hv_buf *b)
{
    free(b->data);
    *b = (struct xc_hv_buf){0};
}

const char *xc_hv_name(const struct xc_hv *hv)
{
    return hv->ops->name;
}

void xc_hv_close(struct xc_hv *hv)
{
    if (!hv)
        return;
    xc_hv_unmap_batch(hv);
    xc_hv_dirty_stop(hv);
    hv->ops->close(hv);
}

static int below_end(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pfns[i] >= hv->nr_pfns)
            return -ERANGE;
    return 0;
}

int xc_hv_info(struct xc_hv *hv, struct xc_hv_info *out)
{
    int rc;

    *out = (struct xc_hv_info){0};
    rc = hv->ops->info(hv, out);
    if (rc)
        return rc;
    if (out->nr_pfns != hv->nr_pfns || out->nr_pfns >= XC_PFN_LIMIT ||
        (out->type != XC_GUEST_PV && out->type != XC_GUEST_HVM) ||
        (out->type == XC_GUEST_PV) != (hv->pv != NULL))
        return -EIO;
    return 0;
}

int xc_hv_next_run(struct xc_hv *hv, xc_pfn_t from, struct xc_pfn_run *out)
{
    int rc;

    if (from >= hv->nr_pfns)
        return -ENOENT;
    rc = hv->ops->next_run(hv, from, out);
    if (rc)
        return rc;
    if (out->first < from || !out->count || out->first >= hv->nr_pfns ||
        out->count > hv->nr_pfns - out->first)
        return -EIO;
    return 0;
}

int xc_hv_page_types(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                     uint32_t *types)
{
    int rc;

    assert(n <= XC_BATCH_MAX);
    rc = below_end(hv, pfns, n);
    if (rc)
        return rc;
    return hv->ops->page_types(hv, pfns, n, types);
}

int xc_hv_map_batch(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                    const void **pages)
{
    int rc;

    assert(n > 0 && n <= XC_BATCH_MAX);
    assert(!hv->mapped);
    rc = below_end(hv, pfns, n);
    if (rc)
        return rc;
    rc = hv->ops->map_batch(hv, pfns, n, pages);
    if (!rc)
        hv->mapped = true;
    return rc;
}

void xc_hv_unmap_batch(struct xc_hv *hv)
{
    if (!hv->mapped)
        return;
    hv->ops->unmap_batch(hv);
    hv->mapped = false;
}

int xc_hv_memory_fd(struct xc_hv *hv)
{
    return hv->ops->memory_fd(hv);
}

int xc_hv_lent_fd(struct xc_hv *hv)
{
    return hv->ops->lent_fd(hv);
}

int xc_hv_populate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    int rc = below_end(hv, pfns, n);

    return rc ? rc : hv->ops->populate(hv, pfns, n);
}

int xc_hv_populate_extent(struct xc_hv *hv, xc_pfn_t first)
{
    assert(first % XC_EXTENT_PAGES == 0);
    if (first >= hv->nr_pfns || hv->nr_pfns - first < XC_EXTENT_PAGES)
        return -ENOMEM;
    return hv->ops->populate_extent(hv, first);
}

int xc_hv_unpopulate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    int rc = below_end(hv, pfns, n);

    return rc ? rc : hv->ops->unpopulate(hv, pfns, n);
}

int xc_hv_write_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                      const void *data)
{
    int rc = below_end(hv, pfns, n);

    return rc ? rc : hv->ops->write_pages(hv, pfns, n, data);
}

int xc_hv_zero_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    int rc = below_end(hv, pfns, n);

    return rc ? rc : hv->ops->zero_pages(hv, pfns, n);
}

int xc_hv_dirty_start(struct xc_hv *hv)
{
    int rc;

    assert(hv->state == XC_HV_ATTACHED);
    rc = hv->ops->dirty_start(hv);
    if (!rc)
        hv->state = XC_HV_LOGGING;
    return rc;
}

int xc_hv_dirty_read_clear(struct xc_hv *hv, struct xc_bitmap *into, bool final)
{
    assert(hv->state == XC_HV_LOGGING);
    assert(into->bits == hv->nr_pfns);
    return hv->ops->dirty_read_clear(hv, into, final);
}

int xc_hv_dirty_stop(struct xc_hv *hv)
{
    int rc;

    if (hv->state != XC_HV_LOGGING)
        return 0;
    rc = hv->ops->dirty_stop(hv);
    if (!rc)
        hv->state = XC_HV_ATTACHED;
    return rc;
}

const char *xc_hv_dirty_method(const struct xc_hv *hv)
{
    return hv->ops->dirty_method(hv);
}

int xc_hv_get_blob(struct xc_hv *hv, enum xc_hv_blob id, struct xc_hv_buf *out)
{
    int rc;

    *out = (struct xc_hv_buf){0};
    rc = hv->ops->get_blob(hv, id, out);
    assert(!rc || !out->data);
    return rc;
}

int xc_hv_set_blob(struct xc_hv *hv, enum xc_hv_blob id, const void *data,
                   size_t bytes)
{
    return hv->ops->set_blob(hv, id, data, bytes);
}

int xc_hv_get_tsc(struct xc_hv *hv, struct xc_hv_tsc *out)
{
    return hv->ops->get_tsc(hv, out);
}

int xc_hv_set_tsc(struct xc_hv *hv, const struct xc_hv_tsc *in)
{
    return hv->ops->set_tsc(hv, in);
}
