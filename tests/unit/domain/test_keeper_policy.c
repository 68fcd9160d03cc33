/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_keeper_policy.c - the table of docs/specs/keeper.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "domain/keeper_policy.h"

static libxl_domain_config config;

static enum libxl__keeper_action decide(libxl_shutdown_reason reason,
                                        bool restart, uint64_t lived_ms,
                                        const char **note)
{
    struct libxl__keeper_end end = {
        .reason = reason,
        .restart = restart,
        .lived_ms = lived_ms,
    };
    enum libxl__keeper_action action = libxl__keeper_policy(&config, &end);

    if (note)
        *note = end.note;
    return action;
}

static void each_reason_has_its_own_key(void **state)
{
    config.on_poweroff = LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
    config.on_reboot = LIBXL_ACTION_ON_SHUTDOWN_RESTART;
    config.on_watchdog = LIBXL_ACTION_ON_SHUTDOWN_RESTART;
    config.on_crash = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_POWEROFF, true, 5000, NULL),
                     KEEPER_DESTROY);
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_REBOOT, true, 5000, NULL),
                     KEEPER_RESTART);
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_WATCHDOG, true, 5000, NULL),
                     KEEPER_RESTART);
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_CRASH, true, 5000, NULL),
                     KEEPER_LEAVE);
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_UNKNOWN, true, 5000, NULL),
                     KEEPER_LEAVE);
}

static void without_restart_every_end_is_left(void **state)
{
    int reason;

    config.on_poweroff = config.on_reboot = config.on_crash =
        LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
    for (reason = LIBXL_SHUTDOWN_REASON_UNKNOWN;
         reason <= LIBXL_SHUTDOWN_REASON_SOFT_RESET; reason++)
        assert_int_equal(
            decide((libxl_shutdown_reason)reason, false, 5000, NULL),
            KEEPER_LEAVE);
}

static void a_guest_that_ends_at_once_is_not_started_again(void **state)
{
    const char *note;

    config.on_reboot = LIBXL_ACTION_ON_SHUTDOWN_RESTART;
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_REBOOT, true, 999, &note),
                     KEEPER_LEAVE);
    assert_non_null(note);
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_REBOOT, true, 1000, &note),
                     KEEPER_RESTART);
    assert_null(note);
}

static void what_is_not_done_is_said(void **state)
{
    const char *note;

    config.on_crash = LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY;
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_CRASH, true, 5000, &note),
                     KEEPER_DESTROY);
    assert_non_null(strstr(note, "core"));
    config.on_crash = LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART;
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_CRASH, true, 5000, &note),
                     KEEPER_RESTART);
    config.on_crash = LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME;
    assert_int_equal(decide(LIBXL_SHUTDOWN_REASON_CRASH, true, 5000, &note),
                     KEEPER_LEAVE);
    assert_non_null(note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_has_its_own_key),
        cmocka_unit_test(without_restart_every_end_is_left),
        cmocka_unit_test(a_guest_that_ends_at_once_is_not_started_again),
        cmocka_unit_test(what_is_not_done_is_said),
    };

    return cmocka_run_group_tests_name("keeper policy", tests, NULL, NULL);
}
