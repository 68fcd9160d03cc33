/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_xen_suspend.c - how a guest is asked to suspend. */
#include "host/xen_rig.h"

#include <errno.h>
#include <string.h>

#define CHANNEL "/local/domain/1/device/suspend/event-channel"
#define WORD "/local/domain/1/control/shutdown"

static int open_with_guest(void **state)
{
    int r = xen_rig_open(state);

    fake_xen.there = true;
    fake_xen.domain = (struct libxl__xen_domain){.domid = 1, .running = true};
    fake_xs_put(WORD, "");
    return r;
}

static int start_suspend(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call, const void *user)
{
    return h->ops->suspend(egc, h, call);
}

/* It looks at xenstore: acknowledges, and suspends. */
static void guest_reads(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    assert_string_equal(fake_xs_get(WORD), "suspend");
    fake_xs_put(WORD, "");
    fake_xen.domain.shutdown = true;
    fake_xen.domain.reason = LIBXL__XEN_SUSPEND;
}

static libxl__ev_time later;

static int start_with_reader(libxl__egc *egc, libxl__host *h,
                             libxl__host_call *call, const void *user)
{
    libxl__ev_time_init(&later);
    assert_int_equal(
        libxl__ev_time_register_rel(h->ctx, NULL, &later, guest_reads, 20), 0);
    return h->ops->suspend(egc, h, call);
}

static void a_guest_that_offers_a_channel_is_notified(void **state)
{
    fake_xen.port = 9;
    fake_xs_put(CHANNEL, "9");
    assert_int_equal(xen_rig_run(*state, start_suspend, NULL), 0);
    assert_int_equal(fake_xen.notified, 1);
    assert_string_equal(fake_xs_get(WORD), "");
    assert_int_equal(fake_xen.channels, 0);
}

static void without_a_channel_it_is_asked_through_xenstore(void **state)
{
    fake_xs_put(CHANNEL, "");
    assert_int_equal(xen_rig_run(*state, start_with_reader, NULL), 0);
    assert_int_equal(fake_xen.notified, 0);
}

static void a_channel_that_cannot_be_bound_is_no_reason_to_fail(void **state)
{
    struct xen_rig *r = *state;

    fake_xs_put(CHANNEL, "9");
    assert_int_equal(xen_rig_run(r, start_with_reader, NULL), 0);
    assert_int_equal(fake_xen.notified, 0);
    assert_non_null(strstr(r->log, "suspend channel (port 9) cannot be used"));
}

static void a_channel_that_cannot_be_notified_is_given_up(void **state)
{
    fake_xen.port = 9;
    fake_xen.notify_r = -ENXIO;
    fake_xs_put(CHANNEL, "9");
    assert_int_equal(xen_rig_run(*state, start_with_reader, NULL), 0);
    assert_int_equal(fake_xen.channels, 0);
}

static void what_is_no_port_is_no_channel(void **state)
{
    fake_xs_put(CHANNEL, "9 and more");
    assert_int_equal(xen_rig_run(*state, start_with_reader, NULL), 0);
    assert_int_equal(fake_xen.notified, 0);
}

static void suspends_late(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    fake_xen.domain.shutdown = true;
    fake_xen.domain.reason = LIBXL__XEN_SUSPEND;
}

static int start_with_late_guest(libxl__egc *egc, libxl__host *h,
                                 libxl__host_call *call, const void *user)
{
    libxl__ev_time_init(&later);
    assert_int_equal(
        libxl__ev_time_register_rel(h->ctx, NULL, &later, suspends_late, 100),
        0);
    return h->ops->suspend(egc, h, call);
}

/* A notification cannot be taken back: a guest that suspended behind the back
 * of its caller would stay so. */
static void an_abort_waits_for_a_notified_guest(void **state)
{
    fake_xen.port = 9;
    fake_xen.deaf_to_channel = true;
    fake_xs_put(CHANNEL, "9");
    assert_int_equal(
        xen_rig_run_aborted(*state, start_with_late_guest, NULL, 10),
        ERROR_ABORTED);
    assert_true(fake_xen.domain.shutdown);
    assert_int_equal(fake_xen.channels, 0);
}

static void an_abort_takes_the_word_back(void **state)
{
    fake_xs_put(CHANNEL, "");
    assert_int_equal(xen_rig_run_aborted(*state, start_suspend, NULL, 10),
                     ERROR_ABORTED);
    assert_string_equal(fake_xs_get(WORD), "");
    assert_false(fake_xen.domain.shutdown);
}

static unsigned commits;

static bool writes_it_again(void)
{
    commits++;
    fake_xs_put(WORD, "suspend");
    return true;
}

/* Each time in between the loop has its turn. */
static void a_guest_that_keeps_the_word_is_not_asked_for_ever(void **state)
{
    commits = 0;
    fake_xs_put(CHANNEL, "");
    fake_xs_on_commit = writes_it_again;
    assert_int_equal(xen_rig_run_aborted(*state, start_suspend, NULL, 10),
                     ERROR_ABORTED);
    assert_string_equal(fake_xs_get(WORD), "");
    assert_true(commits > 1);
}

static int start_unpause(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call, const void *user)
{
    return h->ops->unpause(egc, h, call);
}

static void suspend_it(bool paused)
{
    fake_xen.domain.shutdown = true;
    fake_xen.domain.reason = LIBXL__XEN_SUSPEND;
    fake_xen.domain.paused = paused;
}

static void unpause_resumes_a_guest_that_was_left_suspended(void **state)
{
    suspend_it(false);
    assert_int_equal(xen_rig_run(*state, start_unpause, NULL), 0);
    assert_false(fake_xen.domain.shutdown);
    suspend_it(true);
    assert_int_equal(xen_rig_run(*state, start_unpause, NULL), 0);
    assert_false(fake_xen.domain.shutdown || fake_xen.domain.paused);
}

static int start_resume(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        const void *user)
{
    return h->ops->resume(egc, h, call);
}

static void an_hvm_guest_without_its_qemu_goes_on_all_the_same(void **state)
{
    struct xen_rig *r = *state;

    fake_xen.domain.hvm = true;
    fake_xen.domain.pvh = false;
    suspend_it(false);
    assert_int_equal(xen_rig_run(r, start_resume, NULL), 0);
    assert_false(fake_xen.domain.shutdown);
    assert_non_null(strstr(r->log, "the guest goes on without it"));
}

static void what_a_killed_save_asked_for_is_taken_back(void **state)
{
    fake_xs_put(WORD, "suspend");
    assert_int_equal(xen_rig_run(*state, start_resume, NULL), 0);
    assert_string_equal(fake_xs_get(WORD), "");
}

static void what_another_toolstack_asks_for_stays(void **state)
{
    fake_xs_put(WORD, "poweroff");
    assert_int_equal(xen_rig_run(*state, start_resume, NULL), 0);
    assert_string_equal(fake_xs_get(WORD), "poweroff");
}

static void a_suspension_is_ours_while_our_mark_stands(void **state)
{
    struct xen_rig *r = *state;
    libxl__gc gc;

    libxl__gc_init(&gc, r->ctx);
    fake_xs_put(WORD, "late");
    assert_true(r->h->ops->suspend_is_ours(r->h, &gc, 1));
    suspend_it(false);
    assert_int_equal(xen_rig_run(r, start_resume, NULL), 0);
    assert_false(r->h->ops->suspend_is_ours(r->h, &gc, 1));
    libxl__gc_dispose(&gc);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_with_guest, xen_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_guest_that_offers_a_channel_is_notified),
        TEST(without_a_channel_it_is_asked_through_xenstore),
        TEST(a_channel_that_cannot_be_bound_is_no_reason_to_fail),
        TEST(a_channel_that_cannot_be_notified_is_given_up),
        TEST(what_is_no_port_is_no_channel),
        TEST(an_abort_waits_for_a_notified_guest),
        TEST(an_abort_takes_the_word_back),
        TEST(a_guest_that_keeps_the_word_is_not_asked_for_ever),
        TEST(unpause_resumes_a_guest_that_was_left_suspended),
        TEST(what_a_killed_save_asked_for_is_taken_back),
        TEST(what_another_toolstack_asks_for_stays),
        TEST(a_suspension_is_ours_while_our_mark_stands),
        TEST(an_hvm_guest_without_its_qemu_goes_on_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
