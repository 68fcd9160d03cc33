/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_save_priv.h - one save, shared by the files that make it up.
 *
 * Owns:      batch, dirty, tables, order; hv, fd and callbacks are the
 * caller's.
 */
#ifndef XC_SR_SAVE_PRIV_H
#define XC_SR_SAVE_PRIV_H

#include "stream/xc_sr.h"
#include "stream/xc_sr_batch.h"
#include "stream/xc_sr_io.h"
#include "stream/xc_sr_order.h"
#include "stream/xc_sr_precopy.h"

struct xc_sr_save {
    const struct xc_sr_save_params *p;
    struct xc_hv_info info;
    struct xc_sr_io io;
    struct xc_sr_order order; /* what we write obeys it too */
    struct xc_sr_batch *batch;
    struct xc_bitmap dirty;
    struct xc_sr_tables tables; /* PV */
    struct xc_sr_stats stats;
    struct xc_sr_precopy policy;
    struct xc_sr_progress progress;
    uint64_t live_began_ns; /* 0: the guest does not run */
    uint64_t live_began_bytes;
    uint64_t told_ns; /* last progress report */
    bool dm_logs;
};

/* xc_sr_save.c */
int xc_sr_save_record(struct xc_sr_save *s, enum xc_rec_type type,
                      const void *body, uint32_t length);
/* All pages that may hold anything; those that are dirty. */
int xc_sr_save_all_pages(struct xc_sr_save *s);
int xc_sr_save_dirty_pages(struct xc_sr_save *s);
int xc_sr_save_suspend(struct xc_sr_save *s);

/* xc_sr_live.c: the guest runs, and is suspended in the end. */
int xc_sr_live(struct xc_sr_save *s);
void xc_sr_live_stop(struct xc_sr_save *s); /* idempotent */
/* Behind each batch: report, keep to the bandwidth and the time. */
int xc_sr_live_breathe(struct xc_sr_save *s);
void xc_sr_progress_pass(struct xc_sr_save *s, uint64_t total_pages);
void xc_sr_progress_tell(struct xc_sr_save *s, bool finished);

/* xc_sr_save_hvm.c */
int xc_sr_save_static(struct xc_sr_save *s);
int xc_sr_save_tsc(struct xc_sr_save *s);
int xc_sr_save_hvm_state(struct xc_sr_save *s);

/* xc_sr_save_pv.c */
int xc_sr_save_pv_info(struct xc_sr_save *s);
int xc_sr_save_p2m_frames(struct xc_sr_save *s);
/* The same, if the guest has moved its p2m since. */
int xc_sr_save_p2m_again(struct xc_sr_save *s);
int xc_sr_save_pv_state(struct xc_sr_save *s);

#endif
