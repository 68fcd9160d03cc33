/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of requests under way: what is in it, and what a device does that
 * gets it from one that was killed. */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring/blk_req.h"
#include "ring/holding_backend.h"
#include "ring/inflight_table.h"

#define SLOTS 5u

struct fixture {
    struct vu_frontend *f;
    struct holding_backend first;
    struct inflight_table t;
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    void *f;

    vuf_setup(&f);
    x->f = f;
    holding_backend_start(&x->first);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    void *f = x->f;

    holding_backend_kill(&x->first);
    inflight_table_free(&x->t);
    free(x);
    return vuf_teardown(&f);
}

/* Request n of its own memory, head 3n: writes 512 bytes of n to sector n. */
static void offer(struct vu_frontend *f, uint16_t n, uint32_t type)
{
    uint32_t at = VUF_DATA + n * 0x1000u;
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header = {htole32(type), 0, htole64(n)};
    uint16_t head = (uint16_t)(n * 3);

    memcpy(f->mem + at, &header, sizeof(header));
    memset(f->mem + at + 512, n + 1, 512);
    f->mem[at + 64] = 0xff;
    vuf_desc(f, head, VUF_GPA + at, sizeof(header), VQ_DESC_F_NEXT,
             (uint16_t)(head + 1));
    vuf_desc(f, (uint16_t)(head + 1), VUF_GPA + at + 512, 512, VQ_DESC_F_NEXT,
             (uint16_t)(head + 2));
    vuf_desc(f, (uint16_t)(head + 2), VUF_GPA + at + 64, 1, VQ_DESC_F_WRITE, 0);
    vuf_kick(f, head);
}

static uint16_t used_idx(const struct vu_frontend *f)
{
    uint16_t idx;

    memcpy(&idx, f->mem + VUF_USED + 2, sizeof(idx));
    return le16toh(idx);
}

/* The head of used entry n. */
static uint32_t used_head(const struct vu_frontend *f, uint16_t n)
{
    uint32_t id;

    memcpy(&id, f->mem + VUF_USED + VQ_USED_RING(n % VUF_QSIZE), 4);
    return le32toh(id);
}

static unsigned written(struct vu_frontend *f, uint16_t n)
{
    uint8_t byte;

    assert_int_equal(pread(f->image_fd, &byte, 1, n * 512), 1);
    return byte;
}

static void start_on_the_first(struct fixture *x)
{
    holding_backend_connect(&x->first, &x->f->fd);
    inflight_table_get(x->f, &x->t, 2, VUF_QSIZE);
    inflight_table_set(x->f, &x->t);
    vuf_start(x->f, 0);
}

static void go_on_with_the_second(struct fixture *x)
{
    vuf_connect(x->f);
    inflight_table_set(x->f, &x->t);
    vuf_start(x->f, 0);
}

static void wait_in_flight(struct fixture *x, uint16_t head)
{
    for (unsigned i = 0; i < 6000 && !inflight_entry(&x->t, 0, head)->inflight;
         i++)
        vuf_turn(x->f);
    assert_int_equal(inflight_entry(&x->t, 0, head)->inflight, 1);
}

static void a_table_has_room_for_its_queues(void **state)
{
    struct fixture *x = *state;
    struct stat st;

    inflight_table_get(x->f, &x->t, 2, 128);
    assert_int_equal(x->t.info.queues, 2);
    assert_int_equal(x->t.info.queue_size, 128);
    assert_int_equal(x->t.info.mmap_offset, 0);
    assert_int_equal(x->t.info.mmap_bytes, 2 * 2112);
    assert_int_equal(fstat(x->t.fd, &st), 0);
    assert_int_equal(st.st_size, 2 * 2112);
}

static void nobody_can_make_a_table_shorter(void **state)
{
    struct fixture *x = *state;

    inflight_table_get(x->f, &x->t, 1, 16);
    assert_int_equal(ftruncate(x->t.fd, 0), -1);
    assert_int_equal(errno, EPERM);
}

static void a_frontend_without_padding_is_answered_without(void **state)
{
    struct fixture *x = *state;
    uint8_t body[20] = {0}, reply[20];
    uint16_t room[2] = {htole16(1), htole16(16)};

    memcpy(body + 16, room, sizeof(room));
    vuf_send(x->f, VU_GET_INFLIGHT_FD, 0, body, sizeof(body), NULL, 0);
    close(vuf_reply_fd(x->f, VU_GET_INFLIGHT_FD, reply, sizeof(reply)));
    assert_memory_equal(reply + 16, room, sizeof(room));
}

static void a_request_is_in_the_table_until_it_is_answered(void **state)
{
    struct fixture *x = *state;

    start_on_the_first(x);
    offer(x->f, 1, BLK_T_OUT);
    wait_in_flight(x, 3);
    assert_int_equal(write(x->first.release_fd, "", 1), 1);
    vuf_wait_used(x->f, 0);
    vuf_must_live(x->f);
    assert_int_equal(inflight_entry(&x->t, 0, 3)->inflight, 0);
    assert_int_equal(le16toh(inflight_head(&x->t, 0)->used_idx), 1);
}

static void what_a_killed_device_left_is_answered_once(void **state)
{
    struct fixture *x = *state;
    unsigned seen[SLOTS] = {0};

    start_on_the_first(x);
    offer(x->f, 0, BLK_T_OUT);
    offer(x->f, 1, BLK_T_FLUSH);
    offer(x->f, 2, BLK_T_OUT);
    offer(x->f, 3, BLK_T_OUT);
    vuf_wait_used(x->f, 0);
    wait_in_flight(x, 9);
    holding_backend_kill(&x->first);
    assert_int_equal(used_idx(x->f), 1);
    offer(x->f, 4, BLK_T_OUT); /* while there is no device */

    go_on_with_the_second(x);
    vuf_wait_used(x->f, 4);
    vuf_must_live(x->f);
    assert_int_equal(used_idx(x->f), 5);
    for (uint16_t i = 0; i < 5; i++)
        seen[used_head(x->f, i) / 3]++;
    for (uint16_t n = 0; n < SLOTS; n++) {
        assert_int_equal(seen[n], 1);
        assert_int_equal(x->f->mem[VUF_DATA + n * 0x1000u + 64], BLK_S_OK);
        assert_int_equal(written(x->f, n), n == 1 ? 0 : n + 1);
        assert_int_equal(inflight_entry(&x->t, 0, n * 3)->inflight, 0);
    }
}

static void the_order_is_that_of_the_counters(void **state)
{
    struct fixture *x = *state;
    static const uint16_t order[] = {3, 0, 4, 1};

    start_on_the_first(x);
    for (unsigned i = 0; i < 4; i++)
        offer(x->f, order[i], BLK_T_OUT);
    wait_in_flight(x, 3);
    holding_backend_kill(&x->first);
    offer(x->f, 2, BLK_T_OUT);
    go_on_with_the_second(x);
    vuf_wait_used(x->f, 4);
    for (uint16_t i = 0; i < 4; i++)
        assert_int_equal(used_head(x->f, i), order[i] * 3);
    assert_int_equal(used_head(x->f, 4), 6);
}

/* Killed between the used index and the entry. */
static void an_answer_that_is_out_is_not_given_again(void **state)
{
    struct fixture *x = *state;

    start_on_the_first(x);
    offer(x->f, 0, BLK_T_OUT);
    offer(x->f, 1, BLK_T_FLUSH);
    vuf_wait_used(x->f, 0);
    wait_in_flight(x, 0);
    vuf_must_live(x->f);
    holding_backend_kill(&x->first);
    inflight_entry(&x->t, 0, 3)->inflight = 1;
    inflight_head(&x->t, 0)->used_idx = 0;
    assert_int_equal(le16toh(inflight_head(&x->t, 0)->last_batch_head), 3);

    go_on_with_the_second(x);
    vuf_wait_used(x->f, 1);
    vuf_must_live(x->f);
    assert_int_equal(used_idx(x->f), 2);
    assert_int_equal(used_head(x->f, 1), 0);
    assert_int_equal(inflight_entry(&x->t, 0, 3)->inflight, 0);
}

/* Killed before the used index: last_batch_head alone says nothing. */
static void an_answer_that_is_not_out_is_given(void **state)
{
    struct fixture *x = *state;

    start_on_the_first(x);
    offer(x->f, 2, BLK_T_OUT);
    wait_in_flight(x, 6);
    holding_backend_kill(&x->first);
    inflight_head(&x->t, 0)->last_batch_head = htole16(6);
    go_on_with_the_second(x);
    vuf_wait_used(x->f, 0);
    assert_int_equal(used_head(x->f, 0), 6);
    assert_int_equal(written(x->f, 2), 3);
}

static void a_frontend_that_comes_back_finds_the_answers(void **state)
{
    struct fixture *x = *state;

    start_on_the_first(x);
    offer(x->f, 0, BLK_T_OUT);
    offer(x->f, 1, BLK_T_OUT);
    wait_in_flight(x, 3);
    close(x->f->fd); /* gone, with two requests under way */
    x->f->fd = -1;
    assert_int_equal(write(x->first.release_fd, "", 1), 1);
    holding_backend_connect(&x->first, &x->f->fd);
    inflight_table_set(x->f, &x->t);
    vuf_start(x->f, 0);
    assert_int_equal(used_idx(x->f), 2);
    assert_int_equal(inflight_entry(&x->t, 0, 0)->inflight, 0);
    assert_int_equal(inflight_entry(&x->t, 0, 3)->inflight, 0);
    offer(x->f, 2, BLK_T_FLUSH);
    vuf_wait_used(x->f, 2);
    assert_int_equal(used_head(x->f, 2), 6);
}

static void a_lost_interrupt_is_made_up_for(void **state)
{
    struct fixture *x = *state;
    uint64_t count;

    start_on_the_first(x);
    offer(x->f, 1, BLK_T_FLUSH);
    vuf_wait_used(x->f, 0);
    vuf_must_live(x->f);
    holding_backend_kill(&x->first);
    while (read(x->f->call_fd, &count, sizeof(count)) > 0)
        ;
    go_on_with_the_second(x);
    assert_int_equal(read(x->f->call_fd, &count, sizeof(count)),
                     sizeof(count));
}

/* A guest that was migrated: its ring is far on, the table new. */
static void a_new_table_of_an_old_ring_keeps_request_0(void **state)
{
    struct fixture *x = *state;
    uint16_t idx = htole16(451);

    memcpy(x->f->mem + VUF_USED + 2, &idx, sizeof(idx));
    memcpy(x->f->mem + VUF_AVAIL + 2, &idx, sizeof(idx));
    x->f->avail = 451;
    holding_backend_connect(&x->first, &x->f->fd);
    inflight_table_get(x->f, &x->t, 2, VUF_QSIZE);
    inflight_table_set(x->f, &x->t);
    vuf_start_at(x->f, 0, 451);
    offer(x->f, 0, BLK_T_OUT);
    wait_in_flight(x, 0);
    holding_backend_kill(&x->first);
    go_on_with_the_second(x);
    vuf_wait_used(x->f, 451);
    assert_int_equal(used_head(x->f, 451), 0);
    assert_int_equal(written(x->f, 0), 1);
}

/* The requests that it had are still the device's: to forget them would end
 * the process when they are answered. */
static void a_broken_ring_is_not_started_over_its_requests(void **state)
{
    struct fixture *x = *state;
    uint16_t jump = htole16(1000);
    uint64_t queue = 0, one = 1;

    start_on_the_first(x);
    offer(x->f, 1, BLK_T_OUT);
    wait_in_flight(x, 3);
    memcpy(x->f->mem + VUF_AVAIL + 2, &jump, sizeof(jump));
    assert_int_equal(write(x->f->kick_fd, &one, sizeof(one)), sizeof(one));
    vuf_must_live(x->f);
    vuf_send(x->f, VU_SET_VRING_KICK, 0, &queue, sizeof(queue),
             &x->f->kick_fd, 1);
    assert_int_equal(write(x->first.release_fd, "", 1), 1);
    holding_backend_connect(&x->first, &x->f->fd);
    vuf_must_live(x->f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_table_has_room_for_its_queues),
        T(nobody_can_make_a_table_shorter),
        T(a_frontend_without_padding_is_answered_without),
        T(a_request_is_in_the_table_until_it_is_answered),
        T(what_a_killed_device_left_is_answered_once),
        T(the_order_is_that_of_the_counters),
        T(an_answer_that_is_out_is_not_given_again),
        T(an_answer_that_is_not_out_is_given),
        T(a_frontend_that_comes_back_finds_the_answers),
        T(a_lost_interrupt_is_made_up_for),
        T(a_new_table_of_an_old_ring_keeps_request_0),
        T(a_broken_ring_is_not_started_over_its_requests),
    };

    /* answers in the order of the requests */
    setenv("XL_TEST_NO_URING", "1", 1);
    return cmocka_run_group_tests_name("vhost_user, requests under way", tests,
                                       NULL, NULL);
}
