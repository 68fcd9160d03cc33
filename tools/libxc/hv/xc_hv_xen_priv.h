/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen_priv.h - one domain, shared by the files that make up hv_xen.
 *
 * Owns:      the handles, the mapping, the policies that wait.
 * Errors:    0, or negative errno.
 */
#ifndef XC_HV_XEN_PRIV_H
#define XC_HV_XEN_PRIV_H

#include "hv/xc_hv_xen.h"

/* Xen's headers, which use one another without including it, have a
 * XC_PAGE_SIZE too: the same number, of another type. */
#undef XC_PAGE_SIZE
#include <xenctrl.h>

#include <xenforeignmemory.h>
#include <xenguest.h>

struct xc_hv_xen {
    struct xc_hv base;
    uint32_t domid;
    xentoollog_logger *logger;
    xc_interface *xch;
    xenforeignmemory_handle *fmem;
    uint64_t tot_pages; /* what the domain had when we looked */
    void *mapping;
    size_t mapped_pages;
    bool guest_stands; /* the log was read for the last time */
    /* restore: the hypervisor wants both policies in one call */
    struct xc_hv_buf cpuid, msrs;
};

struct xc_hv_xen *xc_hv_xen_of(const struct xc_hv *hv);
/* Negative errno, never 0: libxenctrl leaves errno alone here and there. */
int xc_hv_xen_errno(void);

/* xc_hv_xen_memory.c */
int xc_hv_xen_next_run(struct xc_hv *hv, xc_pfn_t from, struct xc_pfn_run *out);
int xc_hv_xen_page_types(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                         uint32_t *types);
int xc_hv_xen_map_batch(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                        const void **pages);
void xc_hv_xen_unmap_batch(struct xc_hv *hv);

/* xc_hv_xen_fill.c */
int xc_hv_xen_populate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);
int xc_hv_xen_write_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                          const void *data);
int xc_hv_xen_zero_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n);

/* xc_hv_xen_log.c */
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
