/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vq: drivers that break the rules. Each case makes its queue broken, for the
 * reason that it names, and the process goes on. Names follow the advisories
 * of other implementations where there is one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ring/ring_driver.h"

static struct ring_driver d;
#define TABLE (DRV_DATA + 0x1000)

static int free_driver(void **state)
{
    ring_driver_free(&d);
    return 0;
}

/* One descriptor, offered. */
static void offer(uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
    ring_driver_desc(&d, 0, addr, len, flags, next);
    ring_driver_offer(&d, 0);
}

static void must_break(const char *why)
{
    assert_int_equal(ring_driver_pop(&d), -EPROTO);
    assert_int_equal(d.vq.state, LIBXL__VQ_BROKEN);
    assert_non_null(strstr(d.vq.broken, why));
    /* and stays so, quietly */
    assert_int_equal(ring_driver_pop(&d), 0);
    assert_false(libxl__vq_should_notify(&d.vq));
}

static void self_loop(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(DRV_DATA, 1, VQ_DESC_F_NEXT, 0);
    must_break("loops");
}

static void loop_of_two(void **state)
{
    ring_driver_init(&d, 8, 0);
    ring_driver_desc(&d, 1, DRV_DATA, 1, VQ_DESC_F_NEXT, 0);
    offer(DRV_DATA, 1, VQ_DESC_F_NEXT, 1);
    must_break("loops");
}

static void loop_in_an_indirect_table(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    ring_driver_indirect(&d, TABLE, 0, DRV_DATA, 1, VQ_DESC_F_NEXT, 1);
    ring_driver_indirect(&d, TABLE, 1, DRV_DATA, 1, VQ_DESC_F_NEXT, 0);
    offer(TABLE, 32, VQ_DESC_F_INDIRECT, 0);
    must_break("loop");
}

static void next_out_of_range(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(DRV_DATA, 1, VQ_DESC_F_NEXT, 8);
    must_break("beyond its table");
}

static void head_out_of_range(void **state)
{
    ring_driver_init(&d, 8, 0);
    ring_driver_offer(&d, 8);
    must_break("head beyond");
}

static void head_ffff(void **state)
{
    ring_driver_init(&d, 8, 0);
    ring_driver_offer(&d, 0xffff);
    must_break("head beyond");
}

static void address_unmapped(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(0x1000, 16, 0, 0);
    must_break("outside the guest's memory");
}

static void length_crosses_the_end_of_memory(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(DRV_HIGH + DRV_REGION - 8, 16, VQ_DESC_F_WRITE, 0);
    must_break("outside the guest's memory");
}

static void address_wraps(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(UINT64_MAX - 4, 16, 0, 0);
    must_break("outside the guest's memory");
}

static void length_of_4g_less_one(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(DRV_DATA, UINT32_MAX, 0, 0);
    must_break("outside the guest's memory");
}

static void chain_of_more_than_4g(void **state)
{
    uint8_t small[16];

    /* a huge region that is never touched: only its length is looked at */
    ring_driver_init(&d, 8, 0);
    assert_int_equal(libxl__ring_mem_add(&d.mem, UINT64_C(1) << 40,
                                         UINT64_C(1) << 33, small, 0),
                     0);
    ring_driver_desc(&d, 1, UINT64_C(1) << 40, UINT32_MAX, 0, 0);
    offer(UINT64_C(1) << 40, 16, VQ_DESC_F_NEXT, 1);
    must_break("4 GiB");
}

static void zero_length_readable(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(DRV_DATA, 0, 0, 0);
    must_break("length 0");
}

static void zero_length_writable_behind_a_good_one(void **state)
{
    ring_driver_init(&d, 8, 0);
    ring_driver_desc(&d, 1, DRV_DATA, 0, VQ_DESC_F_WRITE, 0);
    offer(DRV_DATA, 16, VQ_DESC_F_NEXT, 1);
    must_break("length 0");
}

/* CVE-2019-14835: more was logged than was there. */
static void zero_length_while_the_log_is_on(void **state)
{
    ring_driver_init(&d, 8, 0);
    libxl__ring_mem_set_log(&d.mem, LIBXL__RING_LOG_FRONTEND, d.log,
                            sizeof(d.log));
    ring_driver_desc(&d, 1, DRV_DATA + 64, 0, VQ_DESC_F_WRITE, 0);
    offer(DRV_DATA, 16, VQ_DESC_F_WRITE | VQ_DESC_F_NEXT, 1);
    must_break("length 0");
    for (unsigned i = 0; i < sizeof(d.log); i++)
        assert_int_equal(d.log[i], 0);
}

static void readable_behind_writable(void **state)
{
    ring_driver_init(&d, 8, 0);
    ring_driver_desc(&d, 1, DRV_DATA, 1, 0, 0);
    offer(DRV_DATA, 1, VQ_DESC_F_NEXT | VQ_DESC_F_WRITE, 1);
    must_break("readable buffer behind");
}

static void avail_index_jumps(void **state)
{
    ring_driver_init(&d, 8, 0);
    ring_driver_set_avail_idx(&d, 9);
    must_break("moved by more");
}

static void avail_index_goes_backwards(void **state)
{
    ring_driver_init(&d, 8, 0);
    ring_driver_set_avail_idx(&d, 0xffff);
    must_break("moved by more");
}

static void same_head_twice(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(DRV_DATA, 1, 0, 0);
    ring_driver_offer(&d, 0);
    assert_int_equal(ring_driver_pop(&d), 1);
    must_break("twice");
}

static void indirect_not_negotiated(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(TABLE, 16, VQ_DESC_F_INDIRECT, 0);
    must_break("not negotiated");
}

static void indirect_nested(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    ring_driver_indirect(&d, TABLE, 0, TABLE, 16, VQ_DESC_F_INDIRECT, 0);
    offer(TABLE, 16, VQ_DESC_F_INDIRECT, 0);
    must_break("inside an indirect table");
}

static void indirect_with_next(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    offer(TABLE, 16, VQ_DESC_F_INDIRECT | VQ_DESC_F_NEXT, 1);
    must_break("with a next one");
}

static void indirect_length_0(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    offer(TABLE, 0, VQ_DESC_F_INDIRECT, 0);
    must_break("multiple of 16");
}

static void indirect_length_unaligned(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    offer(TABLE, 17, VQ_DESC_F_INDIRECT, 0);
    must_break("multiple of 16");
}

static void indirect_huge(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    offer(TABLE, 16 * 1025, VQ_DESC_F_INDIRECT, 0);
    must_break("more than 1024");
}

static void indirect_next_out_of_range(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    ring_driver_indirect(&d, TABLE, 0, DRV_DATA, 1, VQ_DESC_F_NEXT, 1);
    offer(TABLE, 16, VQ_DESC_F_INDIRECT, 0);
    must_break("beyond its table");
}

static void indirect_table_unmapped(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    offer(0x1000, 16, VQ_DESC_F_INDIRECT, 0);
    must_break("table outside");
}

static void indirect_table_wraps(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    offer(UINT64_MAX - 7, 16, VQ_DESC_F_INDIRECT, 0);
    must_break("wraps");
}

static void more_pieces_than_an_element_holds(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_INDIRECT);
    /* 1024 buffers of which each lies in two regions */
    for (uint16_t i = 0; i < 1024; i++)
        ring_driver_indirect(&d, TABLE, i, DRV_HIGH - 1, 2, VQ_DESC_F_NEXT,
                             (uint16_t)(i + 1));
    offer(TABLE, 16 * 1024, VQ_DESC_F_INDIRECT, 0);
    must_break("too many pieces");
}

static void memory_taken_away_under_a_live_ring(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(DRV_HIGH, 1, 0, 0);
    assert_int_equal(libxl__ring_mem_remove(&d.mem, DRV_LOW, DRV_REGION), 0);
    must_break("taken away");
}

static void memory_taken_away_before_the_push(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer(DRV_HIGH, 1, VQ_DESC_F_WRITE, 0);
    assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(libxl__ring_mem_remove(&d.mem, DRV_LOW, DRV_REGION), 0);
    libxl__vq_push(&d.vq, &d.elem, 1);
    assert_int_equal(d.vq.state, LIBXL__VQ_BROKEN);
    assert_int_equal(ring_driver_used_idx(&d), 0);
}

static void more_requests_than_the_queue_holds(void **state)
{
    ring_driver_init(&d, 2, 0);
    ring_driver_desc(&d, 1, DRV_DATA, 1, 0, 0);
    offer(DRV_DATA, 1, 0, 0);
    ring_driver_offer(&d, 1);
    assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(ring_driver_pop(&d), 1);
    ring_driver_offer(&d, 0);
    must_break("twice");
}

static void setup_must_be_refused(const struct libxl__vq_params *p, int r)
{
    libxl__vq_stop(&d.vq);
    assert_int_equal(libxl__vq_setup(&d.vq, p), r);
    assert_int_equal(d.vq.state, LIBXL__VQ_STOPPED);
}

static void setup_with_sizes_that_no_queue_has(void **state)
{
    static const uint16_t sizes[] = {0, 3, 100, 1025, 2048, 0xffff};

    ring_driver_init(&d, 8, 0);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct libxl__vq_params p = d.params;

        p.size = sizes[i];
        setup_must_be_refused(&p, -EINVAL);
    }
}

static void setup_with_parts_misaligned(void **state)
{
    struct libxl__vq_params p;

    ring_driver_init(&d, 8, 0);
    p = d.params, p.desc += 8;
    setup_must_be_refused(&p, -EINVAL);
    p = d.params, p.avail += 1;
    setup_must_be_refused(&p, -EINVAL);
    p = d.params, p.used += 2;
    setup_must_be_refused(&p, -EINVAL);
}

static void setup_with_parts_unmapped(void **state)
{
    struct libxl__vq_params p;

    ring_driver_init(&d, 8, 0);
    p = d.params, p.desc = 0;
    setup_must_be_refused(&p, -EFAULT);
    p = d.params, p.used = DRV_HIGH + DRV_REGION - 16;
    setup_must_be_refused(&p, -EFAULT);
    p = d.params, p.avail = UINT64_MAX - 1;
    setup_must_be_refused(&p, -EFAULT);
}

static void restored_index_far_from_the_ring(void **state)
{
    ring_driver_init(&d, 8, 0);
    libxl__vq_stop(&d.vq);
    d.params.last_avail = 1000;
    assert_int_equal(libxl__vq_setup(&d.vq, &d.params), 0);
    must_break("moved by more");
}

#define T(name) cmocka_unit_test_teardown(name, free_driver)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(self_loop),
        T(loop_of_two),
        T(loop_in_an_indirect_table),
        T(next_out_of_range),
        T(head_out_of_range),
        T(head_ffff),
        T(address_unmapped),
        T(length_crosses_the_end_of_memory),
        T(address_wraps),
        T(length_of_4g_less_one),
        T(chain_of_more_than_4g),
        T(zero_length_readable),
        T(zero_length_writable_behind_a_good_one),
        T(zero_length_while_the_log_is_on),
        T(readable_behind_writable),
        T(avail_index_jumps),
        T(avail_index_goes_backwards),
        T(same_head_twice),
        T(indirect_not_negotiated),
        T(indirect_nested),
        T(indirect_with_next),
        T(indirect_length_0),
        T(indirect_length_unaligned),
        T(indirect_huge),
        T(indirect_next_out_of_range),
        T(indirect_table_unmapped),
        T(indirect_table_wraps),
        T(more_pieces_than_an_element_holds),
        T(memory_taken_away_under_a_live_ring),
        T(memory_taken_away_before_the_push),
        T(more_requests_than_the_queue_holds),
        T(setup_with_sizes_that_no_queue_has),
        T(setup_with_parts_misaligned),
        T(setup_with_parts_unmapped),
        T(restored_index_far_from_the_ring),
    };
    return cmocka_run_group_tests_name("vq, hostile", tests, NULL, NULL);
}
