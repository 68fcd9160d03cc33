/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_hv_pv.c - the checked wrappers round a backend's PV ops. */
#include "hv/xc_hv_pv.h"

#include <assert.h>
#include <errno.h>

static bool legal_width(unsigned width)
{
    return width == 4 || width == 8;
}

static uint64_t frames_of(const struct xc_hv *hv, unsigned width)
{
    uint64_t per_frame = XC_PAGE_SIZE / width;

    return (hv->nr_pfns + per_frame - 1) / per_frame;
}

int xc_hv_pv_info(struct xc_hv *hv, struct xc_hv_pv_info *out)
{
    int rc;

    *out = (struct xc_hv_pv_info){0};
    if (!hv->pv)
        return -ENOTSUP;
    rc = hv->pv->info(hv, out);
    if (rc)
        return rc;
    if (!legal_width(out->width) || !out->nr_vcpus ||
        out->nr_vcpus > XC_VCPUS_MAX)
        return -EIO;
    return 0;
}

static int check_frames(struct xc_hv *hv, const struct xc_hv_buf *b)
{
    const xc_pfn_t *frames = b->data;
    struct xc_hv_pv_info info;
    int rc = xc_hv_pv_info(hv, &info);

    if (rc)
        return rc;
    if (b->bytes != frames_of(hv, info.width) * sizeof(*frames))
        return -EIO;
    for (size_t i = 0; i < b->bytes / sizeof(*frames); i++)
        if (frames[i] >= hv->nr_pfns)
            return -EIO;
    return 0;
}

int xc_hv_pv_p2m_frames(struct xc_hv *hv, struct xc_hv_buf *out)
{
    int rc;

    *out = (struct xc_hv_buf){0};
    if (!hv->pv)
        return -ENOTSUP;
    rc = hv->pv->p2m_frames(hv, out);
    assert(!rc || !out->data);
    if (rc)
        return rc;
    rc = check_frames(hv, out);
    if (rc)
        xc_hv_buf_free(out);
    return rc;
}

int xc_hv_pv_p2m_stable(struct xc_hv *hv)
{
    return hv->pv ? hv->pv->p2m_stable(hv) : -ENOTSUP;
}

int xc_hv_pv_pfns_of(struct xc_hv *hv, const uint64_t *mfns, size_t n,
                     xc_pfn_t *pfns)
{
    int rc;

    if (!hv->pv)
        return -ENOTSUP;
    rc = hv->pv->pfns_of(hv, mfns, n, pfns);
    for (size_t i = 0; !rc && i < n; i++)
        if (pfns[i] != XC_INVALID_PFN && pfns[i] >= hv->nr_pfns)
            rc = -EIO;
    return rc;
}

int xc_hv_pv_mfns_of(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                     uint64_t *mfns)
{
    if (!hv->pv)
        return -ENOTSUP;
    for (size_t i = 0; i < n; i++)
        if (pfns[i] >= hv->nr_pfns)
            return -ERANGE;
    return hv->pv->mfns_of(hv, pfns, n, mfns);
}

int xc_hv_pv_set_width(struct xc_hv *hv, unsigned width)
{
    assert(legal_width(width));
    return hv->pv ? hv->pv->set_width(hv, width) : -ENOTSUP;
}

int xc_hv_pv_pin(struct xc_hv *hv, const xc_pfn_t *pfns, const uint32_t *types,
                 size_t n)
{
    if (!hv->pv)
        return -ENOTSUP;
    for (size_t i = 0; i < n; i++)
        if (pfns[i] >= hv->nr_pfns)
            return -ERANGE;
    return hv->pv->pin(hv, pfns, types, n);
}

int xc_hv_pv_get_shared_info(struct xc_hv *hv, void *page)
{
    return hv->pv ? hv->pv->get_shared_info(hv, page) : -ENOTSUP;
}

int xc_hv_pv_set_shared_info(struct xc_hv *hv, const void *page)
{
    return hv->pv ? hv->pv->set_shared_info(hv, page) : -ENOTSUP;
}

int xc_hv_pv_get_vcpu(struct xc_hv *hv, uint32_t vcpu,
                      enum xc_hv_vcpu_part part, struct xc_hv_buf *out)
{
    int rc;

    *out = (struct xc_hv_buf){0};
    if (!hv->pv)
        return -ENOTSUP;
    rc = hv->pv->get_vcpu(hv, vcpu, part, out);
    assert(!rc || !out->data);
    return rc;
}

int xc_hv_pv_set_vcpu(struct xc_hv *hv, uint32_t vcpu,
                      enum xc_hv_vcpu_part part, const void *data, size_t bytes)
{
    return hv->pv ? hv->pv->set_vcpu(hv, vcpu, part, data, bytes) : -ENOTSUP;
}
