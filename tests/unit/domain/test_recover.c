/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_recover.c - a domain is found with a journal at each step of a save, a
 * create and a migration: what recovery makes of it, and of the files.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/dom_rig.h"
#include "host/fake_guest.h"
#include "migrate/journal.h"
#include "migrate/received.h"
#include "store/domain_record.h"
#include "store/run_record.h"

static struct dom_rig rig;
static uint32_t domid;

static libxl__store *store(void)
{
    libxl__host *h = libxl__host_get(rig.ctx);

    return h->ops->store(h);
}

/* A running guest that a save has suspended. */
static int setup(void **state)
{
    if (dom_rig_init(&rig))
        return -1;
    dom_rig_open(&rig);
    domid = dom_rig_create(&rig, "one");
    libxl_domain_unpause(rig.ctx, domid, NULL);
    return libxl__fake_guest_set(store(), domid, FAKE_PAUSED, FAKE_RUNNING);
}

static int teardown(void **state)
{
    dom_rig_dispose(&rig);
    return 0;
}

static void make_file(const char *name, struct libxl__journal *j)
{
    struct stat st;
    int fd = open(dom_rig_path(&rig, name), O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    if (j) {
        j->file_dev = st.st_dev;
        j->file_ino = st.st_ino;
    }
    close(fd);
}

static bool there(const char *name)
{
    return !access(dom_rig_path(&rig, name), F_OK);
}

static struct libxl__journal save_at(enum libxl__journal_step step,
                                     libxl_save_then then)
{
    struct libxl__journal j;

    assert_int_equal(libxl__journal_init(&j, JOURNAL_SAVE, step), 0);
    j.was_running = true;
    j.then = then;
    j.path = (char *)dom_rig_path(&rig, "image");
    j.temp_path = (char *)dom_rig_path(&rig, "temp");
    return j;
}

static int recover(const struct libxl__journal *j)
{
    libxl__gc gc;

    libxl__gc_init(&gc, rig.ctx);
    assert_int_equal(libxl__journal_write(store(), &gc, domid, j), 0);
    libxl__gc_dispose(&gc);
    return libxl_domain_recover(rig.ctx, domid, NULL);
}

static void assert_goes_on(void)
{
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_false(dom_rig_record(&rig, domid, "journal"));
}

static void writing_resumes_and_removes_the_file(void **state)
{
    struct libxl__journal j = save_at(JSTEP_WRITING, LIBXL_SAVE_THEN_DESTROY);

    make_file("temp", &j);
    assert_int_equal(recover(&j), 0);
    assert_goes_on();
    assert_false(there("temp"));
}

static void another_file_of_that_name_stays(void **state)
{
    struct libxl__journal j = save_at(JSTEP_WRITING, LIBXL_SAVE_THEN_DESTROY);

    make_file("temp", NULL);
    assert_int_equal(recover(&j), 0);
    assert_goes_on();
    assert_true(there("temp"));
}

static void committed_before_the_rename_resumes(void **state)
{
    struct libxl__journal j = save_at(JSTEP_COMMITTED, LIBXL_SAVE_THEN_DESTROY);

    make_file("temp", &j);
    make_file("image", NULL); /* an older one: not ours */
    assert_int_equal(recover(&j), 0);
    assert_goes_on();
    assert_false(there("temp"));
    assert_true(there("image"));
}

static void committed_after_the_rename_is_finished(void **state)
{
    struct libxl__journal j = save_at(JSTEP_COMMITTED, LIBXL_SAVE_THEN_DESTROY);

    make_file("image", &j);
    assert_int_equal(recover(&j), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "gone");
    assert_true(there("image"));
}

static void a_file_taken_away_is_a_question(void **state)
{
    struct libxl__journal j = save_at(JSTEP_COMMITTED, LIBXL_SAVE_THEN_DESTROY);

    assert_int_equal(recover(&j), ERROR_NOT_READY);
    assert_true(dom_rig_logged(&rig, "no longer there"));
    assert_string_equal(dom_rig_state(&rig, domid), "shutdown");
    /* another operation asks the same, and changes nothing */
    assert_int_equal(libxl_domain_pause(rig.ctx, domid, NULL), ERROR_NOT_READY);
    assert_true(dom_rig_record(&rig, domid, "journal"));
    /* and the user answers */
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_goes_on();
}

static void saved_is_finished_as_asked_for(void **state)
{
    struct libxl__journal j = save_at(JSTEP_SAVED, LIBXL_SAVE_THEN_PAUSE);

    assert_int_equal(recover(&j), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "paused");
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    j = save_at(JSTEP_SAVED, LIBXL_SAVE_THEN_RESUME);
    assert_int_equal(
        libxl__fake_guest_set(store(), domid, FAKE_PAUSED, FAKE_RUNNING), 0);
    assert_int_equal(recover(&j), 0);
    assert_goes_on();
    j = save_at(JSTEP_SAVED, LIBXL_SAVE_THEN_DESTROY);
    assert_int_equal(recover(&j), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "gone");
}

static void a_paused_guest_stays_paused(void **state)
{
    struct libxl__journal j = save_at(JSTEP_WRITING, LIBXL_SAVE_THEN_DESTROY);

    assert_int_equal(
        libxl__fake_guest_set(store(), domid, FAKE_PAUSED, FAKE_PAUSED), 0);
    assert_int_equal(recover(&j), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "paused");
}

static const char *name_of_guest(void)
{
    static char name[64];
    char *text = libxl_domid_to_name(rig.ctx, domid);

    snprintf(name, sizeof(name), "%s", text ? text : "");
    free(text);
    return name;
}

/* It may be started again, by on_crash. */
static void a_guest_that_has_ended_gets_its_name_back(void **state)
{
    struct libxl__journal j;

    assert_int_equal(
        libxl_domain_rename(rig.ctx, domid, NULL, "one--migratedaway"), 0);
    assert_int_equal(
        libxl__fake_guest_set(store(), domid, FAKE_SHUTDOWN, FAKE_NONE), 0);
    libxl__journal_init(&j, JOURNAL_SEND, JSTEP_GIVEN_BACK);
    j.name = (char *)"one";
    assert_int_equal(recover(&j), 0);
    assert_string_equal(name_of_guest(), "one");
}

/* The journal that would say the name cannot be read; the user lets it run. */
static void a_guest_with_a_damaged_journal_runs_under_its_own_name(void **state)
{
    assert_int_equal(libxl_domain_rename(rig.ctx, domid, NULL, "one--incoming"),
                     0);
    assert_int_equal(
        store()->ops->write(store(), domid, "journal", "{\"format\": 7}"), 0);
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_goes_on();
    assert_string_equal(name_of_guest(), "one");
}

/* Then it may be the other end of a migration on this host. */
static void a_damaged_journal_of_a_guest_whose_name_is_taken_stays(void **state)
{
    assert_int_equal(libxl_domain_rename(rig.ctx, domid, NULL, "one--incoming"),
                     0);
    dom_rig_create(&rig, "one");
    assert_int_equal(
        store()->ops->write(store(), domid, "journal", "{\"format\": 7}"), 0);
    assert_int_not_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_string_not_equal(dom_rig_state(&rig, domid), "running");
    assert_true(dom_rig_record(&rig, domid, "journal"));
    assert_true(dom_rig_logged(&rig, "exists already"));
}

static void a_half_built_domain_goes(void **state)
{
    struct libxl__journal j;

    libxl__journal_init(&j, JOURNAL_RESTORE, JSTEP_BUILDING);
    assert_int_equal(recover(&j), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "gone");
}

static void a_migration_behind_go_is_a_question(void **state)
{
    struct libxl__journal j;

    libxl__journal_init(&j, JOURNAL_SEND, JSTEP_GO);
    j.peer = (char *)"host2";
    assert_int_equal(recover(&j), ERROR_NOT_READY);
    assert_true(dom_rig_record(&rig, domid, "journal"));
    assert_int_equal(libxl_domain_destroy(rig.ctx, domid, NULL), 0);
    assert_int_equal(dom_rig_count(&rig), 0);
}

/* ---- a receiver ---- */

#define UUID "11111111-2222-4333-8444-555555555555"
#define ID "00112233445566778899aabbccddeeff"

static struct libxl__journal receive_at(enum libxl__journal_step step)
{
    struct libxl__journal j;

    assert_int_equal(libxl__journal_init(&j, JOURNAL_RECEIVE, step), 0);
    j.was_running = true;
    j.name = (char *)"arrived";
    j.peer_uuid = (char *)UUID;
    j.migration = (char *)ID;
    return j;
}

static bool marked(void)
{
    enum libxl__received mark;

    assert_int_equal(libxl__received_look(store(), UUID, ID, &mark), 0);
    return mark == LIBXL__RECEIVED_YES;
}

static void a_copy_that_go_has_reached_runs_and_is_marked(void **state)
{
    struct libxl__journal j = receive_at(JSTEP_GO);

    assert_int_equal(recover(&j), 0);
    assert_goes_on();
    assert_true(marked());
}

static void a_copy_that_died_before_it_ran_is_given_up(void **state)
{
    const struct libxl__fake_guest dead = {
        .state = FAKE_SHUTDOWN,
        .reason = LIBXL_SHUTDOWN_REASON_CRASH,
    };
    struct libxl__journal j = receive_at(JSTEP_GO);
    struct libxl__domain_record rec;
    libxl__gc gc;

    libxl__gc_init(&gc, rig.ctx);
    assert_int_equal(libxl__domain_record_read(store(), &gc, domid, &rec), 0);
    rec.never_started = true;
    assert_int_equal(libxl__domain_record_write(store(), &gc, &rec), 0);
    libxl__gc_dispose(&gc);
    assert_int_equal(libxl__received_set(store(), UUID, ID), 0);
    assert_int_equal(libxl__fake_guest_write(store(), domid, &dead), 0);
    assert_int_equal(recover(&j), 0);
    assert_int_equal(dom_rig_count(&rig), 0);
    assert_false(marked());
}

/* Its sender may ask when the guest has long been gone from here. */
static void a_copy_that_the_user_runs_is_marked(void **state)
{
    struct libxl__journal j = receive_at(JSTEP_READY);

    assert_int_equal(recover(&j), ERROR_NOT_READY);
    assert_false(marked());
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_goes_on();
    assert_true(marked());
}

/* Else its sender would hear "ran", and end the only copy. */
static void a_copy_that_is_given_up_is_not_marked(void **state)
{
    struct libxl__journal j = receive_at(JSTEP_GIVEN_UP);

    assert_int_equal(libxl__received_set(store(), UUID, ID), 0);
    assert_int_equal(recover(&j), 0);
    assert_int_equal(dom_rig_count(&rig), 0);
    assert_false(marked());
}

/* Which of the guest's migrations it was, is told apart. */
static void marks_of_other_migrations_stay(void **state)
{
    static char ids[LIBXL__RECEIVED_MAX + 1][33];
    enum libxl__received mark;

    for (unsigned i = 0; i <= LIBXL__RECEIVED_MAX; i++) {
        snprintf(ids[i], sizeof(ids[i]), "%032x", i);
        assert_int_equal(libxl__received_look(store(), UUID, ids[i], &mark), 0);
        assert_int_equal(mark, LIBXL__RECEIVED_NO);
        assert_int_equal(libxl__received_set(store(), UUID, ids[i]), 0);
        assert_int_equal(libxl__received_set(store(), UUID, ids[i]), 0);
    }
    for (unsigned i = 1; i <= LIBXL__RECEIVED_MAX; i++) {
        assert_int_equal(libxl__received_look(store(), UUID, ids[i], &mark), 0);
        assert_int_equal(mark, LIBXL__RECEIVED_YES);
    }
    /* the oldest is forgotten, and not taken for one that never was */
    assert_int_equal(libxl__received_look(store(), UUID, ids[0], &mark), 0);
    assert_int_equal(mark, LIBXL__RECEIVED_UNKNOWN);
    assert_int_equal(libxl__received_clear(store(), UUID, ids[7]), 0);
    assert_int_equal(libxl__received_look(store(), UUID, ids[7], &mark), 0);
    assert_int_equal(mark, LIBXL__RECEIVED_NO);
    assert_int_equal(libxl__received_look(store(), UUID, ids[8], &mark), 0);
    assert_int_equal(mark, LIBXL__RECEIVED_YES);
    /* one that began, and did not come, is known for what it is */
    assert_int_equal(libxl__received_begin(store(), UUID, ID), 0);
    assert_int_equal(libxl__received_look(store(), UUID, ID, &mark), 0);
    assert_int_equal(mark, LIBXL__RECEIVED_NO);
    assert_int_equal(libxl__received_set(store(), UUID, ID), 0);
    assert_int_equal(libxl__received_begin(store(), UUID, ID), 0);
    assert_int_equal(libxl__received_look(store(), UUID, ID, &mark), 0);
    assert_int_equal(mark, LIBXL__RECEIVED_YES);
}

static void a_damaged_journal_is_left_to_the_user(void **state)
{
    assert_int_equal(
        store()->ops->write(store(), domid, "journal", "{\"format\": 9}\n"), 0);
    assert_int_equal(libxl_domain_recover(rig.ctx, domid, NULL),
                     ERROR_NOT_READY);
    assert_string_equal(dom_rig_state(&rig, domid), "shutdown");
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_goes_on();
}

static void a_destroy_that_was_cut_is_ended(void **state)
{
    struct libxl__journal j;

    libxl__journal_init(&j, JOURNAL_DESTROY, JSTEP_DONE);
    j.then = LIBXL_SAVE_THEN_DESTROY;
    assert_int_equal(recover(&j), 0);
    assert_int_equal(dom_rig_count(&rig), 0);
}

/* The keeper finds the end of the old guest once more. */
static void a_restart_that_was_cut_has_not_begun(void **state)
{
    struct libxl__run_record run;
    struct libxl__journal j;

    libxl__journal_init(&j, JOURNAL_RESTART, JSTEP_BUILDING);
    j.reason = LIBXL_SHUTDOWN_REASON_WATCHDOG;
    assert_int_equal(recover(&j), 0);
    assert_false(dom_rig_record(&rig, domid, "journal"));
    assert_false(dom_rig_record(&rig, domid, "fake"));
    assert_int_equal(libxl__run_record_read(store(), domid, &run), 0);
    assert_int_equal(run.state, LIBXL__RUN_SHUTDOWN);
    assert_int_equal(run.reason, LIBXL_SHUTDOWN_REASON_WATCHDOG);
}

static void destroy_at(enum libxl__journal_step step)
{
    struct libxl__journal j = save_at(step, LIBXL_SAVE_THEN_DESTROY);
    libxl__gc gc;

    make_file("temp", &j);
    libxl__gc_init(&gc, rig.ctx);
    assert_int_equal(libxl__journal_write(store(), &gc, domid, &j), 0);
    libxl__gc_dispose(&gc);
    assert_int_equal(libxl_domain_destroy(rig.ctx, domid, NULL), 0);
    assert_false(there("temp"));
    assert_int_equal(dom_rig_count(&rig), 0);
}

static void destroy_removes_the_unfinished_file(void **state)
{
    destroy_at(JSTEP_WRITING);
}

static void destroy_removes_a_file_that_has_no_name_yet(void **state)
{
    destroy_at(JSTEP_COMMITTED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(writing_resumes_and_removes_the_file),
        TEST(another_file_of_that_name_stays),
        TEST(committed_before_the_rename_resumes),
        TEST(committed_after_the_rename_is_finished),
        TEST(a_file_taken_away_is_a_question),
        TEST(saved_is_finished_as_asked_for),
        TEST(a_paused_guest_stays_paused),
        TEST(a_guest_that_has_ended_gets_its_name_back),
        TEST(a_guest_with_a_damaged_journal_runs_under_its_own_name),
        TEST(a_damaged_journal_of_a_guest_whose_name_is_taken_stays),
        TEST(a_half_built_domain_goes),
        TEST(a_migration_behind_go_is_a_question),
        TEST(a_damaged_journal_is_left_to_the_user),
        TEST(a_copy_that_go_has_reached_runs_and_is_marked),
        TEST(a_copy_that_died_before_it_ran_is_given_up),
        TEST(a_copy_that_the_user_runs_is_marked),
        TEST(a_copy_that_is_given_up_is_not_marked),
        TEST(marks_of_other_migrations_stay),
        TEST(a_destroy_that_was_cut_is_ended),
        TEST(a_restart_that_was_cut_has_not_begun),
        TEST(destroy_removes_the_unfinished_file),
        TEST(destroy_removes_a_file_that_has_no_name_yet),
    };

    return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
