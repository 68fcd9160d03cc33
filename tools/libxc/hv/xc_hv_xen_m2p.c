/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen_m2p.c - the hypervisor's table of which page each machine frame is.
 *
 * Pieces of 2 MiB, for 1 GiB of the host each, are mapped when a frame in them
 * is first asked for. What stands in it a guest may have chosen.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xencall.h>

#include "hv/xc_hv_xen_priv.h"

#define PIECE_PAGES 512u
#define PIECE_MFNS (PIECE_PAGES * XC_PAGE_SIZE / sizeof(uint64_t))

/* What a 32-bit guest's tables show of such a table: libxenctrl has no call. */
static int find_compat(struct xc_hv_xen *x)
{
    xencall_handle *call = xencall_open(x->logger, 0);
    struct {
        xen_machphys_mfn_list_t list;
        xen_pfn_t mfn;
    } *arg = call ? xencall_alloc_buffer(call, sizeof(*arg)) : NULL;
    int rc = arg ? 0 : xc_hv_xen_errno();

    if (!rc) {
        *arg = (typeof(*arg)){.list.max_extents = 1};
        set_xen_guest_handle_raw(arg->list.extent_start, &arg->mfn);
        rc = xencall2(call, __HYPERVISOR_memory_op,
                      XENMEM_machphys_compat_mfn_list, (uintptr_t)&arg->list);
        rc = rc < 0 ? xc_hv_xen_errno() : 0;
        x->pv.compat_m2p_mfn = arg->mfn;
    }
    if (arg)
        xencall_free_buffer(call, arg);
    if (call)
        xencall_close(call);
    return rc;
}

int xc_hv_xen_m2p_open(struct xc_hv_xen *x)
{
    struct xc_hv_xen_frames *pv = &x->pv;

    if (xc_maximum_ram_page(x->xch, &pv->end_mfn) < 0)
        return xc_hv_xen_errno();
    pv->nr_m2p = (pv->end_mfn + PIECE_MFNS - 1) / PIECE_MFNS;
    pv->m2p = calloc(pv->nr_m2p, sizeof(*pv->m2p));
    pv->m2p_mfns = calloc(pv->nr_m2p, sizeof(*pv->m2p_mfns));
    if (!pv->m2p || !pv->m2p_mfns)
        return -ENOMEM;
    if (xc_machphys_mfn_list(x->xch, pv->nr_m2p, pv->m2p_mfns) < 0)
        return xc_hv_xen_errno();
    return pv->width == 4 ? find_compat(x) : 0;
}

void xc_hv_xen_m2p_close(struct xc_hv_xen *x)
{
    for (size_t i = 0; x->pv.m2p && i < x->pv.nr_m2p; i++)
        if (x->pv.m2p[i])
            xenforeignmemory_unmap(x->fmem, (void *)x->pv.m2p[i], PIECE_PAGES);
    free(x->pv.m2p);
    free(x->pv.m2p_mfns);
}

static const uint64_t *piece(struct xc_hv_xen *x, size_t i)
{
    xen_pfn_t mfns[PIECE_PAGES];

    if (!x->pv.m2p[i]) {
        for (size_t k = 0; k < PIECE_PAGES; k++)
            mfns[k] = x->pv.m2p_mfns[i] + k;
        x->pv.m2p[i] =
            xc_hv_xen_map(x, DOMID_XEN, PROT_READ, mfns, PIECE_PAGES);
        if (!x->pv.m2p[i])
            x->pv.m2p_rc = xc_hv_xen_errno();
    }
    return x->pv.m2p[i];
}

xc_pfn_t xc_hv_xen_m2p(struct xc_hv_xen *x, uint64_t mfn)
{
    const volatile uint64_t *at;

    if (mfn >= x->pv.end_mfn)
        return XC_INVALID_PFN;
    at = piece(x, mfn / PIECE_MFNS);
    return at ? at[mfn % PIECE_MFNS] : XC_INVALID_PFN;
}
