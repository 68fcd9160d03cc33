/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blk_pace.h - is a call that may wait for the disk worth making on the loop
 * thread? A hand-over to a worker thread costs more than a call that does not
 * wait; one that does wait keeps the guest's other requests waiting too.
 *
 * Rule:      made here as long as they are quick. After a slow one the next
 *            ones are handed over, more each time: 16, 32, ... 1024; then one
 *            is tried again. 64 quick ones in a row forget the past.
 * Thread:    one thread. Pure.
 */
#ifndef LIBXL_BLK_PACE_H
#define LIBXL_BLK_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define BLK_PACE_QUICK_NS UINT64_C(200000)
#define BLK_PACE_SKIP_MIN 16u
#define BLK_PACE_SKIP_MAX 1024u
#define BLK_PACE_FORGET 64u

/* All zero: nothing is known, the first is made here. */
struct blk_pace {
    unsigned skip;      /* to hand over before one is tried */
    unsigned next_skip; /* after the next slow one; 0: the smallest */
    unsigned quick;     /* in a row */
};

/* The next one: here, or handed over? */
static inline bool blk_pace_here(struct blk_pace *p)
{
    if (!p->skip)
        return true;
    p->skip--;
    return false;
}

/* One that was made here took so long. */
static inline void blk_pace_took(struct blk_pace *p, uint64_t ns)
{
    unsigned skip = p->next_skip ? p->next_skip : BLK_PACE_SKIP_MIN;

    if (ns < BLK_PACE_QUICK_NS) {
        if (++p->quick >= BLK_PACE_FORGET)
            p->next_skip = 0;
        return;
    }
    p->quick = 0;
    p->skip = skip;
    p->next_skip = skip < BLK_PACE_SKIP_MAX ? 2 * skip : skip;
}

#endif
