/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_dirty_taken.h - what each page held when it was last taken to be sent.
 *
 * Owns:      a hash a page (8 bytes, in memory that comes into being as it is
 *            used) and room for one batch of copies.
 * Rule:      the hash is of the copy that is sent, never of the page itself: a
 *            page that changed and changed back in between is no danger.
 */
#ifndef XC_DIRTY_TAKEN_H
#define XC_DIRTY_TAKEN_H

#include "hv/xc_hv.h"

struct xc_dirty_taken {
    uint64_t *hashes; /* 0: zero, or never taken */
    uint64_t zero_hash;
    uint8_t *copies;
    xc_pfn_t nr_pfns;
};

int xc_dirty_taken_init(struct xc_dirty_taken *t, xc_pfn_t nr_pfns);
void xc_dirty_taken_dispose(struct xc_dirty_taken *t); /* idempotent */
/* pages[i] is replaced by its copy. */
void xc_dirty_taken_take(struct xc_dirty_taken *t, const xc_pfn_t *pfns,
                         size_t n, const void **pages);
bool xc_dirty_taken_differs(const struct xc_dirty_taken *t, xc_pfn_t pfn,
                            const void *page);
/* Sets those pages of [from, to) that were taken as anything but zero. */
void xc_dirty_taken_were_not_zero(const struct xc_dirty_taken *t, xc_pfn_t from,
                                  xc_pfn_t to, struct xc_bitmap *into);

#endif
