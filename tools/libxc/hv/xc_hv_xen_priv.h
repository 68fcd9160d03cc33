/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen_priv.h - one domain, shared by the files that make up hv_xen.
 *
 * Owns:      the handles, the mapping, the policies that wait.
 * Errors:    0, or negative errno.
 */
#ifndef XC_HV_XEN_PRIV_H
#define XC_HV_XEN_PRIV_H

#include "hv/xc_hv_pv.h"
#include "hv/xc_hv_xen.h"

/* Xen's headers, which use one another without including it, have a
 * XC_PAGE_SIZE too: the same number, of another type. */
#undef XC_PAGE_SIZE
#include <xenctrl.h>

#include <xenforeignmemory.h>
#include <xenguest.h>

/* Where a guest's memory above 4 GiB begins. */
#define XC_XEN_PFN_4GIB (UINT64_C(1) << 20)

/* A PV domain's frames. Save: p2m is the guest's own list, mapped; restore:
 * made holds what populate made, in pieces of XC_XEN_MADE_PFNS. */
#define XC_XEN_MADE_PFNS 512u

struct xc_hv_xen_frames {
    unsigned width;
    unsigned long end_mfn; /* behind the host's last frame */
    uint64_t compat_m2p_mfn;
    uint64_t shared_info_mfn;
    uint32_t nr_vcpus, store_port, console_port;
    /* machine to PFN, mapped piece by piece where it is looked at */
    const uint64_t **m2p;
    xen_pfn_t *m2p_mfns;
    size_t nr_m2p;
    int m2p_rc; /* a piece could not be mapped: no answer counts any more */
    /* save */
    const void *shared_info; /* mapped, the guest writes to it */
    const void *p2m;         /* mapped, the guest writes to it */
    uint64_t *p2m_mfns;      /* the frames that it is made of */
    size_t nr_p2m;           /* frames */
    uint64_t generation;
    /* restore */
    uint64_t **made;
};

struct xc_hv_xen {
    struct xc_hv base;
    uint32_t domid;
    xentoollog_logger *logger;
    xc_interface *xch;
    xenforeignmemory_handle *fmem;
    uint64_t tot_pages; /* what the domain had when we looked */
    /* save: where it has pages (bits 0: not known yet), how many were found,
     * and how many the hypervisor counted then */
    struct xc_bitmap there;
    uint64_t there_pages, there_count;
    void *mapping;
    size_t mapped_pages;
    uint64_t left_pages; /* done with, and still mapped */
    unsigned nr_left;
    bool guest_stands; /* the log was read for the last time */
    bool restore;
    bool out_of_reach;          /* its own account of itself cannot be true */
    struct xc_hv_xen_frames pv; /* of a PV domain */
    /* restore: the hypervisor wants both policies in one call */
    struct xc_hv_buf cpuid, msrs;
};

struct xc_hv_xen *xc_hv_xen_of(const struct xc_hv *hv);
/* Negative errno, never 0: libxenctrl leaves errno alone here and there. */
int xc_hv_xen_errno(void);

/* Read-only, or to be written to too; NULL: errno says why. gfns: as the
 * hypervisor names pages, which a PV domain's machine frames are. */
void *xc_hv_xen_map(struct xc_hv_xen *x, uint32_t domid, int prot,
                    const xen_pfn_t *gfns, size_t n);
/* A mapping that is done with. A PV dom0's kernel traps into the hypervisor for
 * each page that it unmaps, but not when the process ends: so the first ones
 * are left until then. Who has pages that must be free earlier unmaps them. */
void xc_hv_xen_let_go(struct xc_hv_xen *x, void *at, size_t n);

/* xc_hv_xen_pv.c: PFNs as gfns; XC_INVALID_MFN: there is no such page. An error
 * says that it is not known of some. */
int xc_hv_xen_gfns(struct xc_hv_xen *x, const xc_pfn_t *pfns, size_t n,
                   xen_pfn_t *gfns);
int xc_hv_xen_pv_open(struct xc_hv_xen *x, const xc_domaininfo_t *info);
void xc_hv_xen_pv_close(struct xc_hv_xen *x);
/* n pages from *pfns on with the frames from *mfns on, or each its own. */
int xc_hv_xen_pv_made(struct xc_hv_xen *x, const xc_pfn_t *pfns, size_t n,
                      const xen_pfn_t *mfns, bool in_a_row);

/* xc_hv_xen_m2p.c: XC_INVALID_PFN: none, or, if m2p_rc says so behind it, not
 * to be looked up. */
int xc_hv_xen_m2p_open(struct xc_hv_xen *x);
void xc_hv_xen_m2p_close(struct xc_hv_xen *x);
xc_pfn_t xc_hv_xen_m2p(struct xc_hv_xen *x, uint64_t mfn);

/* xc_hv_xen_p2m.c: the guest's own list of its frames, checked. */
int xc_hv_xen_p2m_map(struct xc_hv_xen *x);
void xc_hv_xen_p2m_unmap(struct xc_hv_xen *x);
uint64_t xc_hv_xen_p2m(struct xc_hv_xen *x, xc_pfn_t pfn);
/* The PFN of a frame of the guest's own. */
xc_pfn_t xc_hv_xen_pfn_of(struct xc_hv_xen *x, uint64_t mfn);
uint64_t xc_hv_xen_p2m_generation(const struct xc_hv_xen *x);

/* xc_hv_xen_p2m_find.c: the frames of that list, nr_p2m of them. */
int xc_hv_xen_p2m_find(struct xc_hv_xen *x, uint64_t *mfns);

/* xc_hv_xen_shared.c */
struct xc_hv_xen_arch_shared {
    uint64_t list_list, p2m_cr3, p2m_vaddr, p2m_generation;
};
struct xc_hv_xen_arch_shared xc_hv_xen_arch_shared(const struct xc_hv_xen *x);
int xc_hv_xen_get_shared_info(struct xc_hv *hv, void *page);
int xc_hv_xen_set_shared_info(struct xc_hv *hv, const void *page);

/* xc_hv_xen_vcpu.c */
int xc_hv_xen_get_vcpu(struct xc_hv *hv, uint32_t vcpu,
                       enum xc_hv_vcpu_part part, struct xc_hv_buf *out);
int xc_hv_xen_set_vcpu(struct xc_hv *hv, uint32_t vcpu,
                       enum xc_hv_vcpu_part part, const void *data,
                       size_t bytes);

/* xc_hv_xen.c: the pages that it has, shared ones among them */
int xc_hv_xen_count(struct xc_hv_xen *x, uint64_t *count);

/* xc_hv_xen_layout.c */
int xc_hv_xen_next_run(struct xc_hv *hv, xc_pfn_t from, struct xc_pfn_run *out);
/* Before the log is switched on. */
int xc_hv_xen_layout_begin(struct xc_hv_xen *x);
/* Before the log is cleared: sets the bits of pages that have come since. */
int xc_hv_xen_layout_again(struct xc_hv_xen *x, struct xc_bitmap *into,
                           bool final);

/* xc_hv_xen_memory.c */
/* In: pages; out: types in their place. One that cannot be is XTAB. Calls whose
 * arguments fit into a page, beside libxencall's own few bytes, use one that it
 * keeps; for more it maps pages, each time, and unmaps them. */
#define XC_XEN_TYPES_MAX 496u
int xc_hv_xen_get_types(struct xc_hv_xen *x, xen_pfn_t *types, size_t n);
int xc_hv_xen_page_types(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                         uint32_t *types);
int xc_hv_xen_map_batch(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                        const void **pages);
void xc_hv_xen_unmap_batch(struct xc_hv *hv);

/* xc_hv_xen_fill.c */
int xc_hv_xen_populate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);
int xc_hv_xen_populate_extent(struct xc_hv *hv, xc_pfn_t first);
int xc_hv_xen_unpopulate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);
int xc_hv_xen_write_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                          const void *data);
int xc_hv_xen_zero_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);

/* xc_hv_xen_log.c */
void xc_hv_xen_log_forget(struct xc_hv_xen *x); /* what a killed one left on */
int xc_hv_xen_dirty_start(struct xc_hv *hv);
int xc_hv_xen_dirty_read_clear(struct xc_hv *hv, struct xc_bitmap *into,
                               bool final);
int xc_hv_xen_dirty_stop(struct xc_hv *hv);
const char *xc_hv_xen_dirty_method(const struct xc_hv *hv);

/* xc_hv_xen_policy.c */
int xc_hv_xen_get_policy(struct xc_hv_xen *x, enum xc_hv_blob id,
                         struct xc_hv_buf *out);
/* Kept until both are there, or the first page is made. */
int xc_hv_xen_set_policy(struct xc_hv_xen *x, enum xc_hv_blob id,
                         const void *data, size_t bytes);
int xc_hv_xen_apply_policies(struct xc_hv_xen *x);

/* xc_hv_xen_state.c */
int xc_hv_xen_get_blob(struct xc_hv *hv, enum xc_hv_blob id,
                       struct xc_hv_buf *out);
int xc_hv_xen_set_blob(struct xc_hv *hv, enum xc_hv_blob id, const void *data,
                       size_t bytes);
int xc_hv_xen_get_tsc(struct xc_hv *hv, struct xc_hv_tsc *out);
int xc_hv_xen_set_tsc(struct xc_hv *hv, const struct xc_hv_tsc *in);

#endif
