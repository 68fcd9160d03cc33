/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xc_bitmap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64u

static size_t nr_words(const struct xc_bitmap *b)
{
    return (b->bits + WORD_BITS - 1) / WORD_BITS;
}

static uint64_t mask_of(uint64_t bit)
{
    return UINT64_C(1) << (bit % WORD_BITS);
}

int xc_bitmap_init(struct xc_bitmap *b, uint64_t bits)
{
    *b = (struct xc_bitmap){.bits = bits};
    if (bits > UINT64_MAX - WORD_BITS)
        return -ENOMEM;
    b->words = calloc(nr_words(b) ? nr_words(b) : 1, sizeof(*b->words));
    if (!b->words) {
        b->bits = 0;
        return -ENOMEM;
    }
    return 0;
}

void xc_bitmap_dispose(struct xc_bitmap *b)
{
    free(b->words);
    *b = (struct xc_bitmap){0};
}

void xc_bitmap_clear_all(struct xc_bitmap *b)
{
    if (b->words)
        memset(b->words, 0, nr_words(b) * sizeof(*b->words));
}

void xc_bitmap_fill(struct xc_bitmap *b)
{
    xc_bitmap_set_range(b, 0, b->bits);
}

void xc_bitmap_set(struct xc_bitmap *b, uint64_t bit)
{
    assert(bit < b->bits);
    b->words[bit / WORD_BITS] |= mask_of(bit);
}

void xc_bitmap_set_range(struct xc_bitmap *b, uint64_t first, uint64_t count)
{
    uint64_t bit = first, end = first + count;

    assert(first <= b->bits && count <= b->bits - first);
    for (; bit < end && bit % WORD_BITS; bit++)
        xc_bitmap_set(b, bit);
    for (; end - bit >= WORD_BITS; bit += WORD_BITS)
        b->words[bit / WORD_BITS] = ~UINT64_C(0);
    for (; bit < end; bit++)
        xc_bitmap_set(b, bit);
}

void xc_bitmap_clear(struct xc_bitmap *b, uint64_t bit)
{
    assert(bit < b->bits);
    b->words[bit / WORD_BITS] &= ~mask_of(bit);
}

bool xc_bitmap_test(const struct xc_bitmap *b, uint64_t bit)
{
    assert(bit < b->bits);
    return b->words[bit / WORD_BITS] & mask_of(bit);
}

uint64_t xc_bitmap_count(const struct xc_bitmap *b)
{
    uint64_t n = 0;

    for (size_t i = 0; i < nr_words(b); i++)
        n += (uint64_t)__builtin_popcountll(b->words[i]);
    return n;
}

uint64_t xc_bitmap_next(const struct xc_bitmap *b, uint64_t from)
{
    size_t i = from / WORD_BITS;
    uint64_t word;

    if (from >= b->bits)
        return b->bits;
    word = b->words[i] & ~(mask_of(from) - 1);
    while (!word && ++i < nr_words(b))
        word = b->words[i];
    if (!word)
        return b->bits;
    return i * WORD_BITS + (uint64_t)__builtin_ctzll(word);
}

void xc_bitmap_or(struct xc_bitmap *into, const struct xc_bitmap *from)
{
    assert(into->bits == from->bits);
    for (size_t i = 0; i < nr_words(into); i++)
        into->words[i] |= from->words[i];
}
