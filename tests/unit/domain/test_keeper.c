/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_keeper.c - the real keeper process of a fake guest: elected once, brings
 * the guest back when an operation is killed, ends with its domain.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/dom_rig.h"
#include "domain/keeper_record.h"
#include "host/fake_guest.h"
#include "migrate/journal.h"
#include "store/run_record.h"

#define DEADLINE_S 120

static struct dom_rig rig;

static int setup(void **state)
{
    setenv("XL_FAKE_KEEPER", "1", 1);
    if (dom_rig_init(&rig))
        return -1;
    dom_rig_open(&rig);
    return 0;
}

static int teardown(void **state)
{
    int nr, i;
    libxl_dominfo *list;

    if (!rig.ctx)
        dom_rig_open(&rig);
    list = libxl_list_domain(rig.ctx, &nr);
    for (i = 0; list && i < nr; i++)
        libxl_domain_destroy(rig.ctx, list[i].domid, NULL);
    libxl_dominfo_list_free(list, nr);
    dom_rig_dispose(&rig);
    unsetenv("XL_FAKE_KEEPER");
    return 0;
}

static struct libxl__keeper_record record_of(uint32_t domid)
{
    libxl__host *h = libxl__host_get(rig.ctx);
    struct libxl__keeper_record rec;

    assert_int_equal(libxl__keeper_record_read(h->ops->store(h), domid, &rec),
                     0);
    return rec;
}

static bool alive(const struct libxl__keeper_record *rec)
{
    return libxl__proc_id_state(&rec->process) == LIBXL__PROC_ALIVE;
}

static void pause_a_moment(void)
{
    struct timespec ts = {.tv_nsec = 5000000};

    nanosleep(&ts, NULL);
}

static void wait_state(uint32_t domid, const char *state)
{
    time_t end = time(NULL) + DEADLINE_S;

    while (strcmp(dom_rig_state(&rig, domid), state) && time(NULL) < end)
        pause_a_moment();
    assert_string_equal(dom_rig_state(&rig, domid), state);
}

static void wait_end(const struct libxl__keeper_record *rec)
{
    time_t end = time(NULL) + DEADLINE_S;

    while (alive(rec) && time(NULL) < end)
        pause_a_moment();
    assert_false(alive(rec));
}

static void a_new_domain_has_one_and_it_ends_with_it(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    struct libxl__keeper_record rec = record_of(domid);

    assert_true(alive(&rec));
    assert_int_equal(libxl_domain_destroy(rig.ctx, domid, NULL), 0);
    wait_end(&rec);
}

/* Without a process of the guest's, whose death would show it. */
static void it_ends_with_a_domain_that_recover_removes(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    struct libxl__keeper_record rec = record_of(domid);
    libxl__host *h = libxl__host_get(rig.ctx);
    struct libxl__journal j;
    libxl__gc gc;

    libxl__gc_init(&gc, rig.ctx);
    libxl__journal_init(&j, JOURNAL_RECEIVE, JSTEP_GIVEN_UP);
    assert_int_equal(libxl__journal_write(h->ops->store(h), &gc, domid, &j), 0);
    libxl__gc_dispose(&gc);
    assert_int_equal(libxl_domain_recover(rig.ctx, domid, NULL), 0);
    assert_int_equal(dom_rig_count(&rig), 0);
    wait_end(&rec);
}

static void the_next_operation_starts_a_new_one(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    struct libxl__keeper_record rec = record_of(domid), next;

    kill(rec.process.pid, SIGKILL);
    wait_end(&rec);
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    next = record_of(domid);
    assert_true(alive(&next));
    assert_int_not_equal(next.process.pid, rec.process.pid);
}

static void the_policy_outlives_a_keeper(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    struct libxl__keeper_record rec = record_of(domid);

    assert_false(rec.restart);
    assert_int_equal(libxl_domain_keep(rig.ctx, domid, true), 0);
    rec = record_of(domid);
    assert_true(rec.restart);
    kill(rec.process.pid, SIGKILL);
    wait_end(&rec);
    assert_int_equal(libxl_domain_pause(rig.ctx, domid, NULL), 0);
    rec = record_of(domid);
    assert_true(alive(&rec));
    assert_true(rec.restart);
}

/* A process of its own that saves, and hangs with the guest suspended. */
static pid_t start_hanging_save(uint32_t domid)
{
    pid_t pid;

    dom_rig_close(&rig);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        libxl_save_how how = {.path = dom_rig_path(&rig, "image"), .fd = -1};

        setenv("XL_FAKE_HANG", "dm_save", 1);
        dom_rig_open(&rig);
        libxl_domain_save_file(rig.ctx, domid, &how, NULL);
        _exit(1);
    }
    dom_rig_open(&rig);
    return pid;
}

static void a_killed_save_is_undone_at_once(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    pid_t pid;
    int status;

    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    pid = start_hanging_save(domid);
    wait_state(domid, "shutdown"); /* suspended */
    assert_int_equal(dom_rig_files(&rig), 1);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    wait_state(domid, "running");
    assert_int_equal(dom_rig_files(&rig), 0);
}

static void with_the_keeper_killed_too_recover_does_it(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    struct libxl__keeper_record rec = record_of(domid);
    pid_t pid;
    int status;

    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    pid = start_hanging_save(domid);
    wait_state(domid, "shutdown");
    kill(rec.process.pid, SIGKILL);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    wait_end(&rec);
    assert_string_equal(dom_rig_state(&rig, domid), "shutdown");
    assert_int_equal(libxl_domain_recover(rig.ctx, INVALID_DOMID, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_int_equal(dom_rig_files(&rig), 0);
    rec = record_of(domid);
    assert_true(alive(&rec));
}

static void a_second_operation_is_told_who_is_busy(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    char text[64];
    pid_t pid;
    int status;

    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    pid = start_hanging_save(domid);
    wait_state(domid, "shutdown");
    assert_int_equal(libxl_domain_pause(rig.ctx, domid, NULL), ERROR_LOCK_FAIL);
    snprintf(text, sizeof(text), "busy: save by pid %d", (int)pid);
    assert_true(dom_rig_logged(&rig, text));
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    wait_state(domid, "running");
}

static void a_guest_that_shuts_down_is_destroyed(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    struct libxl__keeper_record rec;

    assert_int_equal(libxl_domain_keep(rig.ctx, domid, true), 0);
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    rec = record_of(domid);
    assert_int_equal(libxl_domain_shutdown(rig.ctx, domid, NULL), 0);
    wait_state(domid, "gone");
    wait_end(&rec);
}

static uint32_t create_that_restarts(void)
{
    libxl_domain_config config;
    uint32_t domid;

    dom_rig_config(&config, "one");
    config.on_reboot = config.on_crash = LIBXL_ACTION_ON_SHUTDOWN_RESTART;
    assert_int_equal(
        libxl_domain_create_new(rig.ctx, &config, &domid, NULL, NULL), 0);
    libxl_domain_config_dispose(&config);
    return domid;
}

/* One that runs, and has no keeper at the moment. */
static uint32_t unwatched_guest(void)
{
    uint32_t domid = create_that_restarts();
    struct libxl__keeper_record rec;

    assert_int_equal(libxl_domain_keep(rig.ctx, domid, true), 0);
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    rec = record_of(domid);
    kill(rec.process.pid, SIGKILL);
    wait_end(&rec);
    return domid;
}

static libxl__store *store(void)
{
    libxl__host *h = libxl__host_get(rig.ctx);

    return h->ops->store(h);
}

static void end_it(uint32_t domid, int64_t reason)
{
    const struct libxl__fake_guest ended = {
        .state = FAKE_SHUTDOWN,
        .reason = reason,
    };

    assert_int_equal(libxl__fake_guest_write(store(), domid, &ended), 0);
}

/* It ended while nobody watched: how long it lived is not known. */
static void a_new_keeper_starts_a_guest_again_that_has_rebooted(void **state)
{
    uint32_t domid = unwatched_guest();

    end_it(domid, LIBXL_SHUTDOWN_REASON_REBOOT);
    assert_int_equal(libxl_domain_keep(rig.ctx, domid, true), 0);
    wait_state(domid, "running");
}

/* ---- on a host that does not tell ---- */

static int setup_polled(void **state)
{
    setenv("XL_FAKE_POLL", "1", 1);
    return setup(state);
}

static int teardown_polled(void **state)
{
    int rc = teardown(state);

    unsetenv("XL_FAKE_POLL");
    unsetenv("XL_FAKE_HALF");
    unsetenv("XL_FAKE_STUCK");
    return rc;
}

/* As before: this one by a number of its own, which counts as a crash. */
static void a_guest_that_cannot_be_started_again_has_ended(void **state)
{
    uint32_t domid = unwatched_guest();
    struct libxl__run_record run;
    time_t end = time(NULL) + DEADLINE_S;

    setenv("XL_FAKE_HALF", "1", 1);
    end_it(domid, 200);
    assert_int_equal(libxl_domain_keep(rig.ctx, domid, true), 0);
    while (!dom_rig_record(&rig, domid, "run") && time(NULL) < end)
        pause_a_moment();
    wait_state(domid, "shutdown");
    while (dom_rig_record(&rig, domid, "journal") && time(NULL) < end)
        pause_a_moment();
    assert_false(dom_rig_record(&rig, domid, "journal"));
    assert_int_equal(libxl__run_record_read(store(), domid, &run), 0);
    assert_int_equal(run.reason, LIBXL_SHUTDOWN_REASON_CRASH);
    assert_int_equal(libxl_domain_destroy(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "gone");
}

/* Between the end of the old guest and the beginning of the new one. */
static void a_keeper_that_is_killed_then_loses_no_guest(void **state)
{
    uint32_t domid = unwatched_guest();
    struct libxl__journal j;
    libxl__gc gc;

    libxl__gc_init(&gc, rig.ctx);
    libxl__journal_init(&j, JOURNAL_RESTART, JSTEP_BUILDING);
    j.was_running = true;
    j.reason = LIBXL_SHUTDOWN_REASON_REBOOT;
    assert_int_equal(libxl__journal_write(store(), &gc, domid, &j), 0);
    libxl__gc_dispose(&gc);
    assert_int_equal(libxl__fake_guest_erase(store(), domid), 0);
    assert_int_equal(libxl_domain_recover(rig.ctx, INVALID_DOMID, NULL), 0);
    wait_state(domid, "running");
    /* the end of which it is rid does not come back */
    assert_false(dom_rig_record(&rig, domid, "run"));
}

/* Once for the keeper's own destroy, once for its recovery's. */
static void a_guest_that_ends_slowly_starts_again(void **state)
{
    uint32_t domid = unwatched_guest();

    setenv("XL_FAKE_STUCK", "destroy", 1);
    end_it(domid, LIBXL_SHUTDOWN_REASON_REBOOT);
    assert_int_equal(libxl_domain_keep(rig.ctx, domid, true), 0);
    wait_state(domid, "running");
}

static void a_guest_that_ends_slowly_is_removed(void **state)
{
    uint32_t domid = unwatched_guest();
    struct libxl__keeper_record rec;

    setenv("XL_FAKE_STUCK", "destroy", 1);
    assert_int_equal(libxl_domain_keep(rig.ctx, domid, true), 0);
    rec = record_of(domid);
    end_it(domid, LIBXL_SHUTDOWN_REASON_POWEROFF);
    wait_end(&rec);
    assert_false(dom_rig_record(&rig, domid, "domain"));
}

static void suspend_late(uint32_t domid)
{
    struct libxl__journal j;
    libxl__gc gc;

    libxl__gc_init(&gc, rig.ctx);
    libxl__journal_init(&j, JOURNAL_SAVE, JSTEP_LATE);
    assert_int_equal(libxl__journal_write(store(), &gc, domid, &j), 0);
    libxl__gc_dispose(&gc);
    assert_int_equal(
        libxl__fake_guest_set(store(), domid, FAKE_PAUSED, FAKE_RUNNING), 0);
}

static void a_guest_that_is_resumed_at_last_is_still_followed(void **state)
{
    uint32_t domid = unwatched_guest();

    setenv("XL_FAKE_STUCK", "resume", 1);
    suspend_late(domid);
    assert_int_equal(libxl_domain_keep(rig.ctx, domid, true), 0);
    wait_state(domid, "running");
    end_it(domid, LIBXL_SHUTDOWN_REASON_POWEROFF);
    wait_state(domid, "gone");
}

/* Made again, it could not be unpaused. */
static void a_guest_that_the_user_starts_is_followed_again(void **state)
{
    uint32_t domid = unwatched_guest();

    setenv("XL_FAKE_STUCK", "unpause", 1);
    end_it(domid, LIBXL_SHUTDOWN_REASON_REBOOT);
    assert_int_equal(libxl_domain_keep(rig.ctx, domid, true), 0);
    wait_state(domid, "paused");
    while (libxl_domain_unpause(rig.ctx, domid, NULL))
        pause_a_moment();
    for (int i = 0; i < 40; i++) /* ten of the keeper's looks at it */
        pause_a_moment();
    end_it(domid, LIBXL_SHUTDOWN_REASON_POWEROFF);
    wait_state(domid, "gone");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define POLLED(f)                                                              \
    cmocka_unit_test_setup_teardown(f, setup_polled, teardown_polled)
    const struct CMUnitTest tests[] = {
        TEST(a_new_domain_has_one_and_it_ends_with_it),
        TEST(it_ends_with_a_domain_that_recover_removes),
        TEST(the_next_operation_starts_a_new_one),
        TEST(the_policy_outlives_a_keeper),
        TEST(a_killed_save_is_undone_at_once),
        TEST(with_the_keeper_killed_too_recover_does_it),
        TEST(a_second_operation_is_told_who_is_busy),
        TEST(a_guest_that_shuts_down_is_destroyed),
        TEST(a_new_keeper_starts_a_guest_again_that_has_rebooted),
        POLLED(a_guest_that_cannot_be_started_again_has_ended),
        POLLED(a_keeper_that_is_killed_then_loses_no_guest),
        POLLED(a_guest_that_ends_slowly_starts_again),
        POLLED(a_guest_that_ends_slowly_is_removed),
        POLLED(a_guest_that_is_resumed_at_last_is_still_followed),
        POLLED(a_guest_that_the_user_starts_is_followed_again),
    };

    return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
