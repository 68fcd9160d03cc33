/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vq_chain.c - walk one chain: descriptors of the ring, and at most one
 * indirect table, which ends the chain. Each descriptor is copied out once;
 * the walk is bounded by the number of descriptors, so that a loop ends.
 */
#include "ring/vq_chain.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "ring/vq_layout.h"

/* Where descriptors come from: the ring, or an indirect table. */
struct table {
    const uint8_t *ring; /* NULL: indirect, read through mem */
    uint64_t gpa;
    uint32_t entries;
};

static const char *desc_read(const struct libxl__vq *vq, const struct table *t,
                             uint32_t index, struct vq_desc *d)
{
    if (index >= t->entries)
        return "a descriptor's next is beyond its table";
    if (t->ring)
        memcpy(d, t->ring + index * sizeof(*d), sizeof(*d));
    else if (libxl__ring_mem_read(vq->mem, t->gpa + index * sizeof(*d), d,
                                  sizeof(*d)))
        return "an indirect table outside the guest's memory";
    /* from here on the compiler must not look at shared memory again */
    __asm__ volatile("" ::: "memory");
    d->addr = le64toh(d->addr);
    d->len = le32toh(d->len);
    d->flags = le16toh(d->flags);
    d->next = le16toh(d->next);
    return NULL;
}

static const char *enter_indirect(const struct libxl__vq *vq,
                                  const struct vq_desc *d, struct table *t)
{
    if (!(vq->p.flags & LIBXL__VQ_F_INDIRECT))
        return "an indirect table that was not negotiated";
    if (!t->ring)
        return "an indirect table inside an indirect table";
    if (d->flags & VQ_DESC_F_NEXT)
        return "an indirect descriptor with a next one";
    if (!d->len || d->len % sizeof(struct vq_desc))
        return "an indirect table whose length is no multiple of 16";
    if (d->len / sizeof(struct vq_desc) > LIBXL__VQ_MAX_CHAIN)
        return "an indirect table of more than 1024 descriptors";
    if (d->addr > UINT64_MAX - d->len)
        return "an indirect table that wraps around";
    *t = (struct table){.gpa = d->addr,
                        .entries = d->len / (uint32_t)sizeof(struct vq_desc)};
    return NULL;
}

static const char *add_buffer(const struct libxl__vq *vq,
                              const struct vq_desc *d,
                              struct libxl__vq_elem *elem)
{
    unsigned have = elem->nr_out + elem->nr_in;
    bool in = d->flags & VQ_DESC_F_WRITE;
    uint64_t gpa = d->addr;
    int n;

    if (!d->len)
        return "a buffer of length 0";
    if (!in && elem->nr_in)
        return "a readable buffer behind a writable one";
    if (elem->out_bytes + elem->in_bytes + d->len > UINT32_MAX)
        return "a chain of 4 GiB or more";
    n = libxl__ring_mem_iov(vq->mem, d->addr, d->len, elem->iov + have,
                            LIBXL__VQ_MAX_IOV - have);
    if (n == -E2BIG)
        return "a chain of too many pieces";
    if (n < 0)
        return "a buffer outside the guest's memory";

    for (int i = 0; i < n; i++) {
        elem->gpa[have + (unsigned)i] = gpa;
        gpa += elem->iov[have + (unsigned)i].iov_len;
    }
    if (in) {
        elem->nr_in += (unsigned)n;
        elem->in_bytes += d->len;
    } else {
        elem->nr_out += (unsigned)n;
        elem->out_bytes += d->len;
    }
    return NULL;
}

const char *libxl__vq_chain_read(const struct libxl__vq *vq, uint16_t head,
                                 struct libxl__vq_elem *elem)
{
    struct table t = {.ring = vq->desc, .entries = vq->p.size};
    const char *wrong;
    uint32_t index = head;
    struct vq_desc d;

    elem->nr_out = elem->nr_in = 0;
    elem->out_bytes = elem->in_bytes = 0;
    for (unsigned seen = 0; seen < LIBXL__VQ_MAX_CHAIN; seen++) {
        wrong = desc_read(vq, &t, index, &d);
        if (wrong)
            return wrong;
        if (d.flags & VQ_DESC_F_INDIRECT) {
            wrong = enter_indirect(vq, &d, &t);
            if (wrong)
                return wrong;
            index = 0;
            continue;
        }
        wrong = add_buffer(vq, &d, elem);
        if (wrong)
            return wrong;
        if (!(d.flags & VQ_DESC_F_NEXT))
            return NULL;
        /* a chain in the ring cannot be longer than the ring: it loops */
        if (t.ring && seen + 1 >= vq->p.size)
            return "a chain that is longer than its queue, or loops";
        index = d.next;
    }
    return "a chain of more than 1024 descriptors, or a loop";
}
