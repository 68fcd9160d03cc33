/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UUIDs, MAC addresses and enums as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libxl.h"

static void uuid_goes_both_ways(void **state)
{
    const char *text = "cb161dfd-754d-4701-98f9-8512d36dd72e";
    char out[LIBXL_UUID_TEXT];
    libxl_uuid u;

    assert_true(libxl_uuid_from_text(text, &u));
    libxl_uuid_to_text(&u, out);
    assert_string_equal(out, text);
    assert_true(libxl_uuid_from_text("CB161DFD754D470198F98512D36DD72E", &u));
    libxl_uuid_to_text(&u, out);
    assert_string_equal(out, text);
}

static void broken_uuid_is_refused(void **state)
{
    libxl_uuid u;

    assert_false(libxl_uuid_from_text("", &u));
    assert_false(libxl_uuid_from_text("cb161dfd-754d-4701-98f9", &u));
    assert_false(
        libxl_uuid_from_text("cb161dfd-754d-4701-98f9-8512d36dd72e0", &u));
    assert_false(
        libxl_uuid_from_text("gb161dfd-754d-4701-98f9-8512d36dd72e", &u));
}

static void generated_uuids_differ_and_are_version_4(void **state)
{
    libxl_uuid a, b;

    assert_int_equal(libxl_uuid_generate(&a), 0);
    assert_int_equal(libxl_uuid_generate(&b), 0);
    assert_memory_not_equal(&a, &b, sizeof(a));
    assert_int_equal(a.uuid[6] >> 4, 4);
    assert_int_equal(a.uuid[8] >> 6, 2);
    assert_false(libxl_uuid_is_nil(&a));
}

static void mac_goes_both_ways(void **state)
{
    char out[LIBXL_MAC_TEXT];
    libxl_mac mac;

    assert_true(libxl_mac_from_text("00:16:3E:74:3d:76", mac));
    libxl_mac_to_text(mac, out);
    assert_string_equal(out, "00:16:3e:74:3d:76");
    assert_false(libxl_mac_from_text("00:16:3E:74:3d", mac));
    assert_false(libxl_mac_from_text("00-16-3E-74-3d-76", mac));
    assert_false(libxl_mac_from_text("00:16:3E:74:3d:76 ", mac));
}

static void enums_go_both_ways(void **state)
{
    libxl_action_on_shutdown a = 0;
    libxl_disk_format f = 0;

    assert_true(libxl_action_on_shutdown_from_string("restart_rename", &a));
    assert_int_equal(a, LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME);
    assert_string_equal(libxl_action_on_shutdown_to_string(a),
                        "restart_rename");
    assert_false(libxl_action_on_shutdown_from_string("x", &a));
    assert_true(libxl_disk_format_from_string("qcow2", &f));
    assert_int_equal(f, LIBXL_DISK_FORMAT_QCOW2);
    assert_null(libxl_domain_type_to_string((libxl_domain_type)99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uuid_goes_both_ways),
        cmocka_unit_test(broken_uuid_is_refused),
        cmocka_unit_test(generated_uuids_differ_and_are_version_4),
        cmocka_unit_test(mac_goes_both_ways),
        cmocka_unit_test(enums_go_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
