/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_host_qemu_unsure.c - a QEMU that does not answer "cont" in time, or not
 * at all: does its guest run? QEMU is a thread of this program.
 */
#include "host/host_rig.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock_at.h"

struct late_qemu {
    int listener;
    const char *fails; /* this command gets no answer, and the link ends ... */
    const char *error; /* ... or gets this one */
    const char *status; /* NULL: nobody answers any more */
    pthread_t thread;
};

static void answer(FILE *f, const char *line, const char *what)
{
    const char *id = strstr(line, "\"id\":");

    dprintf(fileno(f), "{%s,%.*s}\r\n", what,
            id ? (int)strcspn(id, ",}") : 0, id ? id : "");
}

/* One client; false: nobody is served behind it. */
static bool serve(struct late_qemu *q, FILE *f)
{
    char line[4096], status[64];

    snprintf(status, sizeof(status), "\"return\":{\"status\":\"%s\"}",
             q->status ? q->status : "");
    dprintf(fileno(f), "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n");
    while (fgets(line, sizeof(line), f)) {
        if (strstr(line, q->fails) && !q->error)
            return q->status;
        if (strstr(line, q->fails))
            answer(f, line, q->error);
        else
            answer(f, line, strstr(line, "query-status") ? status
                                                         : "\"return\":{}");
    }
    return true;
}

static void *qemu_main(void *arg)
{
    struct late_qemu *q = arg;
    bool more = true;

    while (more) {
        int fd = accept(q->listener, NULL, NULL);
        FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

        if (!f)
            break;
        more = serve(q, f);
        fclose(f);
    }
    shutdown(q->listener, SHUT_RDWR);
    return NULL;
}

/* What unpause says of such a QEMU. */
static int unpause(struct host_rig *r, struct late_qemu *q)
{
    struct libxl__host_qemu *hq = libxl__host_qemu_of(r->h);
    struct libxl__qemu_ident ident = {.memory_bytes = 1 << 20};
    libxl_domain_config config;
    uint32_t domid;
    int dirfd, rc;

    host_rig_config(r, &config);
    domid = host_rig_record(r, &config);
    libxl_domain_config_dispose(&config);
    assert_int_equal(libxl__proc_id_self(&ident.proc), 0);
    assert_int_equal(libxl__qemu_ident_write(hq, domid, &ident), 0);
    assert_int_equal(r->st->ops->open_dir(r->st, domid, &dirfd), 0);
    q->listener = libxl__listen_at(dirfd, "qmp-cmd");
    assert_true(q->listener >= 0);
    assert_int_equal(fcntl(q->listener, F_SETFL, 0), 0); /* accept waits */
    assert_int_equal(pthread_create(&q->thread, NULL, qemu_main, q), 0);
    rc = host_rig_call(r, domid, r->h->ops->unpause);
    shutdown(q->listener, SHUT_RDWR);
    pthread_join(q->thread, NULL);
    close(q->listener);
    close(dirfd);
    /* this program is not to be ended as a QEMU */
    assert_int_equal(r->st->ops->remove(r->st, domid), 0);
    return rc;
}

static void a_late_guest_runs(void **state)
{
    struct late_qemu q = {.fails = "\"cont\"", .status = "running"};

    assert_int_equal(unpause(*state, &q), 0);
}

/* It ran, and has ended by itself since. */
static void a_guest_that_has_shut_down_ran(void **state)
{
    struct late_qemu q = {.fails = "\"cont\"", .status = "shutdown"};

    assert_int_equal(unpause(*state, &q), 0);
}

static void a_guest_that_was_not_let_run_does_not(void **state)
{
    struct late_qemu q = {.fails = "\"cont\"", .status = "paused"};
    int rc = unpause(*state, &q);

    assert_int_not_equal(rc, 0);
    assert_int_not_equal(rc, ERROR_BADFAIL);
}

static void silence_is_no_answer(void **state)
{
    struct late_qemu q = {.fails = "\"cont\""};

    assert_int_equal(unpause(*state, &q), ERROR_BADFAIL);
}

static void what_fails_before_does_not_let_it_run(void **state)
{
    struct late_qemu q = {.fails = "query-migrate"};
    int rc = unpause(*state, &q);

    assert_int_not_equal(rc, 0);
    assert_int_not_equal(rc, ERROR_BADFAIL);
}

static void what_fails_behind_does_not_stop_it(void **state)
{
    struct late_qemu q = {
        .fails = "announce-self",
        .error = "\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}",
        .status = "running",
    };

    assert_int_equal(unpause(*state, &q), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, host_rig_open, host_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_late_guest_runs),
        TEST(a_guest_that_has_shut_down_ran),
        TEST(a_guest_that_was_not_let_run_does_not),
        TEST(silence_is_no_answer),
        TEST(what_fails_before_does_not_let_it_run),
        TEST(what_fails_behind_does_not_stop_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
