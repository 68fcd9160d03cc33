/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the policy stops the guest, goes on, or gives up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/xc_sr_precopy.h"

#define MIB (UINT64_C(1) << 20)
#define MS UINT64_C(1000000)
#define PAGES_PER_MIB 256u

static struct xc_sr_precopy on_qemu(struct xc_sr_precopy_knobs k)
{
    struct xc_sr_precopy p;

    xc_sr_precopy_init(&p, &k, true);
    return p;
}

/* dirty MiB left after that pass, on a stream of 1000 MiB/s */
static enum xc_sr_verdict ask(struct xc_sr_precopy *p, unsigned passes,
                              uint64_t dirty_mib)
{
    struct xc_sr_pass pass = {
        .passes = passes,
        .dirty_pages = dirty_mib * PAGES_PER_MIB,
        .bytes_per_s = 1000 * MIB,
        .elapsed_ns = passes * 100 * MS,
    };

    return xc_sr_precopy_decide(p, &pass).verdict;
}

static void upstreams_rules_hold_on_xen(void **state)
{
    struct xc_sr_precopy_knobs none = {0};
    struct xc_sr_pass pass = {
        .passes = 1, .dirty_pages = 50, .bytes_per_s = 1000 * MIB};
    struct xc_sr_precopy p;

    xc_sr_precopy_init(&p, &none, false);
    assert_int_equal(xc_sr_precopy_decide(&p, &pass).verdict, XC_SR_GO_ON);
    pass.dirty_pages = 49;
    assert_int_equal(xc_sr_precopy_decide(&p, &pass).verdict, XC_SR_STOP_GUEST);
    pass.dirty_pages = 1000000;
    pass.passes = 4;
    assert_int_equal(xc_sr_precopy_decide(&p, &pass).verdict, XC_SR_GO_ON);
    pass.passes = 5;
    assert_int_equal(xc_sr_precopy_decide(&p, &pass).verdict, XC_SR_STOP_GUEST);
}

static void quiet_guest_is_stopped_at_once(void **state)
{
    struct xc_sr_precopy p = on_qemu((struct xc_sr_precopy_knobs){0});

    assert_int_equal(ask(&p, 1, 0), XC_SR_STOP_GUEST);
}

static void passes_go_on_while_they_bring_less(void **state)
{
    struct xc_sr_precopy p = on_qemu((struct xc_sr_precopy_knobs){0});

    assert_int_equal(ask(&p, 1, 250), XC_SR_GO_ON); /* would fit already */
    assert_int_equal(ask(&p, 2, 100), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 3, 40), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 4, 39), XC_SR_STOP_GUEST);
}

static void guest_that_outruns_the_link_is_stopped_in_the_end(void **state)
{
    struct xc_sr_precopy p = on_qemu((struct xc_sr_precopy_knobs){0});

    assert_int_equal(ask(&p, 1, 900), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 2, 900), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 3, 910), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 4, 890), XC_SR_STOP_GUEST);
}

static void busy_guest_goes_on_running_if_asked(void **state)
{
    struct xc_sr_precopy p =
        on_qemu((struct xc_sr_precopy_knobs){.abort_if_busy = true});

    ask(&p, 1, 900);
    ask(&p, 2, 900);
    ask(&p, 3, 900);
    assert_int_equal(ask(&p, 4, 900), XC_SR_GIVE_UP);
}

static void promised_downtime_is_kept(void **state)
{
    struct xc_sr_precopy p =
        on_qemu((struct xc_sr_precopy_knobs){.max_downtime_ms = 20});

    assert_int_equal(ask(&p, 1, 100), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 2, 100), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 3, 100), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 4, 100), XC_SR_GIVE_UP);
}

/* Devices and the handshake want their time too. */
static void promised_downtime_is_of_the_whole_stop(void **state)
{
    struct xc_sr_precopy p = on_qemu(
        (struct xc_sr_precopy_knobs){.max_downtime_ms = 20, .rest_ms = 10});

    assert_int_equal(ask(&p, 1, 15), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 2, 15), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 3, 10), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 4, 10), XC_SR_STOP_GUEST);
}

/* However long the rest takes: no pass makes it shorter. */
static void quiet_guest_is_stopped_whatever_the_rest(void **state)
{
    struct xc_sr_precopy p = on_qemu(
        (struct xc_sr_precopy_knobs){.max_downtime_ms = 20, .rest_ms = 90});
    struct xc_sr_pass pass = {
        .passes = 1, .dirty_pages = 50, .bytes_per_s = 1000 * MIB};
    struct xc_sr_decision d = xc_sr_precopy_decide(&p, &pass);

    assert_int_equal(d.verdict, XC_SR_STOP_GUEST);
    assert_int_equal(d.downtime_estimate_ms, 90);
}

static void promised_downtime_that_fits_stops_the_guest(void **state)
{
    struct xc_sr_precopy p =
        on_qemu((struct xc_sr_precopy_knobs){.max_downtime_ms = 20});

    assert_int_equal(ask(&p, 1, 15), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 2, 15), XC_SR_STOP_GUEST);
}

static void passes_are_counted(void **state)
{
    struct xc_sr_precopy p =
        on_qemu((struct xc_sr_precopy_knobs){.max_iters = 2});

    assert_int_equal(ask(&p, 1, 900), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 2, 500), XC_SR_STOP_GUEST);
}

static void time_allowed_is_kept(void **state)
{
    struct xc_sr_precopy p =
        on_qemu((struct xc_sr_precopy_knobs){.timeout_ms = 250});

    assert_int_equal(ask(&p, 1, 900), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 2, 700), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 3, 500), XC_SR_GIVE_UP);
    p.best_dirty = UINT64_MAX;
    assert_int_equal(ask(&p, 3, 100), XC_SR_STOP_GUEST);
    assert_true(xc_sr_precopy_overdue(&p, 250 * MS));
    assert_false(xc_sr_precopy_overdue(&p, 249 * MS));
}

static void knobs_matter_on_xen_too(void **state)
{
    struct xc_sr_precopy_knobs k = {.abort_if_busy = true};
    struct xc_sr_precopy p;

    xc_sr_precopy_init(&p, &k, false);
    for (unsigned pass = 1; pass <= 3; pass++)
        assert_int_equal(ask(&p, pass, 900), XC_SR_GO_ON);
    assert_int_equal(ask(&p, 4, 900), XC_SR_GIVE_UP);
}

static void estimate_is_bytes_by_speed(void **state)
{
    struct xc_sr_precopy p = on_qemu((struct xc_sr_precopy_knobs){0});
    struct xc_sr_pass pass = {.passes = 1,
                              .dirty_pages = 100 * PAGES_PER_MIB,
                              .bytes_per_s = 1000 * MIB};

    assert_int_equal(xc_sr_precopy_decide(&p, &pass).downtime_estimate_ms, 100);
    p.k.rest_ms = 30;
    assert_int_equal(xc_sr_precopy_decide(&p, &pass).downtime_estimate_ms, 130);
    pass.bytes_per_s = 0;
    assert_true(xc_sr_precopy_decide(&p, &pass).downtime_estimate_ms ==
                UINT32_MAX);
}

static void bandwidth_makes_waits(void **state)
{
    struct xc_sr_precopy p =
        on_qemu((struct xc_sr_precopy_knobs){.bandwidth_bps = 1000});

    assert_true(xc_sr_precopy_pace_ns(&p, 100, 0) == 100 * MS);
    assert_true(xc_sr_precopy_pace_ns(&p, 100, 60 * MS) == 40 * MS);
    assert_true(xc_sr_precopy_pace_ns(&p, 100, 200 * MS) == 0);
    p.k.bandwidth_bps = 0;
    assert_true(xc_sr_precopy_pace_ns(&p, UINT64_MAX, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upstreams_rules_hold_on_xen),
        cmocka_unit_test(quiet_guest_is_stopped_at_once),
        cmocka_unit_test(passes_go_on_while_they_bring_less),
        cmocka_unit_test(guest_that_outruns_the_link_is_stopped_in_the_end),
        cmocka_unit_test(busy_guest_goes_on_running_if_asked),
        cmocka_unit_test(promised_downtime_is_kept),
        cmocka_unit_test(promised_downtime_is_of_the_whole_stop),
        cmocka_unit_test(quiet_guest_is_stopped_whatever_the_rest),
        cmocka_unit_test(promised_downtime_that_fits_stops_the_guest),
        cmocka_unit_test(passes_are_counted),
        cmocka_unit_test(time_allowed_is_kept),
        cmocka_unit_test(knobs_matter_on_xen_too),
        cmocka_unit_test(estimate_is_bytes_by_speed),
        cmocka_unit_test(bandwidth_makes_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
