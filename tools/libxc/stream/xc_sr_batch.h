/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_batch.h - pages of the guest, gathered into PAGE_DATA records.
 *
 * Owns:      its arrays (about 50 KiB whatever the guest's size).
 * Errors:    0, or negative errno, reported.
 * Rule:      a full record has 1,022 entries, so its head fills two pages
 *            exactly: where one record's start lies on 4 KiB, the next one's
 *            does too, and each page in between.
 *            A page that the guest may still change is looked at twice (zero
 *            test, write): the caller's dirty log must cover the time between.
 */
#ifndef XC_SR_BATCH_H
#define XC_SR_BATCH_H

#include "stream/xc_sr.h"
#include "stream/xc_sr_io.h"
#include "stream/xc_sr_tables.h"

#define XC_SR_BATCH_PAGES 1022u

struct xc_sr_batch;

struct xc_sr_batch_params {
    struct xc_hv *hv;
    struct xc_sr_io *io;
    const struct xc_sr_callbacks *cb;
    bool zero_as_xalloc;
    bool by_reference; /* where hv and io can */
    struct xc_sr_tables *tables; /* PV; else NULL */
    struct xc_sr_stats *stats;   /* data_pages and zero_pages are counted up */
};

int xc_sr_batch_new(const struct xc_sr_batch_params *p,
                    struct xc_sr_batch **out);
void xc_sr_batch_free(struct xc_sr_batch *b); /* NULL accepted */
/* Sends the record when it is full. */
int xc_sr_batch_add(struct xc_sr_batch *b, xc_pfn_t pfn);
bool xc_sr_batch_empty(const struct xc_sr_batch *b);
int xc_sr_batch_flush(struct xc_sr_batch *b);

#endif
