/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_precopy.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

/* On Xen, when nobody asked for anything: what its users are used to. */
#define XEN_ITERS 5
#define XEN_REMAINING 50

#define QEMU_ITERS 30
#define QEMU_REMAINING 50
#define DEFAULT_DOWNTIME_MS 300

/* So little memory is not worth another pass: the stop gets no shorter. */
#define GOOD_ENOUGH_MS 1
/* A pass converges if it leaves less than 7/8 of the best before. */
#define CONVERGES_NUM 7
#define CONVERGES_DEN 8
#define STALLED_MAX 3

static bool any_knob(const struct xc_sr_precopy_knobs *k)
{
    return k->max_downtime_ms || k->max_iters || k->min_remaining_pages ||
           k->abort_if_busy || k->timeout_ms;
}

void xc_sr_precopy_init(struct xc_sr_precopy *p,
                        const struct xc_sr_precopy_knobs *knobs, bool qemu_host)
{
    *p = (struct xc_sr_precopy){
        .k = *knobs,
        .by_convergence = qemu_host || any_knob(knobs),
        .downtime_is_a_promise = knobs->max_downtime_ms != 0,
        .best_dirty = UINT64_MAX,
    };
    if (!p->k.max_iters)
        p->k.max_iters = p->by_convergence ? QEMU_ITERS : XEN_ITERS;
    if (!p->k.min_remaining_pages)
        p->k.min_remaining_pages =
            p->by_convergence ? QEMU_REMAINING : XEN_REMAINING;
    if (!p->k.max_downtime_ms)
        p->k.max_downtime_ms = DEFAULT_DOWNTIME_MS;
}

static uint32_t memory_ms(const struct xc_sr_pass *pass)
{
    uint64_t bytes = xc_pages_to_bytes(pass->dirty_pages), ms;

    if (!bytes)
        return 0;
    if (!pass->bytes_per_s)
        return UINT32_MAX;
    ms = (uint64_t)((__uint128_t)bytes * 1000 / pass->bytes_per_s);
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/* Of the whole stop. */
static uint32_t estimate_ms(const struct xc_sr_precopy *p,
                            const struct xc_sr_pass *pass)
{
    uint32_t memory = memory_ms(pass);

    return memory < UINT32_MAX - p->k.rest_ms ? memory + p->k.rest_ms
                                              : UINT32_MAX;
}

static void note_progress(struct xc_sr_precopy *p, uint64_t dirty)
{
    bool less = p->best_dirty == UINT64_MAX ||
                dirty / CONVERGES_NUM < p->best_dirty / CONVERGES_DEN;

    p->stalled = less ? 0 : p->stalled + 1;
    if (dirty < p->best_dirty)
        p->best_dirty = dirty;
}

/* Nothing more is to be won: a long stop, or no move at all. */
static struct xc_sr_decision at_the_end(const struct xc_sr_precopy *p,
                                        uint32_t estimate, const char *why)
{
    bool fits = estimate <= p->k.max_downtime_ms;
    bool may_be_long = !p->k.abort_if_busy && !p->downtime_is_a_promise;
    enum xc_sr_verdict verdict =
        fits || may_be_long ? XC_SR_STOP_GUEST : XC_SR_GIVE_UP;

    return (struct xc_sr_decision){verdict, estimate, why};
}

static struct xc_sr_decision stop_now(uint32_t estimate, const char *why)
{
    return (struct xc_sr_decision){XC_SR_STOP_GUEST, estimate, why};
}

static struct xc_sr_decision as_upstream(const struct xc_sr_precopy *p,
                                         const struct xc_sr_pass *pass)
{
    uint32_t estimate = estimate_ms(p, pass);

    if (pass->dirty_pages < p->k.min_remaining_pages)
        return stop_now(estimate, "few pages remain");
    if (pass->passes >= p->k.max_iters)
        return stop_now(estimate, "the passes are used up");
    return (struct xc_sr_decision){XC_SR_GO_ON, estimate, NULL};
}

struct xc_sr_decision xc_sr_precopy_decide(struct xc_sr_precopy *p,
                                           const struct xc_sr_pass *pass)
{
    uint32_t estimate = estimate_ms(p, pass);

    if (!p->by_convergence)
        return as_upstream(p, pass);
    note_progress(p, pass->dirty_pages);
    if (pass->dirty_pages <= p->k.min_remaining_pages ||
        memory_ms(pass) <= GOOD_ENOUGH_MS)
        return stop_now(estimate, "few pages remain");
    if (xc_sr_precopy_overdue(p, pass->elapsed_ns)) {
        struct xc_sr_decision d = {XC_SR_GIVE_UP, estimate,
                                   "the time allowed is over"};

        if (estimate <= p->k.max_downtime_ms)
            d.verdict = XC_SR_STOP_GUEST;
        return d;
    }
    if (pass->passes >= p->k.max_iters)
        return at_the_end(p, estimate, "the passes are used up");
    if (p->stalled && estimate <= p->k.max_downtime_ms)
        return stop_now(estimate, "the remaining pages get no fewer");
    if (p->stalled >= STALLED_MAX)
        return at_the_end(p, estimate,
                          "the guest writes faster than pages can be sent");
    return (struct xc_sr_decision){XC_SR_GO_ON, estimate, NULL};
}

bool xc_sr_precopy_overdue(const struct xc_sr_precopy *p, uint64_t elapsed_ns)
{
    return p->k.timeout_ms && elapsed_ns / NS_PER_MS >= p->k.timeout_ms;
}

uint64_t xc_sr_precopy_pace_ns(const struct xc_sr_precopy *p, uint64_t bytes,
                               uint64_t elapsed_ns)
{
    __uint128_t due;

    if (!p->k.bandwidth_bps)
        return 0;
    due = (__uint128_t)bytes * NS_PER_S / p->k.bandwidth_bps;
    if (due <= elapsed_ns)
        return 0;
    due -= elapsed_ns;
    return due < NS_PER_S ? (uint64_t)due : NS_PER_S;
}
