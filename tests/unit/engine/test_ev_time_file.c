/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "engine/engine_fixture.h"

struct timer {
    libxl__ev_time ev;
    int fired, rc, order;
    int *counter;
    libxl_ctx *ctx;
    struct timer *stops, *again;
};

static struct timer *timer_of_ev(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct timer, ev);
}

static void timer_start(struct fixture *f, struct timer *t, libxl__ao *ao,
                        uint64_t ms);

static void fired(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct timer *t = timer_of_ev(ev);

    assert_false(libxl__ev_time_isregistered(ev));
    t->fired++;
    t->rc = rc;
    if (t->counter)
        t->order = ++*t->counter;
    if (t->stops)
        libxl__ev_time_deregister(t->ctx, &t->stops->ev);
    if (t->again) {
        t->again = NULL;
        assert_int_equal(
            libxl__ev_time_register_rel(t->ctx, NULL, ev, fired, 0), 0);
    }
}

static void timer_start(struct fixture *f, struct timer *t, libxl__ao *ao,
                        uint64_t ms)
{
    memset(t, 0, sizeof(*t));
    t->ctx = f->ctx;
    libxl__ev_time_init(&t->ev);
    assert_int_equal(libxl__ev_time_register_rel(f->ctx, ao, &t->ev, fired, ms),
                     0);
}

static void timers_fire_in_the_order_of_their_deadlines(void **state)
{
    struct fixture *f = *state;
    struct timer late, early, same;
    int counter = 0;

    timer_start(f, &late, NULL, 40);
    timer_start(f, &early, NULL, 10);
    timer_start(f, &same, NULL, 40);
    late.counter = early.counter = same.counter = &counter;
    fixture_run_until(f, &same.fired);
    assert_int_equal(early.order, 1);
    assert_int_equal(late.order, 2);
    assert_int_equal(same.order, 3);
    assert_int_equal(late.rc, ERROR_TIMEDOUT);
}

static void a_timer_does_not_fire_before_its_time(void **state)
{
    struct fixture *f = *state;
    uint64_t begin = libxl__now_ms(f->ctx);
    struct timer t;

    timer_start(f, &t, NULL, 25);
    fixture_run_until(f, &t.fired);
    assert_true(libxl__now_ms(f->ctx) >= begin + 24);
}

static void a_stopped_timer_is_silent(void **state)
{
    struct fixture *f = *state;
    struct timer *t = malloc(sizeof(*t)), marker;

    timer_start(f, t, NULL, 0);
    libxl__ev_time_deregister(f->ctx, &t->ev);
    libxl__ev_time_deregister(f->ctx, &t->ev);
    free(t);
    timer_start(f, &marker, NULL, 5);
    fixture_run_until(f, &marker.fired);
}

static void a_callback_may_stop_another_due_timer(void **state)
{
    struct fixture *f = *state;
    struct timer first, second, marker;

    timer_start(f, &first, NULL, 0);
    timer_start(f, &second, NULL, 0);
    first.stops = &second;
    timer_start(f, &marker, NULL, 10);
    fixture_run_until(f, &marker.fired);
    assert_int_equal(first.fired, 1);
    assert_int_equal(second.fired, 0);
}

static void a_callback_may_start_its_timer_again(void **state)
{
    struct fixture *f = *state;
    struct timer t, marker;

    timer_start(f, &t, NULL, 0);
    t.again = &t;
    timer_start(f, &marker, NULL, 10);
    fixture_run_until(f, &marker.fired);
    assert_int_equal(t.fired, 2);
}

static void an_abort_reaches_a_timer_at_once(void **state)
{
    struct fixture *f = *state;
    struct timer t;

    fixture_begin(f);
    timer_start(f, &t, f->ao, UINT64_MAX);
    assert_int_equal(libxl_ao_abort(f->ctx, &f->how), 0);
    assert_int_equal(t.fired, 1);
    assert_int_equal(t.rc, ERROR_ABORTED);
    assert_int_equal(
        libxl__ev_time_register_rel(f->ctx, f->ao, &t.ev, fired, 0),
        ERROR_ABORTED);
    assert_false(libxl__ev_time_isregistered(&t.ev));
    fixture_complete(f, ERROR_ABORTED);
}

/* ---- files ---- */

struct call {
    libxl__ev_file ev;
    int done;
    ssize_t result;
};

static struct call *call_of_ev(libxl__ev_file *ev)
{
    return CONTAINER_OF(ev, struct call, ev);
}

static void called(libxl__egc *egc, libxl__ev_file *ev, ssize_t result)
{
    struct call *c = call_of_ev(ev);

    assert_false(libxl__ev_file_busy(ev));
    c->done++;
    c->result = result;
}

static int temp(void)
{
    char path[] = "/tmp/xl-unit-file.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

static void a_file_is_written_synced_and_read_in_order(void **state)
{
    struct fixture *f = *state;
    struct call w = {0}, s = {0}, r = {0};
    char in[8] = {0};
    int fd = temp();

    libxl__ev_file_init(&w.ev);
    libxl__ev_file_init(&s.ev);
    libxl__ev_file_init(&r.ev);
    assert_int_equal(
        libxl__ev_file_write(f->ctx, &w.ev, called, fd, "abcdef", 6, -1), 0);
    assert_int_equal(libxl__ev_file_fsync(f->ctx, &s.ev, called, fd), 0);
    assert_int_equal(libxl__ev_file_read(f->ctx, &r.ev, called, fd, in, 8, 2),
                     0);
    assert_true(libxl__ev_file_busy(&r.ev));
    close(fd); /* the calls have their own */
    fixture_run_until(f, &r.done);
    assert_int_equal(w.done, 1);
    assert_int_equal(s.done, 1);
    assert_int_equal(w.result, 6);
    assert_int_equal(s.result, 0);
    assert_int_equal(r.result, 4);
    assert_string_equal(in, "cdef");
}

static void the_end_of_a_file_is_zero_and_errors_are_errnos(void **state)
{
    struct fixture *f = *state;
    struct call r = {0}, w = {0};
    char in[4];
    int fd = temp(), full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    libxl__ev_file_init(&r.ev);
    libxl__ev_file_init(&w.ev);
    assert_int_equal(libxl__ev_file_read(f->ctx, &r.ev, called, fd, in, 4, 0),
                     0);
    assert_int_equal(
        libxl__ev_file_write(f->ctx, &w.ev, called, full, "x", 1, -1), 0);
    fixture_run_until(f, &r.done);
    fixture_run_until(f, &w.done);
    assert_int_equal(r.result, 0);
    assert_int_equal(w.result, -ENOSPC);
    w.done = 0;
    assert_int_equal(
        libxl__ev_file_write(f->ctx, &w.ev, called, 9999, "x", 1, -1),
        ERROR_FAIL);
    assert_false(libxl__ev_file_busy(&w.ev));
    close(fd);
    close(full);
}

static void a_forgotten_call_is_silent_also_when_the_ctx_dies(void **state)
{
    struct fixture *f = *state;
    struct call *c;
    char *buf;
    int i, fd = temp();

    assert_int_equal(ftruncate(fd, 1 << 22), 0);
    for (i = 0; i < 10; i++) {
        c = calloc(1, sizeof(*c));
        buf = malloc(1 << 20);
        libxl__ev_file_init(&c->ev);
        assert_int_equal(
            libxl__ev_file_read(f->ctx, &c->ev, called, fd, buf, 1 << 20, -1),
            0);
        libxl__ev_file_forget(&c->ev, buf);
        assert_false(libxl__ev_file_busy(&c->ev));
        free(c);
    }
    close(fd);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(timers_fire_in_the_order_of_their_deadlines),
        T(a_timer_does_not_fire_before_its_time),
        T(a_stopped_timer_is_silent),
        T(a_callback_may_stop_another_due_timer),
        T(a_callback_may_start_its_timer_again),
        T(an_abort_reaches_a_timer_at_once),
        T(a_file_is_written_synced_and_read_in_order),
        T(the_end_of_a_file_is_zero_and_errors_are_errnos),
        T(a_forgotten_call_is_silent_also_when_the_ctx_dies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
