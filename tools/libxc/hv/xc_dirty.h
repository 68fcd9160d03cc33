/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_dirty.h - which pages of a QEMU process's memory were written to: three
 * ways, the best that works is taken.
 *
 *   userfaultfd   WP_ASYNC and PAGEMAP_SCAN (Linux 6.7): exact, cheap
 *   soft-dirty    /proc/PID/clear_refs: pages written since the start, of which
 *                 those count that differ from what was last taken
 *   comparison    every page against what was last taken
 *
 * Owns:      8 bytes a page for the latter two (2 MiB a GiB of guest).
 * Errors:    0, or negative errno.
 * Lifetime:  start makes it, stop ends it. Starting takes away what a killed
 *            operation left behind.
 * Rule:      with the latter two, all pages that are sent must come from take:
 *            it copies them, and remembers the copy.
 */
#ifndef XC_DIRTY_H
#define XC_DIRTY_H

#include "hv/xc_hv.h"

struct xc_dirty_target {
    const struct xc_hv_qemu_params *p;
    const uint8_t *memory; /* our own mapping of memory_fd */
    bool soft_dirty_works; /* the kernel was seen to track writes */
};

struct xc_dirty;

struct xc_dirty_ops {
    const char *name;
    int (*start)(const struct xc_dirty_target *t, struct xc_dirty **out);
    int (*read_clear)(struct xc_dirty *d, struct xc_bitmap *into);
    /* NULL: pages may be sent from where they are. */
    int (*take)(struct xc_dirty *d, const xc_pfn_t *pfns, size_t n,
                const void **pages);
    int (*stop)(struct xc_dirty *d); /* frees d in any case */
};

struct xc_dirty {
    const struct xc_dirty_ops *ops;
};

#define XC_DIRTY_TEXT_MAX 256

/* why: the method's name, and what kept the better ones away. */
int xc_dirty_start(const struct xc_dirty_target *t, struct xc_dirty **out,
                   char why[XC_DIRTY_TEXT_MAX]);

extern const struct xc_dirty_ops xc_dirty_uffd, xc_dirty_soft, xc_dirty_compare;

/* Writes a page of our own and looks whether the kernel noticed. */
bool xc_dirty_soft_probe(void);

/* The first run of pages at or after from that the memory holds. */
int xc_dirty_next_run(int memory_fd, xc_pfn_t nr_pfns, xc_pfn_t from,
                      struct xc_pfn_run *out);

#endif
