/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_tables.h - a PV guest's page tables on their way out: copies in which
 * PFNs stand for machine frames.
 *
 * Owns:      one bit a page, and room for the copies of one batch, made when
 *            the first table comes.
 * Errors:    0, or negative errno, reported.
 * Rule:      a table of a running guest may be half written: it is put off, and
 *            listed in 'deferred', to be sent when the guest stands. Then a
 *            table that names what is not the guest's is an error.
 */
#ifndef XC_SR_TABLES_H
#define XC_SR_TABLES_H

#include "hv/xc_hv_pv.h"
#include "stream/xc_sr.h"

struct xc_sr_tables {
    struct xc_hv *hv;
    const struct xc_sr_callbacks *cb;
    unsigned width;
    uint64_t compat_m2p_mfn;
    bool guest_stands;
    struct xc_bitmap deferred;
    uint8_t *copies;
    size_t used; /* of copies, pages */
};

int xc_sr_tables_init(struct xc_sr_tables *t, struct xc_hv *hv,
                      const struct xc_sr_callbacks *cb);
void xc_sr_tables_dispose(struct xc_sr_tables *t); /* idempotent */
/* The copies of the batch before are no longer needed. */
void xc_sr_tables_begin(struct xc_sr_tables *t);
/* *page: the table; the copy in its place. NULL: put off. */
int xc_sr_tables_copy(struct xc_sr_tables *t, xc_pfn_t pfn, uint32_t type,
                      const void **page);

#endif
