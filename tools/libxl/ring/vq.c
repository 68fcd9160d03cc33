/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vq.c - indices and notifications of a split virtqueue. vq_chain.c walks the
 * descriptors of one request.
 *
 * The guest writes avail and descriptors while we look: every index and every
 * descriptor is loaded once, into a local, and only that copy is checked and
 * used.
 */
#include "ring/vq.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "ring/vq_chain.h"
#include "ring/vq_layout.h"

static uint16_t load16(const uint8_t *p)
{
    return le16toh(__atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE));
}

static void store16(uint8_t *p, uint16_t v)
{
    __atomic_store_n((uint16_t *)p, htole16(v), __ATOMIC_RELEASE);
}

static void held_set(struct libxl__vq *vq, uint16_t head)
{
    vq->held[head / 64] |= UINT64_C(1) << (head % 64);
    vq->nr_held++;
}

static void held_clear(struct libxl__vq *vq, uint16_t head)
{
    vq->held[head / 64] &= ~(UINT64_C(1) << (head % 64));
    vq->nr_held--;
}

static bool held_test(const struct libxl__vq *vq, uint16_t head)
{
    return vq->held[head / 64] >> (head % 64) & 1;
}

void libxl__vq_break(struct libxl__vq *vq, const char *reason)
{
    if (vq->state != LIBXL__VQ_LIVE)
        return;
    vq->state = LIBXL__VQ_BROKEN;
    vq->broken = reason;
}

/* The memory table may have changed under a live queue. */
bool libxl__vq_mapped(struct libxl__vq *vq)
{
    const struct libxl__vq_params *p = &vq->p;

    if (vq->desc && vq->generation == vq->mem->generation)
        return true;
    vq->desc = libxl__ring_mem_at(vq->mem, p->desc,
                                  (uint64_t)p->size * sizeof(struct vq_desc));
    vq->avail = libxl__ring_mem_at(vq->mem, p->avail, VQ_AVAIL_BYTES(p->size));
    vq->used = libxl__ring_mem_at(vq->mem, p->used, VQ_USED_BYTES(p->size));
    vq->generation = vq->mem->generation;
    if (vq->desc && vq->avail && vq->used)
        return true;
    vq->desc = NULL;
    return false;
}

/* Ready to use, or broken now, or not live. */
static bool usable(struct libxl__vq *vq)
{
    if (vq->state != LIBXL__VQ_LIVE)
        return false;
    if (libxl__vq_mapped(vq))
        return true;
    libxl__vq_break(vq, "the ring's memory has been taken away");
    return false;
}

void libxl__vq_init(struct libxl__vq *vq, struct libxl__ring_mem *mem)
{
    *vq = (struct libxl__vq){
        .mem = mem, .state = LIBXL__VQ_STOPPED, .kick_word = -1};
}

int libxl__vq_setup(struct libxl__vq *vq, const struct libxl__vq_params *p)
{
    struct libxl__ring_mem *mem = vq->mem;

    assert(vq->state != LIBXL__VQ_LIVE);
    if (!p->size || p->size > LIBXL__VQ_MAX_SIZE || (p->size & (p->size - 1)))
        return -EINVAL;
    if (p->desc % VQ_DESC_ALIGN || p->avail % VQ_AVAIL_ALIGN ||
        p->used % VQ_USED_ALIGN)
        return -EINVAL;

    libxl__vq_init(vq, mem);
    vq->p = *p;
    if (!libxl__vq_mapped(vq))
        return -EFAULT;
    vq->last_avail = p->last_avail;
    vq->used_idx = load16(vq->used + VQ_USED_IDX);
    vq->state = LIBXL__VQ_LIVE;
    return 0;
}

uint16_t libxl__vq_stop(struct libxl__vq *vq)
{
    uint16_t next = vq->last_avail;
    struct libxl__ring_mem *mem = vq->mem;

    libxl__vq_init(vq, mem);
    return next;
}

bool libxl__vq_resume(struct libxl__vq *vq, uint16_t nr)
{
    uint16_t idx = load16(vq->avail + VQ_AVAIL_IDX);

    assert(vq->state == LIBXL__VQ_LIVE && !vq->nr_held);
    if ((uint16_t)(idx - vq->used_idx) < nr)
        return false;
    vq->last_avail = (uint16_t)(vq->used_idx + nr);
    return true;
}

/* The head of the next chain. 1, 0 or -EPROTO as pop. */
static int next_head(struct libxl__vq *vq, uint16_t *head)
{
    uint16_t idx = load16(vq->avail + VQ_AVAIL_IDX);
    uint16_t waiting = (uint16_t)(idx - vq->last_avail);

    if (!waiting)
        return 0;
    if (waiting > vq->p.size) {
        libxl__vq_break(vq, "the available index moved by more than the "
                            "queue's size");
        return -EPROTO;
    }
    *head = load16(vq->avail + VQ_AVAIL_RING(vq->last_avail % vq->p.size));
    if (*head >= vq->p.size) {
        libxl__vq_break(vq, "a head beyond the descriptor table");
        return -EPROTO;
    }
    if (held_test(vq, *head)) {
        libxl__vq_break(vq, "the same head made available twice");
        return -EPROTO;
    }
    return 1;
}

static int take(struct libxl__vq *vq, uint16_t head,
                struct libxl__vq_elem *elem)
{
    const char *wrong = libxl__vq_chain_read(vq, head, elem);

    if (wrong) {
        libxl__vq_break(vq, wrong);
        return -EPROTO;
    }
    elem->head = head;
    held_set(vq, head);
    return 1;
}

int libxl__vq_pop_again(struct libxl__vq *vq, uint16_t head,
                        struct libxl__vq_elem *elem)
{
    if (vq->state != LIBXL__VQ_LIVE)
        return 0;
    if (!usable(vq))
        return -EPROTO;
    assert(head < vq->p.size && !held_test(vq, head));
    return take(vq, head, elem);
}

int libxl__vq_pop(struct libxl__vq *vq, struct libxl__vq_elem *elem)
{
    uint16_t head;
    int r;

    if (vq->state != LIBXL__VQ_LIVE)
        return 0;
    if (!usable(vq))
        return -EPROTO;
    r = next_head(vq, &head);
    if (r <= 0)
        return r;

    r = take(vq, head, elem);
    if (r > 0)
        vq->last_avail++;
    return r;
}

void libxl__vq_unpop(struct libxl__vq *vq, const struct libxl__vq_elem *elem)
{
    if (vq->state != LIBXL__VQ_LIVE)
        return;
    assert(held_test(vq, elem->head));
    held_clear(vq, elem->head);
    vq->last_avail--;
}

static void log_written(struct libxl__vq *vq, const struct libxl__vq_elem *elem,
                        uint64_t written)
{
    for (unsigned i = elem->nr_out; written; i++) {
        uint64_t n = elem->iov[i].iov_len;

        if (n > written)
            n = written;
        libxl__ring_mem_dirty(vq->mem, elem->gpa[i], n);
        written -= n;
    }
}

bool libxl__vq_push(struct libxl__vq *vq, const struct libxl__vq_elem *elem,
                    uint32_t written)
{
    uint64_t slot;
    uint32_t entry[2] = {htole32(elem->head), htole32(written)};

    assert(written <= elem->in_bytes);
    assert(held_test(vq, elem->head));
    /* also of a broken queue: nobody may wait for what is over */
    held_clear(vq, elem->head);
    if (!usable(vq))
        return false;

    if (libxl__ring_mem_logging(vq->mem))
        log_written(vq, elem, written);
    slot = VQ_USED_RING(vq->used_idx % vq->p.size);
    memcpy(vq->used + slot, entry, sizeof(entry));
    libxl__ring_mem_dirty(vq->mem, vq->p.used + slot, sizeof(entry));
    vq->used_idx++;
    store16(vq->used + VQ_USED_IDX, vq->used_idx);
    libxl__ring_mem_dirty(vq->mem, vq->p.used + VQ_USED_IDX, 2);
    return true;
}

/* Did an index that went from old to now pass event? All modulo 2^16. */
static bool passed(uint16_t event, uint16_t now, uint16_t old)
{
    return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

bool libxl__vq_should_notify(struct libxl__vq *vq)
{
    uint16_t old = vq->signalled_used;
    bool valid = vq->signalled_valid;

    if (!usable(vq))
        return false;
    /* the used index must be out before the driver's wish is read */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!(vq->p.flags & LIBXL__VQ_F_EVENT_IDX))
        return !(load16(vq->avail) & VQ_AVAIL_F_NO_INTERRUPT);
    vq->signalled_used = vq->used_idx;
    vq->signalled_valid = true;
    return !valid || passed(load16(vq->avail + VQ_AVAIL_RING(vq->p.size)),
                            vq->used_idx, old);
}

void libxl__vq_set_kick(struct libxl__vq *vq, bool enable)
{
    uint64_t at = 0;
    uint16_t value = enable ? 0 : VQ_USED_F_NO_NOTIFY;

    if (!usable(vq))
        return;
    if (vq->p.flags & LIBXL__VQ_F_EVENT_IDX) {
        /* an event index that is not moved on asks for no kick by itself */
        if (!enable)
            return;
        at = VQ_USED_RING(vq->p.size);
        value = vq->last_avail;
    }
    /* a page that is written for nothing is sent for nothing by a migration */
    if (vq->kick_word != value) {
        store16(vq->used + at, value);
        libxl__ring_mem_dirty(vq->mem, vq->p.used + at, 2);
        vq->kick_word = value;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
