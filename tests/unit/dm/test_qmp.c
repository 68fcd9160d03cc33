/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_qmp.c - the QMP client against good and hostile QEMUs. */
#include "dm/qmp_peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEGOTIATE                                                              \
    { PEER_SEND, PEER_GREETING }, { PEER_READ, NULL },                         \
    {                                                                          \
        PEER_SEND, "{\"return\":{},\"id\":%ID}\n"                              \
    }

static const struct libxl__qmp_step query = { .command = "query-x" };
static const struct libxl__qmp_step waiting = { .command = "wait" };

static void an_answer_arrives(void **state)
{
    const struct peer_step steps[] = {
        NEGOTIATE,
        { PEER_READ, NULL },
        { PEER_SEND, "{\"return\":{\"x\":\"hello\"},\"id\":%ID}\r\n" },
        { PEER_STAY, NULL },
        { PEER_END, NULL },
    };
    struct qmp_peer *p = *state;

    assert_int_equal(qmp_peer_run(p, steps, &query, 1, -1), 0);
    assert_string_equal(p->result, "hello");
    assert_int_equal(p->messages, 0);
}

static void bytes_may_come_one_by_one(void **state)
{
    const struct peer_step steps[] = {
        { PEER_DRIBBLE, PEER_GREETING },
        { PEER_READ, NULL },
        { PEER_DRIBBLE, "{\"return\":{},\"id\":%ID}\r\n" },
        { PEER_READ, NULL },
        { PEER_DRIBBLE, "{\"return\":{\"x\":\"y\"},\"id\":%ID}\r\n" },
        { PEER_STAY, NULL },
        { PEER_END, NULL },
    };
    struct qmp_peer *p = *state;

    assert_int_equal(qmp_peer_run(p, steps, &query, 1, -1), 0);
    assert_string_equal(p->result, "y");
}

static void a_refusal_is_quoted_once(void **state)
{
    const struct peer_step steps[] = {
        NEGOTIATE,
        { PEER_READ, NULL },
        { PEER_SEND, "{\"error\":{\"class\":\"GenericError\",\"desc\":"
                     "\"no such thing\"},\"id\":%ID}\n" },
        { PEER_STAY, NULL },
        { PEER_END, NULL },
    };
    struct qmp_peer *p = *state;

    assert_int_equal(qmp_peer_run(p, steps, &query, 1, -1),
                     ERROR_QMP_GENERIC_ERROR);
    assert_string_equal(p->log, "QEMU refused query-x: no such thing\n");
}

static void events_come_between(void **state)
{
    const struct peer_step steps[] = {
        { PEER_SEND, PEER_GREETING "{\"event\":\"A\",\"timestamp\":{}}\n" },
        { PEER_READ, NULL },
        { PEER_SEND, "{\"event\":\"B\",\"data\":{\"x\":1}}\n"
                     "{\"return\":{},\"id\":%ID}\n" },
        { PEER_READ, NULL },
        { PEER_SEND, "{\"return\":{},\"id\":%ID}\n{\"event\":\"OVER\"}\n" },
        { PEER_STAY, NULL },
        { PEER_END, NULL },
    };
    struct qmp_peer *p = *state;

    assert_int_equal(qmp_peer_run(p, steps, &waiting, 1, -1), 0);
    assert_int_equal(p->events, 3);
}

/* The end that is waited for may come before the last answer. */
static void an_early_event_counts(void **state)
{
    const struct peer_step steps[] = {
        NEGOTIATE,
        { PEER_READ, NULL },
        { PEER_SEND, "{\"event\":\"OVER\"}\n{\"return\":{},\"id\":%ID}\n" },
        { PEER_STAY, NULL },
        { PEER_END, NULL },
    };
    struct qmp_peer *p = *state;

    assert_int_equal(qmp_peer_run(p, steps, &waiting, 1, -1), 0);
}

static void an_fd_goes_with_its_command(void **state)
{
    const struct peer_step steps[] = {
        NEGOTIATE,
        { PEER_READ, NULL },
        { PEER_SEND, "{\"return\":{},\"id\":%ID}\n" },
        { PEER_STAY, NULL },
        { PEER_END, NULL },
    };
    const struct libxl__qmp_step getfd = { "getfd", "{\"fdname\":\"f\"}",
                                           true };
    struct qmp_peer *p = *state;
    struct stat a, b;
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_int_equal(qmp_peer_run(p, steps, &getfd, 1, fd), 0);
    assert_true(p->passed_fd >= 0);
    assert_int_equal(fstat(fd, &a), 0);
    assert_int_equal(fstat(p->passed_fd, &b), 0);
    assert_int_equal(a.st_ino, b.st_ino);
    close(fd);
}

/* ---- hostile ---- */

static void answers_to_others_are_dropped(void **state)
{
    const struct peer_step steps[] = {
        NEGOTIATE,
        { PEER_READ, NULL },
        { PEER_SEND, "{\"return\":{\"x\":\"old\"},\"id\":999}\n"
                     "{\"return\":{\"x\":\"none\"}}\n"
                     "{\"return\":{\"x\":\"neg\"},\"id\":-1}\n"
                     "{\"return\":{\"x\":\"mine\"},\"id\":%ID}\n" },
        { PEER_STAY, NULL },
        { PEER_END, NULL },
    };
    struct qmp_peer *p = *state;

    assert_int_equal(qmp_peer_run(p, steps, &query, 1, -1), 0);
    assert_string_equal(p->result, "mine");
}

/* The rest of the question would be written from memory that was given back. */
static void an_answer_before_its_question_ends_the_connection(void **state)
{
    const struct peer_step steps[] = {
        NEGOTIATE,
        { PEER_SEND, "{\"return\":{\"x\":\"early\"},\"id\":2}\n" },
        { PEER_STAY, NULL },
        { PEER_END, NULL },
    };
    enum { BYTES = 4 << 20 }; /* more than a socket holds */
    struct qmp_peer *p = *state;
    char *args = malloc(BYTES + 1);
    struct libxl__qmp_step big = { .command = "big", .args_json = args };

    assert_non_null(args);
    memset(args, ' ', BYTES);
    memcpy(args, "{}", 2);
    args[BYTES] = '\0';
    assert_int_equal(qmp_peer_run(p, steps, &big, 1, -1), ERROR_NOT_READY);
    free(args);
}

static void broken_lines_end_the_connection(void **state)
{
    static const char *const bad[] = {
        "nonsense\n",
        "[]\n",
        "{}\n",
        "{\"return\":\n",
        "{\"event\":1}\n",
        "{\"event\":\"E\",\"data\":[]}\n",
        "{\"error\":\"text\"}\n",
        "{\"error\":{\"class\":\"GenericError\"}}\n",
        PEER_GREETING,
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
    };
    struct qmp_peer *p;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const struct peer_step steps[] = {
            NEGOTIATE,          { PEER_READ, NULL }, { PEER_SEND, bad[i] },
            { PEER_STAY, NULL }, { PEER_END, NULL },
        };
        void *fresh;

        qmp_peer_open(&fresh);
        p = fresh;
        assert_int_equal(qmp_peer_run(p, steps, &query, 1, -1),
                         ERROR_NOT_READY);
        assert_int_equal(p->messages, 1);
        assert_non_null(strstr(p->log, "QMP connection to QEMU lost during "
                                       "query-x"));
        qmp_peer_close(&fresh);
    }
}

static void a_line_without_end_is_cut(void **state)
{
    const struct peer_step steps[] = { NEGOTIATE,
                                       { PEER_READ, NULL },
                                       { PEER_FLOOD, NULL },
                                       { PEER_END, NULL } };
    struct qmp_peer *p = *state;

    assert_int_equal(qmp_peer_run(p, steps, &query, 1, -1), ERROR_NOT_READY);
    assert_non_null(strstr(p->log, "a line without end"));
}

static void silence_is_a_timeout(void **state)
{
    const struct peer_step mute[] = { { PEER_STAY, NULL }, { PEER_END, NULL } };
    struct qmp_peer *p = *state;

    p->timeout_ms = 50;
    assert_int_equal(qmp_peer_run(p, mute, &query, 1, -1), ERROR_TIMEDOUT);
    assert_non_null(strstr(p->log, "QEMU gave no greeting within 50 ms"));
}

static void no_answer_is_a_timeout(void **state)
{
    const struct peer_step steps[] = { NEGOTIATE,
                                       { PEER_STAY, NULL },
                                       { PEER_END, NULL } };
    struct qmp_peer *p = *state;

    p->timeout_ms = 2000; /* the greeting must come in it */
    assert_int_equal(qmp_peer_run(p, steps, &query, 1, -1), ERROR_TIMEDOUT);
    assert_non_null(strstr(p->log, "no answer to query-x"));
}

static void an_event_that_never_comes_is_a_timeout(void **state)
{
    const struct peer_step steps[] = {
        NEGOTIATE,
        { PEER_READ, NULL },
        { PEER_SEND, "{\"return\":{},\"id\":%ID}\n" },
        { PEER_STAY, NULL },
        { PEER_END, NULL },
    };
    struct qmp_peer *p = *state;

    p->timeout_ms = 2000; /* the greeting must come in it */
    assert_int_equal(qmp_peer_run(p, steps, &waiting, 1, -1), ERROR_TIMEDOUT);
}

static void death_at_each_step_is_an_error(void **state)
{
    const struct peer_step whole[] = {
        { PEER_SEND, PEER_GREETING },
        { PEER_READ, NULL },
        { PEER_SEND, "{\"return\":{},\"id\":%ID}\n" },
        { PEER_READ, NULL },
        { PEER_SEND, "{\"return\":{},\"id\":%ID" },
    };
    size_t i;

    for (i = 0; i <= sizeof(whole) / sizeof(*whole); i++) {
        struct peer_step steps[8] = { { PEER_END, NULL } };
        struct qmp_peer *p;
        void *fresh;

        memcpy(steps, whole, i * sizeof(*whole));
        qmp_peer_open(&fresh);
        p = fresh;
        assert_int_equal(qmp_peer_run(p, steps, &query, 1, -1),
                         ERROR_NOT_READY);
        assert_int_equal(p->messages, 1);
        qmp_peer_close(&fresh);
    }
}

static void an_abort_ends_every_wait(void **state)
{
    const struct peer_step mute[] = { { PEER_ABORT, NULL },
                                      { PEER_STAY, NULL },
                                      { PEER_END, NULL } };
    const struct peer_step no_answer[] = { NEGOTIATE,
                                           { PEER_READ, NULL },
                                           { PEER_ABORT, NULL },
                                           { PEER_STAY, NULL },
                                           { PEER_END, NULL } };
    struct qmp_peer *p = *state;
    void *fresh;

    assert_int_equal(qmp_peer_run(p, mute, &query, 1, -1), ERROR_ABORTED);
    qmp_peer_open(&fresh);
    assert_int_equal(qmp_peer_run(fresh, no_answer, &query, 1, -1),
                     ERROR_ABORTED);
    qmp_peer_close(&fresh);
}

static void no_qemu_is_named(void **state)
{
    struct qmp_peer *p = *state;
    const struct peer_step none[] = { { PEER_END, NULL } };

    unlinkat(p->dirfd, "qmp-cmd", 0);
    shutdown(p->listener, SHUT_RDWR);
    assert_int_equal(qmp_peer_run(p, none, &query, 1, -1), ERROR_NOT_READY);
    assert_non_null(strstr(p->log, "cannot reach QEMU"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, qmp_peer_open, \
                                                qmp_peer_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_arrives),
        TEST(bytes_may_come_one_by_one),
        TEST(a_refusal_is_quoted_once),
        TEST(events_come_between),
        TEST(an_early_event_counts),
        TEST(an_fd_goes_with_its_command),
        TEST(answers_to_others_are_dropped),
        TEST(an_answer_before_its_question_ends_the_connection),
        cmocka_unit_test(broken_lines_end_the_connection),
        TEST(a_line_without_end_is_cut),
        TEST(silence_is_a_timeout),
        TEST(no_answer_is_a_timeout),
        TEST(an_event_that_never_comes_is_a_timeout),
        cmocka_unit_test(death_at_each_step_is_an_error),
        TEST(an_abort_ends_every_wait),
        TEST(no_qemu_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
