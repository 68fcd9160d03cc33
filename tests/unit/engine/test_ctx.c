/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ctx: arguments, threads, events, death; gc and log. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "engine/engine_fixture.h"

static void bad_arguments_give_no_ctx(void **state)
{
    struct fixture *f = *state;
    libxl_ctx *ctx = f->ctx;

    assert_int_equal(libxl_ctx_alloc(&ctx, 99, 0, &f->logger), ERROR_VERSION);
    assert_null(ctx);
    assert_int_equal(libxl_ctx_alloc(&ctx, 0, 1, &f->logger), ERROR_INVAL);
    assert_int_equal(libxl_ctx_alloc(&ctx, 0, 0, NULL), ERROR_INVAL);
    assert_int_equal(libxl_ctx_free(NULL), 0);
}

static int never_started(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    fail();
    return 0;
}

static void *call_all(void *arg)
{
    libxl_ctx *ctx = arg;
    libxl_event *event;
    bool refused;

    refused = libxl_event_check(ctx, &event, 0, NULL, NULL) == ERROR_INVAL &&
              libxl_event_wait(ctx, &event, 0, NULL, NULL) == ERROR_INVAL &&
              libxl_ctx_fd(ctx) == ERROR_INVAL &&
              libxl_ctx_timeout_ms(ctx) == ERROR_INVAL &&
              libxl_ao_abort(ctx, NULL) == ERROR_INVAL &&
              libxl_ctx_free(ctx) == ERROR_INVAL &&
              libxl__ctx_check(ctx) == ERROR_INVAL &&
              libxl__ao_run(ctx, 0, NULL, never_started, NULL) == ERROR_INVAL;
    return refused ? arg : NULL;
}

static void another_thread_is_refused(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    void *ok;

    assert_int_equal(pthread_create(&thread, NULL, call_all, f->ctx), 0);
    assert_int_equal(pthread_join(thread, &ok), 0);
    assert_non_null(ok);
    assert_int_equal(f->messages, 0); /* the logger is not for that thread */
}

static void a_running_operation_keeps_its_ctx(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f);
    assert_int_equal(libxl_ctx_free(f->ctx), ERROR_INVAL);
    assert_non_null(strstr(f->last, "still running"));
    fixture_complete(f, 0);
}

static int host_closed;

static void close_host(void *p)
{
    assert_string_equal(p, "host");
    host_closed++;
}

static void the_host_slot_is_closed_with_the_ctx(void **state)
{
    struct fixture *f = *state;

    libxl__ctx_host_slot(f->ctx)->p = (void *)"host";
    libxl__ctx_host_slot(f->ctx)->close = close_host;
    assert_int_equal(libxl_ctx_free(f->ctx), 0);
    assert_int_equal(host_closed, 1);
    assert_int_equal(libxl_ctx_alloc(&f->ctx, 0, 0, &f->logger), 0);
}

/* ---- events ---- */

struct burst {
    libxl__ev_immediate immediate;
    char order[8];
};

static int occur(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    static const libxl_event_type types[] = {LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN,
                                             LIBXL_EVENT_TYPE_DOMAIN_DEATH};
    libxl_event *event;
    uint32_t i;

    for (i = 0; i < 4; i++) {
        event = libxl__event_new(types[i % 2], i, i * 10);
        libxl__event_occurred(egc, event);
    }
    libxl__ao_complete(egc, ao, 0);
    return 0;
}

static int domid_is(const libxl_event *event, void *user)
{
    return event->domid == *(uint32_t *)user;
}

static void expect(struct fixture *f, uint64_t mask, uint32_t domid)
{
    libxl_event *event;

    assert_int_equal(libxl_event_check(f->ctx, &event, mask, NULL, NULL), 0);
    assert_int_equal(event->domid, domid);
    libxl_event_free(f->ctx, event);
}

static void events_are_taken_by_type_and_predicate_in_order(void **state)
{
    struct fixture *f = *state;
    libxl_event *event;
    uint32_t two = 2;

    assert_int_equal(libxl__ao_run(f->ctx, 0, NULL, occur, NULL), 0);
    assert_int_equal(libxl_ctx_timeout_ms(f->ctx), 0);
    assert_int_equal(
        libxl_event_check(f->ctx, &event, LIBXL_EVENTMASK_ALL, domid_is, &two),
        0);
    assert_int_equal(event->domid, 2);
    assert_int_equal(event->for_user, 20);
    libxl_event_free(f->ctx, event);
    expect(f, 1ull << LIBXL_EVENT_TYPE_DOMAIN_DEATH, 1);
    expect(f, LIBXL_EVENTMASK_ALL, 0);
    assert_int_equal(libxl_event_check(f->ctx, &event,
                                       1ull << LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN,
                                       NULL, NULL),
                     ERROR_NOT_READY);
    /* the last one is never taken: freed with the ctx */
}

static void waiting_for_what_cannot_come_is_refused(void **state)
{
    struct fixture *f = *state;
    libxl_event *event;

    assert_int_equal(
        libxl_event_wait(f->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL),
        ERROR_NOTFOUND);
    libxl_event_free(f->ctx, NULL);
}

/* ---- immediates ---- */

struct chain {
    libxl__ev_immediate first, second, nested;
    libxl__ao *ao;
    char order[8];
    int n;
};

static struct chain *chain;

static void note(char c)
{
    chain->order[chain->n++] = c;
}

static void run_nested(libxl__egc *egc, libxl__ev_immediate *ei)
{
    note('3');
    libxl__ao_complete(egc, chain->ao, 0);
}

static void run_first(libxl__egc *egc, libxl__ev_immediate *ei)
{
    note('1');
    chain->nested.callback = run_nested;
    libxl__egc_immediate(egc, &chain->nested);
}

static void run_second(libxl__egc *egc, libxl__ev_immediate *ei)
{
    note('2');
}

static int start_chain(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    chain->ao = ao;
    chain->first.callback = run_first;
    chain->second.callback = run_second;
    libxl__egc_immediate(egc, &chain->first);
    libxl__egc_immediate(egc, &chain->second);
    note('0');
    return 0;
}

static void immediates_run_in_order_after_the_caller(void **state)
{
    struct fixture *f = *state;
    struct chain c = {0};

    chain = &c;
    assert_int_equal(libxl__ao_run(f->ctx, 0, NULL, start_chain, NULL), 0);
    assert_string_equal(c.order, "0123");
}

/* ---- gc and log ---- */

static void an_arena_hands_out_zeroed_memory_and_copies(void **state)
{
    struct fixture *f = *state;
    libxl__gc gc;
    char *p;
    int i;

    libxl__gc_init(&gc, f->ctx);
    for (i = 1; i < 2000; i += 37) {
        p = libxl__zalloc(&gc, (size_t)i);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        assert_int_equal(p[0] | p[i - 1], 0);
    }
    assert_string_equal(libxl__strdup(&gc, "abc"), "abc");
    assert_string_equal(libxl__strndup(&gc, "abcdef", 2), "ab");
    assert_string_equal(libxl__sprintf(&gc, "%s-%d", "x", 7), "x-7");
    assert_null(libxl__gc_take(&gc, NULL));
    assert_non_null(libxl__gc_take(&gc, malloc(10)));
    assert_null(libxl__zalloc(&gc, SIZE_MAX));
    libxl__gc_dispose(&gc);
    libxl__gc_dispose(&gc);
    assert_non_null(libxl__zalloc(&gc, 1));
    libxl__gc_dispose(&gc);
}

static void a_message_is_one_clean_line(void **state)
{
    struct fixture *f = *state;

    LOGE(f->ctx, ERROR, 2, "cannot open %s", "a\nb\x1b[31m");
    assert_string_equal(f->last,
                        "cannot open a?b?[31m: No such file or directory");
    LOG(f->ctx, INFO, "%s", "a\xc2\x9b" "31m \xc2\xa0 \xc3\x9b");
    assert_string_equal(f->last, "a??31m \xc2\xa0 \xc3\x9b");
    LOG(f->ctx, INFO, "plain");
    assert_string_equal(f->last, "plain");
}

static void a_long_message_is_cut(void **state)
{
    struct fixture *f = *state;
    char *text = calloc(1, 10001);

    memset(text, 'x', 10000);
    LOGE(f->ctx, ERROR, 2, "%s", text);
    assert_int_equal(strlen(f->last), sizeof(f->last) - 1);
    free(text);
}

static void error_codes_have_names(void **state)
{
    assert_string_equal(libxl_error_to_string(ERROR_ABORTED), "ERROR_ABORTED");
    assert_string_equal(libxl_error_to_string(0), "OK");
    assert_non_null(libxl_error_to_string(-12345));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(bad_arguments_give_no_ctx),
        T(another_thread_is_refused),
        T(a_running_operation_keeps_its_ctx),
        T(the_host_slot_is_closed_with_the_ctx),
        T(events_are_taken_by_type_and_predicate_in_order),
        T(waiting_for_what_cannot_come_is_refused),
        T(immediates_run_in_order_after_the_caller),
        T(an_arena_hands_out_zeroed_memory_and_copies),
        T(a_message_is_one_clean_line),
        T(a_long_message_is_cut),
        T(error_codes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
