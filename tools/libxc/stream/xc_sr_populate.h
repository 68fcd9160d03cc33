/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_populate.h - which pages the new domain has got already.
 *
 * Owns:      one bit a page.
 * Errors:    0, or negative errno; not reported.
 * Rule:      where the hypervisor has pieces of 2 MiB, one is made as soon as
 *            half of it was asked for in a row: what belongs to it may come
 *            with the next record. What was not asked for by then goes away,
 *            at once when other pages are asked for that come singly.
 */
#ifndef XC_SR_POPULATE_H
#define XC_SR_POPULATE_H

#include "hv/xc_hv.h"

struct xc_sr_populate {
    struct xc_hv *hv;
    struct xc_bitmap there;
    bool zero_fresh; /* a page comes into being as zeros */
    bool has_extents;
    /* the last one made, and which of its pages nobody asked for so far */
    xc_pfn_t extent;
    struct xc_bitmap ahead;
};

int xc_sr_populate_init(struct xc_sr_populate *p, struct xc_hv *hv,
                        const struct xc_hv_info *info);
/* Takes away what the new domain's memory may hold already, where a page that
 * the stream does not bring has to be zero. */
int xc_sr_populate_wipe(struct xc_sr_populate *p);
void xc_sr_populate_dispose(struct xc_sr_populate *p); /* idempotent */

/* Makes those of pfns exist that do not yet. */
int xc_sr_populate(struct xc_sr_populate *p, const xc_pfn_t *pfns, size_t n);
/* The same, and all of them are zero behind it, whatever they held. */
int xc_sr_populate_zero(struct xc_sr_populate *p, const xc_pfn_t *pfns,
                        size_t n);
/* No more will be asked for. */
int xc_sr_populate_end(struct xc_sr_populate *p);
bool xc_sr_populated(const struct xc_sr_populate *p, xc_pfn_t pfn);

#endif
