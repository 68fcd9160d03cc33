/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_acceptor.c - a listening socket, and an accept that fails. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/engine_fixture.h"
#include "io/acceptor.h"

static int fails_with; /* 0: it does not fail */
static unsigned calls;

/* In the place of libc's. */
int accept4(int fd, struct sockaddr *addr, socklen_t *n, int flags)
{
    calls++;
    if (!fails_with)
        return (int)syscall(SYS_accept4, fd, addr, n, flags);
    errno = fails_with;
    return -1;
}

struct door {
    struct fixture *f;
    libxl__acceptor ac;
    int listen_fd, client;
};

static int let_in;

static void accepted(libxl__egc *egc, libxl__acceptor *ac, int fd)
{
    let_in++;
    close(fd);
}

/* A socket that someone has connected to. */
static void open_door(struct door *d, struct fixture *f)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    socklen_t n = sizeof(sun);

    fails_with = let_in = 0;
    calls = 0;
    d->f = f;
    d->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(d->listen_fd >= 0);
    /* the kernel finds an abstract name */
    assert_int_equal(
        bind(d->listen_fd, (struct sockaddr *)&sun, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(d->listen_fd, 4), 0);
    assert_int_equal(getsockname(d->listen_fd, (struct sockaddr *)&sun, &n), 0);
    d->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(d->client, (struct sockaddr *)&sun, n), 0);
    libxl__acceptor_init(&d->ac);
    assert_int_equal(libxl__acceptor_start(f->ctx, &d->ac, accepted,
                                           d->listen_fd, "the door"),
                     0);
}

static void shut_door(struct door *d)
{
    libxl__acceptor_stop(&d->ac);
    close(d->client);
    close(d->listen_fd);
}

static void who_connects_is_let_in(void **state)
{
    struct door d;

    open_door(&d, *state);
    fixture_run_until(d.f, &let_in);
    fixture_turn(d.f, 20);
    assert_int_equal(let_in, 1);
    shut_door(&d);
}

static void without_descriptors_it_rests_and_says_so_once(void **state)
{
    static const int none_left[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS};

    for (size_t i = 0; i < sizeof(none_left) / sizeof(none_left[0]); i++) {
        struct door d;

        open_door(&d, *state);
        fails_with = none_left[i];
        d.f->messages = 0;
        fixture_turn(d.f, 200);
        assert_int_equal(calls, 1);
        assert_int_equal(d.f->messages, 1);
        assert_non_null(strstr(d.f->last, "the door"));
        shut_door(&d);
    }
}

static void who_has_waited_is_let_in_when_there_are_some_again(void **state)
{
    struct door d;

    open_door(&d, *state);
    fails_with = EMFILE;
    fixture_turn(d.f, 20);
    fails_with = 0;
    fixture_run_until(d.f, &let_in);
    assert_int_equal(let_in, 1);
    shut_door(&d);
}

static void a_connection_that_is_gone_again_is_no_trouble(void **state)
{
    struct door d;

    open_door(&d, *state);
    d.f->messages = 0;
    fails_with = ECONNABORTED;
    fixture_turn(d.f, 3);
    fails_with = 0;
    fixture_turn(d.f, 20);
    assert_int_equal(let_in, 1);
    assert_int_equal(d.f->messages, 0);
    shut_door(&d);
}

static void it_can_be_stopped_while_it_rests(void **state)
{
    struct door d;

    open_door(&d, *state);
    fails_with = EMFILE;
    fixture_turn(d.f, 20);
    shut_door(&d);
    libxl__acceptor_stop(&d.ac);
    fails_with = 0;
    fixture_turn(d.f, 20);
    assert_int_equal(let_in, 0);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_connects_is_let_in),
        T(without_descriptors_it_rests_and_says_so_once),
        T(who_has_waited_is_let_in_when_there_are_some_again),
        T(a_connection_that_is_gone_again_is_no_trouble),
        T(it_can_be_stopped_while_it_rests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
