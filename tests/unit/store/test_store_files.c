/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_store_files.c - records in files, domids, locks. */
#include "store/store_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/run_record.h"
#include "store/store_files.h"

static int count_listed(struct store_rig *r)
{
    uint32_t *domids;
    libxl__gc gc;
    int nr;

    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(r->st->ops->list(r->st, &gc, &domids, &nr), 0);
    libxl__gc_dispose(&gc);
    return nr;
}

/* ---- records ---- */

static void a_record_is_read_back(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r);
    char *text;

    assert_int_equal(r->st->ops->write(r->st, domid, "run", "one"), 0);
    assert_int_equal(r->st->ops->write(r->st, domid, "run", "twotwo"), 0);
    assert_int_equal(r->st->ops->read(r->st, domid, "run", &text), 0);
    assert_string_equal(text, "twotwo");
    free(text);
    assert_int_equal(r->st->ops->erase(r->st, domid, "run"), 0);
    assert_int_equal(r->st->ops->read(r->st, domid, "run", &text),
                     ERROR_NOTFOUND);
    assert_int_equal(r->st->ops->erase(r->st, domid, "run"), 0);
}

static void a_missing_domain_is_not_found(void **state)
{
    struct store_rig *r = *state;
    char *text;
    int fd;

    assert_int_equal(r->st->ops->read(r->st, 77, "run", &text), ERROR_NOTFOUND);
    assert_int_equal(r->st->ops->write(r->st, 77, "run", "x"), ERROR_NOTFOUND);
    assert_int_equal(r->st->ops->open_dir(r->st, 77, &fd), ERROR_NOTFOUND);
    assert_int_equal(r->st->ops->remove(r->st, 77), 0);
    assert_string_equal(r->log, "");
}

static void a_record_that_is_no_file_is_refused(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r);
    char path[64];
    char *text;

    snprintf(path, sizeof(path), "a/b/%u/run", domid);
    assert_int_equal(mkfifo(store_rig_path(r, path), 0600), 0);
    assert_int_equal(r->st->ops->read(r->st, domid, "run", &text), ERROR_FAIL);
    assert_non_null(strstr(r->log, "run"));
}

static void a_failed_write_keeps_the_old_record(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r);
    struct stat st;
    char path[64];

    /* a directory of that name cannot be replaced by rename */
    snprintf(path, sizeof(path), "a/b/%u/run", domid);
    assert_int_equal(mkdir(store_rig_path(r, path), 0700), 0);
    assert_int_equal(r->st->ops->write(r->st, domid, "run", "x"), ERROR_FAIL);
    assert_int_equal(stat(store_rig_path(r, path), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    snprintf(path, sizeof(path), "a/b/%u/.run.%ld", domid, (long)getpid());
    assert_int_equal(stat(store_rig_path(r, path), &st), -1);
    rmdir(store_rig_path(r, path));
}

/* ---- domids ---- */

static void domids_go_up_and_are_not_reused(void **state)
{
    struct store_rig *r = *state;
    uint32_t a = store_rig_domain(r), b = store_rig_domain(r), c;

    assert_int_equal(a, 1);
    assert_int_equal(b, 2);
    assert_int_equal(count_listed(r), 2);
    assert_int_equal(r->st->ops->remove(r->st, b), 0);
    assert_int_equal(count_listed(r), 1);
    c = store_rig_domain(r);
    assert_int_equal(c, 3);
}

static void a_wanted_domid_is_kept_or_refused(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid;

    store_rig_domain(r);
    assert_int_equal(r->st->ops->create(r->st, 40, &domid), 0);
    assert_int_equal(domid, 40);
    assert_int_equal(r->st->ops->create(r->st, 1, &domid), ERROR_INVAL);
    assert_int_equal(domid, INVALID_DOMID);
    assert_non_null(strstr(r->log, "taken"));
    assert_int_equal(r->st->ops->create(r->st, 0, &domid), ERROR_INVAL);
    assert_int_equal(r->st->ops->create(r->st, 40000, &domid), ERROR_INVAL);
}

static void what_a_killed_create_left_is_swept(void **state)
{
    struct store_rig *r = *state;
    struct stat st;

    assert_int_equal(mkdir(store_rig_path(r, "a/b/9"), 0700), 0);
    assert_int_equal(mkdir(store_rig_path(r, "a/b/.create.1.0"), 0700), 0);
    assert_int_equal(count_listed(r), 0);
    store_rig_domain(r);
    assert_int_equal(stat(store_rig_path(r, "a/b/9"), &st), -1);
    assert_int_equal(stat(store_rig_path(r, "a/b/.create.1.0"), &st), -1);
}

static void a_create_that_still_runs_is_not_swept(void **state)
{
    struct store_rig *r = *state;
    struct stat st;
    uint32_t domid;

    assert_int_equal(r->st->ops->create(r->st, INVALID_DOMID, &domid), 0);
    store_rig_domain(r);
    assert_int_equal(stat(store_rig_path(r, "a/b/1"), &st), 0);
}

static void two_processes_never_share_a_domid(void **state)
{
    struct store_rig *r = *state;
    enum { EACH = 40 };
    uint32_t domid;
    int i, status;
    pid_t pid;

    pid = fork();
    if (!pid) {
        libxl_ctx *ctx;
        libxl__store *st;

        if (libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &r->logger))
            _exit(2);
        st = libxl__store_files_open(ctx);
        for (i = 0; i < EACH; i++)
            if (!st || st->ops->create(st, INVALID_DOMID, &domid) ||
                st->ops->write(st, domid, "domain", "{}"))
                _exit(3);
        _exit(0);
    }
    for (i = 0; i < EACH; i++) {
        assert_int_equal(r->st->ops->create(r->st, INVALID_DOMID, &domid), 0);
        assert_int_equal(r->st->ops->write(r->st, domid, "domain", "{}"), 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(count_listed(r), 2 * EACH);
}

/* ---- the directory ---- */

static void a_directory_that_others_write_to_is_refused(void **state)
{
    struct store_rig *r = *state;

    assert_int_equal(mkdir(store_rig_path(r, "open"), 0700), 0);
    assert_int_equal(chmod(store_rig_path(r, "open"), 0777), 0);
    setenv("XL_STATE_DIR", store_rig_path(r, "open"), 1);
    assert_null(libxl__store_files_open(r->ctx));
    assert_non_null(strstr(r->log, "not safe"));
}

static void a_directory_that_cannot_be_is_named(void **state)
{
    struct store_rig *r = *state;

    setenv("XL_STATE_DIR", "/proc/nowhere", 1);
    assert_null(libxl__store_files_open(r->ctx));
    assert_non_null(strstr(r->log, "/proc/nowhere"));
}

/* ---- locks ---- */

static void the_second_operation_is_told_who_is_busy(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r);
    libxl__domain_lock *a, *b;
    char expected[64];

    assert_int_equal(libxl__domain_lock_take(r->st, domid, "save", false, &a),
                     0);
    assert_int_equal(
        libxl__domain_lock_take(r->st, domid, "pause", false, &b),
        ERROR_LOCK_FAIL);
    assert_null(b);
    snprintf(expected, sizeof(expected), "busy: save by pid %ld",
             (long)getpid());
    assert_string_equal(r->log, expected);
    libxl__domain_lock_release(a);
    assert_int_equal(libxl__domain_lock_take(r->st, domid, "pause", true, &b),
                     0);
    libxl__domain_lock_release(b);
}

static void a_lock_ends_with_its_process(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r);
    libxl__domain_lock *lock;
    int fds[2], status;
    char byte = 0;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (!pid) {
        byte = libxl__domain_lock_take(r->st, domid, "save", true, &lock)
                   ? 'n'
                   : 'y';
        if (write(fds[1], &byte, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(libxl__domain_lock_take(r->st, domid, "x", true, &lock),
                     ERROR_LOCK_FAIL);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    assert_int_equal(libxl__domain_lock_take(r->st, domid, "x", true, &lock),
                     0);
    libxl__domain_lock_release(lock);
    close(fds[0]);
    close(fds[1]);
}

/* Makes domains, each of which must be there when it has been made. */
static int make_many(struct store_rig *r)
{
    libxl__domain_lock *lock;
    uint32_t domid;
    int i;

    for (i = 0; i < 100; i++) {
        if (r->st->ops->create(r->st, INVALID_DOMID, &domid) ||
            libxl__domain_lock_take(r->st, domid, "create", true, &lock) ||
            r->st->ops->write(r->st, domid, "run", "{}\n"))
            return 1;
        r->st->ops->remove(r->st, domid);
        libxl__domain_lock_release(lock);
    }
    return 0;
}

static void creates_do_not_sweep_each_other(void **state)
{
    enum { PROCESSES = 4 };
    struct store_rig *r = *state;
    pid_t pids[PROCESSES];
    int i, status, failed = 0;

    for (i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (!pids[i])
            _exit(make_many(r));
    }
    for (i = 0; i < PROCESSES; i++) {
        waitpid(pids[i], &status, 0);
        failed += !WIFEXITED(status) || WEXITSTATUS(status);
    }
    assert_int_equal(failed, 0);
}

static void an_outdated_lock_removes_no_new_domain(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r), again;
    libxl__domain_lock *old, *new;
    char *text;

    assert_int_equal(libxl__domain_lock_try(r->st, domid, "sweep", &old), 0);
    assert_int_equal(r->st->ops->remove(r->st, domid), 0);
    assert_int_equal(r->st->ops->create(r->st, domid, &again), 0);
    assert_int_equal(
        libxl__domain_lock_take(r->st, domid, "create", false, &new), 0);
    assert_int_equal(r->st->ops->write(r->st, domid, "run", "{}"), 0);

    assert_int_equal(libxl__store_files_remove_locked(old), 0);
    assert_int_equal(r->st->ops->read(r->st, domid, "run", &text), 0);
    free(text);
    libxl__domain_lock_release(old);
    libxl__domain_lock_release(new);
}

static void a_removed_domain_cannot_be_locked(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r);
    libxl__domain_lock *lock;

    assert_int_equal(r->st->ops->remove(r->st, domid), 0);
    assert_int_equal(
        libxl__domain_lock_take(r->st, domid, "save", false, &lock),
        ERROR_DOMAIN_NOTFOUND);
}

static void the_makers_lock_passes_to_its_taker(void **state)
{
    struct store_rig *r = *state;
    libxl__domain_lock *a, *b;
    uint32_t domid;

    assert_int_equal(r->st->ops->create(r->st, INVALID_DOMID, &domid), 0);
    assert_int_equal(libxl__domain_lock_take(r->st, domid, "create", true, &a),
                     0);
    assert_int_equal(libxl__domain_lock_take(r->st, domid, "other", true, &b),
                     ERROR_LOCK_FAIL);
    libxl__domain_lock_release(a);
}

/* ---- the record "run" ---- */

static void run_states_are_read_back(void **state)
{
    static const struct libxl__run_record records[] = {
        { LIBXL__RUN_PAUSED, false, LIBXL_SHUTDOWN_REASON_UNKNOWN, false },
        { LIBXL__RUN_RUNNING, false, LIBXL_SHUTDOWN_REASON_UNKNOWN, false },
        { LIBXL__RUN_SUSPENDED, true, LIBXL_SHUTDOWN_REASON_UNKNOWN, true },
        { LIBXL__RUN_SHUTDOWN, false, LIBXL_SHUTDOWN_REASON_REBOOT, false },
    };
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r);
    struct libxl__run_record back;
    size_t i;

    assert_int_equal(libxl__run_record_read(r->st, domid, &back),
                     ERROR_NOTFOUND);
    assert_int_equal(back.state, LIBXL__RUN_PAUSED);
    for (i = 0; i < sizeof(records) / sizeof(*records); i++) {
        assert_int_equal(libxl__run_record_write(r->st, domid, &records[i]), 0);
        assert_int_equal(libxl__run_record_read(r->st, domid, &back), 0);
        assert_int_equal(back.state, records[i].state);
        assert_int_equal(back.was_running, records[i].was_running);
        assert_int_equal(back.reason, records[i].reason);
        assert_int_equal(back.state_taken, records[i].state_taken);
    }
    assert_int_equal(r->st->ops->write(r->st, domid, "run", "{\"state\":1}"),
                     0);
    assert_int_equal(libxl__run_record_read(r->st, domid, &back), ERROR_FAIL);
}

static void a_reboot_wish_is_taken_once(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r);

    assert_false(libxl__reboot_wish_take(r->st, domid));
    assert_int_equal(libxl__reboot_wish_set(r->st, domid), 0);
    assert_true(libxl__reboot_wish_take(r->st, domid));
    assert_false(libxl__reboot_wish_take(r->st, domid));
}

static void an_old_wish_does_not_count(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid = store_rig_domain(r);
    char *text;

    assert_int_equal(r->st->ops->write(r->st, domid, "wish",
                                       "{\"wish\":\"reboot\",\"at\":1000}"),
                     0);
    assert_false(libxl__reboot_wish_take(r->st, domid));
    assert_int_equal(r->st->ops->read(r->st, domid, "wish", &text),
                     ERROR_NOTFOUND);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, store_rig_open, \
                                                store_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_is_read_back),
        TEST(a_missing_domain_is_not_found),
        TEST(a_record_that_is_no_file_is_refused),
        TEST(a_failed_write_keeps_the_old_record),
        TEST(domids_go_up_and_are_not_reused),
        TEST(a_wanted_domid_is_kept_or_refused),
        TEST(what_a_killed_create_left_is_swept),
        TEST(a_create_that_still_runs_is_not_swept),
        TEST(two_processes_never_share_a_domid),
        TEST(a_directory_that_others_write_to_is_refused),
        TEST(a_directory_that_cannot_be_is_named),
        TEST(the_second_operation_is_told_who_is_busy),
        TEST(a_lock_ends_with_its_process),
        TEST(creates_do_not_sweep_each_other),
        TEST(an_outdated_lock_removes_no_new_domain),
        TEST(a_removed_domain_cannot_be_locked),
        TEST(the_makers_lock_passes_to_its_taker),
        TEST(run_states_are_read_back),
        TEST(a_reboot_wish_is_taken_once),
        TEST(an_old_wish_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
