/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_precopy.h - when to stop the guest: the pre-copy policy. Pure.
 *
 * Units:     ns, bytes and pages where named so.
 * Rule:      asked after each pass with what that pass took and what became
 *            dirty meanwhile; answers go on, stop the guest, or give up (the
 *            guest goes on running, and nothing was moved).
 */
#ifndef XC_SR_PRECOPY_H
#define XC_SR_PRECOPY_H

#include "stream/xc_sr.h"

enum xc_sr_verdict {
    XC_SR_GO_ON,
    XC_SR_STOP_GUEST,
    XC_SR_GIVE_UP,
};

struct xc_sr_precopy {
    struct xc_sr_precopy_knobs k; /* defaults filled in */
    bool by_convergence;          /* else upstream's: passes and pages alone */
    bool downtime_is_a_promise;   /* somebody asked for it */
    uint64_t best_dirty;          /* least dirty pages after any pass */
    unsigned stalled;             /* passes in a row that brought no less */
};

struct xc_sr_pass {
    unsigned passes;      /* done so far */
    uint64_t dirty_pages; /* to be sent next */
    uint64_t bytes_per_s; /* the stream's speed while it was written to */
    uint64_t elapsed_ns;  /* since the first pass began */
};

struct xc_sr_decision {
    enum xc_sr_verdict verdict;
    uint32_t downtime_estimate_ms;
    const char *why; /* for a message; not of GO_ON */
};

void xc_sr_precopy_init(struct xc_sr_precopy *p,
                        const struct xc_sr_precopy_knobs *knobs,
                        bool qemu_host);
struct xc_sr_decision xc_sr_precopy_decide(struct xc_sr_precopy *p,
                                           const struct xc_sr_pass *pass);
/* In the middle of a pass: has the time run out? */
bool xc_sr_precopy_overdue(const struct xc_sr_precopy *p, uint64_t elapsed_ns);
/* ns to wait so that 'bytes' in elapsed_ns keep within the bandwidth. */
uint64_t xc_sr_precopy_pace_ns(const struct xc_sr_precopy *p, uint64_t bytes,
                               uint64_t elapsed_ns);

#endif
