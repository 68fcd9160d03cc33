/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_restore_priv.h - one restore, shared by the files that make it up.
 *
 * Owns:      populate, source, entries, hvm_context, pv; hv, fd and callbacks
 * are the caller's.
 */
#ifndef XC_SR_RESTORE_PRIV_H
#define XC_SR_RESTORE_PRIV_H

#include "hv/xc_hv_pv.h"
#include "stream/xc_sr.h"
#include "stream/xc_sr_io.h"
#include "stream/xc_sr_order.h"
#include "stream/xc_sr_populate.h"
#include "stream/xc_sr_source.h"

struct xc_sr_pv_restore {
    unsigned width, levels;
    xc_pfn_t nr_pfns; /* behind the highest that P2M_FRAMES named */
    xc_pfn_t *p2m_frames;
    uint8_t *types; /* PFINFO's nibble of each page, as last sent */
    /* made because a page table names them; their data have not come */
    struct xc_bitmap owed;
    struct xc_hv_pv_info info;
    struct xc_hv_buf (*vcpus)[XC_HV_VCPU_PARTS]; /* loaded at END */
};

struct xc_sr_restore {
    const struct xc_sr_restore_params *p;
    struct xc_sr_restore_result *result;
    struct xc_hv_info info;
    struct xc_sr_io io;
    struct xc_sr_order order;
    struct xc_sr_populate populate;
    struct xc_sr_source source;
    struct xc_sr_progress progress;
    uint64_t told_ns;
    /* the record at hand */
    unsigned index;
    uint64_t record_at; /* its offset */
    struct xc_sr_record record;
    uint64_t *entries;            /* a PAGE_DATA's, XC_PD_COUNT_MAX of them */
    uint64_t mismatches;          /* of pages sent once more behind VERIFY */
    struct xc_hv_buf hvm_context; /* loaded at END */
    struct xc_sr_pv_restore pv;
};

/* xc_sr_restore.c. Report against the record at hand, and return rc. */
int xc_sr_rec_fail(struct xc_sr_restore *r, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int xc_sr_rec_read(struct xc_sr_restore *r, void *into, size_t n);
int xc_sr_rec_io_fail(struct xc_sr_restore *r, int rc);
/* The whole body, malloc'ed. */
int xc_sr_rec_body(struct xc_sr_restore *r, struct xc_hv_buf *out);

/* xc_sr_restore_pages.c */
int xc_sr_restore_pages(struct xc_sr_restore *r);

/* xc_sr_restore_pv.c */
int xc_sr_restore_pv_info(struct xc_sr_restore *r);
int xc_sr_restore_p2m_frames(struct xc_sr_restore *r);
int xc_sr_restore_shared_info(struct xc_sr_restore *r);
int xc_sr_restore_vcpu(struct xc_sr_restore *r, enum xc_hv_vcpu_part part);
void xc_sr_restore_pv_dispose(struct xc_sr_restore *r); /* idempotent */

/* xc_sr_restore_pv_pages.c: the types of the record's pages, for good or until
 * they come again. */
void xc_sr_restore_pv_note(struct xc_sr_restore *r, uint32_t count);
/* ... which are there now, and no longer owed. */
void xc_sr_restore_pv_came(struct xc_sr_restore *r, uint32_t count);
/* In those of n pages that are tables, machine frames stand for PFNs. */
int xc_sr_restore_pv_tables(struct xc_sr_restore *r, const xc_pfn_t *pfns,
                            size_t n, uint8_t *data);
/* Pages that were named and never sent are zero. */
int xc_sr_restore_pv_owed(struct xc_sr_restore *r);

/* xc_sr_restore_pv_end.c */
int xc_sr_restore_pv_end(struct xc_sr_restore *r);

/* xc_sr_restore_hvm.c */
int xc_sr_restore_policy(struct xc_sr_restore *r, enum xc_hv_blob id);
int xc_sr_restore_tsc(struct xc_sr_restore *r);
int xc_sr_restore_hvm_context(struct xc_sr_restore *r);
int xc_sr_restore_hvm_params(struct xc_sr_restore *r);
int xc_sr_restore_hvm_end(struct xc_sr_restore *r);

#endif
