/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "engine/engine_fixture.h"

struct watch {
    libxl__ev_fd ev;
    libxl_ctx *ctx;
    int calls;
    short revents;
    struct watch *drops[2]; /* deregistered and freed by the callback */
    struct watch *rearms;   /* registered by the callback, on the same fd */
    bool drains;
};

static struct watch *watch_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct watch, ev);
}

static void ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                  short revents);

static struct watch *watch_new(struct fixture *f)
{
    struct watch *w = calloc(1, sizeof(*w));

    w->ctx = f->ctx;
    libxl__ev_fd_init(&w->ev);
    return w;
}

static void watch_free(struct watch *w)
{
    libxl__ev_fd_deregister(w->ctx, &w->ev);
    libxl__ev_fd_deregister(w->ctx, &w->ev); /* idempotent */
    assert_false(libxl__ev_fd_isregistered(&w->ev));
    memset(w, 0x5a, sizeof(*w));
    free(w);
}

static int watch_register(struct watch *w, int fd, short events)
{
    return libxl__ev_fd_register(w->ctx, &w->ev, ready, fd, events);
}

static void ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                  short revents)
{
    struct watch *w = watch_of_ev(ev), *rearms = w->rearms;
    struct watch *drops[2] = {w->drops[0], w->drops[1]};
    char buf[64];
    int i;

    w->calls++;
    w->revents |= revents;
    if (w->drains)
        while (read(fd, buf, sizeof(buf)) > 0)
            ;
    for (i = 0; i < 2; i++)
        if (drops[i])
            watch_free(drops[i]);
    if (rearms)
        assert_int_equal(watch_register(rearms, fd, POLLOUT), 0);
}

static void sockets(int sv[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
}

static void close_both(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static void
a_callback_may_free_itself_and_a_sibling_and_register_anew(void **state)
{
    struct fixture *f = *state;
    struct watch *a = watch_new(f), *b = watch_new(f), *c = watch_new(f);
    int sv[2];

    sockets(sv);
    assert_int_equal(write(sv[1], "x", 1), 1);
    a->drops[0] = b->drops[0] = a;
    a->drops[1] = b->drops[1] = b;
    a->rearms = b->rearms = c;
    assert_int_equal(watch_register(a, sv[0], POLLIN), 0);
    assert_int_equal(watch_register(b, sv[0], POLLOUT), 0);
    fixture_run_until(f, &c->calls);
    assert_int_equal(c->revents, POLLOUT);
    watch_free(c);
    close_both(sv);
}

static void two_watchers_of_one_fd_each_get_their_own(void **state)
{
    struct fixture *f = *state;
    struct watch *in = watch_new(f), *out = watch_new(f);
    int sv[2];

    sockets(sv);
    in->drains = true;
    assert_int_equal(watch_register(in, sv[0], POLLIN), 0);
    assert_int_equal(watch_register(out, sv[0], POLLOUT), 0);
    fixture_run_until(f, &out->calls);
    assert_int_equal(in->calls, 0);
    assert_int_equal(libxl__ev_fd_modify(f->ctx, &out->ev, 0), 0);
    out->calls = 0;
    assert_int_equal(write(sv[1], "x", 1), 1);
    fixture_run_until(f, &in->calls);
    fixture_turn(f, 5);
    assert_int_equal(in->calls, 1);
    assert_int_equal(in->revents, POLLIN);
    assert_int_equal(out->calls, 0);
    watch_free(in);
    watch_free(out);
    close_both(sv);
}

static void a_dead_pipe_is_pollerr_and_the_write_tells_why(void **state)
{
    struct fixture *f = *state;
    struct watch *w = watch_new(f);
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    assert_int_equal(watch_register(w, fds[1], POLLOUT), 0);
    fixture_run_until(f, &w->calls);
    assert_true(w->revents & POLLERR);
    assert_int_equal(write(fds[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    w->calls = 0; /* a watcher that stays is told again */
    fixture_run_until(f, &w->calls);
    watch_free(w);
    close(fds[1]);
    signal(SIGPIPE, SIG_DFL);
}

static void hangup_is_readable_end_of_file(void **state)
{
    struct fixture *f = *state;
    struct watch *w = watch_new(f);
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    close(fds[1]);
    assert_int_equal(watch_register(w, fds[0], POLLIN), 0);
    fixture_run_until(f, &w->calls);
    assert_int_equal(w->revents, POLLIN);
    watch_free(w);
    close(fds[0]);
}

static void flags_are_given_back_by_the_last_watcher(void **state)
{
    struct fixture *f = *state;
    struct watch *a = watch_new(f), *b = watch_new(f);
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(watch_register(a, fds[0], POLLIN), 0);
    assert_int_equal(watch_register(b, fds[0], POLLIN), 0);
    assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    watch_free(a);
    assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    watch_free(b);
    assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    close_both(fds);
}

static void a_nonblocking_fd_stays_nonblocking(void **state)
{
    struct fixture *f = *state;
    struct watch *a = watch_new(f);
    int fds[2];

    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    assert_int_equal(watch_register(a, fds[0], POLLIN), 0);
    watch_free(a);
    assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    close_both(fds);
}

static void files_and_bad_fds_are_refused_and_leave_it_idle(void **state)
{
    struct fixture *f = *state;
    struct watch *w = watch_new(f);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    assert_int_equal(watch_register(w, file, POLLIN), ERROR_NI);
    assert_int_equal(watch_register(w, null, POLLOUT), ERROR_NI);
    assert_int_equal(f->messages, 0);
    assert_false(fcntl(null, F_GETFL) & O_NONBLOCK);
    close(file);
    close(null);
    assert_int_equal(watch_register(w, 9999, POLLIN), ERROR_FAIL);
    assert_int_equal(f->messages, 1);
    assert_false(libxl__ev_fd_isregistered(&w->ev));
    watch_free(w);
}

static void events_zero_is_silent_until_modified(void **state)
{
    struct fixture *f = *state;
    struct watch *w = watch_new(f);
    int sv[2];

    sockets(sv);
    assert_int_equal(write(sv[1], "x", 1), 1);
    assert_int_equal(watch_register(w, sv[0], 0), 0);
    fixture_turn(f, 5);
    assert_int_equal(w->calls, 0);
    assert_int_equal(libxl__ev_fd_modify(f->ctx, &w->ev, POLLIN), 0);
    fixture_run_until(f, &w->calls);
    watch_free(w);
    close_both(sv);
}

static void an_fd_number_can_be_reused_at_once(void **state)
{
    struct fixture *f = *state;
    struct watch *w = watch_new(f);
    int first[2], second[2], i;

    for (i = 0; i < 20; i++) {
        sockets(first);
        assert_int_equal(watch_register(w, first[0], POLLIN), 0);
        fixture_turn(f, i % 3);
        libxl__ev_fd_deregister(f->ctx, &w->ev);
        close_both(first);
        sockets(second);
        assert_int_equal(second[0], first[0]);
        w->calls = 0;
        assert_int_equal(write(second[1], "x", 1), 1);
        assert_int_equal(watch_register(w, second[0], POLLIN), 0);
        fixture_run_until(f, &w->calls);
        libxl__ev_fd_deregister(f->ctx, &w->ev);
        close_both(second);
    }
    watch_free(w);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_callback_may_free_itself_and_a_sibling_and_register_anew),
        T(two_watchers_of_one_fd_each_get_their_own),
        T(a_dead_pipe_is_pollerr_and_the_write_tells_why),
        T(hangup_is_readable_end_of_file),
        T(flags_are_given_back_by_the_last_watcher),
        T(a_nonblocking_fd_stays_nonblocking),
        T(files_and_bad_fds_are_refused_and_leave_it_idle),
        T(events_zero_is_silent_until_modified),
        T(an_fd_number_can_be_reused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
