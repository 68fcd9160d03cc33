/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vq: requests of a driver that keeps the rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ring/ring_driver.h"

static struct ring_driver d;

static int free_driver(void **state)
{
    ring_driver_free(&d);
    return 0;
}

/* out buffer of 16 bytes, in buffer of 32: descriptors i and i + 1 */
static void offer_pair(uint16_t i)
{
    ring_driver_desc(&d, i, DRV_DATA, 16, VQ_DESC_F_NEXT, (uint16_t)(i + 1));
    ring_driver_desc(&d, (uint16_t)(i + 1), DRV_DATA + 0x100, 32,
                     VQ_DESC_F_WRITE, 0);
    ring_driver_offer(&d, i);
}

static void an_empty_queue_yields_nothing(void **state)
{
    ring_driver_init(&d, 8, 0);
    assert_int_equal(ring_driver_pop(&d), 0);
    assert_int_equal(d.vq.state, LIBXL__VQ_LIVE);
}

static void a_chain_arrives_as_out_and_in_pieces(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer_pair(3);
    assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(d.elem.head, 3);
    assert_int_equal(d.elem.nr_out, 1);
    assert_int_equal(d.elem.nr_in, 1);
    assert_int_equal(d.elem.out_bytes, 16);
    assert_int_equal(d.elem.in_bytes, 32);
    assert_ptr_equal(libxl__vq_in(&d.elem)[0].iov_base,
                     ring_driver_at(&d, DRV_DATA + 0x100));
    assert_int_equal(ring_driver_pop(&d), 0);
}

static void a_pushed_request_is_in_the_used_ring(void **state)
{
    uint32_t id, len;

    ring_driver_init(&d, 8, 0);
    offer_pair(2);
    ring_driver_pop(&d);
    libxl__vq_push(&d.vq, &d.elem, 5);
    assert_true(ring_driver_take(&d, &id, &len));
    assert_int_equal(id, 2);
    assert_int_equal(len, 5);
    assert_false(ring_driver_take(&d, &id, &len));
}

static void indices_wrap_at_65536(void **state)
{
    uint32_t id, len;

    ring_driver_init(&d, 8, 0);
    for (unsigned i = 0; i < 70000; i++) {
        offer_pair(0);
        assert_int_equal(ring_driver_pop(&d), 1);
        libxl__vq_push(&d.vq, &d.elem, 0);
        assert_true(ring_driver_take(&d, &id, &len));
    }
    assert_int_equal(d.vq.last_avail, 70000 % 65536);
}

static void a_full_queue_is_served_whole(void **state)
{
    ring_driver_init(&d, 8, 0);
    for (uint16_t i = 0; i < 8; i++) {
        ring_driver_desc(&d, i, DRV_DATA, 1, 0, 0);
        ring_driver_offer(&d, i);
    }
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(ring_driver_pop(&d), 0);
}

static void an_unpopped_request_comes_again(void **state)
{
    ring_driver_init(&d, 8, 0);
    offer_pair(4);
    ring_driver_pop(&d);
    libxl__vq_unpop(&d.vq, &d.elem);
    assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(d.elem.head, 4);
}

static void an_indirect_table_is_followed(void **state)
{
    uint64_t t = DRV_DATA + 0x1000;

    ring_driver_init(&d, 4, LIBXL__VQ_F_INDIRECT);
    for (uint16_t i = 0; i < 10; i++)
        ring_driver_indirect(&d, t, i, DRV_DATA + i * 8u, 8,
                             i < 9 ? VQ_DESC_F_NEXT : VQ_DESC_F_WRITE,
                             (uint16_t)(i + 1));
    ring_driver_desc(&d, 0, t, 160, VQ_DESC_F_INDIRECT, 0);
    ring_driver_offer(&d, 0);
    assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(d.elem.nr_out, 9);
    assert_int_equal(d.elem.nr_in, 1);
}

static void an_indirect_table_may_end_a_chain(void **state)
{
    uint64_t t = DRV_DATA + 0x1000;

    ring_driver_init(&d, 4, LIBXL__VQ_F_INDIRECT);
    ring_driver_indirect(&d, t, 0, DRV_DATA, 8, VQ_DESC_F_WRITE, 0);
    ring_driver_desc(&d, 0, DRV_DATA, 16, VQ_DESC_F_NEXT, 1);
    ring_driver_desc(&d, 1, t, 16, VQ_DESC_F_INDIRECT, 0);
    ring_driver_offer(&d, 0);
    assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(d.elem.nr_out, 1);
    assert_int_equal(d.elem.nr_in, 1);
}

static void the_write_flag_of_an_indirect_descriptor_means_nothing(void **state)
{
    uint64_t t = DRV_DATA + 0x1000;

    ring_driver_init(&d, 4, LIBXL__VQ_F_INDIRECT);
    ring_driver_indirect(&d, t, 0, DRV_DATA, 8, 0, 0);
    ring_driver_desc(&d, 0, t, 16, VQ_DESC_F_INDIRECT | VQ_DESC_F_WRITE, 0);
    ring_driver_offer(&d, 0);
    assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(d.elem.nr_out, 1);
}

static void an_indirect_table_may_cross_regions(void **state)
{
    uint64_t t = DRV_HIGH - 8;
    struct vq_desc v = {htole64(DRV_DATA), htole32(8), 0, 0};

    ring_driver_init(&d, 4, LIBXL__VQ_F_INDIRECT);
    memcpy(ring_driver_at(&d, t), &v, 8);
    memcpy(ring_driver_at(&d, DRV_HIGH), (uint8_t *)&v + 8, 8);
    ring_driver_desc(&d, 0, t, 16, VQ_DESC_F_INDIRECT, 0);
    ring_driver_offer(&d, 0);
    assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(d.elem.out_bytes, 8);
}

static void a_buffer_over_two_regions_becomes_two_pieces(void **state)
{
    ring_driver_init(&d, 4, 0);
    ring_driver_desc(&d, 0, DRV_HIGH - 4, 12, VQ_DESC_F_WRITE, 0);
    ring_driver_offer(&d, 0);
    assert_int_equal(ring_driver_pop(&d), 1);
    assert_int_equal(d.elem.nr_in, 2);
    assert_int_equal(d.elem.gpa[1], DRV_HIGH);
}

static void what_was_written_is_in_the_dirty_log_and_no_more(void **state)
{
    ring_driver_init(&d, 4, 0);
    libxl__ring_mem_set_log(&d.mem, LIBXL__RING_LOG_FRONTEND, d.log,
                            sizeof(d.log));
    ring_driver_desc(&d, 0, DRV_HIGH - 4, 0x3000, VQ_DESC_F_WRITE, 0);
    ring_driver_offer(&d, 0);
    ring_driver_pop(&d);
    libxl__vq_push(&d.vq, &d.elem, 5); /* 4 bytes low, 1 byte high */
    /* pages 0x105 (used ring), 0x10f and 0x110 */
    assert_int_equal(d.log[0x20], 1 << 5);
    assert_int_equal(d.log[0x21], 1 << 7);
    assert_int_equal(d.log[0x22], 1 << 0);
}

static void the_interrupt_flag_is_obeyed(void **state)
{
    ring_driver_init(&d, 4, 0);
    assert_true(libxl__vq_should_notify(&d.vq));
    ring_driver_set_avail_flags(&d, VQ_AVAIL_F_NO_INTERRUPT);
    assert_false(libxl__vq_should_notify(&d.vq));
}

static void with_event_idx_the_flag_means_nothing(void **state)
{
    ring_driver_init(&d, 4, LIBXL__VQ_F_EVENT_IDX);
    ring_driver_set_avail_flags(&d, VQ_AVAIL_F_NO_INTERRUPT);
    offer_pair(0);
    ring_driver_pop(&d);
    libxl__vq_push(&d.vq, &d.elem, 0);
    assert_true(libxl__vq_should_notify(&d.vq));
}

static void an_interrupt_comes_when_the_event_index_is_passed(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_EVENT_IDX);
    libxl__vq_should_notify(&d.vq);
    ring_driver_set_used_event(&d, 1); /* wants to hear of the second */
    for (unsigned i = 0; i < 3; i++) {
        offer_pair(0);
        ring_driver_pop(&d);
        libxl__vq_push(&d.vq, &d.elem, 0);
        assert_int_equal(libxl__vq_should_notify(&d.vq), i == 1);
    }
}

static void the_event_index_wraps(void **state)
{
    unsigned told = 0;

    ring_driver_init(&d, 8, LIBXL__VQ_F_EVENT_IDX);
    libxl__vq_should_notify(&d.vq);
    ring_driver_set_used_event(&d, 0); /* the first, and once a turn */
    for (unsigned i = 0; i < 0x10000 + 1; i++) {
        offer_pair(0);
        assert_int_equal(ring_driver_pop(&d), 1);
        libxl__vq_push(&d.vq, &d.elem, 0);
        told += libxl__vq_should_notify(&d.vq);
    }
    assert_int_equal(told, 2);
}

static void kicks_are_asked_for_by_flag(void **state)
{
    ring_driver_init(&d, 4, 0);
    libxl__vq_set_kick(&d.vq, false);
    assert_int_equal(ring_driver_used_flags(&d), VQ_USED_F_NO_NOTIFY);
    libxl__vq_set_kick(&d.vq, true);
    assert_int_equal(ring_driver_used_flags(&d), 0);
}

static void kicks_are_asked_for_by_event_index(void **state)
{
    ring_driver_init(&d, 8, LIBXL__VQ_F_EVENT_IDX);
    offer_pair(0);
    ring_driver_pop(&d);
    libxl__vq_set_kick(&d.vq, true);
    assert_int_equal(ring_driver_avail_event(&d), 1);
}

static void a_stopped_queue_goes_on_elsewhere_where_it_was(void **state)
{
    struct libxl__vq other;

    ring_driver_init(&d, 8, 0);
    for (unsigned i = 0; i < 5; i++) {
        offer_pair(0);
        ring_driver_pop(&d);
        libxl__vq_push(&d.vq, &d.elem, 0);
    }
    d.params.last_avail = libxl__vq_stop(&d.vq);
    assert_int_equal(d.params.last_avail, 5);
    libxl__vq_init(&other, &d.mem);
    assert_int_equal(libxl__vq_setup(&other, &d.params), 0);
    offer_pair(4);
    assert_int_equal(libxl__vq_pop(&other, &d.elem), 1);
    assert_int_equal(d.elem.head, 4);
    libxl__vq_push(&other, &d.elem, 0);
    assert_int_equal(ring_driver_used_idx(&d), 6);
}

#define T(name) cmocka_unit_test_teardown(name, free_driver)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_empty_queue_yields_nothing),
        T(a_chain_arrives_as_out_and_in_pieces),
        T(a_pushed_request_is_in_the_used_ring),
        T(indices_wrap_at_65536),
        T(a_full_queue_is_served_whole),
        T(an_unpopped_request_comes_again),
        T(an_indirect_table_is_followed),
        T(an_indirect_table_may_end_a_chain),
        T(the_write_flag_of_an_indirect_descriptor_means_nothing),
        T(an_indirect_table_may_cross_regions),
        T(a_buffer_over_two_regions_becomes_two_pieces),
        T(what_was_written_is_in_the_dirty_log_and_no_more),
        T(the_interrupt_flag_is_obeyed),
        T(with_event_idx_the_flag_means_nothing),
        T(an_interrupt_comes_when_the_event_index_is_passed),
        T(the_event_index_wraps),
        T(kicks_are_asked_for_by_flag),
        T(kicks_are_asked_for_by_event_index),
        T(a_stopped_queue_goes_on_elsewhere_where_it_was),
    };
    return cmocka_run_group_tests_name("vq", tests, NULL, NULL);
}
