/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Abort at each step of an operation, and by interrupt. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "base/container.h"
#include "engine/engine_fixture.h"

/* Three waits in a row, then three at once, then the end. */
enum { STEPS = 3, WAITS = 3 };

struct walk {
    libxl__ao *ao;
    libxl__ev_time timer;
    libxl__ao_join join;
    struct walk_wait {
        struct walk *walk;
        libxl__ev_time timer;
    } waits[WAITS];
    int step, aborts;
    int *steps_seen, *aborts_seen;
    uint64_t delay_ms;
};

static struct walk *walk_of_timer(libxl__ev_time *timer)
{
    return CONTAINER_OF(timer, struct walk, timer);
}

static struct walk *walk_of_join(libxl__ao_join *join)
{
    return CONTAINER_OF(join, struct walk, join);
}

static struct walk_wait *wait_of_timer(libxl__ev_time *timer)
{
    return CONTAINER_OF(timer, struct walk_wait, timer);
}

static void all_waited(libxl__egc *egc, libxl__ao_join *join, int rc)
{
    struct walk *walk = walk_of_join(join);

    *walk->aborts_seen = walk->aborts;
    *walk->steps_seen = walk->step;
    libxl__ao_complete(egc, walk->ao, rc);
}

static void one_waited(libxl__egc *egc, libxl__ev_time *timer, int rc)
{
    struct walk *walk = wait_of_timer(timer)->walk;

    if (rc == ERROR_ABORTED)
        walk->aborts++;
    libxl__ao_join_child_done(egc, &walk->join, rc == ERROR_TIMEDOUT ? 0 : rc);
}

static void wait_for_three(libxl__egc *egc, struct walk *walk)
{
    int i, rc;

    libxl__ao_join_init(&walk->join);
    walk->join.all_done = all_waited;
    for (i = 0; i < WAITS; i++) {
        walk->waits[i].walk = walk;
        libxl__ao_join_add(&walk->join);
        libxl__ev_time_init(&walk->waits[i].timer);
        rc = libxl__ev_time_register_rel(libxl__ao_ctx(walk->ao), walk->ao,
                                         &walk->waits[i].timer, one_waited,
                                         walk->delay_ms + (uint64_t)i);
        if (rc)
            libxl__ao_join_child_done(egc, &walk->join, rc);
    }
    libxl__ao_join_seal(egc, &walk->join);
}

static void step_done(libxl__egc *egc, libxl__ev_time *timer, int rc)
{
    struct walk *walk = walk_of_timer(timer);

    if (rc == ERROR_ABORTED) {
        *walk->aborts_seen = 1;
        *walk->steps_seen = walk->step;
        libxl__ao_complete(egc, walk->ao, rc);
        return;
    }
    if (++walk->step == STEPS) {
        wait_for_three(egc, walk);
        return;
    }
    rc = libxl__ev_time_register_rel(libxl__ao_ctx(walk->ao), walk->ao, timer,
                                     step_done, walk->delay_ms);
    assert_int_equal(rc, 0);
}

struct walk_params {
    uint64_t delay_ms;
    int *steps_seen, *aborts_seen;
};

static int walk_start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    const struct walk_params *p = params;
    struct walk *walk = libxl__zalloc(libxl__ao_gc(ao), sizeof(*walk));

    walk->ao = ao;
    walk->delay_ms = p->delay_ms;
    walk->steps_seen = p->steps_seen;
    walk->aborts_seen = p->aborts_seen;
    libxl__ev_time_init(&walk->timer);
    return libxl__ev_time_register_rel(libxl__ao_ctx(ao), ao, &walk->timer,
                                       step_done, walk->delay_ms);
}

struct result {
    int calls, rc;
};

static void completed(libxl_ctx *ctx, int rc, void *for_callback)
{
    struct result *r = for_callback;

    r->calls++;
    r->rc = rc;
}

static void abort_at_each_step_completes_once(void **state)
{
    struct fixture *f = *state;
    int turns, steps, aborts, whole = 0;
    struct walk_params p = {0, &steps, &aborts};
    libxl_asyncop_how how = {.callback = completed};
    struct result r;

    how.u.for_callback = &r;
    for (turns = 0; !whole; turns++) {
        memset(&r, 0, sizeof(r));
        assert_int_equal(libxl__ao_run(f->ctx, 1, &how, walk_start, &p), 0);
        fixture_turn(f, turns);
        if (r.calls) {
            assert_int_equal(libxl_ao_abort(f->ctx, &how), ERROR_NOTFOUND);
            whole = 1;
        } else {
            assert_int_equal(libxl_ao_abort(f->ctx, &how), 0);
        }
        assert_int_equal(r.calls, 1);
        assert_int_equal(r.rc, whole ? 0 : ERROR_ABORTED);
        assert_int_equal(!!aborts, !whole);
    }
    assert_true(turns > STEPS);
    assert_int_equal(steps, STEPS);
}

struct abortable {
    libxl__ao_abortable abrt;
    int calls, rc;
};

static struct abortable *abortable_of(libxl__ao_abortable *abrt)
{
    return CONTAINER_OF(abrt, struct abortable, abrt);
}

static void count_abort(libxl__egc *egc, libxl__ao_abortable *abrt, int rc)
{
    struct abortable *a = abortable_of(abrt);

    assert_false(abrt->registered);
    assert_int_equal(libxl__ao_abortable_register(abrt), ERROR_ABORTED);
    a->calls++;
    a->rc = rc;
}

static void abortable_init(struct fixture *f, struct abortable *a)
{
    memset(a, 0, sizeof(*a));
    libxl__ao_abortable_init(&a->abrt);
    a->abrt.ao = f->ao;
    a->abrt.callback = count_abort;
}

static void each_abortable_is_called_once(void **state)
{
    struct fixture *f = *state;
    struct abortable a, b, c;

    fixture_begin(f);
    abortable_init(f, &a);
    abortable_init(f, &b);
    abortable_init(f, &c);
    assert_int_equal(libxl__ao_abortable_register(&a.abrt), 0);
    assert_int_equal(libxl__ao_abortable_register(&b.abrt), 0);
    libxl__ao_abortable_deregister(&b.abrt);
    libxl__ao_abortable_deregister(&b.abrt);
    assert_int_equal(libxl_ao_abort(f->ctx, &f->how), 0);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.rc, ERROR_ABORTED);
    assert_int_equal(b.calls, 0);
    assert_int_equal(libxl__ao_abortable_register(&c.abrt), ERROR_ABORTED);
    assert_int_equal(libxl_ao_abort(f->ctx, &f->how), ERROR_ABORTED);
    assert_int_equal(a.calls, 1);
    fixture_complete(f, 0); /* an aborted operation may still succeed */
    assert_int_equal(f->rc, 0);
}

static struct abortable *sibling;

static void deregister_sibling(libxl__egc *egc, libxl__ao_abortable *abrt,
                               int rc)
{
    abortable_of(abrt)->calls++;
    if (sibling)
        libxl__ao_abortable_deregister(&sibling->abrt);
}

static void an_abort_callback_may_deregister_others(void **state)
{
    struct fixture *f = *state;
    struct abortable a, b;

    fixture_begin(f);
    abortable_init(f, &a);
    abortable_init(f, &b);
    a.abrt.callback = deregister_sibling;
    b.abrt.callback = deregister_sibling;
    sibling = &a;
    assert_int_equal(libxl__ao_abortable_register(&a.abrt), 0);
    assert_int_equal(libxl__ao_abortable_register(&b.abrt), 0);
    assert_int_equal(libxl_ao_abort(f->ctx, &f->how), 0);
    assert_int_equal(a.calls + b.calls, 1);
    fixture_complete(f, ERROR_ABORTED);
}

static void abort_finds_the_operation_by_its_how(void **state)
{
    struct fixture *f = *state;
    int steps, aborts;
    struct walk_params p = {0, &steps, &aborts};
    libxl_asyncop_how one = {.callback = completed}, two = one;
    libxl_asyncop_how event = {.u.for_event = 5}, none = event;
    struct result r1 = {0}, r2 = {0};
    libxl_event *e;

    one.u.for_callback = &r1;
    two.u.for_callback = &r2;
    none.u.for_event = 6;
    assert_int_equal(libxl__ao_run(f->ctx, 1, &one, walk_start, &p), 0);
    assert_int_equal(libxl__ao_run(f->ctx, 1, &two, walk_start, &p), 0);
    assert_int_equal(libxl__ao_run(f->ctx, 1, &event, walk_start, &p), 0);
    assert_int_equal(libxl_ao_abort(f->ctx, NULL), ERROR_NOTFOUND);
    assert_int_equal(libxl_ao_abort(f->ctx, &none), ERROR_NOTFOUND);
    assert_int_equal(libxl_ao_abort(f->ctx, &event), 0);
    assert_int_equal(libxl_ao_abort(f->ctx, &two), 0);
    assert_int_equal(r2.rc, ERROR_ABORTED);
    assert_int_equal(r1.calls, 0);
    fixture_run_until(f, &r1.calls);
    assert_int_equal(r1.rc, 0);
    assert_int_equal(
        libxl_event_check(f->ctx, &e, LIBXL_EVENTMASK_ALL, NULL, NULL), 0);
    assert_int_equal(e->u.operation_complete.rc, ERROR_ABORTED);
    libxl_event_free(f->ctx, e);
}

static void *interrupt_from_thread(void *ctx)
{
    libxl_ctx_interrupt(ctx);
    return NULL;
}

struct interrupting {
    struct walk_params walk;
    libxl_ctx *ctx;
};

static int start_then_interrupt(libxl__egc *egc, libxl__ao *ao,
                                const void *params)
{
    const struct interrupting *in = params;
    pthread_t thread;
    int rc = walk_start(egc, ao, &in->walk);

    pthread_create(&thread, NULL, interrupt_from_thread, in->ctx);
    pthread_join(thread, NULL);
    return rc;
}

static void an_interrupt_aborts_the_synchronous_operation(void **state)
{
    struct fixture *f = *state;
    int steps, aborts;
    struct interrupting in = {{1000000, &steps, &aborts}, f->ctx};

    assert_int_equal(libxl__ao_run(f->ctx, 1, NULL, start_then_interrupt, &in),
                     ERROR_ABORTED);
    assert_int_equal(aborts, 1);
}

static libxl_ctx *signal_ctx;

static void on_alarm(int signo)
{
    libxl_ctx_interrupt(signal_ctx);
}

static void an_interrupt_may_come_from_a_signal_handler(void **state)
{
    struct fixture *f = *state;
    int steps, aborts;
    struct walk_params p = {1000000, &steps, &aborts};
    /* again and again: the first may come before the operation has begun */
    const struct itimerval often = {.it_value.tv_usec = 5000,
                                    .it_interval.tv_usec = 5000};
    const struct itimerval never = {0};

    signal_ctx = f->ctx;
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &often, NULL);
    assert_int_equal(libxl__ao_run(f->ctx, 1, NULL, walk_start, &p),
                     ERROR_ABORTED);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
}

static void an_old_interrupt_leaves_the_next_operation_alone(void **state)
{
    struct fixture *f = *state;
    int steps, aborts;
    struct walk_params p = {0, &steps, &aborts};

    libxl_ctx_interrupt(f->ctx);
    assert_int_equal(libxl__ao_run(f->ctx, 1, NULL, walk_start, &p), 0);
}

static void an_interrupt_leaves_asynchronous_operations_alone(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f);
    libxl_ctx_interrupt(f->ctx);
    fixture_turn(f, 3);
    assert_int_equal(libxl_ao_abort(f->ctx, &f->how), 0);
    fixture_complete(f, 0);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(abort_at_each_step_completes_once),
        T(each_abortable_is_called_once),
        T(an_abort_callback_may_deregister_others),
        T(abort_finds_the_operation_by_its_how),
        T(an_interrupt_aborts_the_synchronous_operation),
        T(an_interrupt_may_come_from_a_signal_handler),
        T(an_old_interrupt_leaves_the_next_operation_alone),
        T(an_interrupt_leaves_asynchronous_operations_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
