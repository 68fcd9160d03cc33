/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_late.c - a guest was told to suspend, and does so when its save has been
 * given up: somebody has to find it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/dom_rig.h"
#include "host/fake_guest.h"

#define DEADLINE_S 120

static struct dom_rig rig;
static uint32_t domid;

/* A guest that runs, behind a save that gave it up. */
static int setup(void **state)
{
    libxl_save_how how = {.fd = -1};

    if (dom_rig_init(&rig))
        return -1;
    dom_rig_open(&rig);
    domid = dom_rig_create(&rig, "one");
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    how.path = dom_rig_path(&rig, "image");
    libxl__host_fake_late(libxl__host_get(rig.ctx), true);
    assert_int_not_equal(libxl_domain_save_file(rig.ctx, domid, &how, NULL), 0);
    libxl__host_fake_late(libxl__host_get(rig.ctx), false);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_int_equal(dom_rig_files(&rig), 0);
    return 0;
}

static int setup_kept(void **state)
{
    setenv("XL_FAKE_KEEPER", "1", 1);
    setenv("XL_FAKE_POLL", "1", 1);
    return setup(state);
}

static int teardown(void **state)
{
    libxl_domain_destroy(rig.ctx, domid, NULL);
    dom_rig_dispose(&rig);
    unsetenv("XL_FAKE_KEEPER");
    unsetenv("XL_FAKE_POLL");
    return 0;
}

static void suspend_it(void)
{
    libxl__host *h = libxl__host_get(rig.ctx);

    assert_int_equal(libxl__fake_guest_set(h->ops->store(h), domid, FAKE_PAUSED,
                                           FAKE_RUNNING),
                     0);
}

static void wait_until_it_runs(void)
{
    time_t end = time(NULL) + DEADLINE_S;
    struct timespec ts = {.tv_nsec = 5000000};

    while (strcmp(dom_rig_state(&rig, domid), "running") && time(NULL) < end)
        nanosleep(&ts, NULL);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
}

static void recover_waits_for_it_and_then_resumes_it(void **state)
{
    assert_int_equal(libxl_domain_recover(rig.ctx, domid, NULL), 0);
    assert_true(dom_rig_logged(&rig, "has not done so yet"));
    assert_true(dom_rig_record(&rig, domid, "journal"));
    suspend_it();
    assert_int_equal(libxl_domain_recover(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_false(dom_rig_record(&rig, domid, "journal"));
}

static void another_toolstacks_suspension_is_left_alone(void **state)
{
    libxl__host_fake_asked(libxl__host_get(rig.ctx), true);
    suspend_it();
    assert_int_equal(libxl_domain_recover(rig.ctx, domid, NULL), 0);
    assert_string_not_equal(dom_rig_state(&rig, domid), "running");
    assert_false(dom_rig_record(&rig, domid, "journal"));
}

static void a_save_that_fails_before_it_asks_leaves_the_note(void **state)
{
    libxl_save_how how = {.fd = -1};
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    how.path = "-";
    how.fd = fds[1];
    assert_int_not_equal(libxl_domain_save_file(rig.ctx, domid, &how, NULL), 0);
    close(fds[1]);
    assert_true(dom_rig_record(&rig, domid, "journal"));
    suspend_it();
    assert_int_equal(libxl_domain_recover(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
}

static void the_next_operation_finds_it(void **state)
{
    suspend_it();
    assert_int_equal(libxl_domain_pause(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "paused");
    assert_false(dom_rig_record(&rig, domid, "journal"));
}

static void it_can_be_operated_on_until_then(void **state)
{
    assert_int_equal(libxl_domain_rename(rig.ctx, domid, NULL, "two"), 0);
    assert_int_equal(libxl_domain_pause(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "paused");
    assert_true(dom_rig_record(&rig, domid, "journal"));
}

static void a_save_that_goes_well_ends_the_wait(void **state)
{
    libxl_save_how how = {.fd = -1, .then = LIBXL_SAVE_THEN_RESUME};

    how.path = dom_rig_path(&rig, "image");
    assert_int_equal(libxl_domain_save_file(rig.ctx, domid, &how, NULL), 0);
    assert_false(dom_rig_record(&rig, domid, "journal"));
}

static void its_keeper_resumes_it(void **state)
{
    time_t end = time(NULL) + DEADLINE_S;

    assert_true(dom_rig_record(&rig, domid, "journal"));
    suspend_it();
    wait_until_it_runs();
    while (dom_rig_record(&rig, domid, "journal") && time(NULL) < end)
        ;
    assert_false(dom_rig_record(&rig, domid, "journal"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(recover_waits_for_it_and_then_resumes_it),
        TEST(another_toolstacks_suspension_is_left_alone),
        TEST(a_save_that_fails_before_it_asks_leaves_the_note),
        TEST(the_next_operation_finds_it),
        TEST(it_can_be_operated_on_until_then),
        TEST(a_save_that_goes_well_ends_the_wait),
        cmocka_unit_test_setup_teardown(its_keeper_resumes_it, setup_kept,
                                        teardown),
    };

    return cmocka_run_group_tests_name("late", tests, NULL, NULL);
}
