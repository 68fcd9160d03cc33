/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_hv_xen_memory.c - what a domain's pages are, and how they are read. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/xc_hv_xen_priv.h"

/* libxenctrl exports it without a header that is installed. */
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t domid, unsigned n,
                          xen_pfn_t *types);

/* 256 MiB: the guest stands while the process ends, and whatever pages it gives
 * back meanwhile are not free before that. */
#define LEFT_PAGES_MAX (UINT64_C(1) << 16)
#define LEFT_MAX 1024u

/* What a page reads like that the guest gave back under our eyes. */
static const uint8_t gone[XC_PAGE_SIZE] __attribute__((aligned(XC_PAGE_SIZE)));

int xc_hv_xen_get_types(struct xc_hv_xen *x, xen_pfn_t *types, size_t n)
{
    for (size_t i = 0; i < n; i += XC_XEN_TYPES_MAX) {
        size_t now = n - i < XC_XEN_TYPES_MAX ? n - i : XC_XEN_TYPES_MAX;

        if (xc_get_pfn_type_batch(x->xch, x->domid, (unsigned)now, types + i) <
            0)
            return xc_hv_xen_errno();
    }
    for (size_t i = 0; i < n; i++)
        types[i] &= XEN_DOMCTL_PFINFO_LTAB_MASK;
    return 0;
}

int xc_hv_xen_page_types(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                         uint32_t *types)
{
    xen_pfn_t found[XC_BATCH_MAX];
    int rc = xc_hv_xen_gfns(xc_hv_xen_of(hv), pfns, n, found);

    if (!rc)
        rc = xc_hv_xen_get_types(xc_hv_xen_of(hv), found, n);
    for (size_t i = 0; !rc && i < n; i++)
        types[i] = (uint32_t)found[i];
    return rc;
}

void *xc_hv_xen_map(struct xc_hv_xen *x, uint32_t domid, int prot,
                    const xen_pfn_t *gfns, size_t n)
{
    /* without a place for errors any of them fails the whole */
    return xenforeignmemory_map(x->fmem, domid, prot, n, gfns, NULL);
}

void xc_hv_xen_let_go(struct xc_hv_xen *x, void *at, size_t n)
{
    if (x->left_pages + n > LEFT_PAGES_MAX || x->nr_left == LEFT_MAX) {
        xenforeignmemory_unmap(x->fmem, at, n);
        return;
    }
    x->left_pages += n;
    x->nr_left++;
}

void xc_hv_xen_unmap_batch(struct xc_hv *hv)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);

    if (x->mapping)
        xc_hv_xen_let_go(x, x->mapping, x->mapped_pages);
    x->mapping = NULL;
}

int xc_hv_xen_map_batch(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                        const void **pages)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    /* A running guest may give a page back after we asked for its type: it
     * loses nothing by our sending zeros. One that stands cannot. */
    bool may_go = hv->state == XC_HV_LOGGING && !x->guest_stands;
    xen_pfn_t gfns[XC_BATCH_MAX];
    int errors[XC_BATCH_MAX];
    int rc = xc_hv_xen_gfns(x, pfns, n, gfns);

    if (rc)
        return rc;
    x->mapping =
        xenforeignmemory_map(x->fmem, x->domid, PROT_READ, n, gfns, errors);
    if (!x->mapping)
        return xc_hv_xen_errno();
    x->mapped_pages = n;
    for (size_t i = 0; i < n; i++) {
        pages[i] = (uint8_t *)x->mapping + xc_pages_to_bytes(i);
        if (!errors[i])
            continue;
        if (!may_go) {
            xc_hv_xen_unmap_batch(hv);
            return errors[i] < 0 ? errors[i] : -EIO;
        }
        pages[i] = gone;
    }
    return 0;
}
