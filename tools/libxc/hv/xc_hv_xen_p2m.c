/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen_p2m.c - a PV guest's list of its machine frames, mapped.
 *
 * The guest writes to it while we read: each entry is read once, and counts
 * only if the hypervisor's table names the page back.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "hv/xc_hv_xen_priv.h"

#define STABLE_TRIES 100
#define UNDER_WAY 1u /* the guest is changing the list's own frames */

uint64_t xc_hv_xen_p2m_generation(const struct xc_hv_xen *x)
{
    struct xc_hv_xen_arch_shared a = xc_hv_xen_arch_shared(x);

    return a.p2m_cr3 ? a.p2m_generation : 0;
}

void xc_hv_xen_p2m_unmap(struct xc_hv_xen *x)
{
    if (x->pv.p2m)
        xenforeignmemory_unmap(x->fmem, (void *)x->pv.p2m, x->pv.nr_p2m);
    x->pv.p2m = NULL;
    free(x->pv.p2m_mfns);
    x->pv.p2m_mfns = NULL;
}

static uint64_t raw(const struct xc_hv_xen *x, xc_pfn_t pfn)
{
    if (x->pv.width == 8)
        return ((const volatile uint64_t *)x->pv.p2m)[pfn];
    return ((const volatile uint32_t *)x->pv.p2m)[pfn];
}

uint64_t xc_hv_xen_p2m(struct xc_hv_xen *x, xc_pfn_t pfn)
{
    uint64_t mfn = raw(x, pfn);

    return xc_hv_xen_m2p(x, mfn) == pfn ? mfn : XC_INVALID_MFN;
}

xc_pfn_t xc_hv_xen_pfn_of(struct xc_hv_xen *x, uint64_t mfn)
{
    xc_pfn_t pfn = xc_hv_xen_m2p(x, mfn);

    if (pfn >= x->base.nr_pfns || raw(x, pfn) != mfn)
        return XC_INVALID_PFN;
    return pfn;
}

static int map_once(struct xc_hv_xen *x)
{
    struct xc_hv_xen_frames *pv = &x->pv;
    uint64_t per_frame = XC_PAGE_SIZE / pv->width;
    int rc;

    pv->nr_p2m = (size_t)((x->base.nr_pfns + per_frame - 1) / per_frame);
    pv->p2m_mfns = calloc(pv->nr_p2m, sizeof(*pv->p2m_mfns));
    if (!pv->p2m_mfns)
        return -ENOMEM;
    rc = xc_hv_xen_p2m_find(x, pv->p2m_mfns);
    if (rc)
        return rc;
    pv->p2m = xc_hv_xen_map(x, x->domid, PROT_READ, pv->p2m_mfns, pv->nr_p2m);
    return pv->p2m ? 0 : xc_hv_xen_errno();
}

int xc_hv_xen_p2m_map(struct xc_hv_xen *x)
{
    int rc;

    for (int i = 0; i < STABLE_TRIES; i++) {
        uint64_t before = xc_hv_xen_p2m_generation(x);

        xc_hv_xen_p2m_unmap(x);
        rc = map_once(x);
        if (before == xc_hv_xen_p2m_generation(x) && !(before & UNDER_WAY)) {
            x->pv.generation = before;
            return rc;
        }
    }
    return rc ? rc : -EAGAIN;
}
