/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_savefile.c - xl's header in front of a libxl stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libxl.h"
#include "migrate/savefile.h"

static void good_header(uint8_t raw[48])
{
    struct libxl__savefile_header h = {
        .mandatory = 3,
        .optional = 0,
        .optional_bytes = 5,
    };

    libxl__savefile_encode(&h, raw);
}

static void header_bytes_are_upstreams(void **state)
{
    static const uint8_t expect[32] = {
        0x58, 0x65, 0x6e, 0x20, 0x73, 0x61, 0x76, 0x65, 0x64, 0x20, 0x64,
        0x6f, 0x6d, 0x61, 0x69, 0x6e, 0x2c, 0x20, 0x78, 0x6c, 0x20, 0x66,
        0x6f, 0x72, 0x6d, 0x61, 0x74, 0x0a, 0x20, 0x00, 0x20, 0x0d,
    };
    static const uint32_t words[4] = {0x01020304, 3, 0, 5};
    uint8_t raw[48];

    good_header(raw);
    assert_memory_equal(raw, expect, 32);
    assert_memory_equal(raw + 32, words, 16);
}

static void header_round_trip(void **state)
{
    struct libxl__savefile_header h;
    const char *reason;
    uint8_t raw[48];

    good_header(raw);
    assert_int_equal(libxl__savefile_decode(raw, &h, &reason), 0);
    assert_null(reason);
    assert_int_equal(h.mandatory, 3);
    assert_int_equal(h.optional_bytes, 5);
}

/* raw with one 32-bit word changed must be refused. */
static void refused_with(unsigned offset, uint32_t word)
{
    struct libxl__savefile_header h;
    const char *reason = NULL;
    uint8_t raw[48];

    good_header(raw);
    memcpy(raw + offset, &word, 4);
    assert_int_equal(libxl__savefile_decode(raw, &h, &reason), ERROR_INVAL);
    assert_non_null(reason);
}

static void wrong_magic_is_refused(void **state)
{
    for (unsigned i = 0; i < 32; i += 4)
        refused_with(i, 0x41414141);
}

static void swapped_byte_order_is_refused(void **state)
{
    refused_with(32, 0x04030201);
}

static void unknown_mandatory_flags_are_refused(void **state)
{
    for (unsigned bit = 2; bit < 30; bit++)
        refused_with(36, 3u | 1u << bit);
}

static void bad_optional_lengths_are_refused(void **state)
{
    refused_with(44, 1);
    refused_with(44, 3);
    refused_with(44, (16u << 20) + 1);
    refused_with(44, 0xffffffff);
}

static void optional_flags_are_never_refused(void **state)
{
    struct libxl__savefile_header h;
    const char *reason;
    uint8_t raw[48];

    good_header(raw);
    memset(raw + 40, 0xff, 4);
    assert_int_equal(libxl__savefile_decode(raw, &h, &reason), 0);
    assert_int_equal(h.optional, 0xffffffff);
}

static int config_of(const void *data, size_t bytes, const char **config)
{
    const char *reason;
    size_t n;

    return libxl__savefile_config(data, bytes, true, config, &n, &reason);
}

static void no_optional_data_is_no_config(void **state)
{
    const char *config = "";

    assert_int_equal(config_of("", 0, &config), 0);
    assert_null(config);
}

static void bad_config_lengths_are_refused(void **state)
{
    static const uint32_t lengths[] = {4, 2, 0, 0xffffffff, 0x80000000};
    struct {
        uint32_t n;
        char text[3];
    } d = {.text = "{}"};
    const char *config;

    for (size_t i = 0; i < 5; i++) {
        d.n = lengths[i];
        assert_int_equal(config_of(&d, 7, &config), ERROR_INVAL);
        assert_null(config);
    }
    assert_int_equal(config_of(&d, 3, &config), ERROR_INVAL);
}

static void config_with_an_inner_nul_is_refused(void **state)
{
    struct {
        uint32_t n;
        char text[4];
    } d = {4, "{\0}"};
    const char *config;

    assert_int_equal(config_of(&d, 8, &config), ERROR_INVAL);
}

static void text_config_needs_no_nul(void **state)
{
    struct {
        uint32_t n;
        char text[8];
    } d = {8, "memory=8"};
    const char *reason, *config;
    size_t n;

    assert_int_equal(
        libxl__savefile_config(&d, 12, false, &config, &n, &reason), 0);
    assert_ptr_equal(config, d.text);
    assert_int_equal(n, 8);
    d.text[7] = '\0';
    assert_int_equal(
        libxl__savefile_config(&d, 12, false, &config, &n, &reason), 0);
    assert_int_equal(n, 7);
    d.text[3] = '\0';
    assert_int_equal(
        libxl__savefile_config(&d, 12, false, &config, &n, &reason),
        ERROR_INVAL);
}

static void build_puts_pages_on_4k(void **state)
{
    char json[5000];
    struct libxl__savefile_header h;
    const char *reason, *config, *facts;
    size_t bytes, n;
    void *buf;

    for (size_t len = 0; len < sizeof(json) - 1; len += 37) {
        memset(json, 'x', len);
        json[len] = '\0';
        assert_int_equal(libxl__savefile_build(
                             &(struct libxl__savefile_parts){
                                 .mandatory = 3,
                                 .json = json,
                                 .lead = 72,
                                 .facts = len % 2 ? "{facts}" : NULL},
                             &buf, &bytes, &reason),
                         0);
        assert_int_equal((bytes + 72) % 4096, 0);
        assert_int_equal(libxl__savefile_decode(buf, &h, &reason), 0);
        assert_int_equal(h.optional_bytes, bytes - 48);
        assert_int_equal(libxl__savefile_config((char *)buf + 48, bytes - 48,
                                                true, &config, &n, &reason),
                         0);
        assert_string_equal(config, json);
        assert_int_equal(n, len);
        libxl__savefile_facts((char *)buf + 48, bytes - 48, &facts);
        if (len % 2)
            assert_string_equal(facts, "{facts}");
        else
            assert_null(facts);
        free(buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_bytes_are_upstreams),
        cmocka_unit_test(header_round_trip),
        cmocka_unit_test(wrong_magic_is_refused),
        cmocka_unit_test(swapped_byte_order_is_refused),
        cmocka_unit_test(unknown_mandatory_flags_are_refused),
        cmocka_unit_test(bad_optional_lengths_are_refused),
        cmocka_unit_test(optional_flags_are_never_refused),
        cmocka_unit_test(no_optional_data_is_no_config),
        cmocka_unit_test(bad_config_lengths_are_refused),
        cmocka_unit_test(config_with_an_inner_nul_is_refused),
        cmocka_unit_test(text_config_needs_no_nul),
        cmocka_unit_test(build_puts_pages_on_4k),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
