/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sr_record.c - the libxl v2 stream's header, records and their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/sr_record.h"

static void header_bytes_are_upstreams(void **state)
{
    static const uint8_t expect[16] = {
        'L', 'i', 'b', 'x', 'l', 'F', 'm', 't', 0, 0, 0, 2, 0, 0, 0, 0,
    };
    uint8_t raw[16];

    libxl__sr_encode_header(0, raw);
    assert_memory_equal(raw, expect, 16);
}

/* The header with byte 'at' set to v. */
static const char *header_with(unsigned at, uint8_t v, uint32_t *options)
{
    uint8_t raw[16];

    libxl__sr_encode_header(0, raw);
    raw[at] = v;
    return libxl__sr_decode_header(raw, options);
}

static void bad_headers_are_refused(void **state)
{
    uint32_t options;

    for (unsigned i = 0; i < 12; i++)
        assert_non_null(header_with(i, 0xee, &options));
    assert_non_null(header_with(15, 1, &options));
}

static void legacy_and_reserved_options_are_read(void **state)
{
    uint32_t options;

    assert_null(header_with(15, 2, &options));
    assert_int_equal(options, LIBXL__SR_OPTION_LEGACY);
    assert_null(header_with(12, 0x80, &options));
}

static void record_round_trip(void **state)
{
    struct libxl__sr_record in = {3, 0x12345678}, out;
    static const uint8_t expect[8] = {3, 0, 0, 0, 0x78, 0x56, 0x34, 0x12};
    uint8_t raw[8];

    libxl__sr_encode_record(&in, raw);
    assert_memory_equal(raw, expect, 8);
    libxl__sr_decode_record(raw, &out);
    assert_int_equal(out.type, in.type);
    assert_int_equal(out.bytes, in.bytes);
}

static void padding_ends_on_eight(void **state)
{
    for (uint64_t n = 0; n < 100; n++) {
        assert_true(libxl__sr_padding(n) < 8);
        assert_int_equal((n + libxl__sr_padding(n)) % 8, 0);
    }
    assert_int_equal(libxl__sr_padding(0xffffffff), 1);
}

static const char *put(struct libxl__sr_order *o, uint32_t type, uint32_t bytes)
{
    return libxl__sr_order_record(
        o, &(struct libxl__sr_record){.type = type, .bytes = bytes});
}

static struct libxl__sr_order after_libxc(void)
{
    struct libxl__sr_order o = {.hvm = true, .nr_devices = 2};

    assert_null(put(&o, REC_TYPE_LIBXC_CONTEXT, 0));
    return o;
}

static void plain_streams_are_in_order(void **state)
{
    struct libxl__sr_order o = after_libxc();

    assert_null(put(&o, REC_TYPE_EMULATOR_XENSTORE_DATA, 100));
    assert_null(put(&o, REC_TYPE_EMULATOR_CONTEXT, 1000));
    assert_null(put(&o, REC_TYPE_EMULATOR_CONTEXT, 1000));
    assert_false(o.end);
    assert_null(put(&o, REC_TYPE_END, 0));
    assert_true(o.end);
}

static void only_optional_records_precede_libxc_context(void **state)
{
    static const uint32_t types[] = {0, 2, 3};
    struct libxl__sr_order optional = {.hvm = true};

    assert_null(put(&optional, 0x80000001, 16));
    assert_null(put(&optional, REC_TYPE_LIBXC_CONTEXT, 0));

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct libxl__sr_order o = {.hvm = true};

        assert_non_null(put(&o, types[i], types[i] ? 16 : 0));
    }
}

static void second_libxc_context_is_refused(void **state)
{
    struct libxl__sr_order o = after_libxc();

    assert_non_null(put(&o, REC_TYPE_LIBXC_CONTEXT, 0));
}

static void second_xenstore_data_is_refused(void **state)
{
    struct libxl__sr_order o = after_libxc();

    assert_null(put(&o, REC_TYPE_EMULATOR_XENSTORE_DATA, 8));
    assert_non_null(put(&o, REC_TYPE_EMULATOR_XENSTORE_DATA, 8));
}

static void marks_with_a_body_are_refused(void **state)
{
    struct libxl__sr_order o = {.hvm = true};

    assert_non_null(put(&o, REC_TYPE_LIBXC_CONTEXT, 8));
    assert_false(o.libxc);
    o = after_libxc();
    assert_non_null(put(&o, REC_TYPE_END, 1));
    assert_false(o.end);
}

static void long_and_short_bodies_are_refused(void **state)
{
    static const uint32_t longs[] = {0x20000000, 0xfffffff8, 0xffffffff};
    struct libxl__sr_order o = after_libxc();

    for (size_t i = 0; i < 3; i++) {
        assert_non_null(put(&o, REC_TYPE_EMULATOR_XENSTORE_DATA, longs[i]));
        assert_non_null(put(&o, REC_TYPE_EMULATOR_CONTEXT, longs[i]));
        assert_non_null(put(&o, 0x80000005, longs[i]));
    }
    assert_non_null(put(&o, REC_TYPE_EMULATOR_CONTEXT, 7));
    assert_non_null(put(&o, REC_TYPE_EMULATOR_XENSTORE_DATA, 7));
}

static void optional_records_pass_and_mandatory_do_not(void **state)
{
    struct libxl__sr_order o = after_libxc();

    assert_null(put(&o, 0x80000000, 0));
    assert_null(put(&o, 0xffffffff, 4096));
    assert_non_null(put(&o, 6, 0));
    assert_non_null(put(&o, 0x7fffffff, 0));
}

static void checkpoints_are_refused_by_name(void **state)
{
    struct libxl__sr_order o = after_libxc();

    assert_non_null(strstr(put(&o, REC_TYPE_CHECKPOINT_END, 0), "Remus"));
    assert_non_null(strstr(put(&o, REC_TYPE_CHECKPOINT_STATE, 4), "Remus"));
}

static void emulators_need_a_device_model(void **state)
{
    struct libxl__sr_order o = {.hvm = false};

    assert_null(put(&o, REC_TYPE_LIBXC_CONTEXT, 0));
    assert_non_null(put(&o, REC_TYPE_EMULATOR_CONTEXT, 16));
}

static const char *emulator(struct libxl__sr_order *o, uint32_t id,
                            uint32_t index)
{
    struct libxl__sr_emulator in = {id, index}, out;
    uint8_t raw[8];

    libxl__sr_encode_emulator(&in, raw);
    return libxl__sr_order_emulator(o, REC_TYPE_EMULATOR_CONTEXT, raw, &out);
}

static void only_qemu_is_an_emulator(void **state)
{
    struct libxl__sr_order o = after_libxc();

    assert_non_null(emulator(&o, 0, 0));
    assert_non_null(emulator(&o, 1, 0));
    assert_non_null(emulator(&o, 3, 0));
    assert_null(emulator(&o, 2, 0));
}

static void converted_streams_may_not_know_their_emulator(void **state)
{
    struct libxl__sr_order o = after_libxc();

    o.legacy = true;
    assert_null(emulator(&o, 0, 0));
}

static void emulator_indices_count_up_and_are_bounded(void **state)
{
    struct libxl__sr_order o = after_libxc();

    assert_non_null(emulator(&o, 2, 1));
    for (uint32_t i = 0; i <= 2; i++) {
        assert_null(emulator(&o, 2, i));
        assert_non_null(emulator(&o, 2, i + 2));
    }
    assert_non_null(emulator(&o, 2, 3));
    assert_non_null(emulator(&o, 2, 0xffffffff));
}

static void a_devices_state_comes_in_pieces(void **state)
{
    struct libxl__sr_order o = after_libxc();

    assert_null(emulator(&o, 2, 0));
    assert_non_null(emulator(&o, 2, 0));
    for (uint32_t i = 0; i < 3; i++)
        assert_null(emulator(&o, 2, 1));
    assert_null(emulator(&o, 2, 2));
    assert_non_null(emulator(&o, 2, 1));
    assert_null(emulator(&o, 2, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_bytes_are_upstreams),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(legacy_and_reserved_options_are_read),
        cmocka_unit_test(record_round_trip),
        cmocka_unit_test(padding_ends_on_eight),
        cmocka_unit_test(plain_streams_are_in_order),
        cmocka_unit_test(only_optional_records_precede_libxc_context),
        cmocka_unit_test(second_libxc_context_is_refused),
        cmocka_unit_test(second_xenstore_data_is_refused),
        cmocka_unit_test(marks_with_a_body_are_refused),
        cmocka_unit_test(long_and_short_bodies_are_refused),
        cmocka_unit_test(optional_records_pass_and_mandatory_do_not),
        cmocka_unit_test(checkpoints_are_refused_by_name),
        cmocka_unit_test(emulators_need_a_device_model),
        cmocka_unit_test(only_qemu_is_an_emulator),
        cmocka_unit_test(converted_streams_may_not_know_their_emulator),
        cmocka_unit_test(emulator_indices_count_up_and_are_bounded),
        cmocka_unit_test(a_devices_state_comes_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
