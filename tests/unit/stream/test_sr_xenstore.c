/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sr_xenstore.c - EMULATOR_XENSTORE_DATA's payload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/sr_xenstore.h"

static const char *first_of(const void *payload, size_t bytes)
{
    struct libxl__rspan s = libxl__rspan_over(payload, bytes);
    const char *key, *value;

    return libxl__sr_xenstore_next(&s, &key, &value);
}

static void pairs_come_one_by_one(void **state)
{
    static const char payload[] =
        "physmap/f0/start_addr\0f0000000\0physmap/f0/name\0vga.vram";
    struct libxl__rspan s = libxl__rspan_over(payload, sizeof(payload));
    const char *key, *value;

    assert_null(libxl__sr_xenstore_next(&s, &key, &value));
    assert_string_equal(key, "physmap/f0/start_addr");
    assert_string_equal(value, "f0000000");
    assert_null(libxl__sr_xenstore_next(&s, &key, &value));
    assert_string_equal(value, "vga.vram");
    assert_null(libxl__sr_xenstore_next(&s, &key, &value));
    assert_null(key);
}

static void other_keys_are_refused(void **state)
{
    static const char *const keys[] = {
        "",
        "/physmap/0/size",
        "state",
        "command",
        "physmap",
        "physmap/",
        "physmap//size",
        "physmap/0",
        "physmap/0/",
        "physmap/0/sizes",
        "physmap/xyz/size",
        "physmap/F0/size",
        "physmap/../size",
        "physmap/0/../../state",
        "physmap/0/size/x",
        "physmap/00000000000000000/size",
    };
    char payload[64];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        memset(payload, 0, sizeof(payload));
        strcpy(payload, keys[i]);
        strcpy(payload + strlen(keys[i]) + 1, "v");
        assert_non_null(first_of(payload, strlen(keys[i]) + 3));
    }
}

static void missing_nuls_are_refused(void **state)
{
    static const char payload[] = "physmap/0/size\0value";

    for (size_t n = 1; n < sizeof(payload); n++)
        assert_non_null(first_of(payload, n));
    assert_null(first_of(payload, sizeof(payload)));
    assert_null(first_of(payload, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_come_one_by_one),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(missing_nuls_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
