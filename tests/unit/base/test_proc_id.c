/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_proc_id.c - a process is its boot, its pid and its start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc_id.h"

static pid_t start_sleeper(void)
{
    pid_t pid = fork();

    if (!pid) {
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    return pid;
}

static void end_sleeper(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void self_is_alive(void **state)
{
    struct libxl__proc_id id;

    assert_int_equal(libxl__proc_id_self(&id), 0);
    assert_int_equal(id.pid, getpid());
    assert_true(id.start_time > 0);
    assert_int_equal(libxl__proc_id_state(&id), LIBXL__PROC_ALIVE);
}

static void the_dead_are_gone(void **state)
{
    pid_t pid = start_sleeper();
    struct libxl__proc_id id;
    int pidfd;

    assert_int_equal(libxl__proc_id_of(pid, &id), 0);
    end_sleeper(pid);
    assert_int_equal(libxl__proc_id_state(&id), LIBXL__PROC_GONE);
    assert_int_equal(libxl__proc_id_open(&id, &pidfd), ERROR_NOTFOUND);
    assert_int_equal(pidfd, -1);
}

static void a_zombie_is_gone(void **state)
{
    pid_t pid = start_sleeper();
    struct libxl__proc_id id;
    siginfo_t si;

    assert_int_equal(libxl__proc_id_of(pid, &id), 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
    assert_int_equal(libxl__proc_id_state(&id), LIBXL__PROC_GONE);
    waitpid(pid, NULL, 0);
}

/* The same pid, another start: never signalled. */
static void a_reused_pid_is_not_signalled(void **state)
{
    pid_t pid = start_sleeper();
    struct libxl__proc_id id;

    assert_int_equal(libxl__proc_id_of(pid, &id), 0);
    id.start_time--;
    assert_int_equal(libxl__proc_id_state(&id), LIBXL__PROC_GONE);
    assert_int_equal(libxl__proc_id_signal(&id, SIGKILL), ERROR_NOTFOUND);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    end_sleeper(pid);
}

static void another_boot_is_told_apart(void **state)
{
    struct libxl__proc_id id;

    assert_int_equal(libxl__proc_id_self(&id), 0);
    id.boot_id[0] = id.boot_id[0] == 'a' ? 'b' : 'a';
    assert_int_equal(libxl__proc_id_state(&id), LIBXL__PROC_OTHER_BOOT);
}

static void a_pidfd_sees_the_death(void **state)
{
    pid_t pid = start_sleeper();
    struct libxl__proc_id id;
    struct pollfd p = { .events = POLLIN };

    assert_int_equal(libxl__proc_id_of(pid, &id), 0);
    assert_int_equal(libxl__proc_id_open(&id, &p.fd), 0);
    assert_int_equal(libxl__proc_id_signal(&id, SIGKILL), 0);
    assert_int_equal(poll(&p, 1, 120000), 1);
    close(p.fd);
    waitpid(pid, NULL, 0);
}

static void json_there_and_back(void **state)
{
    struct libxl__proc_id id, back;
    libxl__gc gc;
    yajl_val v;

    assert_int_equal(libxl__proc_id_self(&id), 0);
    libxl__gc_init(&gc, NULL);
    v = yajl_tree_parse(libxl__proc_id_to_json(&gc, &id), NULL, 0);
    assert_int_equal(libxl__proc_id_from_json(v, &back), 0);
    assert_memory_equal(&id, &back, sizeof(id));
    yajl_tree_free(v);
    libxl__gc_dispose(&gc);
}

static void json_of_another_shape_is_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"boot_id\":\"x\",\"pid\":1,\"start_time\":1}",
        "{\"boot_id\":\"01234567-0123-0123-0123-0123456789ab\",\"pid\":0,"
        "\"start_time\":1}",
        "{\"boot_id\":\"01234567-0123-0123-0123-0123456789ab\",\"pid\":-1,"
        "\"start_time\":1}",
        "{\"boot_id\":\"01234567-0123-0123-0123-0123456789ab\","
        "\"pid\":4294967297,\"start_time\":1}",
        "{\"boot_id\":\"01234567-0123-0123-0123-0123456789ab\",\"pid\":1}",
    };
    struct libxl__proc_id id;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        yajl_val v = yajl_tree_parse(bad[i], NULL, 0);

        assert_int_equal(libxl__proc_id_from_json(v, &id), ERROR_INVAL);
        yajl_tree_free(v);
    }
    assert_int_equal(libxl__proc_id_from_json(NULL, &id), ERROR_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self_is_alive),
        cmocka_unit_test(the_dead_are_gone),
        cmocka_unit_test(a_zombie_is_gone),
        cmocka_unit_test(a_reused_pid_is_not_signalled),
        cmocka_unit_test(another_boot_is_told_apart),
        cmocka_unit_test(a_pidfd_sees_the_death),
        cmocka_unit_test(json_there_and_back),
        cmocka_unit_test(json_of_another_shape_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
