/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_fake_pv.c - the hypervisor of a fake PV guest: who has which machine
 * frame, and whether a table that is to be pinned names the guest's own alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hv/xc_hv_fake_priv.h"

#define FIRST_MFN UINT64_C(0x1000)
#define SHARED_INFO_MFN UINT64_C(0x77)
#define COMPAT_M2P_MFN UINT64_C(0x88)
#define ENTRIES 512u
#define PRESENT 1u
#define FRAME_MASK UINT64_C(0x000ffffffffff000)

static xc_pfn_t pfn_of(const struct fake *f, uint64_t mfn)
{
    if (mfn < FIRST_MFN || mfn - FIRST_MFN >= f->pv.next)
        return XC_INVALID_PFN;
    return f->pv.m2p[mfn - FIRST_MFN] - 1; /* 0: wraps to none */
}

void xc_hv_fake_pv_adopt(struct fake *f, xc_pfn_t pfn)
{
    f->pv.m2p[f->pv.next] = pfn + 1;
    f->pv.p2m[pfn] = FIRST_MFN + f->pv.next++;
}

void xc_hv_fake_pv_populate(struct fake *f, const xc_pfn_t *pfns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (f->pv.p2m[pfns[i]])
            continue;
        xc_hv_fake_pv_adopt(f, pfns[i]);
        /* what its last owner left */
        memset(xc_hv_fake_page(f, pfns[i]), 0xa5, XC_PAGE_SIZE);
    }
}

void xc_hv_fake_pv_unpopulate(struct fake *f, const xc_pfn_t *pfns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (f->pv.p2m[pfns[i]])
            f->pv.m2p[f->pv.p2m[pfns[i]] - FIRST_MFN] = 0;
        f->pv.p2m[pfns[i]] = 0;
    }
}

void xc_hv_fake_pv_types(struct fake *f, const xc_pfn_t *pfns, size_t n,
                         uint32_t *types)
{
    for (size_t i = 0; i < n; i++)
        types[i] = f->pv.p2m[pfns[i]] ? (uint32_t)f->pv.types[pfns[i]] << 28
                                      : 0xf0000000u;
}

static int pv_info(struct xc_hv *hv, struct xc_hv_pv_info *out)
{
    *out = (struct xc_hv_pv_info){
        .width = xc_hv_fake_of(hv)->pv.width,
        .nr_vcpus = XC_FAKE_VCPUS,
        .shared_info_mfn = SHARED_INFO_MFN,
        .compat_m2p_mfn = COMPAT_M2P_MFN,
        .store_port = XC_FAKE_PV_STORE_PORT,
        .console_port = XC_FAKE_PV_CONSOLE_PORT,
    };
    return 0;
}

static int pv_p2m_frames(struct xc_hv *hv, struct xc_hv_buf *out)
{
    struct fake *f = xc_hv_fake_of(hv);
    uint64_t per_frame = XC_PAGE_SIZE / f->pv.width;
    size_t n = (size_t)((hv->nr_pfns + per_frame - 1) / per_frame);
    xc_pfn_t *frames = malloc(n * sizeof(*frames));

    if (!frames)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        frames[i] = XC_FAKE_PV_P2M_PFN + i;
    *out = (struct xc_hv_buf){frames, n * sizeof(*frames)};
    return 0;
}

static int pv_p2m_stable(struct xc_hv *hv)
{
    return 0;
}

static int pv_pfns_of(struct xc_hv *hv, const uint64_t *mfns, size_t n,
                      xc_pfn_t *pfns)
{
    for (size_t i = 0; i < n; i++)
        pfns[i] = pfn_of(xc_hv_fake_of(hv), mfns[i]);
    return 0;
}

static int pv_mfns_of(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                      uint64_t *mfns)
{
    const uint64_t *p2m = xc_hv_fake_of(hv)->pv.p2m;

    for (size_t i = 0; i < n; i++)
        mfns[i] = p2m[pfns[i]] ? p2m[pfns[i]] : XC_INVALID_MFN;
    return 0;
}

static int pv_set_width(struct xc_hv *hv, unsigned width)
{
    xc_hv_fake_of(hv)->pv.width = width;
    return 0;
}

/* As the hypervisor would: a table names tables of the next level, down to
 * pages of the guest's own. */
static bool is_sound(struct fake *f, xc_pfn_t pfn, unsigned level)
{
    const uint64_t *table = (const uint64_t *)xc_hv_fake_page(f, pfn);
    unsigned now = f->pv.types[pfn] & 7u;

    if (now)
        return now == level;
    f->pv.types[pfn] = (uint8_t)level;
    for (size_t i = 0; i < ENTRIES; i++) {
        xc_pfn_t target = pfn_of(f, (table[i] & FRAME_MASK) >> XC_PAGE_SHIFT);

        if (!(table[i] & PRESENT))
            continue;
        if (target == XC_INVALID_PFN)
            return false;
        if (level > 1 && !is_sound(f, target, level - 1))
            return false;
    }
    return true;
}

static int pv_pin(struct xc_hv *hv, const xc_pfn_t *pfns, const uint32_t *types,
                  size_t n)
{
    struct fake *f = xc_hv_fake_of(hv);

    for (size_t i = 0; i < n; i++) {
        if (!f->pv.p2m[pfns[i]] || !is_sound(f, pfns[i], types[i] >> 28 & 7u))
            return -EINVAL;
        f->pv.types[pfns[i]] |= 8u;
    }
    return 0;
}

static int pv_get_shared_info(struct xc_hv *hv, void *page)
{
    memcpy(page, xc_hv_fake_of(hv)->pv.shared_info, XC_PAGE_SIZE);
    return 0;
}

static int pv_set_shared_info(struct xc_hv *hv, const void *page)
{
    memcpy(xc_hv_fake_of(hv)->pv.shared_info, page, XC_PAGE_SIZE);
    return 0;
}

static int copy_buf(const void *data, size_t bytes, struct xc_hv_buf *out)
{
    void *copy = malloc(bytes ? bytes : 1);

    if (!copy)
        return -ENOMEM;
    if (bytes)
        memcpy(copy, data, bytes);
    xc_hv_buf_free(out);
    *out = (struct xc_hv_buf){copy, bytes};
    return 0;
}

static int pv_get_vcpu(struct xc_hv *hv, uint32_t vcpu,
                       enum xc_hv_vcpu_part part, struct xc_hv_buf *out)
{
    const struct xc_hv_buf *b = &xc_hv_fake_of(hv)->pv.vcpus[vcpu][part];

    if (!b->data)
        return part == XC_HV_VCPU_BASIC ? -ENOENT : -ENOTSUP;
    return copy_buf(b->data, b->bytes, out);
}

static int pv_set_vcpu(struct xc_hv *hv, uint32_t vcpu,
                       enum xc_hv_vcpu_part part, const void *data,
                       size_t bytes)
{
    return copy_buf(data, bytes, &xc_hv_fake_of(hv)->pv.vcpus[vcpu][part]);
}

static const struct xc_hv_pv_ops fake_pv_ops = {
    .info = pv_info,
    .p2m_frames = pv_p2m_frames,
    .p2m_stable = pv_p2m_stable,
    .pfns_of = pv_pfns_of,
    .mfns_of = pv_mfns_of,
    .set_width = pv_set_width,
    .pin = pv_pin,
    .get_shared_info = pv_get_shared_info,
    .set_shared_info = pv_set_shared_info,
    .get_vcpu = pv_get_vcpu,
    .set_vcpu = pv_set_vcpu,
};

int xc_hv_fake_pv_init(struct fake *f)
{
    size_t n = (size_t)f->base.nr_pfns;

    f->base.pv = &fake_pv_ops;
    f->pv.width = f->p.pv_width ? f->p.pv_width : 8;
    f->pv.p2m = calloc(n + 1, sizeof(*f->pv.p2m));
    /* a frame that was given back is not used again */
    f->pv.m2p = calloc(2 * n + 1, sizeof(*f->pv.m2p));
    f->pv.types = calloc(n + 1, 1);
    f->pv.shared_info = calloc(1, XC_PAGE_SIZE);
    if (!f->pv.p2m || !f->pv.m2p || !f->pv.types || !f->pv.shared_info)
        return -ENOMEM;
    return 0;
}

void xc_hv_fake_pv_dispose(struct fake *f)
{
    for (uint32_t v = 0; v < XC_FAKE_VCPUS; v++)
        for (int part = 0; part < XC_HV_VCPU_PARTS; part++)
            xc_hv_buf_free(&f->pv.vcpus[v][part]);
    free(f->pv.p2m);
    free(f->pv.m2p);
    free(f->pv.types);
    free(f->pv.shared_info);
    f->pv = (struct fake_pv){0};
}

uint8_t xc_hv_fake_pv_type(const struct xc_hv *hv, xc_pfn_t pfn)
{
    return xc_hv_fake_of(hv)->pv.types[pfn];
}

void xc_hv_fake_pv_set_type(struct xc_hv *hv, xc_pfn_t pfn, uint8_t type)
{
    xc_hv_fake_of(hv)->pv.types[pfn] = type;
}
