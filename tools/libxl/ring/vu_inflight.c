/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vu_inflight.c - the table of a split ring's requests under way.
 *
 * pop:  counter -> in flight
 * push: last_batch_head -> (the ring's used index) -> not in flight -> used_idx
 * Killed between any two of these, the next device finds out what was answered:
 * a used_idx that lags behind the ring's says that the last one was.
 */
#include "ring/vu_inflight.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_VERSION 1u
#define TABLE_ALIGN 64u

struct head {
    uint64_t features;
    uint16_t version, desc_num, last_batch_head, used_idx;
};
_Static_assert(sizeof(struct head) == 16, "the layout of the protocol");

struct entry {
    uint8_t inflight, unused[5];
    uint16_t next;
    uint64_t counter;
};
_Static_assert(sizeof(struct entry) == 16, "the layout of the protocol");

struct undone {
    uint64_t counter;
    uint16_t head;
};

static struct head *head_of(uint8_t *at)
{
    return (struct head *)at;
}

static struct entry *entry_of(uint8_t *at, uint16_t i)
{
    return (struct entry *)(at + sizeof(struct head)) + i;
}

static uint16_t get16(const uint16_t *p)
{
    return le16toh(__atomic_load_n(p, __ATOMIC_ACQUIRE));
}

/* Stores reach the table in the order of the program: a killed process leaves
 * what it had done so far. */
static void put16(uint16_t *p, uint16_t v)
{
    __atomic_store_n(p, htole16(v), __ATOMIC_RELEASE);
}

static void put_inflight(struct entry *e, uint8_t v)
{
    __atomic_store_n(&e->inflight, v, __ATOMIC_RELEASE);
}

uint64_t libxl__vu_inflight_bytes(uint16_t size)
{
    uint64_t bytes = sizeof(struct head) + (uint64_t)size * sizeof(struct entry);

    return (bytes + TABLE_ALIGN - 1) / TABLE_ALIGN * TABLE_ALIGN;
}

const char *libxl__vu_inflight_check(const uint8_t *at, uint16_t size)
{
    struct head h;

    memcpy(&h, at, sizeof(h));
    if (!h.version)
        return NULL;
    if (le16toh(h.version) != TABLE_VERSION)
        return "an inflight table of a version that is not 1";
    if (h.features)
        return "an inflight table with unknown features";
    if (le16toh(h.desc_num) != size)
        return "an inflight table of another size than it says";
    return NULL;
}

static void make_new(struct vu_inflight *in, uint16_t used_idx)
{
    struct head *h = head_of(in->at);

    memset(in->at, 0, sizeof(*h) + in->size * sizeof(struct entry));
    put16(&h->desc_num, in->size);
    put16(&h->used_idx, used_idx);
    put16(&h->version, TABLE_VERSION);
}

/* The requests in flight, in no order. */
static const char *collect(struct vu_inflight *in, const struct libxl__vq *ring,
                           struct undone *undone, unsigned *nr)
{
    *nr = 0;
    for (uint16_t i = 0; i < in->size; i++) {
        struct entry *e = entry_of(in->at, i);
        uint8_t inflight = __atomic_load_n(&e->inflight, __ATOMIC_ACQUIRE);
        uint64_t counter =
            le64toh(__atomic_load_n(&e->counter, __ATOMIC_RELAXED));

        if (!inflight)
            continue;
        if (inflight != 1)
            return "an inflight entry that is neither in flight nor not";
        if (i >= ring->p.size)
            return "a request in flight whose head is beyond its ring";
        if (counter == UINT64_MAX)
            return "a request in flight whose counter is at its end";
        undone[(*nr)++] = (struct undone){counter, i};
    }
    return NULL;
}

/* The requests whose answer the driver has, but whose entries still say in
 * flight: the last batch, as a list through the entries. */
static const char *finish_batch(struct vu_inflight *in, uint16_t batch)
{
    uint16_t i = get16(&head_of(in->at)->last_batch_head);

    if (batch > in->size)
        return "an inflight table that belongs to another ring";
    while (batch--) {
        if (i >= in->size)
            return "an inflight table with a batch beyond its end";
        put_inflight(entry_of(in->at, i), 0);
        i = get16(&entry_of(in->at, i)->next);
    }
    return NULL;
}

static int by_counter(const void *a, const void *b)
{
    const struct undone *x = a, *y = b;

    if (x->counter != y->counter)
        return x->counter < y->counter ? -1 : 1;
    return x->head < y->head ? -1 : x->head > y->head;
}

/* What is left to do, in order. */
static const char *find_undone(struct vu_inflight *in,
                               const struct libxl__vq *ring)
{
    uint16_t answered = (uint16_t)(ring->used_idx -
                                   get16(&head_of(in->at)->used_idx));
    struct undone undone[LIBXL__VQ_MAX_SIZE];
    const char *wrong;
    unsigned nr;

    wrong = collect(in, ring, undone, &nr);
    /* an empty table may come from before the ring was reset: any index is
     * right */
    if (!wrong && nr && answered) {
        wrong = finish_batch(in, answered);
        if (!wrong)
            wrong = collect(in, ring, undone, &nr);
    }
    if (wrong)
        return wrong;
    put16(&head_of(in->at)->used_idx, ring->used_idx);
    qsort(undone, nr, sizeof(undone[0]), by_counter);
    for (unsigned i = 0; i < nr; i++)
        in->again[i] = undone[i].head;
    in->nr_again = (uint16_t)nr;
    in->counter = nr ? undone[nr - 1].counter + 1 : 0;
    return NULL;
}

const char *libxl__vu_inflight_start(struct vu_inflight *in,
                                     struct libxl__vq *ring)
{
    const char *wrong;

    in->nr_again = in->next_again = 0;
    in->counter = 0;
    if (!in->at)
        return NULL;
    if (ring->p.size > in->size)
        return "a ring that is larger than its inflight table";
    if (!get16(&head_of(in->at)->version)) {
        make_new(in, ring->used_idx);
        return NULL;
    }
    wrong = libxl__vu_inflight_check(in->at, in->size);
    if (!wrong)
        wrong = find_undone(in, ring);
    if (!wrong && !libxl__vq_resume(ring, in->nr_again))
        wrong = "requests in flight that the driver has not made available";
    if (wrong)
        in->nr_again = 0;
    return wrong;
}

bool libxl__vu_inflight_again(struct vu_inflight *in, uint16_t *head)
{
    if (in->next_again == in->nr_again)
        return false;
    *head = in->again[in->next_again++];
    return true;
}

void libxl__vu_inflight_popped(struct vu_inflight *in, uint16_t head)
{
    struct entry *e;

    if (!in->at)
        return;
    e = entry_of(in->at, head);
    __atomic_store_n(&e->counter, htole64(in->counter++), __ATOMIC_RELAXED);
    put_inflight(e, 1);
}

void libxl__vu_inflight_pushing(struct vu_inflight *in, uint16_t head)
{
    struct head *h;

    if (!in->at)
        return;
    h = head_of(in->at);
    put16(&entry_of(in->at, head)->next, get16(&h->last_batch_head));
    put16(&h->last_batch_head, head);
}

void libxl__vu_inflight_pushed(struct vu_inflight *in, uint16_t head,
                               uint16_t used_idx)
{
    if (!in->at)
        return;
    put_inflight(entry_of(in->at, head), 0);
    put16(&head_of(in->at)->used_idx, used_idx);
}
