/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two honest ends: calls, cancelling, deadlines, resets, full queues. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent_budget.h"
#include "agent/agent_rig.h"
#include "agent/agent_wire.h"
#include "engine/loop.h"

enum { LONG_MS = 60000 };

static void a_call_is_answered_both_ways(void **state)
{
    struct arig rig;
    struct arig_call a, b;

    arig_open(&rig, *state, true);
    assert_int_equal(arig_call(&rig.host, &a, "echo", "{\"x\":1}", LONG_MS), 0);
    assert_int_equal(arig_call(&rig.guest, &b, "echo", NULL, LONG_MS), 0);
    assert_int_equal(a.done + b.done, 0); /* before the hello: queued */
    fixture_run_until(rig.f, &a.done);
    fixture_run_until(rig.f, &b.done);
    assert_int_equal(a.code, 0);
    assert_int_equal(b.code, 0);
    assert_int_equal(rig.host.ups, 1);
    assert_int_equal(rig.guest.ups, 1);
    arig_close(&rig);
}

static void data_travel_with_the_message(void **state)
{
    uint8_t *data = malloc(LIBXL__AGENT_DATA_MAX);
    struct arig_call a;
    struct arig rig;

    arig_open(&rig, *state, true);
    arig_until_up(&rig);
    memset(data, 0xff, LIBXL__AGENT_DATA_MAX); /* looks like control lines */
    data[0] = 1;
    memset(&a, 0, sizeof(a));
    assert_int_equal(arig_call(&rig.host, &a, "nothing", NULL, LONG_MS), 0);
    fixture_run_until(rig.f, &a.done);
    assert_int_equal(a.code, AGENT_E_METHOD);
    a.done = 0;
    assert_int_equal(libxl__agent_call_start(&rig.host.peer, &a.call, "echo",
                                             NULL, data, LIBXL__AGENT_DATA_MAX,
                                             LONG_MS),
                     0);
    fixture_run_until(rig.f, &a.done);
    assert_int_equal(a.data_bytes, LIBXL__AGENT_DATA_MAX);
    assert_int_equal(a.first, 1);
    assert_int_equal(a.last, 0xff);
    arig_close(&rig);
    free(data);
}

static void answers_come_in_any_order(void **state)
{
    struct arig_call a, b;
    struct arig rig;

    arig_open(&rig, *state, true);
    assert_int_equal(arig_call(&rig.host, &a, "hold", NULL, LONG_MS), 0);
    assert_int_equal(arig_call(&rig.host, &b, "echo", NULL, LONG_MS), 0);
    fixture_run_until(rig.f, &b.done);
    assert_int_equal(a.done, 0);
    arig_release(&rig, &rig.guest, 0);
    fixture_run_until(rig.f, &a.done);
    arig_close(&rig);
}

static void a_deadline_ends_a_call_and_stops_the_job(void **state)
{
    struct arig_call a, b;
    struct arig rig;

    arig_open(&rig, *state, true);
    arig_until_up(&rig);
    assert_int_equal(arig_call(&rig.host, &a, "hold", NULL, 20), 0);
    fixture_run_until(rig.f, &a.done);
    assert_int_equal(a.code, AGENT_E_TIMEDOUT);
    fixture_run_until(rig.f, &rig.guest.stopped);
    arig_release(&rig, &rig.guest, 0); /* its answer is a stray */
    assert_int_equal(arig_call(&rig.host, &b, "echo", NULL, LONG_MS), 0);
    fixture_run_until(rig.f, &b.done);
    assert_int_equal(a.done, 1);
    arig_close(&rig);
}

static void a_call_before_any_guest_ends_by_its_deadline(void **state)
{
    struct arig_call a;
    struct arig rig;

    arig_open(&rig, *state, false);
    assert_int_equal(arig_call(&rig.host, &a, "echo", NULL, 20), 0);
    fixture_run_until(rig.f, &a.done);
    assert_int_equal(a.code, AGENT_E_TIMEDOUT);
    arig_close(&rig);
}

static void a_cancelled_call_says_so(void **state)
{
    struct arig_call a, queued;
    struct arig rig;

    arig_open(&rig, *state, true);
    assert_int_equal(arig_call(&rig.host, &queued, "echo", NULL, LONG_MS), 0);
    arig_stop(&rig, &queued);
    assert_int_equal(queued.done, 1);
    assert_int_equal(queued.code, AGENT_E_CANCELLED);
    arig_until_up(&rig);
    assert_int_equal(arig_call(&rig.host, &a, "hold", NULL, LONG_MS), 0);
    fixture_run_until(rig.f, &rig.guest.held_nr);
    arig_stop(&rig, &a);
    arig_stop(&rig, &a);
    fixture_run_until(rig.f, &rig.guest.stopped);
    assert_int_equal(a.done, 0); /* until the peer has stopped */
    arig_release(&rig, &rig.guest, 0);
    fixture_run_until(rig.f, &a.done);
    assert_int_equal(a.code, AGENT_E_CANCELLED);
    assert_int_equal(rig.guest.stopped, 1);
    arig_close(&rig);
}

static void reopen_guest(struct arig *rig)
{
    libxl__agent_peer_init(&rig->guest.peer);
    rig->guest.ups = rig->host.ups = 0;
    assert_int_equal(libxl__agent_peer_open(&rig->guest.peer), 0);
}

static void a_guest_that_begins_anew_ends_what_was_on_the_way(void **state)
{
    struct arig_call a, b;
    struct arig rig;

    arig_open(&rig, *state, true);
    arig_until_up(&rig);
    assert_int_equal(arig_call(&rig.host, &a, "hold", NULL, LONG_MS), 0);
    fixture_run_until(rig.f, &rig.guest.held_nr);
    arig_close_end(&rig, &rig.guest); /* the fd stays: as a port does */
    reopen_guest(&rig);
    fixture_run_until(rig.f, &a.done);
    assert_int_equal(a.code, AGENT_E_RESET);
    arig_until_up(&rig);
    assert_int_equal(arig_call(&rig.host, &b, "echo", NULL, LONG_MS), 0);
    fixture_run_until(rig.f, &b.done);
    assert_int_equal(b.code, 0);
    arig_close(&rig);
}

static void a_host_that_begins_anew_orphans_the_guests_jobs(void **state)
{
    struct arig_call a, b;
    struct arig rig;

    arig_open(&rig, *state, true);
    arig_until_up(&rig);
    assert_int_equal(arig_call(&rig.host, &a, "hold", NULL, LONG_MS), 0);
    fixture_run_until(rig.f, &rig.guest.held_nr);
    arig_close_end(&rig, &rig.host);
    assert_int_equal(a.code, AGENT_E_AWAY);
    rig.host.ups = 0;
    libxl__agent_peer_init(&rig.host.peer);
    assert_int_equal(libxl__agent_peer_open(&rig.host.peer), 0);
    fixture_run_until(rig.f, &rig.host.ups);
    assert_int_equal(rig.guest.stopped, 1);
    assert_int_equal(arig_call(&rig.host, &b, "echo", NULL, LONG_MS), 0);
    arig_release(&rig, &rig.guest, 0); /* goes nowhere */
    fixture_run_until(rig.f, &b.done);
    assert_int_equal(b.code, 0);
    arig_close(&rig);
}

static void a_dead_fd_ends_the_peer_and_its_calls(void **state)
{
    struct arig_call a, b;
    struct arig rig;

    arig_open(&rig, *state, true);
    arig_until_up(&rig);
    assert_int_equal(arig_call(&rig.host, &a, "hold", NULL, LONG_MS), 0);
    arig_close_end(&rig, &rig.guest);
    shutdown(rig.sv[1], SHUT_RDWR);
    fixture_run_until(rig.f, &rig.host.gone);
    assert_int_equal(a.code, AGENT_E_AWAY);
    assert_int_equal(arig_call(&rig.host, &b, "echo", NULL, LONG_MS),
                     ERROR_NOT_READY);
    arig_close(&rig);
}

static void a_caller_has_sixty_four_places_and_no_more(void **state)
{
    struct arig_call *a = calloc(65, sizeof(*a));
    struct arig rig;
    int i;

    arig_open(&rig, *state, true);
    for (i = 0; i < 64; i++)
        assert_int_equal(arig_call(&rig.host, &a[i], "echo", NULL, LONG_MS), 0);
    assert_int_equal(arig_call(&rig.host, &a[64], "echo", NULL, LONG_MS),
                     ERROR_BUFFERFULL);
    for (i = 0; i < 64; i++) {
        fixture_run_until(rig.f, &a[i].done);
        assert_int_equal(a[i].code, 0);
    }
    arig_close(&rig);
    free(a);
}

/* Both ends have all their places full and send all at once, over a socket that
 * holds little: whatever the order, all is answered. */
static void full_queues_in_both_directions_do_not_lock(void **state)
{
    enum { CALLS = 64, DATA = 100000 };
    struct arig_call *a = calloc(CALLS, sizeof(*a));
    struct arig_call *b = calloc(CALLS, sizeof(*b));
    uint8_t *data = calloc(1, DATA);
    int small = 4096, i;
    struct arig rig;

    arig_open(&rig, *state, true);
    for (i = 0; i < 2; i++)
        setsockopt(rig.sv[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    for (i = 0; i < CALLS; i++) {
        a[i].call.done = b[i].call.done = NULL;
        assert_int_equal(arig_call(&rig.host, &a[i], "echo", NULL, LONG_MS), 0);
        assert_int_equal(arig_call(&rig.guest, &b[i], "echo", NULL, LONG_MS),
                         0);
    }
    for (i = 0; i < CALLS; i++) {
        fixture_run_until(rig.f, &a[i].done);
        fixture_run_until(rig.f, &b[i].done);
        a[i].done = b[i].done = 0;
        assert_int_equal(a[i].code + b[i].code, 0);
        assert_int_equal(libxl__agent_call_start(&rig.host.peer, &a[i].call,
                                                 "echo", NULL, data, DATA,
                                                 LONG_MS),
                         0);
        assert_int_equal(libxl__agent_call_start(&rig.guest.peer, &b[i].call,
                                                 "echo", NULL, data, DATA,
                                                 LONG_MS),
                         0);
    }
    for (i = 0; i < CALLS; i++) {
        fixture_run_until(rig.f, &a[i].done);
        fixture_run_until(rig.f, &b[i].done);
        assert_int_equal(a[i].data_bytes, DATA);
        assert_int_equal(b[i].data_bytes, DATA);
    }
    arig_close(&rig);
    free(a);
    free(b);
    free(data);
}

static void the_budget_refills_with_time(void **state)
{
    struct libxl__agent_budget b;
    int i;

    libxl__agent_budget_init(&b, 1000);
    for (i = 0; i < LIBXL__AGENT_BUDGET_BURST; i++)
        libxl__agent_budget_spend(&b, 1000, 0);
    assert_int_equal(libxl__agent_budget_pause_ms(&b, 1000), 0);
    libxl__agent_budget_spend(&b, 1000, 4096 * 199);
    assert_int_equal(libxl__agent_budget_pause_ms(&b, 1000), 2000);
    assert_int_equal(libxl__agent_budget_pause_ms(&b, 3000), 0);
    libxl__agent_budget_spend(&b, UINT64_MAX / 2, 0); /* no overflow */
    assert_int_equal(libxl__agent_budget_pause_ms(&b, UINT64_MAX / 2), 0);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_call_is_answered_both_ways),
        T(data_travel_with_the_message),
        T(answers_come_in_any_order),
        T(a_deadline_ends_a_call_and_stops_the_job),
        T(a_call_before_any_guest_ends_by_its_deadline),
        T(a_cancelled_call_says_so),
        T(a_guest_that_begins_anew_ends_what_was_on_the_way),
        T(a_host_that_begins_anew_orphans_the_guests_jobs),
        T(a_dead_fd_ends_the_peer_and_its_calls),
        T(a_caller_has_sixty_four_places_and_no_more),
        T(full_queues_in_both_directions_do_not_lock),
        T(the_budget_refills_with_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
