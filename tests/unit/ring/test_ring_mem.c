/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ring_mem: the table of regions, pieces, and the dirty log. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ring/ring_mem.h"

static uint8_t a[8192], b[8192];

static void two_regions(struct libxl__ring_mem *m)
{
    libxl__ring_mem_init(m);
    assert_int_equal(libxl__ring_mem_add(m, 0x3000, sizeof(b), b, 0), 0);
    assert_int_equal(libxl__ring_mem_add(m, 0x1000, sizeof(a), a, 0), 0);
}

static void regions_that_overlap_are_refused(void **state)
{
    struct libxl__ring_mem m;

    two_regions(&m);
    assert_int_equal(libxl__ring_mem_add(&m, 0x2fff, 2, a, 0), -EEXIST);
    assert_int_equal(libxl__ring_mem_add(&m, 0, 0x1001, a, 0), -EEXIST);
    assert_int_equal(libxl__ring_mem_add(&m, 0x4fff, 1, a, 0), -EEXIST);
    assert_int_equal(libxl__ring_mem_add(&m, 0x5000, 1, a, 0), 0);
    assert_int_equal(libxl__ring_mem_add(&m, 0, 0x1000, a, 0), 0);
}

static void empty_and_wrapping_regions_are_refused(void **state)
{
    struct libxl__ring_mem m;

    libxl__ring_mem_init(&m);
    assert_int_equal(libxl__ring_mem_add(&m, 0, 0, a, 0), -EINVAL);
    assert_int_equal(libxl__ring_mem_add(&m, UINT64_MAX - 1, 3, a, 0), -EINVAL);
    assert_int_equal(libxl__ring_mem_add(&m, UINT64_MAX - 1, 2, a, 0), 0);
}

static void a_table_that_is_full_refuses_one_more(void **state)
{
    struct libxl__ring_mem m;

    libxl__ring_mem_init(&m);
    for (unsigned i = 0; i < LIBXL__RING_MAX_REGIONS; i++)
        assert_int_equal(libxl__ring_mem_add(&m, i * 16, 8, a, 0), 0);
    assert_int_equal(libxl__ring_mem_add(&m, 1 << 20, 8, a, 0), -ENOSPC);
}

static void a_removed_region_is_gone_and_its_neighbour_stays(void **state)
{
    struct libxl__ring_mem m;

    two_regions(&m);
    assert_int_equal(libxl__ring_mem_remove(&m, 0x1000, 1), -ENOENT);
    assert_int_equal(libxl__ring_mem_remove(&m, 0x1000, sizeof(a)), 0);
    assert_null(libxl__ring_mem_at(&m, 0x1000, 1));
    assert_ptr_equal(libxl__ring_mem_at(&m, 0x3000, 1), b);
}

static void a_buffer_may_cross_two_adjacent_regions(void **state)
{
    struct libxl__ring_mem m;
    struct iovec iov[4];

    two_regions(&m);
    assert_null(libxl__ring_mem_at(&m, 0x2ff0, 0x20));
    assert_int_equal(libxl__ring_mem_iov(&m, 0x2ff0, 0x20, iov, 4), 2);
    assert_ptr_equal(iov[0].iov_base, a + 0x1ff0);
    assert_int_equal(iov[0].iov_len, 0x10);
    assert_ptr_equal(iov[1].iov_base, b);
    assert_int_equal(libxl__ring_mem_iov(&m, 0x2ff0, 0x20, iov, 1), -E2BIG);
}

static void a_buffer_that_leaves_memory_is_refused(void **state)
{
    struct libxl__ring_mem m;
    struct iovec iov[4];

    two_regions(&m);
    assert_int_equal(libxl__ring_mem_iov(&m, 0x4fff, 2, iov, 4), -EFAULT);
    assert_int_equal(libxl__ring_mem_iov(&m, 0xfff, 2, iov, 4), -EFAULT);
    assert_int_equal(libxl__ring_mem_add(&m, UINT64_MAX - 7, 8, a, 0), 0);
    assert_int_equal(libxl__ring_mem_iov(&m, UINT64_MAX - 7, 9, iov, 4),
                     -EFAULT);
}

static void copies_cross_regions_whole(void **state)
{
    struct libxl__ring_mem m;
    char out[32];

    two_regions(&m);
    assert_int_equal(libxl__ring_mem_write(&m, 0x2ff8, "over the border!", 16),
                     0);
    assert_int_equal(libxl__ring_mem_read(&m, 0x2ff8, out, 16), 0);
    assert_memory_equal(out, "over the border!", 16);
}

static void every_write_sets_the_bits_of_its_pages(void **state)
{
    struct libxl__ring_mem m;
    uint8_t log[2] = {0};

    two_regions(&m);
    libxl__ring_mem_set_log(&m, LIBXL__RING_LOG_FRONTEND, log, sizeof(log));
    assert_int_equal(libxl__ring_mem_write(&m, 0x2fff, "xy", 2), 0);
    assert_int_equal(log[0], 1 << 2 | 1 << 3);
    libxl__ring_mem_dirty(&m, 0x4000, 0);
    assert_int_equal(log[0], 1 << 2 | 1 << 3);
    assert_false(m.logs[LIBXL__RING_LOG_FRONTEND].overrun);
}

static void the_toolstack_sees_pages_of_the_file(void **state)
{
    struct libxl__ring_mem m;
    uint8_t log[2] = {0};

    libxl__ring_mem_init(&m);
    libxl__ring_mem_add(&m, 0x1000, sizeof(a), a, 0x8000);
    libxl__ring_mem_add(&m, 0x3000, sizeof(b), b, 0);
    libxl__ring_mem_set_log(&m, LIBXL__RING_LOG_TOOLSTACK, log, sizeof(log));
    libxl__ring_mem_dirty(&m, 0x2fff, 2);
    assert_int_equal(log[0], 1 << 0);
    assert_int_equal(log[1], 1 << (9 - 8));
}

static void a_write_beyond_the_log_is_told_not_made(void **state)
{
    struct libxl__ring_mem m;
    uint8_t log[2] = {0, 0};

    two_regions(&m);
    libxl__ring_mem_set_log(&m, LIBXL__RING_LOG_FRONTEND, log, 1);
    libxl__ring_mem_dirty(&m, 0x7000, 0x2000);
    assert_true(m.logs[LIBXL__RING_LOG_FRONTEND].overrun);
    assert_int_equal(log[0], 1 << 7);
    assert_int_equal(log[1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_that_overlap_are_refused),
        cmocka_unit_test(empty_and_wrapping_regions_are_refused),
        cmocka_unit_test(a_table_that_is_full_refuses_one_more),
        cmocka_unit_test(a_removed_region_is_gone_and_its_neighbour_stays),
        cmocka_unit_test(a_buffer_may_cross_two_adjacent_regions),
        cmocka_unit_test(a_buffer_that_leaves_memory_is_refused),
        cmocka_unit_test(copies_cross_regions_whole),
        cmocka_unit_test(every_write_sets_the_bits_of_its_pages),
        cmocka_unit_test(the_toolstack_sees_pages_of_the_file),
        cmocka_unit_test(a_write_beyond_the_log_is_told_not_made),
    };
    return cmocka_run_group_tests_name("ring_mem", tests, NULL, NULL);
}
