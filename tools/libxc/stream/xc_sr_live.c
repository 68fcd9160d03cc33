/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_live.c - memory of a guest that runs:
 *
 *   dirty log on -> pass 1: all pages -> (read the log -> ask the policy ->
 *   pass n: dirty pages)* -> suspend -> read the log a last time -> what is
 *   left -> dirty log off
 *
 * The log is on before the first page is looked at, and what it reports is
 * sent again: so a page may change between our looks at it.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "stream/xc_sr_report.h"
#include "stream/xc_sr_save_priv.h"

#define NS_PER_S UINT64_C(1000000000)
#define TELL_EVERY_NS (NS_PER_S / 10)

/* Times too short to be measured by are taken as this long. */
#define SHORTEST_NS UINT64_C(1000000)

static uint64_t per_second(uint64_t n, uint64_t ns)
{
    if (ns < SHORTEST_NS)
        ns = SHORTEST_NS;
    return (uint64_t)((__uint128_t)n * NS_PER_S / ns);
}

void xc_sr_progress_pass(struct xc_sr_save *s, uint64_t total_pages)
{
    s->stats.passes++;
    s->progress.pass = (unsigned)s->stats.passes;
    s->progress.done_pages = 0;
    s->progress.total_pages = total_pages;
    xc_sr_progress_tell(s, false);
}

void xc_sr_progress_tell(struct xc_sr_save *s, bool finished)
{
    if (!s->p->cb.progress)
        return;
    s->progress.bytes = s->io.offset;
    s->progress.rate_bps = per_second(s->io.offset, s->io.busy_ns);
    s->progress.finished = finished;
    s->told_ns = xc_sr_now_ns();
    s->p->cb.progress(s->p->cb.data, &s->progress);
}

static int keep_to_bandwidth(struct xc_sr_save *s)
{
    uint64_t sent = s->io.offset - s->live_began_bytes, wait;

    for (;;) {
        wait = xc_sr_precopy_pace_ns(&s->policy, sent,
                                     xc_sr_now_ns() - s->live_began_ns);
        if (!wait)
            return 0;
        if (xc_sr_cancelled(&s->p->cb))
            return xc_sr_fail(&s->p->cb, -ECANCELED, "save was cancelled");
        nanosleep(&(struct timespec){.tv_nsec = (long)(wait / 10 + 1)}, NULL);
    }
}

int xc_sr_live_breathe(struct xc_sr_save *s)
{
    uint64_t now = xc_sr_now_ns();

    if (now - s->told_ns >= TELL_EVERY_NS)
        xc_sr_progress_tell(s, false);
    if (!s->live_began_ns)
        return 0;
    if (xc_sr_precopy_overdue(&s->policy, now - s->live_began_ns))
        return xc_sr_fail(&s->p->cb, -ETIMEDOUT,
                          "gave up in pass %u: the time allowed is over; the "
                          "guest goes on running",
                          s->progress.pass);
    return keep_to_bandwidth(s);
}

static int fail_log(struct xc_sr_save *s, int rc, const char *what)
{
    return xc_sr_fail(&s->p->cb, rc,
                      "cannot %s the log of dirty pages (%s): %s", what,
                      xc_hv_name(s->p->hv), strerror(-rc));
}

static int start_log(struct xc_sr_save *s)
{
    const struct xc_sr_callbacks *cb = &s->p->cb;
    int rc = 0;

    if (cb->switch_dm_logdirty)
        rc = cb->switch_dm_logdirty(cb->data, true);
    if (rc)
        return xc_sr_fail(cb, rc,
                          "the device model's log of dirty pages cannot be "
                          "switched on: %s",
                          strerror(-rc));
    s->dm_logs = cb->switch_dm_logdirty != NULL;
    rc = xc_hv_dirty_start(s->p->hv);
    if (rc == -ENOTSUP && s->info.type == XC_GUEST_PV)
        return xc_sr_fail(cb, rc,
                          "a PV guest cannot be saved while it runs: this "
                          "hypervisor keeps no log of its dirty pages (it was "
                          "built without shadow paging); saving it while it "
                          "stands works");
    if (rc)
        return fail_log(s, rc, "start");
    xc_sr_note(cb, XC_LOG_DEBUG, "dirty pages are found by %s",
               xc_hv_dirty_method(s->p->hv));
    return 0;
}

void xc_sr_live_stop(struct xc_sr_save *s)
{
    const struct xc_sr_callbacks *cb = &s->p->cb;
    int rc = xc_hv_dirty_stop(s->p->hv);

    if (rc)
        xc_sr_note(cb, XC_LOG_WARN,
                   "the log of dirty pages cannot be switched off (%s): %s; "
                   "the guest may run slower until the next save",
                   xc_hv_name(s->p->hv), strerror(-rc));
    if (s->dm_logs)
        cb->switch_dm_logdirty(cb->data, false);
    s->dm_logs = false;
}

static int read_log(struct xc_sr_save *s, bool final)
{
    int rc;

    xc_bitmap_clear_all(&s->dirty);
    rc = xc_hv_dirty_read_clear(s->p->hv, &s->dirty, final);
    return rc ? fail_log(s, rc, "read") : 0;
}

static struct xc_sr_decision decide(struct xc_sr_save *s, uint64_t pass_ns)
{
    struct xc_sr_pass pass = {
        .passes = (unsigned)s->stats.passes,
        .dirty_pages = xc_bitmap_count(&s->dirty),
        .bytes_per_s = per_second(s->io.offset, s->io.busy_ns),
        .elapsed_ns = xc_sr_now_ns() - s->live_began_ns,
    };
    struct xc_sr_decision d = xc_sr_precopy_decide(&s->policy, &pass);

    s->progress.dirty_pages_per_s = per_second(pass.dirty_pages, pass_ns);
    s->progress.downtime_estimate_ms = d.downtime_estimate_ms;
    xc_sr_note(&s->p->cb, XC_LOG_DEBUG,
               "pass %u: %llu pages dirty, stop would take about %u ms",
               pass.passes, (unsigned long long)pass.dirty_pages,
               d.downtime_estimate_ms);
    return d;
}

static int give_up(struct xc_sr_save *s, const struct xc_sr_decision *d)
{
    return xc_sr_fail(&s->p->cb, -EBUSY,
                      "gave up after pass %llu: %s, and stopping the guest "
                      "would take about %u ms (allowed: %u); the guest goes "
                      "on running",
                      (unsigned long long)s->stats.passes, d->why,
                      d->downtime_estimate_ms, s->policy.k.max_downtime_ms);
}

static int run_passes(struct xc_sr_save *s)
{
    struct xc_sr_decision d;
    uint64_t began = xc_sr_now_ns();
    int rc = xc_sr_save_all_pages(s);

    while (!rc) {
        rc = read_log(s, false);
        if (!rc)
            rc = xc_sr_save_p2m_again(s);
        if (rc)
            break;
        d = decide(s, xc_sr_now_ns() - began);
        if (d.verdict == XC_SR_GIVE_UP)
            return give_up(s, &d);
        if (d.verdict == XC_SR_STOP_GUEST)
            return 0;
        began = xc_sr_now_ns();
        rc = xc_sr_save_dirty_pages(s);
    }
    return rc;
}

int xc_sr_live(struct xc_sr_save *s)
{
    int rc = start_log(s);

    if (rc)
        return rc;
    s->live_began_ns = xc_sr_now_ns();
    s->live_began_bytes = s->io.offset;
    rc = run_passes(s);
    if (rc)
        return rc;
    rc = xc_sr_save_suspend(s);
    if (rc)
        return rc;
    s->live_began_ns = 0; /* it stands: no more pacing, every ms counts */
    /* What the last read found was not sent yet: the bits stay set. */
    rc = xc_hv_dirty_read_clear(s->p->hv, &s->dirty, true);
    if (rc)
        return fail_log(s, rc, "read");
    if (s->info.type == XC_GUEST_PV)
        xc_bitmap_or(&s->dirty, &s->tables.deferred);
    rc = xc_sr_save_p2m_again(s);
    return rc ? rc : xc_sr_save_dirty_pages(s);
}
