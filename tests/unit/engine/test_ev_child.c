/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "engine/engine_fixture.h"

struct child {
    libxl__ev_child ch;
    int deaths, status;
    pid_t pid;
};

static struct child *child_of_ch(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, struct child, ch);
}

static void died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status)
{
    struct child *c = child_of_ch(ch);

    assert_false(libxl__ev_child_inuse(ch));
    c->deaths++;
    c->status = status;
    c->pid = pid;
}

static int spawn_fds(struct fixture *f, struct child *c, const char *script,
                     const int *fds, size_t nr_fds)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    const struct libxl__spawn_params params = {
        .argv = argv, .fds = fds, .nr_fds = nr_fds};

    memset(c, 0, sizeof(*c));
    libxl__ev_child_init(&c->ch);
    return libxl__ev_child_spawn(f->ctx, &c->ch, died, &params);
}

static int spawn(struct fixture *f, struct child *c, const char *script)
{
    const int fds[] = {-1, -1, 2};

    return spawn_fds(f, c, script, fds, 3);
}

static void exit_status_is_told(void **state)
{
    struct fixture *f = *state;
    struct child c;

    assert_int_equal(spawn(f, &c, "exit 42"), 0);
    fixture_run_until(f, &c.deaths);
    assert_true(WIFEXITED(c.status));
    assert_int_equal(WEXITSTATUS(c.status), 42);
    assert_int_equal(c.deaths, 1);
}

static void missing_program_is_an_error_of_spawn(void **state)
{
    struct fixture *f = *state;
    const char *argv[] = {"/nonexistent/program", NULL};
    const struct libxl__spawn_params params = {.argv = argv};
    struct child c = {0};

    libxl__ev_child_init(&c.ch);
    assert_int_equal(libxl__ev_child_spawn(f->ctx, &c.ch, died, &params),
                     ERROR_FAIL);
    assert_false(libxl__ev_child_inuse(&c.ch));
    assert_non_null(strstr(f->last, "/nonexistent/program"));
    assert_non_null(strstr(f->last, "No such file"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
}

static void killed_child_tells_its_signal(void **state)
{
    struct fixture *f = *state;
    struct child c;

    assert_int_equal(spawn(f, &c, "exec sleep 1000"), 0);
    assert_int_equal(libxl__ev_child_kill(&c.ch, SIGTERM), 0);
    fixture_run_until(f, &c.deaths);
    assert_true(WIFSIGNALED(c.status));
    assert_int_equal(WTERMSIG(c.status), SIGTERM);
}

static void fds_are_placed_and_all_others_closed(void **state)
{
    struct fixture *f = *state;
    char text[64] = {0};
    struct child c;
    int out[2], extra;
    int fds[4];

    assert_int_equal(pipe(out), 0);
    extra = dup2(out[0], 40); /* inheritable: would leak */
    /* overlapping sources and targets */
    fds[0] = -1;
    fds[1] = out[1];
    fds[2] = 2;
    fds[3] = 0;
    assert_int_equal(spawn_fds(f, &c, "cd /proc/self/fd && echo *", fds, 4), 0);
    close(out[1]);
    fixture_run_until(f, &c.deaths);
    assert_true(read(out[0], text, sizeof(text) - 1) > 0);
    /* 0 1 2 3, and nothing of ours (the shell may hold one for the glob) */
    assert_int_equal(strncmp(text, "0 1 2 3", 7), 0);
    assert_null(strstr(text, "40"));
    close(extra);
    close(out[0]);
}

static void signals_are_back_to_default_in_the_child(void **state)
{
    struct fixture *f = *state;
    sigset_t block, before;
    struct child c;

    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, &before);
    signal(SIGTERM, SIG_IGN);
    assert_int_equal(spawn(f, &c, "kill -TERM $$; exit 0"), 0);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    fixture_run_until(f, &c.deaths);
    assert_true(WIFSIGNALED(c.status));
    assert_int_equal(WTERMSIG(c.status), SIGTERM);
}

static void ignored_sigchld_is_refused(void **state)
{
    struct fixture *f = *state;
    struct child c;

    signal(SIGCHLD, SIG_IGN);
    assert_int_equal(spawn(f, &c, "exit 0"), ERROR_INVAL);
    signal(SIGCHLD, SIG_DFL);
    assert_non_null(strstr(f->last, "SIGCHLD"));
}

static void other_children_of_the_process_are_left_alone(void **state)
{
    struct fixture *f = *state;
    struct child c;
    int status;
    pid_t other;

    other = fork();
    if (!other)
        _exit(9);
    assert_int_equal(spawn(f, &c, "exit 0"), 0);
    fixture_run_until(f, &c.deaths);
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(WEXITSTATUS(status), 9);
}

static void forgotten_child_is_reaped_without_a_callback(void **state)
{
    struct fixture *f = *state;
    struct child c;
    siginfo_t info;

    assert_int_equal(spawn(f, &c, "exit 0"), 0);
    libxl__ev_child_forget(&c.ch);
    /* seen dead, but not reaped: the loop must do it */
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    fixture_turn(f, 3);
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), -1);
    assert_int_equal(c.deaths, 0);
}

static void ctx_may_die_before_a_forgotten_child(void **state)
{
    struct fixture *f = *state;
    struct child c;
    pid_t pid;

    assert_int_equal(spawn(f, &c, "exec sleep 1000"), 0);
    pid = c.ch.pid;
    libxl__ev_child_forget(&c.ch);
    assert_int_equal(libxl_ctx_free(f->ctx), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(libxl_ctx_alloc(&f->ctx, LIBXL_VERSION, 0, &f->logger), 0);
}

static void twenty_children_each_tell_once(void **state)
{
    struct fixture *f = *state;
    struct child c[20];
    char script[32];
    int i;

    for (i = 0; i < 20; i++) {
        snprintf(script, sizeof(script), "exit %d", i);
        assert_int_equal(spawn(f, &c[i], script), 0);
    }
    for (i = 0; i < 20; i++)
        fixture_run_until(f, &c[i].deaths);
    fixture_turn(f, 5);
    for (i = 0; i < 20; i++) {
        assert_int_equal(c[i].deaths, 1);
        assert_int_equal(WEXITSTATUS(c[i].status), i);
    }
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(exit_status_is_told),
        T(missing_program_is_an_error_of_spawn),
        T(killed_child_tells_its_signal),
        T(fds_are_placed_and_all_others_closed),
        T(signals_are_back_to_default_in_the_child),
        T(ignored_sigchld_is_refused),
        T(other_children_of_the_process_are_left_alone),
        T(forgotten_child_is_reaped_without_a_callback),
        T(ctx_may_die_before_a_forgotten_child),
        T(twenty_children_each_tell_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
