/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_hv_xen_fill.c - the memory of a domain that has never run. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/xc_hv_xen_priv.h"

#define SUPER_ORDER 9u
#define SUPER_PAGES (1u << SUPER_ORDER)

static bool is_super_run(const xc_pfn_t *pfns, size_t n)
{
    if (n < SUPER_PAGES || pfns[0] % SUPER_PAGES)
        return false;
    for (size_t i = 1; i < SUPER_PAGES; i++)
        if (pfns[i] != pfns[0] + i)
            return false;
    return true;
}

/* 1: there is no such piece. Of a PV domain the hypervisor says where it is. */
static int populate_super(struct xc_hv_xen *x, xc_pfn_t first)
{
    xen_pfn_t at = first;

    if (xc_domain_populate_physmap(x->xch, x->domid, 1, SUPER_ORDER, 0, &at) !=
        1)
        return 1;
    return x->base.pv ? xc_hv_xen_pv_made(x, &first, SUPER_PAGES, &at, true)
                      : 0;
}

static int populate_singly(struct xc_hv_xen *x, const xc_pfn_t *pfns, size_t n)
{
    xen_pfn_t at[XC_BATCH_MAX];
    int done;

    if (!n)
        return 0;
    memcpy(at, pfns, n * sizeof(*at));
    done = xc_domain_populate_physmap(x->xch, x->domid, n, 0, 0, at);
    if (done < 0)
        return xc_hv_xen_errno();
    if ((size_t)done != n)
        return -ENOMEM;
    return x->base.pv ? xc_hv_xen_pv_made(x, pfns, n, at, false) : 0;
}

/* 2 MiB at once where they stand in a row and Xen has them, which makes the
 * guest as fast as it was; the rest one by one. */
int xc_hv_xen_populate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    xc_pfn_t single[XC_BATCH_MAX];
    size_t nr_single = 0, i = 0;
    int rc = xc_hv_xen_apply_policies(x);

    while (!rc && i < n) {
        if (is_super_run(pfns + i, n - i)) {
            rc = populate_super(x, pfns[i]);
            if (rc < 0)
                return rc;
            i += rc ? 0 : SUPER_PAGES;
            if (!rc)
                continue;
            rc = 0;
        }
        single[nr_single++] = pfns[i++];
        if (nr_single == XC_BATCH_MAX) {
            rc = populate_singly(x, single, nr_single);
            nr_single = 0;
        }
    }
    return rc ? rc : populate_singly(x, single, nr_single);
}

/* data NULL: zeros */
static int fill_mapped(struct xc_hv_xen *x, const xc_pfn_t *pfns, size_t n,
                       const uint8_t *data)
{
    xen_pfn_t gfns[XC_BATCH_MAX];
    int errors[XC_BATCH_MAX], rc = 0;
    uint8_t *at;

    xc_hv_xen_gfns(x, pfns, n, gfns);
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
    xenforeignmemory_unmap(x->fmem, at, n);
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
