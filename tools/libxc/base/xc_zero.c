/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xc_zero.h"

#include <stddef.h>
#include <stdint.h>

#include "base/xc_units.h"

typedef uint64_t vec64 __attribute__((vector_size(64), may_alias, aligned(8)));

#define VECS (XC_PAGE_SIZE / sizeof(vec64))
#define VECS_PER_TEST 8

/* By address: clang has no calling convention for so wide a value. */
static bool any_bit(const vec64 *p)
{
    const vec64 v = *p;

    return v[0] | v[1] | v[2] | v[3] | v[4] | v[5] | v[6] | v[7];
}

bool xc_page_is_zero(const void *page)
{
    const vec64 *v = page;
    const vec64 spots = v[0] | v[VECS / 2] | v[VECS - 1];

    /* Pages in use mostly differ from zero in one of these already. */
    if (any_bit(&spots))
        return false;
    for (size_t i = 0; i < VECS; i += VECS_PER_TEST) {
        vec64 sum = v[i];

        for (size_t k = 1; k < VECS_PER_TEST; k++)
            sum |= v[i + k];
        if (any_bit(&sum))
            return false;
    }
    return true;
}
