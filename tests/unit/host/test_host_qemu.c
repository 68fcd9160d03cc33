/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_host_qemu.c - the QEMU host's calls on real QEMUs: paused guests
 * without a kernel, SeaBIOS when they run. */
#include "host/host_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static libxl_dominfo info_of(struct host_rig *r, uint32_t domid)
{
    libxl_dominfo info;
    libxl__gc gc;

    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(r->h->ops->dominfo(r->h, &gc, domid, &info), 0);
    libxl__gc_dispose(&gc);
    free(info.name);
    info.name = NULL;
    return info;
}

static void create_leaves_a_paused_guest(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    libxl_dominfo info = info_of(r, domid);

    assert_true(info.paused);
    assert_true(info.never_started);
    assert_int_equal(info.cpu_time, 0);
    assert_string_equal(host_rig_status(r, domid), "prelaunch");
}

static void unpause_and_pause(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    libxl_dominfo info;

    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    assert_string_equal(host_rig_status(r, domid), "running");
    info = info_of(r, domid);
    assert_true(info.running || info.blocked);
    assert_false(info.never_started);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->pause), 0);
    assert_true(info_of(r, domid).paused);
    assert_string_equal(host_rig_status(r, domid), "paused");
}

static void resume_puts_back_what_suspend_found(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);

    assert_int_equal(host_rig_call(r, domid, r->h->ops->suspend), 0);
    assert_true(info_of(r, domid).shutdown);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->resume), 0);
    assert_true(info_of(r, domid).paused);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->suspend), 0);
    assert_string_equal(host_rig_status(r, domid), "paused");
    assert_int_equal(host_rig_call(r, domid, r->h->ops->resume), 0);
    assert_string_equal(host_rig_status(r, domid), "running");
    /* idempotent */
    assert_int_equal(host_rig_call(r, domid, r->h->ops->resume), 0);
    assert_string_equal(host_rig_status(r, domid), "running");
}

/* The record is written before QEMU is told: a kill in between. */
static void resume_ends_a_resume_that_was_killed(void **state)
{
    const struct libxl__run_record running = { .state = LIBXL__RUN_RUNNING };
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);

    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->suspend), 0);
    assert_int_equal(libxl__run_record_write(r->st, domid, &running), 0);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->resume), 0);
    assert_string_equal(host_rig_status(r, domid), "running");
}

/* QEMU lets a guest end so when it is reset by hand, and no keeper is there. */
static void a_guest_that_ended_is_not_suspended(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);

    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    host_rig_end_guest(r, domid);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->suspend), ERROR_FAIL);
    assert_int_equal(info_of(r, domid).shutdown_reason,
                     LIBXL_SHUTDOWN_REASON_POWEROFF);
    assert_int_equal(host_rig_call(r, domid, r->h->ops->resume), 0);
}

static void destroy_ends_qemu_and_is_idempotent(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    pid_t pid = host_rig_pid(r, domid);
    struct libxl__proc_id id;

    assert_int_equal(host_rig_destroy(r, domid), 0);
    assert_int_equal(libxl__proc_id_of(pid, &id), ERROR_NOTFOUND);
    assert_int_equal(host_rig_destroy(r, domid), 0);
    assert_true(info_of(r, domid).dying);
}

static void destroy_ends_a_qemu_that_does_not_answer(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    pid_t pid = host_rig_pid(r, domid);
    struct libxl__proc_id id;

    kill(pid, SIGSTOP);
    assert_int_equal(host_rig_destroy(r, domid), 0);
    assert_int_equal(libxl__proc_id_of(pid, &id), ERROR_NOTFOUND);
}

/* A xl that was killed right after it had started QEMU. */
static void destroy_finds_a_qemu_without_record(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    pid_t pid = host_rig_pid(r, domid);
    struct libxl__domain_record rec;
    struct libxl__proc_id id;
    libxl__gc gc;

    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(libxl__domain_record_read(r->st, &gc, domid, &rec), 0);
    rec.qemu_json = NULL;
    assert_int_equal(libxl__domain_record_write(r->st, &gc, &rec), 0);
    libxl__gc_dispose(&gc);
    assert_int_equal(host_rig_destroy(r, domid), 0);
    assert_int_equal(libxl__proc_id_of(pid, &id), ERROR_NOTFOUND);
}

/* ---- state out and in ---- */

static void copy_memory(struct host_rig *r, uint32_t from, uint32_t to)
{
    struct libxl__helper_guest a, b;
    static char buf[1 << 20];
    uint64_t at;

    assert_int_equal(r->h->ops->helper_guest(r->h, from, false, &a), 0);
    assert_int_equal(r->h->ops->helper_guest(r->h, to, false, &b), 0);
    for (at = 0; at < a.memory_bytes; at += sizeof(buf)) {
        assert_int_equal(pread(a.memory_fd, buf, sizeof(buf), (off_t)at),
                         sizeof(buf));
        assert_int_equal(pwrite(b.memory_fd, buf, sizeof(buf), (off_t)at),
                         sizeof(buf));
    }
    r->h->ops->helper_guest_done(r->h, &a);
    r->h->ops->helper_guest_done(r->h, &b);
}

static void state_goes_out_and_in(void **state)
{
    struct host_rig *r = *state;
    uint32_t from = host_rig_guest(r, false), to;
    int fd = memfd_create("state", MFD_CLOEXEC);
    struct stat st;

    assert_int_equal(host_rig_call(r, from, r->h->ops->unpause), 0);
    assert_int_equal(host_rig_call(r, from, r->h->ops->suspend), 0);
    assert_int_equal(host_rig_dm(r, from, fd, false), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_true(st.st_size > 4096 && st.st_size < (32 << 20));
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    to = host_rig_guest(r, true);
    copy_memory(r, from, to);
    assert_int_equal(host_rig_dm(r, to, fd, true), 0);
    assert_int_equal(host_rig_call(r, to, r->h->ops->unpause), 0);
    assert_string_equal(host_rig_status(r, to), "running");
    /* and the one that was saved can go on, too */
    assert_int_equal(host_rig_call(r, from, r->h->ops->resume), 0);
    assert_string_equal(host_rig_status(r, from), "running");
    close(fd);
}

static void a_paused_guest_is_saved_twice(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    int i;

    for (i = 0; i < 2; i++) {
        int fd = memfd_create("state", MFD_CLOEXEC);

        assert_int_equal(host_rig_call(r, domid, r->h->ops->suspend), 0);
        assert_int_equal(host_rig_dm(r, domid, fd, false), 0);
        assert_int_equal(host_rig_call(r, domid, r->h->ops->resume), 0);
        assert_true(info_of(r, domid).paused);
        close(fd);
    }
    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    assert_string_equal(host_rig_status(r, domid), "running");
}

static void bad_state_is_one_error(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, true);
    int fd = memfd_create("state", MFD_CLOEXEC);

    assert_int_equal(write(fd, "nonsense, not QEMU's state", 26), 26);
    assert_int_equal(host_rig_dm(r, domid, fd, true), ERROR_FAIL);
    assert_non_null(strstr(r->log, "could not load the device state"));
    assert_int_equal(r->errors, 1);
    close(fd);
}

/* ---- what can go wrong at the start ---- */

static void a_qemu_that_refuses_is_quoted(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;
    uint32_t domid;

    host_rig_config(r, &c);
    free(c.qemu_host.cpu_model);
    c.qemu_host.cpu_model = strdup("no-such-cpu");
    domid = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, domid, &c, false), ERROR_FAIL);
    assert_non_null(strstr(r->log, "QEMU did not start: "));
    assert_non_null(strstr(r->log, "no-such-cpu"));
    assert_int_equal(r->errors, 1);
    libxl_domain_config_dispose(&c);
}

static void a_machine_that_this_qemu_lacks_is_named(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;

    host_rig_config(r, &c);
    free(c.qemu_host.machine);
    c.qemu_host.machine = strdup("pc-q35-99.9");
    assert_int_equal(r->h->ops->check_config(r->h, &c, true), ERROR_INVAL);
    assert_non_null(strstr(r->log, "\"pc-q35-99.9\" is not known"));
    assert_int_equal(r->errors, 1);
    libxl_domain_config_dispose(&c);
}

static void a_qemu_killed_at_start_is_an_error(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;
    uint32_t domid;
    char *extra[] = { (char *)"-no-such-option", NULL };

    host_rig_config(r, &c);
    c.b_info.extra = extra;
    domid = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, domid, &c, false), ERROR_FAIL);
    assert_non_null(strstr(r->log, "no-such-option"));
    c.b_info.extra = NULL;
    libxl_domain_config_dispose(&c);
}

/* ---- asking ---- */

static void memory_is_mapped_and_tracked(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    struct libxl__helper_guest g;

    assert_int_equal(r->h->ops->helper_guest(r->h, domid, true, &g), 0);
    assert_int_equal(g.memory_bytes, 32 << 20);
    assert_true(g.qemu_va != 0);
    assert_true(g.memory_fd >= 0 && g.pagemap_fd >= 0 && g.uffd >= 0);
    r->h->ops->helper_guest_done(r->h, &g);
}

static void facts_name_what_programs_read(void **state)
{
    static const char *const keys[] = { "total_memory", "free_memory",
                                        "nr_cpus", "nr_nodes", "xen_major",
                                        "xen_minor", "cores_per_socket",
                                        "threads_per_core", "accelerator",
                                        "dirty_tracking", "qemu_version" };
    struct host_rig *r = *state;
    libxl_host_fact *facts;
    size_t k;
    int nr, i;

    assert_int_equal(r->h->ops->facts(r->h, &facts, &nr), 0);
    for (k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
        for (i = 0; i < nr && strcmp(facts[i].key, keys[k]); i++)
            continue;
        assert_true(i < nr);
        assert_true(facts[i].value[0] != '\0');
    }
    if (getenv("XL_TEST_VERBOSE"))
        for (i = 0; i < nr; i++)
            fprintf(stderr, "# %s: %s\n", facts[i].key, facts[i].value);
    libxl_host_facts_free(facts, nr);
}

static void vcpus_are_qemus_threads(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    libxl_vcpuinfo *v;
    int nr;

    v = r->h->ops->vcpus(r->h, domid, &nr);
    assert_non_null(v);
    assert_int_equal(nr, 1);
    assert_true(v[0].online);
    free(v);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, host_rig_open, host_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create_leaves_a_paused_guest),
        TEST(unpause_and_pause),
        TEST(resume_puts_back_what_suspend_found),
        TEST(resume_ends_a_resume_that_was_killed),
        TEST(a_guest_that_ended_is_not_suspended),
        TEST(destroy_ends_qemu_and_is_idempotent),
        TEST(destroy_ends_a_qemu_that_does_not_answer),
        TEST(destroy_finds_a_qemu_without_record),
        TEST(state_goes_out_and_in),
        TEST(a_paused_guest_is_saved_twice),
        TEST(bad_state_is_one_error),
        TEST(a_qemu_that_refuses_is_quoted),
        TEST(a_machine_that_this_qemu_lacks_is_named),
        TEST(a_qemu_killed_at_start_is_an_error),
        TEST(memory_is_mapped_and_tracked),
        TEST(facts_name_what_programs_read),
        TEST(vcpus_are_qemus_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
