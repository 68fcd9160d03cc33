/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of requests under way, from a frontend that breaks each rule. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring/blk_req.h"
#include "ring/inflight_table.h"

static struct inflight_table t;

static int teardown(void **state)
{
    inflight_table_free(&t);
    return vuf_teardown(state);
}

/* A table of one request, head 3, that the driver has made available. */
static void make_one(struct vu_frontend *f)
{
    uint16_t one = htole16(1);

    inflight_table_make(&t, 2, VUF_QSIZE);
    inflight_entry(&t, 0, 3)->inflight = 1;
    vuf_desc(f, 3, VUF_GPA + VUF_DATA, 16, VQ_DESC_F_NEXT, 4);
    vuf_desc(f, 4, VUF_GPA + VUF_DATA + 64, 1, VQ_DESC_F_WRITE, 0);
    memset(f->mem + VUF_DATA, 0, 16);
    f->mem[VUF_DATA] = BLK_T_FLUSH;
    memcpy(f->mem + VUF_AVAIL + 2, &one, sizeof(one));
    f->avail = 1;
}

/* SET_INFLIGHT_FD is fine; the ring is not started. */
static void ring_must_fail(struct vu_frontend *f, const char *why)
{
    inflight_table_set(f, &t);
    vuf_must_live(f);
    vuf_send_start(f, 0, 0);
    vuf_must_close(f, why);
}

static void the_table_without_a_fault_is_taken(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_table_set(f, &t);
    vuf_start(f, 0);
    vuf_wait_used(f, 0);
    assert_int_equal(f->mem[VUF_DATA + 64], BLK_S_OK);
}

static void room_must_fail(struct vu_frontend *f, uint16_t queues,
                           uint16_t size, const char *why)
{
    uint8_t body[24] = {0};
    uint16_t room[2] = {htole16(queues), htole16(size)};

    memcpy(body + 16, room, sizeof(room));
    vuf_send(f, VU_GET_INFLIGHT_FD, 0, body, sizeof(body), NULL, 0);
    vuf_must_close(f, why);
}

static void table_for_no_queue(void **state)
{
    room_must_fail(*state, 0, 16, "queues that the device does not have");
}

static void table_for_three_queues_of_two(void **state)
{
    room_must_fail(*state, 3, 16, "queues that the device does not have");
}

static void table_for_65535_queues(void **state)
{
    room_must_fail(*state, 65535, 65535, "queues that the device");
}

static void table_for_rings_of_size_0(void **state)
{
    room_must_fail(*state, 1, 0, "size that no ring has");
}

static void table_for_rings_of_65535(void **state)
{
    room_must_fail(*state, 1, 65535, "size that no ring has");
}

static void message_between_its_two_lengths(void **state)
{
    struct vu_frontend *f = *state;
    uint8_t body[22] = {0};

    vuf_send(f, VU_GET_INFLIGHT_FD, 0, body, sizeof(body), NULL, 0);
    vuf_must_close(f, "length that the request does not have");
}

static void table_without_its_fd(void **state)
{
    struct vu_frontend *f = *state;
    uint8_t body[24] = {0};

    vuf_send(f, VU_SET_INFLIGHT_FD, 0, body, sizeof(body), NULL, 0);
    vuf_must_close(f, "inflight table without its fd");
}

static void table_beyond_its_file(void **state)
{
    struct vu_frontend *f = *state;

    inflight_table_make(&t, 2, VUF_QSIZE);
    t.info.mmap_bytes += 64;
    inflight_table_set(f, &t);
    vuf_must_close(f, "does not hold");
}

static void table_that_wraps(void **state)
{
    struct vu_frontend *f = *state;

    inflight_table_make(&t, 2, VUF_QSIZE);
    t.info.mmap_offset = UINT64_MAX - 7;
    inflight_table_set(f, &t);
    vuf_must_close(f, "wraps");
}

static void table_misaligned(void **state)
{
    struct vu_frontend *f = *state;

    inflight_table_make(&t, 2, VUF_QSIZE);
    t.info.mmap_offset = 4;
    inflight_table_set(f, &t);
    vuf_must_close(f, "not aligned");
}

static void table_too_short_for_its_queues(void **state)
{
    struct vu_frontend *f = *state;

    inflight_table_make(&t, 2, VUF_QSIZE);
    t.info.mmap_bytes--;
    inflight_table_set(f, &t);
    vuf_must_close(f, "too short for its queues");
}

static void table_set_while_a_ring_runs(void **state)
{
    struct vu_frontend *f = *state;

    inflight_table_make(&t, 2, VUF_QSIZE);
    vuf_start(f, 0);
    inflight_table_set(f, &t);
    vuf_must_close(f, "rings that run");
}

/* CVE-2026-86565: a ring's size, and a table made for another one. */
static void ring_larger_than_its_table(void **state)
{
    struct vu_frontend *f = *state;

    inflight_table_make(&t, 2, VUF_QSIZE / 2);
    ring_must_fail(f, "larger than its inflight table");
}

static void ring_larger_than_its_new_table(void **state)
{
    struct vu_frontend *f = *state;

    inflight_table_make(&t, 2, VUF_QSIZE / 2);
    inflight_head(&t, 0)->version = 0;
    ring_must_fail(f, "larger than its inflight table");
}

static void ring_that_the_table_does_not_have(void **state)
{
    struct vu_frontend *f = *state;

    inflight_table_make(&t, 1, VUF_QSIZE);
    inflight_table_set(f, &t);
    vuf_send_start(f, 1, 0);
    vuf_must_close(f, "inflight table does not have");
}

static void table_of_version_2(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_head(&t, 0)->version = htole16(2);
    inflight_table_set(f, &t);
    vuf_must_close(f, "version that is not 1");
}

static void table_with_features(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_head(&t, 1)->features = htole64(1);
    inflight_table_set(f, &t);
    vuf_must_close(f, "unknown features");
}

static void table_whose_size_lies(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_head(&t, 0)->desc_num = htole16(65535);
    inflight_table_set(f, &t);
    vuf_must_close(f, "another size than it says");
}

static void table_whose_size_lies_after_it_was_set(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_table_set(f, &t);
    vuf_must_live(f);
    inflight_head(&t, 0)->desc_num = htole16(65535);
    vuf_send_start(f, 0, 0);
    vuf_must_close(f, "another size than it says");
}

static void entry_neither_in_flight_nor_not(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_entry(&t, 0, 3)->inflight = 2;
    ring_must_fail(f, "neither in flight nor not");
}

static void head_beyond_its_ring(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_table_free(&t);
    inflight_table_make(&t, 2, VUF_QSIZE * 2);
    inflight_entry(&t, 0, VUF_QSIZE)->inflight = 1;
    ring_must_fail(f, "head is beyond its ring");
}

static void counter_at_its_end(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_entry(&t, 0, 3)->counter = UINT64_MAX;
    ring_must_fail(f, "counter is at its end");
}

static void batch_beyond_the_table(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_head(&t, 0)->used_idx = htole16(65535); /* one behind */
    inflight_head(&t, 0)->last_batch_head = htole16(VUF_QSIZE);
    ring_must_fail(f, "batch beyond its end");
}

static void batch_whose_next_is_beyond_the_table(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_head(&t, 0)->used_idx = htole16(65534); /* two behind */
    inflight_entry(&t, 0, 0)->next = htole16(65535);
    ring_must_fail(f, "batch beyond its end");
}

static void batch_larger_than_the_table(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_head(&t, 0)->used_idx = htole16(1);
    ring_must_fail(f, "belongs to another ring");
}

static void request_that_the_driver_has_not_made_available(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_entry(&t, 0, 7)->inflight = 1;
    ring_must_fail(f, "has not made available");
}

static void request_whose_chain_is_broken(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    vuf_desc(f, 3, VUF_GPA + VUF_DATA, 16, VQ_DESC_F_NEXT, 3);
    inflight_table_set(f, &t);
    vuf_start(f, 0);
    assert_non_null(strstr(f->last_error, "loops"));
    assert_int_equal(inflight_entry(&t, 0, 3)->inflight, 1);
}

/* The driver makes the head available a second time, behind itself. */
static void head_in_the_table_and_in_the_ring(void **state)
{
    struct vu_frontend *f = *state;

    make_one(f);
    inflight_table_set(f, &t);
    vuf_send_start(f, 0, 0);
    vuf_kick(f, 3);
    vuf_wait_used(f, 1); /* one after the other: that is no fault */
    vuf_must_live(f);
}

static void table_scribbled_over_while_the_ring_runs(void **state)
{
    struct vu_frontend *f = *state;

    inflight_table_make(&t, 2, VUF_QSIZE);
    inflight_table_set(f, &t);
    vuf_start(f, 0);
    memset(t.map, 0xff, t.info.mmap_bytes);
    assert_int_equal(vuf_blk(f, BLK_T_FLUSH, 0, 0, false), BLK_S_OK);
    memset(t.map, 0xff, t.info.mmap_bytes);
    assert_int_equal(vuf_blk(f, BLK_T_FLUSH, 0, 0, false), BLK_S_OK);
    vuf_must_live(f);
}

static void table_truncated_under_the_ring(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t one = 1;

    inflight_table_make(&t, 2, VUF_QSIZE);
    inflight_table_set(f, &t);
    vuf_start(f, 0);
    assert_int_equal(ftruncate(t.fd, 0), 0);
    vuf_blk(f, BLK_T_FLUSH, 0, 0, false);
    assert_int_equal(write(f->kick_fd, &one, sizeof(one)), sizeof(one));
    vuf_must_close(f, "truncated");
}

#define T(name) cmocka_unit_test_setup_teardown(name, vuf_setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_table_without_a_fault_is_taken),
        T(table_for_no_queue),
        T(table_for_three_queues_of_two),
        T(table_for_65535_queues),
        T(table_for_rings_of_size_0),
        T(table_for_rings_of_65535),
        T(message_between_its_two_lengths),
        T(table_without_its_fd),
        T(table_beyond_its_file),
        T(table_that_wraps),
        T(table_misaligned),
        T(table_too_short_for_its_queues),
        T(table_set_while_a_ring_runs),
        T(ring_larger_than_its_table),
        T(ring_larger_than_its_new_table),
        T(ring_that_the_table_does_not_have),
        T(table_of_version_2),
        T(table_with_features),
        T(table_whose_size_lies),
        T(table_whose_size_lies_after_it_was_set),
        T(entry_neither_in_flight_nor_not),
        T(head_beyond_its_ring),
        T(counter_at_its_end),
        T(batch_beyond_the_table),
        T(batch_whose_next_is_beyond_the_table),
        T(batch_larger_than_the_table),
        T(request_that_the_driver_has_not_made_available),
        T(request_whose_chain_is_broken),
        T(head_in_the_table_and_in_the_ring),
        T(table_scribbled_over_while_the_ring_runs),
        T(table_truncated_under_the_ring),
    };

    /* what is taken is answered before the next is looked at */
    setenv("XL_TEST_NO_URING", "1", 1);
    return cmocka_run_group_tests_name("vhost_user, hostile inflight tables",
                                       tests, NULL, NULL);
}
