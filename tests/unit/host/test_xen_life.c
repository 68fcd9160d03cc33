/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_xen_life.c - the end of a domain, and of what served it. */
#include "host/xen_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PID "/local/domain/1/image/device-model-pid"

static int open_with_guest(void **state)
{
    int r = xen_rig_open(state);

    fake_xen.there = true;
    fake_xen.domain = (struct libxl__xen_domain){.domid = 1, .running = true};
    return r;
}

static int start_destroy(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call, const void *user)
{
    return h->ops->destroy(egc, h, call);
}

static void become_qemu(int stdin_fd)
{
    dup2(stdin_fd, 0);
    execl("/bin/sh", "sh", "-c", "read x", "sh", "-xen-domid", "1", NULL);
    _exit(1);
}

/* A process with a QEMU's arguments that waits. *hold: its end is there as long
 * as this is open. What the caller ignores it ignores, too. */
static pid_t start_qemu(int *hold)
{
    int in[2], started[2];
    char text[16], none;
    pid_t pid;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(started, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid)
        become_qemu(in[0]);
    close(started[1]);
    assert_int_equal(read(started[0], &none, 1),
                     0); /* it is what it is to be */
    close(started[0]);
    close(in[0]);
    *hold = in[1];
    snprintf(text, sizeof(text), "%d", (int)pid);
    fake_xs_put(PID, text);
    return pid;
}

static int end_of(pid_t pid, int hold)
{
    int status;

    close(hold);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return WTERMSIG(status);
}

static void its_qemu_is_told_to_end(void **state)
{
    int hold;
    pid_t pid = start_qemu(&hold);

    assert_int_equal(xen_rig_run(*state, start_destroy, NULL), 0);
    assert_int_equal(end_of(pid, hold), SIGTERM);
    assert_false(fake_xen.there);
}

static void a_qemu_that_does_not_end_is_killed(void **state)
{
    struct xen_rig *r = *state;
    int hold;
    pid_t pid;

    signal(SIGTERM, SIG_IGN);
    pid = start_qemu(&hold);
    signal(SIGTERM, SIG_DFL);
    assert_int_equal(xen_rig_run(r, start_destroy, NULL), 0);
    assert_int_equal(end_of(pid, hold), SIGKILL);
    assert_non_null(strstr(r->log, "it is killed"));
}

/* Another one must not begin beside it. */
static void a_domain_that_stays_is_not_called_destroyed(void **state)
{
    struct xen_rig *r = *state;

    fake_xen.stays = true;
    assert_int_equal(xen_rig_run(r, start_destroy, NULL), ERROR_TIMEDOUT);
    assert_non_null(strstr(r->log, "somebody still has pages of it"));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_with_guest, xen_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_qemu_is_told_to_end),
        TEST(a_qemu_that_does_not_end_is_killed),
        TEST(a_domain_that_stays_is_not_called_destroyed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
