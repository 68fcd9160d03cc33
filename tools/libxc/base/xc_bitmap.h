/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_bitmap.h - a set of PFNs.
 *
 * Owns:      its words. Errors: -ENOMEM. Bits beyond 'bits' are never set.
 */
#ifndef XC_BITMAP_H
#define XC_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

struct xc_bitmap {
    uint64_t *words;
    uint64_t bits;
};

int xc_bitmap_init(struct xc_bitmap *b, uint64_t bits); /* all clear */
void xc_bitmap_dispose(struct xc_bitmap *b);            /* idempotent */
void xc_bitmap_fill(struct xc_bitmap *b);
void xc_bitmap_clear_all(struct xc_bitmap *b);
void xc_bitmap_set(struct xc_bitmap *b, uint64_t bit);
void xc_bitmap_set_range(struct xc_bitmap *b, uint64_t first, uint64_t count);
void xc_bitmap_clear(struct xc_bitmap *b, uint64_t bit);
bool xc_bitmap_test(const struct xc_bitmap *b, uint64_t bit);
uint64_t xc_bitmap_count(const struct xc_bitmap *b);
/* The first set bit at or after from; b->bits when there is none. */
uint64_t xc_bitmap_next(const struct xc_bitmap *b, uint64_t from);
void xc_bitmap_or(struct xc_bitmap *into, const struct xc_bitmap *from);

#endif
