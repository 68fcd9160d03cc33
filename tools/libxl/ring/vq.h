/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vq.h - the device's side of a split virtqueue (virtio 1.2, 2.7), driven by a
 * guest that may be hostile.
 *
 * Owns:      its indices and the set of heads the device holds. Memory and log
 *            are the ring_mem's.
 * Thread:    one thread.
 * Errors:    a ring that breaks a rule marks the queue broken, with a reason;
 *            a broken queue yields nothing more until it is set up again. It
 *            never ends the process.
 * Layout:    legacy and modern rings differ only in where their three parts
 *            lie; both are little-endian here (legacy: x86 guests).
 *
 * state     setup    pop               push     stop
 * stopped   -> live  nothing           -        -
 * live      -        may -> broken     yes      -> stopped
 * broken    -> live  nothing           dropped  -> stopped
 *
 * setup and stop only while nothing popped is still held.
 */
#ifndef LIBXL_VQ_H
#define LIBXL_VQ_H

#include "ring/ring_mem.h"

#define LIBXL__VQ_MAX_SIZE 1024u
/* Descriptors of one chain, those of an indirect table included; and pieces,
 * as a buffer may lie in more than one region. */
#define LIBXL__VQ_MAX_CHAIN 1024u
#define LIBXL__VQ_MAX_IOV (LIBXL__VQ_MAX_CHAIN + LIBXL__RING_MAX_REGIONS)

#define LIBXL__VQ_F_INDIRECT (1u << 0)
#define LIBXL__VQ_F_EVENT_IDX (1u << 1)

struct libxl__vq_params {
    uint16_t size; /* 1..1024, a power of two */
    unsigned flags;
    uint64_t desc, avail, used; /* gpa */
    uint16_t last_avail;        /* where to go on: 0, or a saved queue's */
};

struct libxl__vq {
    struct libxl__ring_mem *mem;
    struct libxl__vq_params p;
    enum { LIBXL__VQ_STOPPED, LIBXL__VQ_LIVE, LIBXL__VQ_BROKEN } state;
    const char *broken; /* why: a string constant */
    uint16_t last_avail, used_idx;
    uint16_t signalled_used; /* used_idx at the last notification */
    bool signalled_valid;
    int32_t kick_word; /* what was last written for set_kick; -1: nothing */
    uint16_t nr_held;
    uint64_t held[LIBXL__VQ_MAX_SIZE / 64]; /* heads popped, not yet pushed */
    unsigned generation;                    /* of mem, for the pointers below */
    const uint8_t *desc, *avail;
    uint8_t *used;
};

/* One request: what the driver lets the device read, then write. */
struct libxl__vq_elem {
    uint16_t head;
    unsigned nr_out, nr_in;
    uint64_t out_bytes, in_bytes;
    struct iovec iov[LIBXL__VQ_MAX_IOV]; /* out, then in */
    uint64_t gpa[LIBXL__VQ_MAX_IOV];     /* of each piece, for the dirty log */
};

static inline const struct iovec *libxl__vq_out(const struct libxl__vq_elem *e)
{
    return e->iov;
}

static inline const struct iovec *libxl__vq_in(const struct libxl__vq_elem *e)
{
    return e->iov + e->nr_out;
}

void libxl__vq_init(struct libxl__vq *vq, struct libxl__ring_mem *mem);
/* 0; -EINVAL: size or alignment; -EFAULT: a part is not in one region. */
int libxl__vq_setup(struct libxl__vq *vq, const struct libxl__vq_params *p);
/* Forgets all; the device has no request of it any more. Returns where another
 * device goes on: the next available index. */
uint16_t libxl__vq_stop(struct libxl__vq *vq);

/* After setup, before the first pop: nr requests were popped by an earlier
 * device and never pushed. The ring goes on behind them, and they are popped
 * again by their heads, before anything else. False: the driver has not made
 * so many available. */
bool libxl__vq_resume(struct libxl__vq *vq, uint16_t nr);

/* Are the ring's parts there? A memory table is changed piece by piece, and a
 * live ring may be without memory meanwhile; it is broken only when the driver
 * uses it then. */
bool libxl__vq_mapped(struct libxl__vq *vq);
/* The next request. 1: *elem filled; 0: none (or not live); -EPROTO: the queue
 * has just become broken, vq->broken says why. */
int libxl__vq_pop(struct libxl__vq *vq, struct libxl__vq_elem *elem);
/* The same for one that libxl__vq_resume counted. */
int libxl__vq_pop_again(struct libxl__vq *vq, uint16_t head,
                        struct libxl__vq_elem *elem);
/* Done with it, 'written' bytes of its in part filled (logged here). False:
 * the driver was not told, as the queue is broken. */
bool libxl__vq_push(struct libxl__vq *vq, const struct libxl__vq_elem *elem,
                    uint32_t written);
/* Gives a popped request back, to be popped again. Only for the one that was
 * popped last. */
void libxl__vq_unpop(struct libxl__vq *vq, const struct libxl__vq_elem *elem);
/* Must the driver be interrupted for what was pushed since the last true? */
bool libxl__vq_should_notify(struct libxl__vq *vq);
/* Asks the driver (not) to kick. After enabling, pop again: a request may have
 * come before the driver saw it. */
void libxl__vq_set_kick(struct libxl__vq *vq, bool enable);
/* The device found the request itself malformed beyond an error status. */
void libxl__vq_break(struct libxl__vq *vq, const char *reason);

#endif
