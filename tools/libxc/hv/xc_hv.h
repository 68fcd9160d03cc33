/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv.h - SEAM 1: the one way stream code reaches a guest's memory and state.
 *
 * Thread:    one thread per xc_hv; calls may block.
 * Units:     addresses are xc_pfn_t (guest page frame numbers); lengths are
 *            pages unless named _bytes.
 * Errors:    0, or negative errno. -ENOTSUP: this kind of guest or host has no
 *            such thing (never an excuse for a failure).
 * Lifetime:  a mapping lives until unmap_batch or close. The guest may be
 *            running and writing to it: treat mappings as volatile, and never
 *            look at a page twice and expect the same.
 * Rule:      every op is mandatory. Callers use the xc_hv_* wrappers of
 *            xc_hv.c, which check the state below and the callee's results.
 *
 *   closed --open--> attached --dirty_start--> logging --dirty_stop--> attached
 *   write_pages, zero_pages, populate, set_*: only on a domain that has never
 *   run (restore).
 */
#ifndef XC_HV_H
#define XC_HV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/xc_bitmap.h"
#include "base/xc_units.h"

struct xc_hv;

enum xc_guest_type { XC_GUEST_PV = 1, XC_GUEST_HVM = 2 }; /* libxc stream 3.2 */

struct xc_hv_info {
    enum xc_guest_type type;
    xc_pfn_t nr_pfns;    /* first PFN that cannot exist: the p2m's size */
    xc_pfn_t used_pages; /* about so many hold anything; 0: unknown */
    bool qemu_host;      /* image is bound to a QEMU host */
    bool zero_fresh;     /* a fresh page is zero: holes need not be sent */
    bool has_extents;    /* populate_extent is worth trying */
    uint32_t xen_major, xen_minor; /* 0 on a QEMU host */
};

struct xc_pfn_run {
    xc_pfn_t first;
    uint64_t count;
};

enum xc_hv_blob {
    XC_HV_HVM_CONTEXT,
    XC_HV_HVM_PARAMS, /* pairs of u64 index, value */
    XC_HV_CPUID_POLICY,
    XC_HV_MSR_POLICY,
};

struct xc_hv_tsc {
    uint32_t mode, khz;
    uint64_t nsec;
    uint32_t incarnation;
};

/* malloc'ed bytes; xc_hv_buf_free. */
struct xc_hv_buf {
    void *data;
    size_t bytes;
};
void xc_hv_buf_free(struct xc_hv_buf *b);

struct xc_hv_ops {
    const char *name;
    void (*close)(struct xc_hv *hv); /* accepts half-open; frees hv */
    /* A save asks again when the guest stands. -ERANGE: what the guest says of
     * its memory cannot be true; or it has more PFNs than at first. */
    int (*info)(struct xc_hv *hv, struct xc_hv_info *out);
    /* The first run of pages at or after from that may hold anything (may be
     * longer than the caller wants). -ENOENT: none. */
    int (*next_run)(struct xc_hv *hv, xc_pfn_t from, struct xc_pfn_run *out);
    /* types[i]: PFINFO nibble << 28, as in the stream */
    int (*page_types)(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                      uint32_t *types);
    /* pages[i] is where pfns[i] can be read; at most XC_BATCH_MAX pages.
     * One mapping at a time: unmap before the next. */
    int (*map_batch)(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                     const void **pages);
    void (*unmap_batch)(struct xc_hv *hv);
    /* An fd in which page pfn lies at pfn * 4096, for copies without a
     * mapping; or -ENOTSUP. Owned by hv. */
    int (*memory_fd)(struct xc_hv *hv);
    /* memory_fd, where a page may be sent by reference: whatever the guest
     * writes to it behind this call is reported. Else -ENOTSUP. */
    int (*lent_fd)(struct xc_hv *hv);

    int (*populate)(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);
    /* XC_EXTENT_PAGES in one piece, first being a multiple of that.
     * -ENOMEM: there is none, and nothing was made. */
    int (*populate_extent)(struct xc_hv *hv, xc_pfn_t first);
    /* Of an extent: pages that nobody wrote to go away again. */
    int (*unpopulate)(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);
    /* data: n pages, one behind the other, in the order of pfns */
    int (*write_pages)(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                       const void *data);
    int (*zero_pages)(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);

    int (*dirty_start)(struct xc_hv *hv);
    /* ORs into 'into' what was written since the last call (or since start),
     * and forgets it. final: the guest no longer runs. */
    int (*dirty_read_clear)(struct xc_hv *hv, struct xc_bitmap *into,
                            bool final);
    int (*dirty_stop)(struct xc_hv *hv); /* idempotent */
    /* How the log is kept (while it is on), in words, for a message. */
    const char *(*dirty_method)(const struct xc_hv *hv);

    int (*get_blob)(struct xc_hv *hv, enum xc_hv_blob id,
                    struct xc_hv_buf *out);
    int (*set_blob)(struct xc_hv *hv, enum xc_hv_blob id, const void *data,
                    size_t bytes);
    int (*get_tsc)(struct xc_hv *hv, struct xc_hv_tsc *out);
    int (*set_tsc)(struct xc_hv *hv, const struct xc_hv_tsc *in);
};

#define XC_BATCH_MAX 1024u
#define XC_EXTENT_PAGES 512u
#define XC_PFN_LIMIT (UINT64_C(1) << 52) /* what a stream can name */

struct xc_hv_pv_ops; /* xc_hv_pv.h */

/* Base of every backend's own struct. */
struct xc_hv {
    const struct xc_hv_ops *ops;
    const struct xc_hv_pv_ops *pv; /* NULL: no PV guest */
    enum { XC_HV_ATTACHED, XC_HV_LOGGING } state;
    bool mapped;
    xc_pfn_t nr_pfns; /* set by the backend's open; every PFN is below */
};

/* Backends. Each returns 0 and *out, or negative errno. */
struct xc_hv_qemu_params { /* all fds are used up, also by a failure */
    int memory_fd;         /* a memfd of 4 KiB pages */
    uint64_t memory_bytes;
    pid_t qemu_pid;
    int pagemap_fd;    /* /proc/PID/pagemap, or -1 */
    int uffd;          /* userfaultfd of QEMU's address space, or -1 */
    uint64_t qemu_va;  /* where QEMU maps the memory; 0 unknown */
    int clear_refs_fd; /* /proc/PID/clear_refs for soft-dirty, or -1 */
    int dev_log_fd;    /* what device processes wrote to, or -1 */
};
/* Looks into /proc/self: call it before the door to open() is shut. */
int xc_hv_qemu_open(const struct xc_hv_qemu_params *p, struct xc_hv **out);
struct xc_hv_fake_params {
    xc_pfn_t nr_pfns;
    enum xc_guest_type type;
    bool qemu_host;
    bool use_memory_fd;      /* the guest is memory_fd's content, not private */
    int memory_fd;           /* nr_pfns * 4096 bytes; we close it */
    uint64_t seed;           /* non-zero: random memory and state made of it */
    xc_pfn_t seed_pfns;      /* only below it is a page made from it; 0: all */
    uint32_t dirty_per_call; /* pages written behind each call while logging */
    unsigned pv_width;       /* PV: 4 or 8; 0: 8 */
    uint64_t max_pages;      /* populate gives no more; 0: no limit */
};
int xc_hv_fake_open(const struct xc_hv_fake_params *p, struct xc_hv **out);

/* Checked wrappers, same names without ops: xc_hv_info, xc_hv_next_run ... */
const char *xc_hv_name(const struct xc_hv *hv);
void xc_hv_close(struct xc_hv *hv); /* NULL accepted */
int xc_hv_info(struct xc_hv *hv, struct xc_hv_info *out);
int xc_hv_next_run(struct xc_hv *hv, xc_pfn_t from, struct xc_pfn_run *out);
int xc_hv_page_types(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                     uint32_t *types);
int xc_hv_map_batch(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                    const void **pages);
void xc_hv_unmap_batch(struct xc_hv *hv);
int xc_hv_memory_fd(struct xc_hv *hv);
int xc_hv_lent_fd(struct xc_hv *hv);
int xc_hv_populate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);
int xc_hv_populate_extent(struct xc_hv *hv, xc_pfn_t first);
int xc_hv_unpopulate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);
int xc_hv_write_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                      const void *data);
int xc_hv_zero_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);
int xc_hv_dirty_start(struct xc_hv *hv);
int xc_hv_dirty_read_clear(struct xc_hv *hv, struct xc_bitmap *into,
                           bool final);
int xc_hv_dirty_stop(struct xc_hv *hv);
const char *xc_hv_dirty_method(const struct xc_hv *hv);
int xc_hv_get_blob(struct xc_hv *hv, enum xc_hv_blob id, struct xc_hv_buf *out);
int xc_hv_set_blob(struct xc_hv *hv, enum xc_hv_blob id, const void *data,
                   size_t bytes);
int xc_hv_get_tsc(struct xc_hv *hv, struct xc_hv_tsc *out);
int xc_hv_set_tsc(struct xc_hv *hv, const struct xc_hv_tsc *in);

#endif
