/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_host_qemu_faults.c - QEMU dies at any moment of any call: an error,
 * never a hang, nothing left; and saves that were cut short. */
#include "host/host_rig.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Kills the domain's QEMU, delay after it is on record. */
struct killer {
    struct host_rig *r;
    uint32_t domid;
    unsigned delay_us;
    pthread_t thread;
};

static void *killer_main(void *arg)
{
    struct killer *k = arg;
    struct libxl__qemu_ident id;
    struct timespec ts = { 0, (long)k->delay_us * 1000 };
    struct libxl__host_qemu hq = { .host.ctx = k->r->ctx, .store = k->r->st };
    int tries;

    memset(&id, 0, sizeof(id));
    for (tries = 0; tries < 20000 && !id.proc.pid; tries++) {
        struct timespec ms = { 0, 200 * 1000 };

        libxl__qemu_ident_read(&hq, k->domid, &id);
        nanosleep(&ms, NULL);
    }
    nanosleep(&ts, NULL);
    libxl__proc_id_signal(&id.proc, SIGKILL);
    return NULL;
}

static void start_killer(struct killer *k, struct host_rig *r, uint32_t domid,
                         unsigned delay_us)
{
    k->r = r;
    k->domid = domid;
    k->delay_us = delay_us;
    assert_int_equal(pthread_create(&k->thread, NULL, killer_main, k), 0);
}

/* What must hold after a call that raced with QEMU's death. */
static void check_aftermath(struct host_rig *r, uint32_t domid, int rc)
{
    if (rc)
        assert_true(r->errors >= 1);
    assert_int_equal(host_rig_destroy(r, domid), 0);
    r->errors = 0;
    r->log[0] = '\0';
}

static const unsigned delays_us[] = { 0, 300, 1000, 3000, 10000, 30000 };

static void death_during_create(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;
    size_t i;

    host_rig_config(r, &c);
    for (i = 0; i < sizeof(delays_us) / sizeof(*delays_us); i++) {
        uint32_t domid = host_rig_record(r, &c);
        struct killer k;
        int rc;

        start_killer(&k, r, domid, delays_us[i]);
        rc = host_rig_create(r, domid, &c, false);
        pthread_join(k.thread, NULL);
        check_aftermath(r, domid, rc);
    }
    libxl_domain_config_dispose(&c);
}

static void death_during_suspend_and_pause(void **state)
{
    struct host_rig *r = *state;
    size_t i;

    for (i = 0; i < 4; i++) {
        uint32_t domid = host_rig_guest(r, false);
        struct killer k;
        int rc;

        start_killer(&k, r, domid, delays_us[i]);
        rc = i % 2 ? host_rig_call(r, domid, r->h->ops->suspend)
                   : host_rig_call(r, domid, r->h->ops->pause);
        pthread_join(k.thread, NULL);
        check_aftermath(r, domid, rc);
    }
}

static void death_during_dm_save(void **state)
{
    struct host_rig *r = *state;
    size_t i;

    for (i = 0; i < sizeof(delays_us) / sizeof(*delays_us); i++) {
        uint32_t domid = host_rig_guest(r, false);
        int fd = memfd_create("state", MFD_CLOEXEC), rc;
        struct killer k;

        assert_int_equal(host_rig_call(r, domid, r->h->ops->suspend), 0);
        start_killer(&k, r, domid, delays_us[i]);
        rc = host_rig_dm(r, domid, fd, false);
        pthread_join(k.thread, NULL);
        check_aftermath(r, domid, rc);
        close(fd);
    }
}

static void death_during_dm_load(void **state)
{
    struct host_rig *r = *state;
    uint32_t source = host_rig_guest(r, false);
    int fd = memfd_create("state", MFD_CLOEXEC);
    size_t i;

    assert_int_equal(host_rig_call(r, source, r->h->ops->suspend), 0);
    assert_int_equal(host_rig_dm(r, source, fd, false), 0);
    for (i = 0; i < sizeof(delays_us) / sizeof(*delays_us); i++) {
        uint32_t domid = host_rig_guest(r, true);
        struct killer k;
        int rc;

        start_killer(&k, r, domid, delays_us[i]);
        rc = host_rig_dm(r, domid, fd, true);
        pthread_join(k.thread, NULL);
        check_aftermath(r, domid, rc);
    }
    close(fd);
}

static void calls_on_a_dead_qemu_say_so(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    struct libxl__helper_guest g;

    kill(host_rig_pid(r, domid), SIGKILL);
    while (libxl__proc_id_of(host_rig_pid(r, domid), &(struct libxl__proc_id){
                                                         .pid = 0 }) == 0)
        continue;
    assert_int_equal(host_rig_call(r, domid, r->h->ops->pause),
                     ERROR_NOT_READY);
    assert_non_null(strstr(r->log, "QEMU process has ended"));
    assert_int_equal(r->errors, 1);
    assert_int_not_equal(r->h->ops->helper_guest(r->h, domid, true, &g), 0);
    assert_int_not_equal(r->h->ops->check_saveable(r->h, domid, NULL), 0);
}

/* ---- cut short ---- */

static int start_migrate_only(libxl__egc *egc, libxl__host *h,
                              libxl__host_call *call, void *user)
{
    struct libxl__qemu_op *op;
    int rc = libxl__qemu_op_new(h, call, &op);

    if (rc)
        return rc;
    op->script.pass_fd = *(int *)user;
    op->steps[1].pass_fd = true;
    libxl__qemu_op_step(op, "migrate-set-parameters",
                        "{\"max-bandwidth\":100000}");
    libxl__qemu_op_step(op, "getfd", "{\"fdname\":\"f\"}");
    libxl__qemu_op_step(op, "migrate", "{\"uri\":\"fd:f\"}");
    return libxl__qemu_op_start(egc, op);
}

/* Whoever took the state has been killed, QEMU is still writing it, slowly: the
 * guest runs when it is out, and is not stopped by its end. */
static void resume_while_state_is_written(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    int fd = memfd_create("state", MFD_CLOEXEC);

    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->suspend), 0);
    assert_int_equal(host_rig_run(r, domid, start_migrate_only, &fd), 0);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->resume), 0);
    host_rig_wait_status(r, domid, (char *)"query-migrate", "completed");
    assert_string_equal(host_rig_status(r, domid), "running");
    assert_int_equal(r->errors, 0);
    close(fd);
}

/* Killed between the record and QEMU's stop. */
static void resume_of_a_suspend_that_only_began(void **state)
{
    const struct libxl__run_record begun = { LIBXL__RUN_SUSPENDED, true,
                                             LIBXL_SHUTDOWN_REASON_UNKNOWN,
                                             false };
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);

    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    assert_int_equal(libxl__run_record_write(r->st, domid, &begun), 0);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->resume), 0);
    assert_string_equal(host_rig_status(r, domid), "running");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, host_rig_open, host_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(death_during_create),
        TEST(death_during_suspend_and_pause),
        TEST(death_during_dm_save),
        TEST(death_during_dm_load),
        TEST(calls_on_a_dead_qemu_say_so),
        TEST(resume_while_state_is_written),
        TEST(resume_of_a_suspend_that_only_began),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
