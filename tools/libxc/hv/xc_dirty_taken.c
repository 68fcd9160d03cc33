/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hv/xc_dirty_taken.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

int xc_dirty_taken_init(struct xc_dirty_taken *t, xc_pfn_t nr_pfns)
{
    static const uint8_t zeros[XC_PAGE_SIZE];

    *t = (struct xc_dirty_taken){.nr_pfns = nr_pfns};
    t->zero_hash = XXH3_64bits(zeros, sizeof(zeros));
    t->hashes = calloc(nr_pfns, sizeof(*t->hashes));
    t->copies = malloc((size_t)XC_BATCH_MAX * XC_PAGE_SIZE);
    if (!t->hashes || !t->copies) {
        xc_dirty_taken_dispose(t);
        return -ENOMEM;
    }
    return 0;
}

void xc_dirty_taken_dispose(struct xc_dirty_taken *t)
{
    free(t->hashes);
    free(t->copies);
    *t = (struct xc_dirty_taken){0};
}

static uint64_t hash_of(const struct xc_dirty_taken *t, const void *page)
{
    return XXH3_64bits(page, XC_PAGE_SIZE) ^ t->zero_hash;
}

void xc_dirty_taken_take(struct xc_dirty_taken *t, const xc_pfn_t *pfns,
                         size_t n, const void **pages)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *copy = t->copies + xc_pages_to_bytes(i);

        memcpy(copy, pages[i], XC_PAGE_SIZE);
        t->hashes[pfns[i]] = hash_of(t, copy);
        pages[i] = copy;
    }
}

bool xc_dirty_taken_differs(const struct xc_dirty_taken *t, xc_pfn_t pfn,
                            const void *page)
{
    return hash_of(t, page) != t->hashes[pfn];
}

void xc_dirty_taken_were_not_zero(const struct xc_dirty_taken *t, xc_pfn_t from,
                                  xc_pfn_t to, struct xc_bitmap *into)
{
    for (; from < to; from++)
        if (t->hashes[from])
            xc_bitmap_set(into, from);
}
