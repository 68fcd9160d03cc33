/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhost_user and blk_dev: a frontend that keeps the rules. */
#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring/blk_req.h"
#include "ring/vu_frontend.h"

#define FLUSH (UINT64_C(1) << 9)

static void what_is_written_can_be_read_again(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, FLUSH);
    memset(f->mem + VUF_DATA, 0xa5, 4096);
    assert_int_equal(vuf_blk(f, BLK_T_OUT, 8, 4096, false), BLK_S_OK);
    memset(f->mem + VUF_DATA, 0, 4096);
    assert_int_equal(vuf_blk(f, BLK_T_IN, 8, 4096, true), BLK_S_OK);
    for (unsigned i = 0; i < 4096; i++)
        assert_int_equal(f->mem[VUF_DATA + i], 0xa5);
}

static void writes_reach_the_image(void **state)
{
    struct vu_frontend *f = *state;
    char sector[512];

    vuf_start(f, 0); /* no flush: durable at once */
    memset(f->mem + VUF_DATA, 'x', 512);
    assert_int_equal(vuf_blk(f, BLK_T_OUT, 3, 512, false), BLK_S_OK);
    assert_int_equal(pread(f->image_fd, sector, 512, 3 * 512), 512);
    assert_int_equal(sector[511], 'x');
}

static void flush_answers(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, FLUSH);
    assert_int_equal(vuf_blk(f, BLK_T_FLUSH, 0, 0, false), BLK_S_OK);
}

static void the_serial_is_given(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    memset(f->mem + VUF_DATA, 0xff, 20);
    assert_int_equal(vuf_blk(f, BLK_T_GET_ID, 0, 20, true), BLK_S_OK);
    assert_memory_equal(f->mem + VUF_DATA, "SERIAL\0\0\0\0", 10);
}

static void zeroes_are_written(void **state)
{
    struct vu_frontend *f = *state;
    struct {
        uint64_t sector;
        uint32_t sectors, flags;
    } seg = {htole64(0), htole32(8), htole32(1)};
    char sector[512];

    vuf_start(f, 0);
    assert_int_equal(pwrite(f->image_fd, "old", 3, 0), 3);
    memcpy(f->mem + VUF_DATA, &seg, sizeof(seg));
    assert_int_equal(vuf_blk(f, BLK_T_WRITE_ZEROES, 0, sizeof(seg), false),
                     BLK_S_OK);
    assert_int_equal(pread(f->image_fd, sector, 512, 0), 512);
    assert_int_equal(sector[0], 0);
}

static void requests_beyond_the_end_get_an_error(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    assert_int_equal(vuf_blk(f, BLK_T_IN, 2048, 512, true), BLK_S_IOERR);
    assert_int_equal(vuf_blk(f, BLK_T_IN, 2047, 1024, true), BLK_S_IOERR);
    assert_int_equal(vuf_blk(f, BLK_T_OUT, UINT64_MAX, 512, false),
                     BLK_S_IOERR);
    assert_int_equal(vuf_blk(f, BLK_T_OUT, UINT64_MAX / 512 + 1, 512, false),
                     BLK_S_IOERR);
    assert_int_equal(vuf_blk(f, BLK_T_IN, 2047, 512, true), BLK_S_OK);
}

static void lengths_that_are_no_sectors_get_an_error(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    assert_int_equal(vuf_blk(f, BLK_T_IN, 0, 100, true), BLK_S_IOERR);
    assert_int_equal(vuf_blk(f, BLK_T_IN, 0, 0, true), BLK_S_IOERR);
}

static void unknown_requests_are_unsupported(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    assert_int_equal(vuf_blk(f, 77, 0, 0, false), BLK_S_UNSUPP);
}

static void a_stopped_ring_tells_where_it_was(void **state)
{
    struct vu_frontend *f = *state;
    uint32_t body[2] = {0, 0}, reply[2];

    vuf_start(f, 0);
    vuf_blk(f, BLK_T_IN, 0, 512, true);
    vuf_blk(f, BLK_T_IN, 0, 512, true);
    vuf_send(f, VU_GET_VRING_BASE, 0, body, sizeof(body), NULL, 0);
    vuf_reply(f, VU_GET_VRING_BASE, reply, sizeof(reply));
    assert_int_equal(le32toh(reply[1]), 2);
}

static void the_dirty_log_has_what_was_written(void **state)
{
    struct vu_frontend *f = *state;
    int log_fd = memfd_create("log", MFD_CLOEXEC);
    uint64_t page = (VUF_GPA + VUF_DATA) / 4096, reply;
    uint64_t body[2] = {htole64(VUF_GPA / 4096 / 8 + 4096), 0};
    uint8_t bits;

    assert_int_equal(ftruncate(log_fd, (off_t)le64toh(body[0])), 0);
    vuf_start(f, UINT64_C(1) << VU_FEATURE_LOG_ALL);
    vuf_send(f, VU_SET_LOG_BASE, 0, body, sizeof(body), &log_fd, 1);
    vuf_reply(f, VU_SET_LOG_BASE, &reply, sizeof(reply));
    vuf_blk(f, BLK_T_IN, 0, 512, true);
    assert_int_equal(pread(log_fd, &bits, 1, (off_t)(page / 8)), 1);
    assert_true(bits >> (page % 8) & 1);
    close(log_fd);
}

static void need_reply_is_answered(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t result = 77;
    uint32_t body[2] = {0, htole32(1)};

    vuf_start(f, 0);
    vuf_send(f, VU_SET_VRING_ENABLE, VU_F_NEED_REPLY, body, sizeof(body), NULL,
             0);
    vuf_reply(f, VU_SET_VRING_ENABLE, &result, sizeof(result));
    assert_int_equal(result, 0);
}

static void a_failed_request_with_need_reply_keeps_its_connection(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t result = 0;
    uint32_t body[2] = {htole32(9), htole32(1)};

    vuf_start(f, 0);
    vuf_send(f, VU_SET_VRING_ENABLE, VU_F_NEED_REPLY, body, sizeof(body), NULL,
             0);
    vuf_reply(f, VU_SET_VRING_ENABLE, &result, sizeof(result));
    assert_int_equal(le64toh(result), 1);
    vuf_must_live(f);
}

static void the_configuration_has_the_capacity(void **state)
{
    struct vu_frontend *f = *state;
    uint8_t request[12 + 60] = {0}, reply[12 + 60];
    uint32_t bytes = htole32(60);
    uint64_t capacity;

    memcpy(request + 4, &bytes, 4);
    vuf_send(f, VU_GET_CONFIG, 0, request, sizeof(request), NULL, 0);
    vuf_reply(f, VU_GET_CONFIG, reply, sizeof(reply));
    memcpy(&capacity, reply + 12, 8);
    assert_int_equal(le64toh(capacity), 2048);
}

static void signal_kick(struct vu_frontend *f)
{
    uint64_t one = 1;

    assert_int_equal(write(f->kick_fd, &one, sizeof(one)), sizeof(one));
}

static void a_kick_before_the_ring_is_set_up_is_kept(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t queue = 0;

    vuf_send(f, VU_SET_VRING_KICK, 0, &queue, sizeof(queue), &f->kick_fd, 1);
    signal_kick(f);
    vuf_must_live(f);
    vuf_start(f, 0);
    assert_int_equal(vuf_blk(f, BLK_T_FLUSH, 0, 0, false), BLK_S_OK);
}

static void kicks_for_nothing_do_nothing(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    for (unsigned i = 0; i < 3; i++) {
        signal_kick(f);
        vuf_must_live(f);
    }
    assert_int_equal(vuf_blk(f, BLK_T_FLUSH, 0, 0, false), BLK_S_OK);
}

static void a_header_may_lie_in_pieces(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    assert_int_equal(vuf_blk(f, BLK_T_OUT, 3, 512, false), BLK_S_OK);
    /* the header of that, moved by a byte, and its data behind it */
    memmove(f->mem + VUF_DATA + 0x100, f->mem + VUF_DATA - 32, 16);
    vuf_desc(f, 0, VUF_GPA + VUF_DATA + 0x100, 5, VQ_DESC_F_NEXT, 1);
    vuf_desc(f, 1, VUF_GPA + VUF_DATA + 0x105, 11 + 512, VQ_DESC_F_NEXT, 2);
    vuf_desc(f, 2, VUF_GPA + VUF_DATA - 1, 1, VQ_DESC_F_WRITE, 0);
    f->mem[VUF_DATA - 1] = 0xff;
    vuf_kick(f, 0);
    assert_int_equal(vuf_wait_used(f, 1), 1);
    assert_int_equal(f->mem[VUF_DATA - 1], BLK_S_OK);
}

static void a_second_frontend_is_served_after_the_first(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    assert_int_equal(vuf_blk(f, BLK_T_IN, 0, 512, true), BLK_S_OK);
    memset(f->mem, 0, VUF_MEM_BYTES);
    f->avail = 0;
    vuf_connect(f);
    vuf_start(f, 0);
    assert_int_equal(vuf_blk(f, BLK_T_IN, 0, 512, true), BLK_S_OK);
}

#define T(name) cmocka_unit_test_setup_teardown(name, vuf_setup, vuf_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_written_can_be_read_again),
        T(writes_reach_the_image),
        T(flush_answers),
        T(the_serial_is_given),
        T(zeroes_are_written),
        T(requests_beyond_the_end_get_an_error),
        T(lengths_that_are_no_sectors_get_an_error),
        T(unknown_requests_are_unsupported),
        T(a_stopped_ring_tells_where_it_was),
        T(the_dirty_log_has_what_was_written),
        T(need_reply_is_answered),
        T(a_failed_request_with_need_reply_keeps_its_connection),
        T(the_configuration_has_the_capacity),
        T(a_kick_before_the_ring_is_set_up_is_kept),
        T(kicks_for_nothing_do_nothing),
        T(a_header_may_lie_in_pieces),
        T(a_second_frontend_is_served_after_the_first),
    };
    return cmocka_run_group_tests_name("vhost_user", tests, NULL, NULL);
}
