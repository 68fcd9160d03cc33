/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion, start, progress, nested: the promises of libxl_event.h. */
#include <string.h>

#include "base/container.h"
#include "engine/engine_fixture.h"

/* An operation that ends after a delay, with an rc. */
struct plan {
    uint64_t delay_ms;
    int rc;
    bool at_once; /* completes inside the start function */
    int start_rc; /* the start function fails */
    const libxl_asyncprogress_how *progress;
};

struct op {
    libxl__ao *ao;
    libxl__ev_time timer;
    int rc;
    libxl_asyncprogress_how progress;
    bool reports;
};

static struct op *op_of_timer(libxl__ev_time *timer)
{
    return CONTAINER_OF(timer, struct op, timer);
}

static void report(libxl__egc *egc, struct op *op)
{
    libxl_event *event = libxl__event_new(
        LIBXL_EVENT_TYPE_DOMAIN_CREATE_CONSOLE_AVAILABLE, 7, 0);

    libxl__ao_progress_report(egc, op->ao, &op->progress, event);
}

static void op_ends(libxl__egc *egc, libxl__ev_time *timer, int rc)
{
    struct op *op = op_of_timer(timer);

    if (op->reports)
        report(egc, op);
    libxl__ao_complete(egc, op->ao, rc == ERROR_TIMEDOUT ? op->rc : rc);
}

static int op_start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    const struct plan *plan = params;
    struct op *op = libxl__zalloc(libxl__ao_gc(ao), sizeof(*op));

    if (plan->start_rc)
        return plan->start_rc;
    op->ao = ao;
    op->rc = plan->rc;
    op->reports = plan->progress;
    libxl__ao_progress_gethow(&op->progress, plan->progress);
    libxl__ev_time_init(&op->timer);
    if (plan->at_once) {
        libxl__ao_complete(egc, ao, plan->rc);
        return 0;
    }
    return libxl__ev_time_register_rel(libxl__ao_ctx(ao), ao, &op->timer,
                                       op_ends, plan->delay_ms);
}

static int run(struct fixture *f, const libxl_asyncop_how *how,
               const struct plan *plan)
{
    return libxl__ao_run(f->ctx, 7, how, op_start, plan);
}

struct seen {
    int calls, rc;
    int progress, progress_before_end;
};

static void completed(libxl_ctx *ctx, int rc, void *for_callback)
{
    struct seen *seen = for_callback;

    seen->calls++;
    seen->rc = rc;
    seen->progress_before_end = seen->progress;
}

static libxl_asyncop_how how_callback(struct seen *seen)
{
    libxl_asyncop_how how = {.callback = completed};

    memset(seen, 0, sizeof(*seen));
    how.u.for_callback = seen;
    return how;
}

static void a_synchronous_call_returns_the_result(void **state)
{
    struct fixture *f = *state;
    const struct plan ok = {.rc = 0}, bad = {.rc = ERROR_GUEST_TIMEDOUT};
    const struct plan now = {.at_once = true, .rc = ERROR_QEMU_API};

    assert_int_equal(run(f, NULL, &ok), 0);
    assert_int_equal(run(f, NULL, &bad), ERROR_GUEST_TIMEDOUT);
    assert_int_equal(run(f, NULL, &now), ERROR_QEMU_API);
}

static void a_callback_comes_exactly_once(void **state)
{
    struct fixture *f = *state;
    const struct plan plan = {.rc = ERROR_GUEST_TIMEDOUT};
    struct seen seen;
    libxl_asyncop_how how = how_callback(&seen);

    assert_int_equal(run(f, &how, &plan), 0);
    assert_int_equal(seen.calls, 0);
    fixture_run_until(f, &seen.calls);
    fixture_turn(f, 5);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.rc, ERROR_GUEST_TIMEDOUT);
}

static void an_event_comes_exactly_once(void **state)
{
    struct fixture *f = *state;
    const struct plan plan = {.rc = ERROR_GUEST_TIMEDOUT};
    libxl_asyncop_how how = {.u.for_event = 0x1234567890};
    libxl_event *event;

    assert_int_equal(run(f, &how, &plan), 0);
    assert_int_equal(
        libxl_event_wait(f->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL), 0);
    assert_int_equal(event->type, LIBXL_EVENT_TYPE_OPERATION_COMPLETE);
    assert_int_equal(event->for_user, 0x1234567890);
    assert_int_equal(event->domid, 7);
    assert_int_equal(event->u.operation_complete.rc, ERROR_GUEST_TIMEDOUT);
    libxl_event_free(f->ctx, event);
    assert_int_equal(
        libxl_event_check(f->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL),
        ERROR_NOT_READY);
    assert_null(event);
}

static void completion_inside_start_is_told_after_it(void **state)
{
    struct fixture *f = *state;
    const struct plan plan = {.at_once = true, .rc = ERROR_FAIL};
    struct seen seen;
    libxl_asyncop_how how = how_callback(&seen);

    assert_int_equal(run(f, &how, &plan), 0);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.rc, ERROR_FAIL);
}

static void what_did_not_start_is_never_completed(void **state)
{
    struct fixture *f = *state;
    const struct plan plan = {.start_rc = ERROR_LOCK_FAIL};
    struct seen seen;
    libxl_asyncop_how how = how_callback(&seen);

    assert_int_equal(run(f, &how, &plan), ERROR_LOCK_FAIL);
    assert_int_equal(run(f, NULL, &plan), ERROR_LOCK_FAIL);
    fixture_turn(f, 5);
    assert_int_equal(seen.calls, 0);
    assert_int_equal(libxl_ao_abort(f->ctx, &how), ERROR_NOTFOUND);
}

static void progressed(libxl_ctx *ctx, libxl_event *event, void *for_callback)
{
    struct seen *seen = for_callback;

    seen->progress++;
    assert_int_equal(seen->calls, 0);
    libxl_event_free(ctx, event);
}

static void progress_is_told_before_completion(void **state)
{
    struct fixture *f = *state;
    struct seen seen;
    libxl_asyncop_how how = how_callback(&seen);
    libxl_asyncprogress_how progress = {.callback = progressed};
    const struct plan plan = {.progress = &progress};

    progress.u.for_callback = &seen;
    assert_int_equal(run(f, &how, &plan), 0);
    fixture_run_until(f, &seen.calls);
    assert_int_equal(seen.progress_before_end, 1);
    seen.calls = 0;
    assert_int_equal(run(f, NULL, &plan), 0);
    assert_int_equal(seen.progress, 2); /* before the call returned */
}

static void progress_as_event_comes_first_too(void **state)
{
    struct fixture *f = *state;
    libxl_asyncop_how how = {.u.for_event = 1};
    libxl_asyncprogress_how progress = {.u.for_event = 2};
    const struct plan plan = {.progress = &progress};
    libxl_event *event;
    int i;

    assert_int_equal(run(f, &how, &plan), 0);
    for (i = 0; i < 2; i++) {
        assert_int_equal(
            libxl_event_wait(f->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL),
            0);
        assert_int_equal(event->for_user, 2 - i);
        libxl_event_free(f->ctx, event);
    }
}

static void progress_nobody_wants_is_dropped(void **state)
{
    struct fixture *f = *state;
    libxl_asyncprogress_how progress;
    const struct plan plan = {.progress = &progress};

    libxl__ao_progress_gethow(&progress, NULL);
    assert_int_equal(run(f, NULL, &plan), 0);
}

static void a_nested_ao_shares_the_roots_abort(void **state)
{
    struct fixture *f = *state;
    libxl__ao *child, *grandchild;

    fixture_begin(f);
    child = libxl__nested_ao_create(f->ao);
    grandchild = libxl__nested_ao_create(child);
    assert_non_null(libxl__zalloc(libxl__ao_gc(grandchild), 100));
    assert_int_equal(libxl__ao_domid(grandchild), 7);
    assert_int_equal(libxl__ao_aborting(grandchild), 0);
    assert_int_equal(libxl_ao_abort(f->ctx, &f->how), 0);
    assert_int_equal(libxl__ao_aborting(grandchild), ERROR_ABORTED);
    libxl__nested_ao_free(grandchild);
    libxl__nested_ao_free(child);
    fixture_complete(f, ERROR_ABORTED);
}

struct inner {
    struct fixture *f;
    int calls, sync_rc, check_rc, wait_rc, free_rc, async_rc;
    struct seen seen;
    libxl_asyncop_how how;
};

static void calls_back_into_the_library(libxl_ctx *ctx, int rc, void *p)
{
    static const struct plan plan = {.rc = 0};
    struct inner *in = p;
    libxl_event *event;

    in->sync_rc = run(in->f, NULL, &plan);
    in->check_rc = libxl_event_check(ctx, &event, 0, NULL, NULL);
    in->wait_rc = libxl_event_wait(ctx, &event, 0, NULL, NULL);
    in->free_rc = libxl_ctx_free(ctx);
    in->async_rc = run(in->f, &in->how, &plan);
    in->calls++;
}

static void inside_a_callback_only_asynchronous_calls_work(void **state)
{
    struct fixture *f = *state;
    const struct plan plan = {.rc = 0};
    struct inner in = {.f = f};
    libxl_asyncop_how how = {.callback = calls_back_into_the_library};

    how.u.for_callback = &in;
    in.how = how_callback(&in.seen);
    assert_int_equal(run(f, &how, &plan), 0);
    fixture_run_until(f, &in.seen.calls);
    assert_int_equal(in.calls, 1);
    assert_int_equal(in.sync_rc, ERROR_INVAL);
    assert_int_equal(in.check_rc, ERROR_INVAL);
    assert_int_equal(in.wait_rc, ERROR_INVAL);
    assert_int_equal(in.free_rc, ERROR_INVAL);
    assert_int_equal(in.async_rc, 0);
    assert_int_equal(in.seen.calls, 1);
}

static void other_operations_go_on_during_a_synchronous_one(void **state)
{
    struct fixture *f = *state;
    const struct plan quick = {.delay_ms = 0}, slow = {.delay_ms = 30};
    struct seen seen;
    libxl_asyncop_how how = how_callback(&seen);

    assert_int_equal(run(f, &how, &quick), 0);
    assert_int_equal(run(f, NULL, &slow), 0);
    assert_int_equal(seen.calls, 1);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_synchronous_call_returns_the_result),
        T(a_callback_comes_exactly_once),
        T(an_event_comes_exactly_once),
        T(completion_inside_start_is_told_after_it),
        T(what_did_not_start_is_never_completed),
        T(progress_is_told_before_completion),
        T(progress_as_event_comes_first_too),
        T(progress_nobody_wants_is_dropped),
        T(a_nested_ao_shares_the_roots_abort),
        T(inside_a_callback_only_asynchronous_calls_work),
        T(other_operations_go_on_during_a_synchronous_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
