/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost_user: frontends that break the rules. Each loses its connection for
 * the reason named, and the next frontend is served (vuf_must_close sees to
 * both).
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring/blk_req.h"
#include "ring/vu_frontend.h"

static const uint64_t zero64;

static void send_region(struct vu_frontend *f, uint32_t request, uint64_t gpa,
                        uint64_t bytes, uint64_t user, uint64_t offset)
{
    uint64_t body[5] = {0, htole64(gpa), htole64(bytes), htole64(user),
                        htole64(offset)};

    vuf_send(f, request, 0, body, sizeof(body), &f->mem_fd, 1);
}

static void message_of_another_version(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, VU_GET_FEATURES, 2, NULL, 0, NULL, 0); /* 1 | 2: version 3 */
    vuf_must_close(f, "version that is not 1");
}

static void message_that_is_a_reply(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, VU_GET_FEATURES, VU_F_REPLY, NULL, 0, NULL, 0);
    vuf_must_close(f, "a reply that nothing asked for");
}

static void message_of_4g(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, VU_SET_MEM_TABLE, 0, NULL, UINT32_MAX, NULL, 0);
    vuf_must_close(f, "more than 4096 bytes");
}

static void message_unknown(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, 99, 0, NULL, 0, NULL, 0);
    vuf_must_close(f, "not known");
}

static void message_0(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, 0, 0, NULL, 0, NULL, 0);
    vuf_must_close(f, "not known");
}

static void message_too_short(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, VU_SET_FEATURES, 0, &zero64, 4, NULL, 0);
    vuf_must_close(f, "length that the request does not have");
}

static void message_too_long(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, VU_GET_FEATURES, 0, &zero64, 8, NULL, 0);
    vuf_must_close(f, "length that the request does not have");
}

static void half_a_message(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, VU_SET_FEATURES, 0, NULL, 8, NULL, 0);
    shutdown(f->fd, SHUT_WR);
    vuf_must_close(f, "half a message");
}

static void fds_where_none_belong(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, VU_GET_FEATURES, 0, NULL, 0, &f->mem_fd, 1);
    vuf_must_close(f, "more fds than the request has");
}

static void more_fds_than_any_request_has(void **state)
{
    struct vu_frontend *f = *state;
    int fds[12];

    for (unsigned i = 0; i < 12; i++)
        fds[i] = f->mem_fd;
    vuf_send(f, VU_SET_MEM_TABLE, 0, NULL, 0, fds, 12);
    vuf_must_close(f, "more fds than");
}

static void kick_fd_missing(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send_u64(f, VU_SET_VRING_KICK, 0);
    vuf_must_close(f, "fd that is missing");
}

static void kick_fd_there_though_said_not_to_be(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t body = htole64(VU_VRING_NOFD);

    vuf_send(f, VU_SET_VRING_KICK, 0, &body, 8, &f->kick_fd, 1);
    vuf_must_close(f, "fd that is missing, or there");
}

static void kick_fd_of_a_regular_file(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send(f, VU_SET_VRING_KICK, 0, &zero64, 8, &f->image_fd, 1);
    vuf_must_close(f, "cannot be watched");
}

static void features_never_offered(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send_u64(f, VU_SET_FEATURES, UINT64_C(1) << 63);
    vuf_must_close(f, "features that were not offered");
}

static void protocol_features_never_offered(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send_u64(f, VU_SET_PROTOCOL_FEATURES, UINT64_C(1) << 40);
    vuf_must_close(f, "protocol features that were not offered");
}

static void memory_table_of_nine_regions(void **state)
{
    struct vu_frontend *f = *state;
    uint32_t body[2] = {htole32(9), 0};

    vuf_send(f, VU_SET_MEM_TABLE, 0, body, sizeof(body), NULL, 0);
    vuf_must_close(f, "more than 8 regions");
}

static void memory_table_shorter_than_it_says(void **state)
{
    struct vu_frontend *f = *state;
    uint32_t body[2] = {htole32(1), 0};

    vuf_send(f, VU_SET_MEM_TABLE, 0, body, sizeof(body), &f->mem_fd, 1);
    vuf_must_close(f, "shorter than its count");
}

static void memory_table_without_fds(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t body[5] = {htole64(1), 0, htole64(4096), 0, 0};

    vuf_send(f, VU_SET_MEM_TABLE, 0, body, sizeof(body), NULL, 0);
    vuf_must_close(f, "without one fd a region");
}

static void region_of_length_0(void **state)
{
    struct vu_frontend *f = *state;

    send_region(f, VU_ADD_MEM_REG, 0, 0, 0, 0);
    vuf_must_close(f, "empty or wraps");
}

static void region_that_wraps(void **state)
{
    struct vu_frontend *f = *state;

    send_region(f, VU_ADD_MEM_REG, UINT64_MAX - 4095, 8192, VUF_USER, 0);
    vuf_must_close(f, "wraps");
}

static void region_whose_user_address_wraps(void **state)
{
    struct vu_frontend *f = *state;

    send_region(f, VU_ADD_MEM_REG, 0, 8192, UINT64_MAX - 4095, 0);
    vuf_must_close(f, "wraps");
}

static void region_whose_file_offset_wraps(void **state)
{
    struct vu_frontend *f = *state;

    send_region(f, VU_ADD_MEM_REG, 0, 8192, VUF_USER, UINT64_MAX - 4095);
    vuf_must_close(f, "wraps");
}

static void region_beyond_its_file(void **state)
{
    struct vu_frontend *f = *state;

    send_region(f, VU_ADD_MEM_REG, 0, VUF_MEM_BYTES + 4096, VUF_USER, 0);
    vuf_must_close(f, "does not hold");
}

static void regions_that_overlap(void **state)
{
    struct vu_frontend *f = *state;

    send_region(f, VU_ADD_MEM_REG, 0, 8192, VUF_USER, 0);
    send_region(f, VU_ADD_MEM_REG, 4096, 8192, VUF_USER + 8192, 0);
    vuf_must_close(f, "overlap");
}

static void region_removed_that_is_not_there(void **state)
{
    struct vu_frontend *f = *state;

    send_region(f, VU_REM_MEM_REG, 0, 8192, VUF_USER, 0);
    vuf_must_close(f, "not there");
}

static void queue_out_of_range(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send_state(f, VU_SET_VRING_NUM, 2, 16);
    vuf_must_close(f, "queue that the device does not have");
}

static void queue_out_of_range_for_its_base(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send_state(f, VU_GET_VRING_BASE, 0xffffffff, 0);
    vuf_must_close(f, "queue that the device does not have");
}

static void queue_out_of_range_for_a_kick(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t body = htole64(0xff);

    vuf_send(f, VU_SET_VRING_KICK, 0, &body, 8, &f->kick_fd, 1);
    vuf_must_close(f, "queue that the device does not have");
}

static void ring_of_size_0(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send_state(f, VU_SET_VRING_NUM, 0, 0);
    vuf_must_close(f, "size that no ring has");
}

static void ring_of_size_2_to_the_20(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send_state(f, VU_SET_VRING_NUM, 0, 1 << 20);
    vuf_must_close(f, "size that no ring has");
}

static void start_a_ring(struct vu_frontend *f, uint32_t num, uint64_t desc)
{
    struct {
        uint32_t index, flags;
        uint64_t desc, used, avail, log;
    } addr = {0, 0, htole64(desc), htole64(VUF_USER + VUF_USED),
              htole64(VUF_USER + VUF_AVAIL), 0};

    send_region(f, VU_ADD_MEM_REG, VUF_GPA, VUF_MEM_BYTES, VUF_USER, 0);
    vuf_send_state(f, VU_SET_VRING_NUM, 0, num);
    vuf_send(f, VU_SET_VRING_ADDR, 0, &addr, sizeof(addr), NULL, 0);
    vuf_send(f, VU_SET_VRING_KICK, 0, &zero64, 8, &f->kick_fd, 1);
}

static void ring_of_size_100(void **state)
{
    struct vu_frontend *f = *state;

    start_a_ring(f, 100, VUF_USER);
    vuf_must_close(f, "size or alignment");
}

static void ring_misaligned(void **state)
{
    struct vu_frontend *f = *state;

    start_a_ring(f, 16, VUF_USER + 8);
    vuf_must_close(f, "size or alignment");
}

static void ring_unmapped(void **state)
{
    struct vu_frontend *f = *state;

    start_a_ring(f, 16, VUF_USER - 4096);
    vuf_must_close(f, "outside the shared memory");
}

static void base_out_of_range(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send_state(f, VU_SET_VRING_BASE, 0, 0x10000);
    vuf_must_close(f, "more than 16 bits");
}

static void base_of_a_live_ring(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    vuf_send_state(f, VU_SET_VRING_BASE, 0, 5);
    vuf_must_close(f, "live ring's index");
}

/* CVE-2026-86565: the size that was checked is not the size in use. */
static void size_of_a_live_ring(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    vuf_send_state(f, VU_SET_VRING_NUM, 0, VUF_QSIZE);
    vuf_must_live(f);
    vuf_send_state(f, VU_SET_VRING_NUM, 0, 1024);
    vuf_must_close(f, "live ring's size");
}

static void enable_2(void **state)
{
    struct vu_frontend *f = *state;

    vuf_send_state(f, VU_SET_VRING_ENABLE, 0, 2);
    vuf_must_close(f, "neither on nor off");
}

static void log_without_fd(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t body[2] = {htole64(4096), 0};

    vuf_send(f, VU_SET_LOG_BASE, 0, body, sizeof(body), NULL, 0);
    vuf_must_close(f, "log without its fd");
}

static void log_beyond_its_file(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t body[2] = {htole64(VUF_MEM_BYTES), htole64(4096)};

    vuf_send(f, VU_SET_LOG_BASE, 0, body, sizeof(body), &f->mem_fd, 1);
    vuf_must_close(f, "does not hold");
}

static void log_that_wraps(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t body[2] = {htole64(UINT64_MAX), htole64(4096)};

    vuf_send(f, VU_SET_LOG_BASE, 0, body, sizeof(body), &f->mem_fd, 1);
    vuf_must_close(f, "wraps");
}

static void config_length_that_lies(void **state)
{
    struct vu_frontend *f = *state;
    uint8_t body[12 + 4] = {0};
    uint32_t bytes = htole32(60);

    memcpy(body + 4, &bytes, 4);
    vuf_send(f, VU_GET_CONFIG, 0, body, sizeof(body), NULL, 0);
    vuf_must_close(f, "not what it says");
}

static void config_beyond_its_end(void **state)
{
    struct vu_frontend *f = *state;
    uint8_t body[12 + 4] = {0};
    uint32_t words[2] = {htole32(0xfffffffe), htole32(4)};

    memcpy(body, words, 8);
    vuf_send(f, VU_GET_CONFIG, 0, body, sizeof(body), NULL, 0);
    vuf_must_close(f, "beyond 256");
}

static void config_written(void **state)
{
    struct vu_frontend *f = *state;
    uint8_t body[12 + 4] = {0};
    uint32_t bytes = htole32(4);

    memcpy(body + 4, &bytes, 4);
    vuf_send(f, VU_SET_CONFIG, 0, body, sizeof(body), NULL, 0);
    vuf_must_close(f, "not writable");
}

static void memory_truncated_under_the_ring(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t one = 1;

    vuf_start(f, 0);
    assert_int_equal(ftruncate(f->mem_fd, 0), 0);
    assert_int_equal(write(f->kick_fd, &one, sizeof(one)), sizeof(one));
    vuf_must_close(f, "truncated");
}

static void memory_removed_under_the_ring(void **state)
{
    struct vu_frontend *f = *state;

    uint64_t one = 1;

    vuf_start(f, 0);
    send_region(f, VU_REM_MEM_REG, VUF_GPA, VUF_MEM_BYTES, VUF_USER, 0);
    vuf_must_live(f);
    assert_int_equal(write(f->kick_fd, &one, sizeof(one)), sizeof(one));
    vuf_must_live(f);
    vuf_must_live(f);
    assert_non_null(strstr(f->last_error, "taken away"));
}

static void request_without_a_whole_header(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    vuf_desc(f, 0, VUF_GPA + VUF_DATA, 8, VQ_DESC_F_NEXT, 1);
    vuf_desc(f, 1, VUF_GPA + VUF_DATA + 64, 1, VQ_DESC_F_WRITE, 0);
    vuf_kick(f, 0);
    vuf_must_live(f);
    assert_non_null(strstr(f->last_error, "without a whole header"));
}

static void request_without_a_status_byte(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    vuf_desc(f, 0, VUF_GPA + VUF_DATA, 528, 0, 0);
    vuf_kick(f, 0);
    vuf_must_live(f);
    assert_non_null(strstr(f->last_error, "status byte"));
}

static void request_whose_status_byte_is_read_only(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    vuf_desc(f, 0, VUF_GPA + VUF_DATA, 16, VQ_DESC_F_NEXT, 1);
    vuf_desc(f, 1, VUF_GPA + VUF_DATA + 64, 1, 0, 0);
    vuf_kick(f, 0);
    vuf_must_live(f);
    assert_non_null(strstr(f->last_error, "status byte"));
}

/* The ring is the guest's own to spoil: what it reads there stays its own. */
static void buffer_that_is_the_ring(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    vuf_blk(f, BLK_T_FLUSH, 0, 0, false);
    vuf_desc(f, 0, VUF_GPA + VUF_DATA - 32, 16, VQ_DESC_F_NEXT, 1);
    vuf_desc(f, 1, VUF_GPA + VUF_DESC, 0x3000, VQ_DESC_F_WRITE | VQ_DESC_F_NEXT,
             2);
    vuf_desc(f, 2, VUF_GPA + VUF_DATA - 1, 1, VQ_DESC_F_WRITE, 0);
    memset(f->mem + VUF_DATA - 32, 0, 16); /* read sector 0 */
    f->mem[VUF_DATA - 1] = 0xff;
    vuf_kick(f, 0);
    while (*(volatile uint8_t *)(f->mem + VUF_DATA - 1) == 0xff)
        vuf_turn(f);
    vuf_must_live(f);
}

static void buffers_that_overlap(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    memset(f->mem + VUF_DATA - 32, 0, 16);
    vuf_desc(f, 0, VUF_GPA + VUF_DATA - 32, 16, VQ_DESC_F_NEXT, 1);
    vuf_desc(f, 1, VUF_GPA + VUF_DATA, 1024, VQ_DESC_F_WRITE | VQ_DESC_F_NEXT,
             2);
    vuf_desc(f, 2, VUF_GPA + VUF_DATA + 512, 1024,
             VQ_DESC_F_WRITE | VQ_DESC_F_NEXT, 3);
    vuf_desc(f, 3, VUF_GPA + VUF_DATA + 1535, 1, VQ_DESC_F_WRITE, 0);
    vuf_kick(f, 0);
    assert_int_equal(vuf_wait_used(f, 0), 2049);
}

static void ring_that_loops(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    vuf_desc(f, 0, VUF_GPA + VUF_DATA, 16, VQ_DESC_F_NEXT, 0);
    vuf_kick(f, 0);
    vuf_must_live(f);
    assert_non_null(strstr(f->last_error, "loops"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, vuf_setup, vuf_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(message_of_another_version),
        T(message_that_is_a_reply),
        T(message_of_4g),
        T(message_unknown),
        T(message_0),
        T(message_too_short),
        T(message_too_long),
        T(half_a_message),
        T(fds_where_none_belong),
        T(more_fds_than_any_request_has),
        T(kick_fd_missing),
        T(kick_fd_there_though_said_not_to_be),
        T(kick_fd_of_a_regular_file),
        T(features_never_offered),
        T(protocol_features_never_offered),
        T(memory_table_of_nine_regions),
        T(memory_table_shorter_than_it_says),
        T(memory_table_without_fds),
        T(region_of_length_0),
        T(region_that_wraps),
        T(region_whose_user_address_wraps),
        T(region_whose_file_offset_wraps),
        T(region_beyond_its_file),
        T(regions_that_overlap),
        T(region_removed_that_is_not_there),
        T(queue_out_of_range),
        T(queue_out_of_range_for_its_base),
        T(queue_out_of_range_for_a_kick),
        T(ring_of_size_0),
        T(ring_of_size_2_to_the_20),
        T(ring_of_size_100),
        T(ring_misaligned),
        T(ring_unmapped),
        T(base_out_of_range),
        T(base_of_a_live_ring),
        T(size_of_a_live_ring),
        T(enable_2),
        T(log_without_fd),
        T(log_beyond_its_file),
        T(log_that_wraps),
        T(config_length_that_lies),
        T(config_beyond_its_end),
        T(config_written),
        T(memory_truncated_under_the_ring),
        T(memory_removed_under_the_ring),
        T(request_without_a_whole_header),
        T(request_without_a_status_byte),
        T(request_whose_status_byte_is_read_only),
        T(buffer_that_is_the_ring),
        T(buffers_that_overlap),
        T(ring_that_loops),
    };
    return cmocka_run_group_tests_name("vhost_user, hostile", tests, NULL, NULL);
}
