/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen_layout.c - at which PFNs a domain has pages.
 *
 * A small guest spans 4 GiB, most of which is holes, and the hypervisor can be
 * asked for single PFNs alone: a million questions. It counts a guest's pages,
 * though. So of an HVM or PVH guest that is saved all is looked at once, first
 * where memory uses to be, and no further than to the last page. A PV guest's
 * own list says as much, and is at hand.
 *
 * What a running guest writes to a page that it has just been given is in no
 * log: the hypervisor begins to log that page when the log is cleared the next
 * time. So it is looked for, and the count asked for, before the log is cleared
 * (or switched on), never behind that: what was found is logged from then on,
 * and sent; what comes in between is new the next time.
 */
#include <errno.h>

#include "hv/xc_hv_xen_priv.h"

/* 3.5 GiB: from here to 4 GiB lie devices' memory and Xen's own pages. */
#define PFN_DEVICES (XC_XEN_PFN_4GIB / 8 * 7)
/* 64 MiB of holes: memory seems to end before it. */
#define GAP_PFNS (UINT64_C(1) << 14)

static xc_pfn_t least(xc_pfn_t a, xc_pfn_t b)
{
    return a < b ? a : b;
}

/* The types of up to XC_XEN_TYPES_MAX pages at 'from'; how many in *n. */
static int look_at(struct xc_hv_xen *x, xc_pfn_t from, xen_pfn_t *types,
                   size_t *n)
{
    xc_pfn_t left = x->base.nr_pfns - from, pfns[XC_XEN_TYPES_MAX];
    int rc;

    *n = (size_t)least(left, XC_XEN_TYPES_MAX);
    for (size_t i = 0; i < *n; i++)
        pfns[i] = from + i;
    rc = xc_hv_xen_gfns(x, pfns, *n, types);
    if (rc)
        return rc;
    if (!x->base.pv)
        return xc_hv_xen_get_types(x, types, *n);
    for (size_t i = 0; i < *n; i++)
        types[i] = types[i] == XC_INVALID_MFN ? XEN_DOMCTL_PFINFO_XTAB : 0;
    return 0;
}

/* ---- each time anew ---- */

static int look_for_run(struct xc_hv_xen *x, xc_pfn_t from,
                        struct xc_pfn_run *out)
{
    xen_pfn_t types[XC_XEN_TYPES_MAX];

    while (from < x->base.nr_pfns) {
        size_t n, i = 0, end;
        int rc = look_at(x, from, types, &n);

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

/* ---- once ---- */

/* Notes the pages from *at on, until 'end' or 'gap' holes in a row. */
static int note_pages(struct xc_hv_xen *x, xc_pfn_t *at, xc_pfn_t end,
                      uint64_t gap)
{
    xen_pfn_t types[XC_XEN_TYPES_MAX];
    uint64_t holes = 0;
    size_t n = 0;

    for (; *at < end && holes < gap; *at += n) {
        int rc = look_at(x, *at, types, &n);

        if (rc)
            return rc;
        n = (size_t)least(n, end - *at);
        for (size_t i = 0; i < n; i++) {
            holes++;
            if (types[i] == XEN_DOMCTL_PFINFO_XTAB)
                continue;
            holes = 0;
            x->there_pages++;
            xc_bitmap_set(&x->there, *at + i);
        }
    }
    return 0;
}

/* All that were counted before and behind it: then there are no more. */
static int has_all(struct xc_hv_xen *x, bool *all)
{
    uint64_t count;
    int rc = xc_hv_xen_count(x, &count);

    *all = !rc && count == x->there_count && count == x->there_pages;
    return rc;
}

static int note_until_all(struct xc_hv_xen *x)
{
    xc_pfn_t end = x->base.nr_pfns, below = least(XC_XEN_PFN_4GIB, end);
    xc_pfn_t low = 0, devices, high = XC_XEN_PFN_4GIB;
    bool all = false;
    int rc = note_pages(x, &low, below, GAP_PFNS);

    devices = low > PFN_DEVICES ? low : PFN_DEVICES;
    if (!rc)
        rc = note_pages(x, &devices, below, UINT64_MAX);
    if (!rc)
        rc = note_pages(x, &high, end, GAP_PFNS);
    if (!rc)
        rc = has_all(x, &all);
    if (!rc && !all)
        rc = note_pages(x, &low, least(PFN_DEVICES, below), UINT64_MAX);
    if (!rc && !all)
        rc = note_pages(x, &high, end, UINT64_MAX);
    return rc;
}

/* As if it had never been looked at. */
static int look_anew(struct xc_hv_xen *x)
{
    int rc = xc_bitmap_init(&x->there, x->base.nr_pfns);

    x->there_pages = 0;
    if (!rc)
        rc = xc_hv_xen_count(x, &x->there_count);
    if (!rc)
        rc = note_until_all(x);
    if (rc)
        xc_bitmap_dispose(&x->there);
    return rc;
}

static int find_run(const struct xc_bitmap *there, xc_pfn_t from,
                    struct xc_pfn_run *out)
{
    xc_pfn_t end;

    from = xc_bitmap_next(there, from);
    if (from >= there->bits)
        return -ENOENT;
    for (end = from + 1; end < there->bits && xc_bitmap_test(there, end); end++)
        ;
    *out = (struct xc_pfn_run){from, end - from};
    return 0;
}

int xc_hv_xen_next_run(struct xc_hv *hv, xc_pfn_t from, struct xc_pfn_run *out)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    int rc = 0;

    if (hv->pv || x->restore)
        return look_for_run(x, from, out);
    /* what verifies a save must not believe what the save believed */
    if (!from && x->guest_stands)
        xc_bitmap_dispose(&x->there);
    if (!x->there.bits)
        rc = look_anew(x);
    return rc ? rc : find_run(&x->there, from, out);
}

int xc_hv_xen_layout_begin(struct xc_hv_xen *x)
{
    xc_bitmap_dispose(&x->there);
    return x->base.pv ? 0 : look_anew(x);
}

/* The guest stands, and every look is one too many: at the holes alone. */
static int look_at_holes(struct xc_hv_xen *x, struct xc_bitmap *into)
{
    xen_pfn_t types[XC_XEN_TYPES_MAX];
    xc_pfn_t at = 0, pfns[XC_XEN_TYPES_MAX];

    while (at < x->there.bits) {
        size_t n = 0;
        int rc;

        for (; at < x->there.bits && n < XC_XEN_TYPES_MAX; at++)
            if (!xc_bitmap_test(&x->there, at))
                pfns[n++] = at;
        for (size_t i = 0; i < n; i++)
            types[i] = pfns[i];
        rc = n ? xc_hv_xen_get_types(x, types, n) : 0;
        if (rc)
            return rc;
        for (size_t i = 0; i < n; i++)
            if (types[i] != XEN_DOMCTL_PFINFO_XTAB)
                xc_bitmap_set(into, pfns[i]);
    }
    return 0;
}

static int look_at_all(struct xc_hv_xen *x, struct xc_bitmap *into)
{
    struct xc_bitmap before = x->there;
    uint64_t words = (before.bits + 63) / 64;
    int rc = look_anew(x);

    for (uint64_t w = 0; !rc && w < words; w++)
        into->words[w] |= x->there.words[w] & ~before.words[w];
    xc_bitmap_dispose(&before);
    return rc;
}

int xc_hv_xen_layout_again(struct xc_hv_xen *x, struct xc_bitmap *into,
                           bool final)
{
    uint64_t count;
    int rc;

    if (!x->there.bits)
        return 0;
    rc = xc_hv_xen_count(x, &count);
    if (rc || count == x->there_count)
        return rc;
    return final ? look_at_holes(x, into) : look_at_all(x, into);
}
