/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cursors, bitmap and zero test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/xc_bitmap.h"
#include "base/xc_span.h"
#include "base/xc_units.h"
#include "base/xc_zero.h"

static void what_is_built_is_read_back(void **state)
{
    uint8_t bytes[64];
    struct xc_build b = xc_build_in(bytes, sizeof(bytes));
    struct xc_span s;

    xc_build_le16(&b, 0x1122);
    xc_build_be16(&b, 0x3344);
    xc_build_le32(&b, 0x55667788);
    xc_build_be32(&b, 0x99aabbcc);
    xc_build_le64(&b, 0x0102030405060708);
    xc_build_be64(&b, 0x1112131415161718);
    xc_build_zeros(&b, 3);
    xc_build_bytes(&b, "end", 3);
    assert_false(b.failed);
    s = xc_span_of(bytes, b.used);
    assert_int_equal(xc_span_le16(&s), 0x1122);
    assert_int_equal(xc_span_be16(&s), 0x3344);
    assert_int_equal(xc_span_le32(&s), 0x55667788);
    assert_true(xc_span_be32(&s) == 0x99aabbcc);
    assert_true(xc_span_le64(&s) == 0x0102030405060708);
    assert_true(xc_span_be64(&s) == 0x1112131415161718);
    xc_span_skip(&s, 3);
    assert_memory_equal(xc_span_bytes(&s, 3), "end", 3);
    assert_true(xc_span_all_read(&s));
}

static void byte_order_is_the_named_one(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3, 4};
    struct xc_span le = xc_span_of(bytes, 4), be = xc_span_of(bytes, 4);

    assert_int_equal(xc_span_le32(&le), 0x04030201);
    assert_int_equal(xc_span_be32(&be), 0x01020304);
}

static void reading_beyond_the_end_fails_for_good(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct xc_span s = xc_span_of(bytes, sizeof(bytes));

    assert_int_equal(xc_span_le32(&s), 0);
    assert_true(s.failed);
    assert_int_equal(xc_span_le16(&s), 0);
    assert_null(xc_span_bytes(&s, 1));
    assert_false(xc_span_all_read(&s));
}

static void huge_skip_fails(void **state)
{
    static const uint8_t bytes[8];
    struct xc_span s = xc_span_of(bytes, sizeof(bytes));

    xc_span_le32(&s);
    xc_span_skip(&s, SIZE_MAX);
    assert_true(s.failed);
}

static void building_beyond_the_room_fails_and_writes_nothing(void **state)
{
    uint8_t bytes[4] = {9, 9, 9, 9};
    struct xc_build b = xc_build_in(bytes, 3);

    xc_build_le32(&b, 0);
    assert_true(b.failed);
    xc_build_le16(&b, 0);
    assert_int_equal(b.used, 0);
    assert_int_equal(bytes[0], 9);
}

static void bitmap_finds_what_was_set(void **state)
{
    struct xc_bitmap b;

    assert_int_equal(xc_bitmap_init(&b, 200), 0);
    assert_int_equal(xc_bitmap_next(&b, 0), 200);
    xc_bitmap_set(&b, 0);
    xc_bitmap_set(&b, 63);
    xc_bitmap_set(&b, 64);
    xc_bitmap_set(&b, 199);
    assert_int_equal(xc_bitmap_count(&b), 4);
    assert_int_equal(xc_bitmap_next(&b, 0), 0);
    assert_int_equal(xc_bitmap_next(&b, 1), 63);
    assert_int_equal(xc_bitmap_next(&b, 64), 64);
    assert_int_equal(xc_bitmap_next(&b, 65), 199);
    assert_int_equal(xc_bitmap_next(&b, 200), 200);
    xc_bitmap_clear(&b, 199);
    assert_int_equal(xc_bitmap_next(&b, 65), 200);
    xc_bitmap_dispose(&b);
    xc_bitmap_dispose(&b);
}

static void bitmap_ranges_have_exact_ends(void **state)
{
    for (uint64_t first = 0; first < 130; first += 13) {
        for (uint64_t count = 0; first + count <= 200; count += 11) {
            struct xc_bitmap b;

            assert_int_equal(xc_bitmap_init(&b, 200), 0);
            xc_bitmap_set_range(&b, first, count);
            assert_int_equal(xc_bitmap_count(&b), count);
            if (count) {
                assert_int_equal(xc_bitmap_next(&b, 0), first);
                assert_true(xc_bitmap_test(&b, first + count - 1));
            }
            xc_bitmap_dispose(&b);
        }
    }
}

static void filled_bitmap_has_no_bit_too_many(void **state)
{
    struct xc_bitmap a, b;

    assert_int_equal(xc_bitmap_init(&a, 65), 0);
    assert_int_equal(xc_bitmap_init(&b, 65), 0);
    xc_bitmap_fill(&a);
    xc_bitmap_or(&b, &a);
    assert_int_equal(xc_bitmap_count(&b), 65);
    xc_bitmap_clear_all(&b);
    assert_int_equal(xc_bitmap_count(&b), 0);
    xc_bitmap_dispose(&a);
    xc_bitmap_dispose(&b);
}

static void impossible_bitmap_is_refused(void **state)
{
    struct xc_bitmap b;

    assert_true(xc_bitmap_init(&b, UINT64_MAX) < 0);
    assert_null(b.words);
}

static void each_byte_of_a_page_counts(void **state)
{
    _Alignas(8) uint8_t page[XC_PAGE_SIZE] = {0};

    assert_true(xc_page_is_zero(page));
    for (size_t i = 0; i < sizeof(page); i++) {
        page[i] = 0x80;
        assert_false(xc_page_is_zero(page));
        page[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_is_read_back),
        cmocka_unit_test(byte_order_is_the_named_one),
        cmocka_unit_test(reading_beyond_the_end_fails_for_good),
        cmocka_unit_test(huge_skip_fails),
        cmocka_unit_test(building_beyond_the_room_fails_and_writes_nothing),
        cmocka_unit_test(bitmap_finds_what_was_set),
        cmocka_unit_test(bitmap_ranges_have_exact_ends),
        cmocka_unit_test(filled_bitmap_has_no_bit_too_many),
        cmocka_unit_test(impossible_bitmap_is_refused),
        cmocka_unit_test(each_byte_of_a_page_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
