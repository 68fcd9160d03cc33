/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_domain.c - the k-th call to the host fails, for every k until an
 * operation succeeds: the guest can run, nothing half made is left, and the
 * domain is free for the next operation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/dom_rig.h"

#define K_MAX 64

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

static libxl__host *host(void)
{
    return libxl__host_get(rig.ctx);
}

/* Whatever failed: after `xl recover` at the latest the guest runs, and
 * another operation can have it. */
static void assert_runs(uint32_t domid)
{
    libxl__host_fake_fail_at(host(), 0);
    if (dom_rig_record(&rig, domid, "journal"))
        assert_int_equal(libxl_domain_recover(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_false(dom_rig_record(&rig, domid, "journal"));
    assert_int_equal(libxl_domain_pause(rig.ctx, domid, NULL), 0);
    assert_int_equal(libxl_domain_destroy(rig.ctx, domid, NULL), 0);
    assert_int_equal(dom_rig_count(&rig), 0);
}

static int save(uint32_t domid, libxl_save_then then)
{
    libxl_save_how how = {
        .path = dom_rig_path(&rig, "image"), .fd = -1, .then = then};

    return libxl_domain_save_file(rig.ctx, domid, &how, NULL);
}

/* True: this k was beyond the last call, and the save succeeded. */
static bool save_with_fault(unsigned k, libxl_save_then then, bool and_on)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    bool saved;
    int rc;

    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    if (and_on)
        libxl__host_fake_fail_from(host(), k);
    else
        libxl__host_fake_fail_at(host(), k);
    rc = save(domid, then);
    saved = !access(dom_rig_path(&rig, "image"), F_OK);
    assert_int_equal(dom_rig_files(&rig), saved);
    assert_true(rc || saved);
    if (saved && then == LIBXL_SAVE_THEN_DESTROY) {
        libxl__host_fake_fail_at(host(), 0);
        if (rc)
            assert_int_equal(libxl_domain_recover(rig.ctx, domid, NULL), 0);
        assert_int_equal(dom_rig_count(&rig), 0);
    } else {
        assert_runs(domid);
    }
    unlink(dom_rig_path(&rig, "image"));
    return !rc;
}

static void a_save_survives_each_failing_host_call(void **state)
{
    static const libxl_save_then thens[] = {LIBXL_SAVE_THEN_DESTROY,
                                            LIBXL_SAVE_THEN_RESUME};
    unsigned i, k;

    for (i = 0; i < 4; i++) {
        for (k = 1; k < K_MAX && !save_with_fault(k, thens[i % 2], i / 2); k++)
            ;
        assert_in_range(k, 4, K_MAX - 1);
        print_message("# save: %u host calls failed in turn%s\n", k - 1,
                      i / 2 ? ", with all behind them" : "");
    }
}

static bool restore_with_fault(unsigned k, bool and_on)
{
    uint32_t domid;
    int rc;

    if (and_on)
        libxl__host_fake_fail_from(host(), k);
    else
        libxl__host_fake_fail_at(host(), k);
    rc = dom_rig_restore(&rig, dom_rig_path(&rig, "image"), &domid);
    libxl__host_fake_fail_at(host(), 0);
    if (rc) {
        assert_int_equal(domid, INVALID_DOMID);
        if (and_on) /* also what was half built could not be removed */
            assert_int_equal(libxl_domain_recover(rig.ctx, INVALID_DOMID, NULL),
                             0);
        assert_int_equal(dom_rig_count(&rig), 0);
        return false;
    }
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_runs(domid);
    return true;
}

static void a_restore_survives_each_failing_host_call(void **state)
{
    uint32_t domid = dom_rig_create(&rig, "one");
    unsigned i, k;

    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_int_equal(save(domid, LIBXL_SAVE_THEN_DESTROY), 0);
    for (i = 0; i < 2; i++) {
        for (k = 1; k < K_MAX && !restore_with_fault(k, i); k++)
            ;
        assert_in_range(k, 4, K_MAX - 1);
        print_message("# restore: %u host calls failed in turn%s\n", k - 1,
                      i ? ", with all behind them" : "");
    }
}

static void a_create_survives_each_failing_host_call(void **state)
{
    libxl_domain_config config;
    uint32_t domid = INVALID_DOMID;
    int rc = ERROR_FAIL;
    unsigned k;

    for (k = 1; k < K_MAX && rc; k++) {
        dom_rig_config(&config, "one");
        libxl__host_fake_fail_at(host(), k);
        rc = libxl_domain_create_new(rig.ctx, &config, &domid, NULL, NULL);
        assert_int_equal(dom_rig_count(&rig), !rc);
        libxl_domain_config_dispose(&config);
    }
    libxl__host_fake_fail_at(host(), 0);
    assert_in_range(k, 3, K_MAX - 1);
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_runs(domid);
}

/* ---- abort, at each op that can hang ---- */

enum { TURNS = 120000 }; /* of a millisecond at least */

static void abort_now(libxl_ctx *ctx, int rc, void *for_callback)
{
    *(int *)for_callback = rc;
}

static void a_save_aborted_in_each_op_leaves_the_guest_running(void **state)
{
    static const char *const ops[] = {"suspend", "dm_save"};
    libxl_save_how how = {.path = dom_rig_path(&rig, "image"), .fd = -1};
    int result;
    libxl_asyncop_how ao = {.callback = abort_now, .u.for_callback = &result};
    libxl_event *event;
    unsigned i, turns;

    for (i = 0; i < 2; i++) {
        uint32_t domid = dom_rig_create(&rig, "one");

        assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
        libxl__host_fake_hang(host(), ops[i]);
        result = 1;
        assert_int_equal(libxl_domain_save_file(rig.ctx, domid, &how, &ao), 0);
        for (turns = 0; turns < TURNS && !libxl__host_fake_hanging(host());
             turns++) {
            libxl_event_check(rig.ctx, &event, 0, NULL, NULL);
            usleep(1000);
        }
        assert_true(libxl__host_fake_hanging(host()));
        assert_int_equal(libxl_ao_abort(rig.ctx, &ao), 0);
        while (result == 1) {
            libxl_event_check(rig.ctx, &event, 0, NULL, NULL);
            usleep(1000);
        }
        libxl__host_fake_hang(host(), NULL);
        assert_int_equal(result, ERROR_ABORTED);
        assert_int_equal(dom_rig_files(&rig), 0);
        assert_runs(domid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_save_survives_each_failing_host_call,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_restore_survives_each_failing_host_call, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_create_survives_each_failing_host_call, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_save_aborted_in_each_op_leaves_the_guest_running, setup,
            teardown),
    };

    return cmocka_run_group_tests_name("domain faults", tests, NULL, NULL);
}
