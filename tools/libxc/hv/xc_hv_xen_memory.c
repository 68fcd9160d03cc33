/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_hv_xen_memory.c - which pages a domain has, and how they are read. */
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
/* A call's arguments that fit into a page, beside libxencall's own few bytes, go
 * into one that it keeps; for more it maps pages, each time, and unmaps them. */
#define TYPES_MAX 496u

/* What a page reads like that the guest gave back under our eyes. */
static const uint8_t gone[XC_PAGE_SIZE] __attribute__((aligned(XC_PAGE_SIZE)));

/* in: pages; out: types in their place. One that cannot be is XTAB. */
static int get_types(struct xc_hv_xen *x, xen_pfn_t *types, size_t n)
{
    for (size_t i = 0; i < n; i += TYPES_MAX) {
        size_t now = n - i < TYPES_MAX ? n - i : TYPES_MAX;

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
        rc = get_types(xc_hv_xen_of(hv), found, n);
    for (size_t i = 0; !rc && i < n; i++)
        types[i] = (uint32_t)found[i];
    return rc;
}

/* The types of up to TYPES_MAX pages at 'from'; how many in *n. */
static int look_at(struct xc_hv *hv, xc_pfn_t from, xen_pfn_t *types, size_t *n)
{
    xc_pfn_t left = hv->nr_pfns - from, pfns[TYPES_MAX];
    int rc;

    *n = left < TYPES_MAX ? (size_t)left : TYPES_MAX;
    for (size_t i = 0; i < *n; i++)
        pfns[i] = from + i;
    rc = xc_hv_xen_gfns(xc_hv_xen_of(hv), pfns, *n, types);
    if (rc)
        return rc;
    if (!hv->pv)
        return get_types(xc_hv_xen_of(hv), types, *n);
    /* its own list says as much, and is at hand */
    for (size_t i = 0; i < *n; i++)
        types[i] = types[i] == XC_INVALID_MFN ? XEN_DOMCTL_PFINFO_XTAB : 0;
    return 0;
}

/* Holes are left out: most of the 4 GiB that a small guest spans. */
int xc_hv_xen_next_run(struct xc_hv *hv, xc_pfn_t from, struct xc_pfn_run *out)
{
    xen_pfn_t types[TYPES_MAX];

    while (from < hv->nr_pfns) {
        size_t n, i = 0, end;
        int rc = look_at(hv, from, types, &n);

        if (rc)
            return rc;
        while (i < n && types[i] == XEN_DOMCTL_PFINFO_XTAB)
            i++;
        for (end = i; end < n && types[end] != XEN_DOMCTL_PFINFO_XTAB; end++)
            ;
        if (i < n) {
            *out = (struct xc_pfn_run){from + i, end - i};
            return 0;
        }
        from += n;
    }
    return -ENOENT;
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
