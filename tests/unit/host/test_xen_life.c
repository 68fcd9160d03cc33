/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_xen_life.c - the end of a domain, and of what served it. */
#include "host/xen_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/domain_record.h"
#include "store/run_record.h"
#include "store/store_xen.h"

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

/* ---- one that was cut off before, and a record that is no good ---- */

#define UUID "00000000-0000-4000-8000-000000000001"

static void make_record(struct xen_rig *r)
{
    libxl_domain_config c;

    fake_xen.there = false;
    libxl_domain_config_init(&c);
    c.c_info.type = LIBXL_DOMAIN_TYPE_PVH;
    c.c_info.name = strdup("guest");
    assert_true(libxl__uuid_parse(UUID, &c.c_info.uuid));
    xen_rig_record(r, &c);
    memcpy(fake_xen.domain.uuid, c.c_info.uuid.uuid,
           sizeof(fake_xen.domain.uuid));
    libxl_domain_config_dispose(&c);
    assert_int_equal(libxl__store_xen_publish(r->h->ops->store(r->h), 1), 0);
    fake_xs_put("/local/domain/0/backend/vbd/1/51712/state", "4");
    fake_xs_put("/local/domain/0/backend/qdisk/1/51728/state", "4");
    fake_xs_put("/local/domain/1/device/vbd/51712/state", "4");
}

static void what_a_destroy_that_was_cut_off_left_goes(void **state)
{
    int hold;
    pid_t pid;

    make_record(*state);
    pid = start_qemu(&hold);
    assert_int_equal(xen_rig_run(*state, start_destroy, NULL), 0);
    assert_null(fake_xs_get("/local/domain/0/backend/vbd/1/51712/state"));
    assert_null(fake_xs_get("/local/domain/0/backend/qdisk/1/51728/state"));
    assert_null(fake_xs_get("/local/domain/1/device/vbd/51712/state"));
    assert_int_equal(end_of(pid, hold), SIGTERM);
}

static void the_nodes_of_another_domain_stay(void **state)
{
    make_record(*state);
    fake_xs_put("/local/domain/1/vm",
                "/vm/00000000-0000-4000-8000-000000000002");
    assert_int_equal(xen_rig_run(*state, start_destroy, NULL), 0);
    assert_non_null(fake_xs_get("/local/domain/0/backend/vbd/1/51712/state"));
}

/* A directory cannot be read, whoever asks. */
static void a_guest_without_a_readable_record_ends(void **state)
{
    struct xen_rig *r = *state;
    char path[160];

    make_record(r);
    fake_xen.there = true;
    snprintf(path, sizeof(path), "%s/userdata-d.1." UUID ".libxl-json", r->lib);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(xen_rig_run(r, start_destroy, NULL), 0);
    assert_false(fake_xen.there);
    assert_non_null(strstr(r->log, "destroying it all the same"));
}

/* Its keeper is to start it again, or could not. */
static void a_domain_that_is_no_more_is_known_by_its_end(void **state)
{
    const struct libxl__run_record run = {
        .state = LIBXL__RUN_SHUTDOWN,
        .reason = LIBXL_SHUTDOWN_REASON_REBOOT,
    };
    struct xen_rig *r = *state;
    libxl_dominfo info = {0};
    libxl_vcpuinfo *vcpus;
    libxl__gc gc;
    int nr;

    make_record(r);
    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(r->h->ops->dominfo(r->h, &gc, 1, &info),
                     ERROR_DOMAIN_NOTFOUND);
    assert_null(r->h->ops->vcpus(r->h, 1, &nr));
    assert_int_equal(libxl__run_record_write(r->h->ops->store(r->h), 1, &run),
                     0);
    assert_int_equal(r->h->ops->dominfo(r->h, &gc, 1, &info), 0);
    assert_string_equal(info.name, "guest");
    assert_true(info.shutdown);
    assert_int_equal(info.shutdown_reason, LIBXL_SHUTDOWN_REASON_REBOOT);
    libxl_dominfo_dispose(&info);
    libxl__gc_dispose(&gc);
    vcpus = r->h->ops->vcpus(r->h, 1, &nr);
    assert_non_null(vcpus); /* of which it has none */
    assert_int_equal(nr, 0);
    free(vcpus);
}

static void a_pulse_changes_when_the_guest_does(void **state)
{
    struct xen_rig *r = *state;
    uint64_t (*pulse)(libxl__host *h, uint32_t domid) = r->h->ops->pulse;
    uint64_t runs, last;

    fake_xen.there = true;
    runs = last = pulse(r->h, 1);
    assert_int_not_equal(runs, 0);
    fake_xen.domain.cpu_time++;
    fake_xen.domain.blocked = true;
    assert_int_equal(pulse(r->h, 1), runs);
    fake_xen.domain.shutdown = true;
    assert_int_not_equal(pulse(r->h, 1), last);
    last = pulse(r->h, 1);
    fake_xen.domain.reason = LIBXL_SHUTDOWN_REASON_REBOOT;
    assert_int_not_equal(pulse(r->h, 1), last);
    last = pulse(r->h, 1);
    fake_xen.domain.dying = true;
    assert_int_not_equal(pulse(r->h, 1), last);
    last = pulse(r->h, 1);
    fake_xen.there = false;
    assert_int_not_equal(pulse(r->h, 1), last);
    assert_int_not_equal(pulse(r->h, 1), 0);
}

static void a_pulse_is_of_one_guest_not_of_its_number(void **state)
{
    struct xen_rig *r = *state;
    uint64_t first;

    fake_xen.there = true;
    first = r->h->ops->pulse(r->h, 1);
    for (size_t i = 0; i < sizeof(fake_xen.domain.uuid); i++) {
        fake_xen.domain.uuid[i] ^= 1;
        assert_int_not_equal(r->h->ops->pulse(r->h, 1), first);
        fake_xen.domain.uuid[i] ^= 1;
    }
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_with_guest, xen_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_qemu_is_told_to_end),
        TEST(a_qemu_that_does_not_end_is_killed),
        TEST(a_domain_that_stays_is_not_called_destroyed),
        TEST(what_a_destroy_that_was_cut_off_left_goes),
        TEST(the_nodes_of_another_domain_stay),
        TEST(a_guest_without_a_readable_record_ends),
        TEST(a_domain_that_is_no_more_is_known_by_its_end),
        TEST(a_pulse_changes_when_the_guest_does),
        TEST(a_pulse_is_of_one_guest_not_of_its_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
