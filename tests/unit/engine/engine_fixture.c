/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_fixture.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"

enum { PATIENCE_MS = 120000 };

int fixture_count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static struct fixture *fixture_of_logger(libxl_logger *lg)
{
    return CONTAINER_OF(lg, struct fixture, logger);
}

static void count_message(libxl_logger *lg, libxl_loglevel level,
                          uint32_t domid, const char *text)
{
    struct fixture *f = fixture_of_logger(lg);

    f->messages++;
    snprintf(f->last, sizeof(f->last), "%s", text);
}

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->logger.message = count_message;
    /* the first loop of a process makes libuv's two fds for ever */
    assert_int_equal(libxl_ctx_alloc(&f->ctx, LIBXL_VERSION, 0, &f->logger), 0);
    assert_int_equal(libxl_ctx_free(f->ctx), 0);
    f->fds_before = fixture_count_fds();
    assert_int_equal(libxl_ctx_alloc(&f->ctx, LIBXL_VERSION, 0, &f->logger), 0);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(libxl_ctx_free(f->ctx), 0);
    assert_int_equal(fixture_count_fds(), f->fds_before);
    free(f);
    return 0;
}

static void completed(libxl_ctx *ctx, int rc, void *for_callback)
{
    struct fixture *f = for_callback;

    f->completions++;
    f->rc = rc;
    f->ao = NULL;
}

static int keep_ao(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct fixture *f = *(struct fixture *const *)params;

    f->ao = ao;
    return 0;
}

void fixture_begin(struct fixture *f)
{
    f->completions = 0;
    f->rc = 1;
    f->how.callback = completed;
    f->how.u.for_callback = f;
    assert_int_equal(libxl__ao_run(f->ctx, 7, &f->how, keep_ao, &f), 0);
    assert_non_null(f->ao);
}

struct complete_later {
    libxl__ev_time timer;
    libxl__ao *ao;
    int rc;
};

static struct complete_later *later_of_timer(libxl__ev_time *timer)
{
    return CONTAINER_OF(timer, struct complete_later, timer);
}

static void complete_now(libxl__egc *egc, libxl__ev_time *timer, int rc)
{
    struct complete_later *later = later_of_timer(timer);

    libxl__ao_complete(egc, later->ao, later->rc);
}

void fixture_complete(struct fixture *f, int rc)
{
    struct complete_later later = {.ao = f->ao, .rc = rc};

    libxl__ev_time_init(&later.timer);
    assert_int_equal(libxl__ev_time_register_rel(f->ctx, NULL, &later.timer,
                                                 complete_now, 0),
                     0);
    fixture_run_until(f, &f->completions);
}

void fixture_turn(struct fixture *f, int n)
{
    libxl_event *event;

    while (n-- > 0)
        assert_int_equal(libxl_event_check(f->ctx, &event, 0, NULL, NULL),
                         ERROR_NOT_READY);
}

void fixture_run_until(struct fixture *f, const int *flag)
{
    uint64_t end = libxl__now_ms(f->ctx) + PATIENCE_MS;
    struct pollfd pfd = {.fd = libxl_ctx_fd(f->ctx), .events = POLLIN};
    int timeout;

    while (!*flag) {
        assert_true(libxl__now_ms(f->ctx) < end);
        timeout = libxl_ctx_timeout_ms(f->ctx);
        if (timeout < 0 || timeout > 1000)
            timeout = 1000;
        poll(&pfd, 1, timeout);
        fixture_turn(f, 1);
    }
}
