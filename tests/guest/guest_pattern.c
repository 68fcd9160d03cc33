// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_pattern.h"

#include <stdlib.h>
#include <sys/mman.h>

#define PAGE_SIZE 4096u
#define WORDS (PAGE_SIZE / sizeof(uint64_t))

struct guest_pattern {
    uint64_t *mem;
    uint32_t *generation; /* of each page: times rewritten */
    uint64_t pages;
    uint64_t seed;
    uint64_t next_dirty;
    uint64_t next_check;
};

/* splitmix64's finisher: cheap under emulation, and no two pages alike. */
uint64_t guest_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t page_key(const struct guest_pattern *p, uint64_t page)
{
    return guest_mix(p->seed ^ (page << 32) ^ p->generation[page]);
}

static void fill_page(struct guest_pattern *p, uint64_t page)
{
    uint64_t key = page_key(p, page);
    volatile uint64_t *word = p->mem + page * WORDS;

    for (unsigned int i = 0; i < WORDS; i++)
        word[i] = key + i * 0x9e3779b97f4a7c15u;
}

static int page_is_right(const struct guest_pattern *p, uint64_t page)
{
    uint64_t key = page_key(p, page);
    const volatile uint64_t *word = p->mem + page * WORDS;

    for (unsigned int i = 0; i < WORDS; i++) {
        if (word[i] != key + i * 0x9e3779b97f4a7c15u)
            return 0;
    }
    return 1;
}

static void *map(uint64_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

struct guest_pattern *guest_pattern_new(uint64_t pages, uint64_t seed)
{
    struct guest_pattern *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->pages = pages ? pages : 1;
    p->seed = seed;
    p->mem = map(p->pages * PAGE_SIZE);
    p->generation = map(p->pages * sizeof(*p->generation));
    if (!p->mem || !p->generation)
        return NULL; /* the guest stops here: nothing to give back */
    for (uint64_t i = 0; i < p->pages; i++)
        fill_page(p, i);
    return p;
}

void guest_pattern_dirty(struct guest_pattern *p, uint64_t count)
{
    /* An odd stride of about a third of the mapping: writes lie far apart. */
    uint64_t stride = (p->pages / 3) | 1;

    while (count--) {
        p->next_dirty = (p->next_dirty + stride) % p->pages;
        p->generation[p->next_dirty]++;
        fill_page(p, p->next_dirty);
    }
}

int64_t guest_pattern_check(struct guest_pattern *p, uint64_t count)
{
    while (count--) {
        uint64_t page = p->next_check;

        p->next_check = (p->next_check + 1) % p->pages;
        if (!page_is_right(p, page))
            return (int64_t)page;
    }
    return -1;
}

uint64_t guest_pattern_pages(const struct guest_pattern *p)
{
    return p->pages;
}
