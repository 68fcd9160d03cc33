/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that does nothing, or that does not read any more: what it costs the
 * host. The clock is the test's: ten seconds take no time.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent_peer_private.h"
#include "agent/agent_qga.h"
#include "agent/agent_rig.h"
#include "engine/loop.h"

enum { LONG_MS = 600000, WAKE_UPS_MAX = 20, IDLE_MS = 10000 };

static uint64_t ahead_ms;

/* libuv's clock, too. */
int clock_gettime(clockid_t clock, struct timespec *ts)
{
    int r = (int)syscall(SYS_clock_gettime, clock, ts);

    ts->tv_sec += (time_t)(ahead_ms / 1000);
    ts->tv_nsec += (long)(ahead_ms % 1000) * 1000000;
    if (ts->tv_nsec >= 1000000000) {
        ts->tv_nsec -= 1000000000;
        ts->tv_sec++;
    }
    return r;
}

/* How often a host with nothing to do but this is woken in ten seconds. */
static int wake_ups(struct fixture *f)
{
    struct pollfd pfd = {.fd = libxl_ctx_fd(f->ctx), .events = POLLIN};
    uint64_t end = ahead_ms + IDLE_MS;
    int n = 0, timeout;

    while (ahead_ms < end && n < 1000) {
        timeout = libxl_ctx_timeout_ms(f->ctx);
        if (!poll(&pfd, 1, 0) && timeout)
            ahead_ms += timeout < 0 ? IDLE_MS : (uint64_t)timeout;
        if (ahead_ms >= end)
            break;
        fixture_turn(f, 1);
        n++;
    }
    return n;
}

static void open_rig(struct arig *rig, struct fixture *f)
{
    const int room = 4608;

    arig_open(rig, f, false);
    setsockopt(rig->sv[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

/* Until nothing goes into the socket any more. */
static void fill(struct arig *rig)
{
    struct libxl__agent_peer_state *st = rig->host.peer.state;
    int i;

    st->peer_calls = 64;
    for (i = 0; i < 100 && !st->out_messages; i++)
        assert_int_equal(libxl__agent_note(&rig->host.peer, "event", NULL), 0);
    fixture_turn(rig->f, 5);
    assert_true(st->out_messages > 0);
}

static void a_guest_that_is_not_there_costs_few_wake_ups(void **state)
{
    struct fixture *f = *state;
    struct arig rig;

    open_rig(&rig, f);
    assert_true(wake_ups(f) <= WAKE_UPS_MAX);
    arig_close(&rig);
}

static void an_idle_guest_costs_few_wake_ups(void **state)
{
    struct fixture *f = *state;
    struct arig rig;

    open_rig(&rig, f);
    arig_handshake(&rig);
    assert_true(wake_ups(f) <= WAKE_UPS_MAX);
    arig_close(&rig);
}

static void a_guest_that_does_not_read_costs_few_wake_ups(void **state)
{
    struct fixture *f = *state;
    struct arig_call call;
    struct arig rig;

    open_rig(&rig, f);
    arig_handshake(&rig);
    fill(&rig);
    assert_int_equal(arig_call(&rig.host, &call, "y", NULL, LONG_MS), 0);
    assert_true(wake_ups(f) <= WAKE_UPS_MAX);
    arig_close(&rig);
}

static void a_qemu_ga_that_does_not_read_costs_few_wake_ups(void **state)
{
    struct fixture *f = *state;
    libxl__agent_qga q = {.ctx = f->ctx, .domid = 7};
    libxl__egc egc;
    int sv[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv),
        0);
    libxl__agent_qga_init(&q);
    assert_int_equal(libxl__agent_qga_open(&q, sv[0]), 0);
    assert_true(wake_ups(f) <= WAKE_UPS_MAX);
    libxl__egc_begin(f->ctx, &egc);
    libxl__agent_qga_close(&egc, &q);
    libxl__egc_end(&egc);
    close(sv[1]);
}

/* Each command that gives up would else leave its request, and the request to
 * stop it, in the queue. */
static void calls_given_up_leave_nothing_in_the_queue(void **state)
{
    struct fixture *f = *state;
    struct arig_call call;
    unsigned before;
    struct arig rig;
    int i;

    open_rig(&rig, f);
    arig_handshake(&rig);
    fill(&rig);
    before = rig.host.peer.state->out_messages;
    for (i = 0; i < 300; i++) {
        assert_int_equal(arig_call(&rig.host, &call, "y", NULL, LONG_MS), 0);
        arig_stop(&rig, &call);
        fixture_run_until(f, &call.done);
        assert_int_equal(call.code, AGENT_E_CANCELLED);
    }
    assert_true(rig.host.peer.state->out_messages <= before);
    arig_close(&rig);
}

static void a_call_too_late_leaves_nothing_in_the_queue(void **state)
{
    struct fixture *f = *state;
    struct arig_call call;
    unsigned before;
    struct arig rig;

    open_rig(&rig, f);
    arig_handshake(&rig);
    fill(&rig);
    before = rig.host.peer.state->out_messages;
    assert_int_equal(arig_call(&rig.host, &call, "y", NULL, 1), 0);
    ahead_ms += 10;
    fixture_run_until(f, &call.done);
    assert_int_equal(call.code, AGENT_E_TIMEDOUT);
    assert_int_equal(rig.host.peer.state->out_messages, before);
    arig_close(&rig);
}

static void notes_that_nobody_reads_are_refused_in_the_end(void **state)
{
    struct fixture *f = *state;
    struct arig rig;
    int i, rc = 0;

    open_rig(&rig, f);
    arig_handshake(&rig);
    for (i = 0; i < 10000 && !rc; i++)
        rc = libxl__agent_note(&rig.host.peer, "event", NULL);
    assert_int_equal(rc, ERROR_BUFFERFULL);
    assert_true(rig.host.peer.state->out_messages <= 129);
    arig_close(&rig);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_guest_that_is_not_there_costs_few_wake_ups),
        T(an_idle_guest_costs_few_wake_ups),
        T(a_guest_that_does_not_read_costs_few_wake_ups),
        T(a_qemu_ga_that_does_not_read_costs_few_wake_ups),
        T(calls_given_up_leave_nothing_in_the_queue),
        T(a_call_too_late_leaves_nothing_in_the_queue),
        T(notes_that_nobody_reads_are_refused_in_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
