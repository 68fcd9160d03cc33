/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_hv_xen_fill.c - the memory of a domain that has never run. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/xc_hv_xen_priv.h"

#define EXTENT_ORDER 9u

static_assert(1u << EXTENT_ORDER == XC_EXTENT_PAGES, "2 MiB");

int xc_hv_xen_populate_extent(struct xc_hv *hv, xc_pfn_t first)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    xen_pfn_t at = first; /* of a PV domain: where it is, behind the call */
    int rc = xc_hv_xen_apply_policies(x);

    if (rc)
        return rc;
    if (xc_domain_populate_physmap(x->xch, x->domid, 1, EXTENT_ORDER, 0, &at) !=
        1)
        return -ENOMEM;
    return hv->pv ? xc_hv_xen_pv_made(x, &first, XC_EXTENT_PAGES, &at, true)
                  : 0;
}

static int populate_some(struct xc_hv_xen *x, const xc_pfn_t *pfns, size_t n)
{
    xen_pfn_t at[XC_BATCH_MAX];
    int done;

    memcpy(at, pfns, n * sizeof(*at));
    done = xc_domain_populate_physmap(x->xch, x->domid, n, 0, 0, at);
    if (done < 0)
        return xc_hv_xen_errno();
    if ((size_t)done != n)
        return -ENOMEM;
    return x->base.pv ? xc_hv_xen_pv_made(x, pfns, n, at, false) : 0;
}

int xc_hv_xen_populate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    int rc = xc_hv_xen_apply_policies(x);

    for (size_t i = 0; !rc && i < n; i += XC_BATCH_MAX)
        rc = populate_some(x, pfns + i,
                           n - i < XC_BATCH_MAX ? n - i : XC_BATCH_MAX);
    return rc;
}

static int unpopulate_some(struct xc_hv_xen *x, const xc_pfn_t *pfns, size_t n)
{
    static const xen_pfn_t none = XC_INVALID_MFN;
    xen_pfn_t gfns[XC_BATCH_MAX];
    int rc = xc_hv_xen_gfns(x, pfns, n, gfns);

    if (rc)
        return rc;
    if (xc_domain_decrease_reservation_exact(x->xch, x->domid, n, 0, gfns))
        return xc_hv_xen_errno();
    for (size_t i = 0; !rc && x->base.pv && i < n; i++)
        rc = xc_hv_xen_pv_made(x, &pfns[i], 1, &none, false);
    return rc;
}

int xc_hv_xen_unpopulate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i += XC_BATCH_MAX)
        rc = unpopulate_some(xc_hv_xen_of(hv), pfns + i,
                             n - i < XC_BATCH_MAX ? n - i : XC_BATCH_MAX);
    return rc;
}

/* data NULL: zeros */
static int fill_mapped(struct xc_hv_xen *x, const xc_pfn_t *pfns, size_t n,
                       const uint8_t *data)
{
    xen_pfn_t gfns[XC_BATCH_MAX];
    int errors[XC_BATCH_MAX], rc = xc_hv_xen_gfns(x, pfns, n, gfns);
    uint8_t *at;

    if (rc)
        return rc;
    at = xenforeignmemory_map(x->fmem, x->domid, PROT_READ | PROT_WRITE, n,
                              gfns, errors);
    if (!at)
        return xc_hv_xen_errno();
    for (size_t i = 0; !rc && i < n; i++)
        if (errors[i])
            rc = errors[i] < 0 ? errors[i] : -EIO;
    if (!rc && data)
        memcpy(at, data, xc_pages_to_bytes(n));
    else if (!rc)
        memset(at, 0, xc_pages_to_bytes(n));
    /* a PV guest's page tables cannot be made of pages that we may write to */
    if (x->base.pv)
        xenforeignmemory_unmap(x->fmem, at, n);
    else
        xc_hv_xen_let_go(x, at, n);
    return rc;
}

static int fill(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                const uint8_t *data)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i += XC_BATCH_MAX) {
        size_t now = n - i < XC_BATCH_MAX ? n - i : XC_BATCH_MAX;

        rc = fill_mapped(xc_hv_xen_of(hv), pfns + i, now,
                         data ? data + xc_pages_to_bytes(i) : NULL);
    }
    return rc;
}

int xc_hv_xen_write_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                          const void *data)
{
    return fill(hv, pfns, n, data);
}

int xc_hv_xen_zero_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    return fill(hv, pfns, n, NULL);
}
