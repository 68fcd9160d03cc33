/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_fault.h - another backend whose calls go wrong on demand.
 *
 * Owns:      the inner hv: closed with the decorator, also by a failed open.
 * Rule:      calls are counted from 1 over all ops that can fail (close,
 *            unmap_batch and memory_fd cannot). The plan may be changed between
 *            calls through xc_hv_fault_plan.
 */
#ifndef XC_HV_FAULT_H
#define XC_HV_FAULT_H

#include "hv/xc_hv.h"

enum xc_hv_fault_kind {
    XC_HV_FAULT_NONE,
    XC_HV_FAULT_FAIL,  /* the call fails with 'error' and does nothing */
    XC_HV_FAULT_CUT,   /* it does half of its work, and fails */
    XC_HV_FAULT_DELAY, /* it takes delay_ms longer */
};

struct xc_hv_fault_plan {
    enum xc_hv_fault_kind kind;
    uint64_t at;    /* the call to hit */
    bool from_then; /* and all behind it */
    const char *op; /* count only this one's calls; NULL: all */
    int error;      /* negative errno */
    uint32_t delay_ms;
};

int xc_hv_fault_open(struct xc_hv *inner, const struct xc_hv_fault_plan *plan,
                     struct xc_hv **out);
void xc_hv_fault_plan(struct xc_hv *hv, const struct xc_hv_fault_plan *plan);
/* Counted so far: fewer than plan.at means that nothing was hit. */
uint64_t xc_hv_fault_calls(const struct xc_hv *hv);
struct xc_hv *xc_hv_fault_inner(struct xc_hv *hv);

#endif
