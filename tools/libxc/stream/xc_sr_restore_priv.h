/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_restore_priv.h - one restore, shared by the files that make it up.
 *
 * Owns:      populate, source, entries, hvm_context; hv, fd and callbacks are
 *            the caller's.
 */
#ifndef XC_SR_RESTORE_PRIV_H
#define XC_SR_RESTORE_PRIV_H

#include "stream/xc_sr.h"
#include "stream/xc_sr_io.h"
#include "stream/xc_sr_order.h"
#include "stream/xc_sr_populate.h"
#include "stream/xc_sr_source.h"

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

/* xc_sr_restore_hvm.c */
int xc_sr_restore_policy(struct xc_sr_restore *r, enum xc_hv_blob id);
int xc_sr_restore_tsc(struct xc_sr_restore *r);
int xc_sr_restore_hvm_context(struct xc_sr_restore *r);
int xc_sr_restore_hvm_params(struct xc_sr_restore *r);
int xc_sr_restore_hvm_end(struct xc_sr_restore *r);

#endif
