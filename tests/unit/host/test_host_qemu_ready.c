/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_host_qemu_ready.c - a QEMU that gets ready for a state before it is
 * there (dm_get_ready), and what may happen until then. */
#include "host/host_rig.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* get_ready, and when the test says that it is time: dm_load. */
struct early {
    libxl__host *h;
    libxl__host_call *call;
    int fd;
    bool (*time_to_load)(struct early *e);
    pid_t kill; /* once it is ready; 0: nobody */
    libxl__ev_time look;
    unsigned looks;
};

enum { LOOK_MS = 1, MOST_LOOKS = 60000 };

static bool at_once(struct early *e)
{
    return true;
}

static bool when_ready(struct early *e)
{
    struct libxl__qemu_op *op = e->call->state;

    return op->script.holding;
}

static bool when_dead(struct early *e)
{
    struct libxl__qemu_op *op = e->call->state;

    if (op->script.holding && e->kill) {
        kill(e->kill, SIGKILL);
        e->kill = 0;
    }
    return op->early_lost;
}

static void look(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct early *e = (struct early *)((char *)ev -
                                       offsetof(struct early, look));

    if (e->time_to_load(e) || ++e->looks == MOST_LOOKS) {
        rc = e->h->ops->dm_load(egc, e->h, e->call, e->fd);
        if (rc)
            e->call->callback(egc, e->call, rc);
        return;
    }
    assert_int_equal(libxl__ev_time_register_rel(e->h->ctx, NULL, &e->look,
                                                 look, LOOK_MS), 0);
}

static int start_early(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       void *user)
{
    struct early *e = user;
    int rc = h->ops->dm_get_ready(egc, h, call, e->fd);

    e->h = h;
    e->call = call;
    libxl__ev_time_init(&e->look);
    return rc ? rc
              : libxl__ev_time_register_rel(h->ctx, NULL, &e->look, look, 0);
}

/* The state of a guest, in a memfd. */
static int state_of_a_guest(struct host_rig *r)
{
    uint32_t source = host_rig_guest(r, false);
    int fd = memfd_create("state", MFD_CLOEXEC);

    assert_int_equal(host_rig_call(r, source, r->h->ops->suspend), 0);
    assert_int_equal(host_rig_dm(r, source, fd, false), 0);
    assert_int_equal(host_rig_destroy(r, source), 0);
    return fd;
}

static int load_early(struct host_rig *r, uint32_t domid, struct early *e)
{
    int rc;

    e->fd = state_of_a_guest(r);
    rc = host_rig_run(r, domid, start_early, e);
    close(e->fd);
    assert_true(e->looks < MOST_LOOKS);
    return rc;
}

static void state_is_loaded_by_a_qemu_that_is_ready(void **state)
{
    struct host_rig *r = *state;
    struct early e = {.time_to_load = when_ready};
    uint32_t domid = host_rig_guest(r, true);

    assert_int_equal(load_early(r, domid, &e), 0);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    assert_string_equal(host_rig_status(r, domid), "running");
    assert_int_equal(r->errors, 0);
}

static void state_may_come_before_qemu_is_ready(void **state)
{
    struct host_rig *r = *state;
    struct early e = {.time_to_load = at_once};
    uint32_t domid = host_rig_guest(r, true);

    assert_int_equal(load_early(r, domid, &e), 0);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    assert_string_equal(host_rig_status(r, domid), "running");
}

static void qemu_that_died_while_ready_is_one_error(void **state)
{
    struct host_rig *r = *state;
    struct early e = {.time_to_load = when_dead};
    uint32_t domid = host_rig_guest(r, true);

    e.kill = host_rig_pid(r, domid);
    assert_int_equal(load_early(r, domid, &e), ERROR_NOT_READY);
    assert_int_equal(r->errors, 1);
    assert_non_null(strstr(r->log, "QEMU process has ended"));
}

static int start_and_let_go(libxl__egc *egc, libxl__host *h,
                            libxl__host_call *call, void *user)
{
    int rc = h->ops->dm_get_ready(egc, h, call, *(int *)user);

    h->ops->dm_let_go(h, call);
    h->ops->dm_let_go(h, call);
    return rc ? rc : h->ops->pause(egc, h, call);
}

static void qemu_that_was_let_go_takes_other_commands(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, true);
    int fd = memfd_create("state", MFD_CLOEXEC);

    assert_int_equal(host_rig_run(r, domid, start_and_let_go, &fd), 0);
    assert_string_equal(host_rig_status(r, domid), "inmigrate");
    close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, host_rig_open, host_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(state_is_loaded_by_a_qemu_that_is_ready),
        TEST(state_may_come_before_qemu_is_ready),
        TEST(qemu_that_died_while_ready_is_one_error),
        TEST(qemu_that_was_let_go_takes_other_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
