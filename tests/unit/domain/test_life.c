/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_life.c - a domain's life through the public interface, on the fake host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/dom_rig.h"
#include "host/fake_guest.h"
#include "store/domain_record.h"

static struct dom_rig rig;

static int setup(void **state)
{
    if (dom_rig_init(&rig))
        return -1;
    dom_rig_open(&rig);
    return 0;
}

static int teardown(void **state)
{
    dom_rig_dispose(&rig);
    return 0;
}

static libxl__store *store(void)
{
    libxl__host *h = libxl__host_get(rig.ctx);

    return h->ops->store(h);
}

static void pause_and_unpause_can_be_said_twice(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    int i;

    for (i = 0; i < 2; i++)
        assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    for (i = 0; i < 2; i++)
        assert_int_equal(libxl_domain_pause(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "paused");
}

static void a_domain_that_is_not_there_is_an_error(void **state)
{
    libxl_dominfo info;

    assert_int_equal(libxl_domain_info(rig.ctx, &info, 77),
                     ERROR_DOMAIN_NOTFOUND);
    assert_string_equal(rig.log, "");
    assert_int_equal(libxl_domain_pause(rig.ctx, 77, NULL),
                     ERROR_DOMAIN_NOTFOUND);
    assert_int_equal(libxl_domain_destroy(rig.ctx, 77, NULL),
                     ERROR_DOMAIN_NOTFOUND);
    assert_true(dom_rig_logged(&rig, "no domain with this id"));
}

static void a_domain_is_found_by_number_name_and_uuid(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one"), found;
    libxl_dominfo info;
    libxl__gc gc;
    char *text;

    assert_int_equal(libxl_domain_info(rig.ctx, &info, domid), 0);
    libxl__gc_init(&gc, rig.ctx);
    text = libxl__uuid_text(&gc, &info.uuid);
    assert_int_equal(libxl_domain_qualifier_to_domid(rig.ctx, text, &found), 0);
    assert_int_equal(found, domid);
    assert_int_equal(libxl_domain_qualifier_to_domid(rig.ctx, "one", &found),
                     0);
    assert_int_equal(found, domid);
    text = libxl__sprintf(&gc, "%u", domid);
    assert_int_equal(libxl_domain_qualifier_to_domid(rig.ctx, text, &found), 0);
    assert_int_equal(found, domid);
    assert_int_equal(libxl_name_to_domid(rig.ctx, "two", &found),
                     ERROR_DOMAIN_NOTFOUND);
    libxl_dominfo_dispose(&info);
    libxl__gc_dispose(&gc);
}

/* Renames the domain in a process of its own, when go is closed. */
static pid_t start_rename(uint32_t domid, int go[2])
{
    pid_t pid = fork();
    char byte;

    assert_true(pid >= 0);
    if (pid)
        return pid;
    close(go[1]);
    dom_rig_open(&rig);
    if (read(go[0], &byte, 1) < 0)
        _exit(2);
    _exit(libxl_domain_rename(rig.ctx, domid, NULL, "wanted") ? 1 : 0);
}

static void two_renames_at_once_do_not_share_a_name(void **state)
{
    uint32_t domid[2] = {dom_rig_create(&rig, "a"), dom_rig_create(&rig, "b")};
    int go[2], status, won, round, i;
    pid_t pid[2];

    for (round = 0; round < 25; round++) {
        assert_int_equal(pipe(go), 0);
        dom_rig_close(&rig);
        for (i = 0; i < 2; i++)
            pid[i] = start_rename(domid[i], go);
        close(go[0]);
        close(go[1]);
        for (i = won = 0; i < 2; i++) {
            assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
            won += WIFEXITED(status) && !WEXITSTATUS(status);
        }
        dom_rig_open(&rig);
        assert_true(won <= 1);
        libxl_domain_rename(rig.ctx, domid[0], NULL, "a");
        libxl_domain_rename(rig.ctx, domid[1], NULL, "b");
    }
}

static void rename_changes_record_and_configuration(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    libxl_domain_config config;
    char *name;

    dom_rig_create(&rig, "two");
    assert_int_equal(libxl_domain_rename(rig.ctx, domid, "one", "two"),
                     ERROR_INVAL);
    assert_int_equal(libxl_domain_rename(rig.ctx, domid, "zero", "three"),
                     ERROR_INVAL);
    assert_int_equal(libxl_domain_rename(rig.ctx, domid, "one", "three"), 0);
    name = libxl_domid_to_name(rig.ctx, domid);
    assert_string_equal(name, "three");
    free(name);
    assert_int_equal(
        libxl_retrieve_domain_configuration(rig.ctx, domid, &config, NULL), 0);
    assert_string_equal(config.c_info.name, "three");
    libxl_domain_config_dispose(&config);
}

static void a_uuid_in_use_is_refused(void **state)
{
    libxl_domain_config config;
    uint32_t domid;

    dom_rig_config(&config, "one");
    assert_int_equal(
        libxl_domain_create_new(rig.ctx, &config, &domid, NULL, NULL), 0);
    free(config.c_info.name);
    config.c_info.name = strdup("two");
    assert_int_equal(
        libxl_domain_create_new(rig.ctx, &config, &domid, NULL, NULL),
        ERROR_INVAL);
    assert_true(dom_rig_logged(&rig, "uuid"));
    assert_int_equal(dom_rig_count(&rig), 1);
    libxl_domain_config_dispose(&config);
}

static void a_guest_counts_as_never_started_until_it_runs(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    libxl_dominfo info;

    assert_int_equal(libxl_domain_info(rig.ctx, &info, domid), 0);
    assert_true(info.never_started);
    assert_int_equal(info.cpu_time, 0);
    libxl_dominfo_dispose(&info);
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_int_equal(libxl_domain_info(rig.ctx, &info, domid), 0);
    assert_false(info.never_started);
    libxl_dominfo_dispose(&info);
}

static void suspend_to_an_fd_leaves_it_suspended_till_resume(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    int fd = memfd_create("stream", MFD_CLOEXEC);

    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_int_equal(libxl_domain_suspend(rig.ctx, domid, fd, 0, NULL, NULL),
                     0);
    assert_string_equal(dom_rig_state(&rig, domid), "shutdown");
    assert_false(dom_rig_record(&rig, domid, "journal"));
    assert_true(lseek(fd, 0, SEEK_END) > 1 << 20);
    assert_int_equal(libxl_domain_resume(rig.ctx, domid, 1, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    close(fd);
}

static void the_ends_of_a_domain_are_reported(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    libxl_evgen_domain_death *watch;
    libxl_event *event;

    assert_int_equal(libxl_evenable_domain_death(rig.ctx, domid, 42, &watch),
                     0);
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_int_equal(libxl_domain_shutdown(rig.ctx, domid, NULL), 0);
    assert_int_equal(
        libxl_event_wait(rig.ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL), 0);
    assert_int_equal(event->type, LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN);
    assert_int_equal(event->domid, domid);
    assert_int_equal(event->for_user, 42);
    libxl_event_free(rig.ctx, event);
    assert_int_equal(libxl_domain_destroy(rig.ctx, domid, NULL), 0);
    assert_int_equal(
        libxl_event_wait(rig.ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL), 0);
    assert_int_equal(event->type, LIBXL_EVENT_TYPE_DOMAIN_DEATH);
    libxl_event_free(rig.ctx, event);
    libxl_evdisable_domain_death(rig.ctx, watch);
}

static void save_done(libxl_ctx *ctx, int rc, void *for_callback)
{
    *(int *)for_callback = rc;
}

static void destroy_overrides_a_running_save(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    libxl_save_how how = {.path = dom_rig_path(&rig, "fifo"), .fd = -1};
    int saved = 1, destroyed = 1;
    const libxl_asyncop_how save_ao = {.callback = save_done,
                                       .u.for_callback = &saved};
    const libxl_asyncop_how destroy_ao = {.callback = save_done,
                                          .u.for_callback = &destroyed};
    libxl_event *event;

    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    libxl__host_fake_hang(libxl__host_get(rig.ctx), "dm_save");
    how.path = dom_rig_path(&rig, "image");
    assert_int_equal(libxl_domain_save_file(rig.ctx, domid, &how, &save_ao), 0);
    while (strcmp(dom_rig_state(&rig, domid), "shutdown")) {
        libxl_event_check(rig.ctx, &event, 0, NULL, NULL);
        usleep(1000);
    }
    assert_int_equal(libxl_domain_destroy(rig.ctx, domid, &destroy_ao), 0);
    usleep(1000);
    /* the guest has ended under its feet; a real host's call then fails */
    libxl_ao_abort(rig.ctx, &save_ao);
    while (saved == 1 || destroyed == 1) {
        libxl_event_check(rig.ctx, &event, 0, NULL, NULL);
        usleep(1000);
    }
    assert_int_equal(destroyed, 0);
    assert_int_not_equal(saved, 0);
    assert_int_equal(dom_rig_count(&rig), 0);
    assert_int_equal(dom_rig_files(&rig), 0);
}

static void a_guest_of_an_earlier_boot_is_swept(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    struct libxl__domain_record rec;
    libxl__gc gc;

    libxl__gc_init(&gc, rig.ctx);
    assert_int_equal(libxl__domain_record_read(store(), &gc, domid, &rec), 0);
    rec.qemu_json =
        (char *)"{\"boot_id\": \"00000000-1111-2222-3333-444444444444\","
                "\"pid\": 1, \"start_time\": 1}";
    assert_int_equal(libxl__domain_record_write(store(), &gc, &rec), 0);
    libxl__gc_dispose(&gc);
    assert_int_equal(dom_rig_count(&rig), 0);
    assert_true(dom_rig_logged(&rig, "ended when this host went down"));
}

static void let_go(libxl_ctx *ctx, int rc, void *for_callback)
{
    *(int *)for_callback = rc;
}

static void an_operation_waits_for_the_keeper_s_lock(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    libxl__domain_lock *lock;
    int rc = 1, i;
    const libxl_asyncop_how ao = {.callback = let_go, .u.for_callback = &rc};
    libxl_event *event;

    assert_int_equal(
        libxl__domain_lock_take(store(), domid, "keeper", false, &lock), 0);
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, &ao), 0);
    for (i = 0; i < 100; i++) {
        libxl_event_check(rig.ctx, &event, 0, NULL, NULL);
        usleep(1000);
    }
    assert_int_equal(rc, 1);
    libxl__domain_lock_release(lock);
    while (rc == 1) {
        libxl_event_check(rig.ctx, &event, 0, NULL, NULL);
        usleep(1000);
    }
    assert_int_equal(rc, 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_string_equal(rig.log, "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pause_and_unpause_can_be_said_twice),
        TEST(a_domain_that_is_not_there_is_an_error),
        TEST(a_domain_is_found_by_number_name_and_uuid),
        TEST(rename_changes_record_and_configuration),
        TEST(two_renames_at_once_do_not_share_a_name),
        TEST(a_uuid_in_use_is_refused),
        TEST(a_guest_counts_as_never_started_until_it_runs),
        TEST(suspend_to_an_fd_leaves_it_suspended_till_resume),
        TEST(the_ends_of_a_domain_are_reported),
        TEST(destroy_overrides_a_running_save),
        TEST(a_guest_of_an_earlier_boot_is_swept),
        TEST(an_operation_waits_for_the_keeper_s_lock),
    };

    return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
