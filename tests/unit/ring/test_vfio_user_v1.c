/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfu: conformance of the migration of 2021, over the socket: the region, its
 * registers and states, dirty pages; the callbacks are those of the current one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ring/demo_rig.h"

#define RW (VFU_DMA_F_READ | VFU_DMA_F_WRITE)
#define BALLAST 300000u

enum { STOPPED = 0, RUNNING = 1, STOP_COPY = 2, PRE_COPY = 3, RESUMING = 4,
       ERROR = 6 };
enum { REG_STATE = 0, REG_PENDING = 8, REG_OFFSET = 16, REG_SIZE = 24 };

static int setup(void **state)
{
    *state = demo_rig_new(BALLAST, true);
    return 0;
}

static int teardown(void **state)
{
    demo_rig_free(*state);
    return 0;
}

static uint64_t reg(struct demo_rig *r, uint64_t at)
{
    uint32_t n = at == REG_STATE ? 4 : 8;

    assert_int_equal(vfc_read(r->c, VFU_REGION_V1, at, n), 0);
    return n == 4 ? libxl__vfu_get32(r->c->body + 16)
                  : libxl__vfu_get64(r->c->body + 16);
}

static uint32_t set_state(struct demo_rig *r, uint32_t to)
{
    return vfc_write(r->c, VFU_REGION_V1, REG_STATE, &to, 4);
}

/* ---- the region ---- */

static void info_counts_one_region_more(void **state)
{
    struct demo_rig *r = *state;
    uint8_t body[16] = {16};

    assert_int_equal(vfc_call(r->c, VFU_DEVICE_GET_INFO, body, 16, NULL, 0), 0);
    assert_int_equal(libxl__vfu_get32(r->c->body + 8), VFU_NR_REGIONS + 1);
}

static uint32_t region_info(struct demo_rig *r, uint32_t index, uint32_t argsz)
{
    uint8_t body[32] = {0};

    libxl__vfu_put32(body, argsz);
    libxl__vfu_put32(body + 8, index);
    return vfc_call(r->c, VFU_DEVICE_GET_REGION_INFO, body, 32, NULL, 0);
}

static void the_region_has_a_type(void **state)
{
    struct demo_rig *r = *state;
    const uint8_t *b = r->c->body;

    assert_int_equal(region_info(r, VFU_REGION_V1, 64), 0);
    assert_int_equal(r->c->body_bytes, 48);
    assert_int_equal(libxl__vfu_get32(b + 4), 1 | 2 | 8);
    assert_int_equal(libxl__vfu_get32(b + 12), 32);
    assert_int_equal(libxl__vfu_get32(b + 32), 2 | 1 << 16);
    assert_int_equal(libxl__vfu_get32(b + 40), 3);
    assert_int_equal(libxl__vfu_get32(b + 44), 1);
}

static void without_room_it_says_how_much_it_needs(void **state)
{
    struct demo_rig *r = *state;

    assert_int_equal(region_info(r, VFU_REGION_V1, 32), 0);
    assert_int_equal(r->c->body_bytes, 32);
    assert_int_equal(libxl__vfu_get32(r->c->body), 48);
    assert_int_equal(region_info(r, VFU_REGION_V1 + 1, 64), EINVAL);
}

static void the_current_protocol_is_not_there(void **state)
{
    struct demo_rig *r = *state;
    uint8_t body[8] = {8};

    assert_int_equal(vfc_feature(r->c, VFU_FEATURE_MIGRATION | VFU_FEATURE_GET,
                                 NULL, 0), ENOTTY);
    assert_int_equal(vfc_call(r->c, VFU_MIG_DATA_READ, body, 8, NULL, 0),
                     ENOTTY);
}

/* ---- states ---- */

static void states_change_as_allowed_and_not_else(void **state)
{
    struct demo_rig *r = *state;

    assert_int_equal(reg(r, REG_STATE), RUNNING);
    assert_int_equal(set_state(r, STOPPED), 0);
    assert_int_equal(reg(r, REG_STATE), STOPPED);
    assert_int_equal(set_state(r, STOP_COPY), EINVAL);
    assert_int_equal(set_state(r, RESUMING), EINVAL);
    assert_int_equal(set_state(r, RUNNING), 0);
    assert_int_equal(set_state(r, PRE_COPY), 0);
    assert_int_equal(set_state(r, RUNNING), EINVAL);
    assert_int_equal(set_state(r, STOPPED), EINVAL);
    assert_int_equal(set_state(r, STOP_COPY), 0);
    assert_int_equal(set_state(r, PRE_COPY), EINVAL);
    assert_int_equal(set_state(r, STOPPED), 0);
    assert_int_equal(set_state(r, RUNNING), 0);
}

static void states_that_are_none_are_refused(void **state)
{
    struct demo_rig *r = *state;

    for (uint32_t s = 5; s < 12; s++)
        assert_int_equal(set_state(r, s), EINVAL);
    assert_int_equal(set_state(r, UINT32_MAX), EINVAL);
    assert_int_equal(reg(r, REG_STATE), RUNNING);
}

static void registers_have_one_width(void **state)
{
    struct demo_rig *r = *state;
    uint64_t v = 0;

    assert_int_equal(vfc_read(r->c, VFU_REGION_V1, REG_STATE, 8), EINVAL);
    assert_int_equal(vfc_read(r->c, VFU_REGION_V1, REG_PENDING, 4), EINVAL);
    assert_int_equal(vfc_read(r->c, VFU_REGION_V1, 4, 4), EINVAL);
    assert_int_equal(vfc_write(r->c, VFU_REGION_V1, REG_PENDING, &v, 8),
                     EINVAL);
    assert_int_equal(vfc_write(r->c, VFU_REGION_V1, REG_OFFSET, &v, 8), EINVAL);
    assert_int_equal(vfc_write(r->c, VFU_REGION_V1, REG_STATE, &v, 8), EINVAL);
}

static void running_it_has_nothing_pending(void **state)
{
    struct demo_rig *r = *state;

    assert_int_equal(reg(r, REG_PENDING), 0);
    assert_int_equal(reg(r, REG_SIZE), 0);
    assert_int_equal(vfc_read(r->c, VFU_REGION_V1, VFU_V1_DATA_AT, 1), EINVAL);
}

/* ---- state, out and in ---- */

static void pending_can_be_asked_twice(void **state)
{
    struct demo_rig *r = *state;
    uint64_t n;

    assert_int_equal(set_state(r, STOP_COPY), 0);
    n = reg(r, REG_PENDING);
    assert_true(n > BALLAST);
    assert_int_equal(reg(r, REG_PENDING), n);
    assert_int_equal(reg(r, REG_OFFSET), VFU_V1_DATA_AT);
    assert_int_equal(reg(r, REG_SIZE), reg(r, REG_SIZE));
}

static void data_beyond_its_size_is_refused(void **state)
{
    struct demo_rig *r = *state;
    uint64_t n;

    assert_int_equal(set_state(r, STOP_COPY), 0);
    reg(r, REG_PENDING);
    n = reg(r, REG_SIZE);
    assert_int_equal(vfc_read(r->c, VFU_REGION_V1, VFU_V1_DATA_AT + n, 1),
                     EINVAL);
    assert_int_equal(vfc_read(r->c, VFU_REGION_V1, VFU_V1_DATA_AT + n - 1, 1),
                     0);
}

/* One iteration: its bytes; 0 when nothing is pending, or none is ready. */
static uint32_t iterate(struct demo_rig *r, uint8_t *to)
{
    uint32_t n;

    if (!reg(r, REG_PENDING))
        return 0;
    n = (uint32_t)(reg(r, REG_OFFSET) == VFU_V1_DATA_AT ? reg(r, REG_SIZE) : 0);
    if (n)
        assert_int_equal(vfc_read(r->c, VFU_REGION_V1, VFU_V1_DATA_AT, n), 0);
    memcpy(to, r->c->body + 16, n);
    return n;
}

/* In writes of at most 64 bytes, as the rig's client makes them. */
static void put_piece(struct demo_rig *r, const uint8_t *from, uint32_t n)
{
    uint64_t size = n;

    for (uint32_t at = 0; at < n; at += 64)
        assert_int_equal(vfc_write(r->c, VFU_REGION_V1, VFU_V1_DATA_AT + at,
                                   from + at, n - at < 64 ? n - at : 64), 0);
    assert_int_equal(vfc_write(r->c, VFU_REGION_V1, REG_SIZE, &size, 8), 0);
}

static void goes_over(struct demo_rig *r, bool live)
{
    struct demo_rig *to = demo_rig_new(0, true);
    uint8_t *piece = malloc(VFU_V1_DATA_BYTES);
    uint32_t n, pieces = 0;

    assert_int_equal(vfc_set_reg(r->c, DEMO_REG_SCRATCH, 0xabcd, 4), 0);
    assert_int_equal(set_state(to, RESUMING), 0);
    if (live) {
        assert_int_equal(set_state(r, PRE_COPY), 0);
        for (; pieces < 2 && (n = iterate(r, piece)); pieces++)
            put_piece(to, piece, n);
        assert_int_equal(vfc_set_reg(r->c, DEMO_REG_SCRATCH, 0xdcba, 4), 0);
    }
    assert_int_equal(set_state(r, STOP_COPY), 0);
    for (; (n = iterate(r, piece)); pieces++)
        put_piece(to, piece, n);
    assert_int_equal(reg(r, REG_PENDING), 0);
    assert_int_equal(pieces, 6);
    assert_int_equal(set_state(to, RUNNING), 0);
    assert_int_equal(vfc_reg(to->c, DEMO_REG_SCRATCH, 4),
                     live ? 0xdcba : 0xabcd);
    assert_int_equal(to->demo.ballast, BALLAST);
    free(piece);
    demo_rig_free(to);
}

static void its_state_goes_over_to_another(void **state)
{
    goes_over(*state, false);
}

static void its_state_goes_over_by_pre_copy(void **state)
{
    goes_over(*state, true);
}

static void nothing_loaded_leaves_it_resuming(void **state)
{
    struct demo_rig *r = *state;

    assert_int_equal(set_state(r, RESUMING), 0);
    assert_int_equal(set_state(r, RUNNING), EPROTO);
    assert_int_equal(reg(r, REG_STATE), RESUMING);
}

static void data_that_is_wrong_is_refused(void **state)
{
    struct demo_rig *r = *state;
    uint64_t size = 3;

    assert_int_equal(vfc_write(r->c, VFU_REGION_V1, VFU_V1_DATA_AT, "abc", 3),
                     EINVAL);
    assert_int_equal(set_state(r, RESUMING), 0);
    assert_int_equal(vfc_write(r->c, VFU_REGION_V1, VFU_V1_DATA_AT + 1, "abc",
                               3), EPROTO);
    assert_int_equal(vfc_write(r->c, VFU_REGION_V1, VFU_V1_DATA_AT, "abcdefghi",
                               9), EPROTO);
    assert_int_equal(vfc_write(r->c, VFU_REGION_V1, REG_SIZE, &size, 8),
                     EPROTO);
    size = VFU_V1_DATA_BYTES + 1;
    assert_int_equal(vfc_write(r->c, VFU_REGION_V1, REG_SIZE, &size, 8),
                     EINVAL);
}

/* ---- dirty pages ---- */

static uint32_t dirty(struct demo_rig *r, uint32_t flags, uint64_t addr,
                      uint64_t bytes, uint64_t page, uint64_t bitmap)
{
    uint8_t body[40];

    libxl__vfu_put32(body, 40);
    libxl__vfu_put32(body + 4, flags);
    libxl__vfu_put64(body + 8, addr);
    libxl__vfu_put64(body + 16, bytes);
    libxl__vfu_put64(body + 24, page);
    libxl__vfu_put64(body + 32, bitmap);
    return vfc_call(r->c, VFU_DIRTY_PAGES, body, flags == VFU_DIRTY_GET ? 40 : 8,
                    NULL, 0);
}

static void dirty_pages_are_told_once(void **state)
{
    struct demo_rig *r = *state;

    assert_int_equal(vfc_map(r->c, VFC_ADDR, VFC_MEM_BYTES, 0, RW, true), 0);
    assert_int_equal(dirty(r, VFU_DIRTY_START, 0, 0, 0, 0), 0);
    assert_int_equal(libxl__ring_mem_write(&r->demo.mem, VFC_ADDR + 0x3ffe,
                                           "abcd", 4), 0);
    assert_int_equal(dirty(r, VFU_DIRTY_GET, VFC_ADDR, VFC_MEM_BYTES, 4096, 8),
                     0);
    assert_int_equal(r->c->body_bytes, 48);
    assert_int_equal(libxl__vfu_get64(r->c->body + 40), 1u << 3 | 1u << 4);
    assert_int_equal(dirty(r, VFU_DIRTY_GET, VFC_ADDR, VFC_MEM_BYTES, 4096, 8),
                     0);
    assert_int_equal(libxl__vfu_get64(r->c->body + 40), 0);
    assert_int_equal(dirty(r, VFU_DIRTY_STOP, 0, 0, 0, 0), 0);
}

static void dirty_pages_want_a_start_and_room(void **state)
{
    struct demo_rig *r = *state;

    assert_int_equal(dirty(r, VFU_DIRTY_START, 0, 0, 0, 0), EINVAL);
    assert_int_equal(vfc_map(r->c, VFC_ADDR, VFC_MEM_BYTES, 0, RW, true), 0);
    assert_int_equal(dirty(r, VFU_DIRTY_GET, VFC_ADDR, 4096, 4096, 8), EINVAL);
    assert_int_equal(dirty(r, VFU_DIRTY_STOP, 0, 0, 0, 0), EINVAL);
    assert_int_equal(dirty(r, VFU_DIRTY_START, 0, 0, 0, 0), 0);
    assert_int_equal(dirty(r, VFU_DIRTY_START, 0, 0, 0, 0), EBUSY);
    assert_int_equal(dirty(r, VFU_DIRTY_GET, VFC_ADDR, 4096, 4096, 7), EINVAL);
    assert_int_equal(dirty(r, VFU_DIRTY_GET, VFC_ADDR, 4096, 8192, 8), EINVAL);
    assert_int_equal(dirty(r, VFU_DIRTY_GET, VFC_ADDR + 1, 4096, 4096, 8),
                     EINVAL);
    assert_int_equal(dirty(r, VFU_DIRTY_GET, UINT64_MAX - 4095, 8192, 4096, 8),
                     EINVAL);
    assert_int_equal(dirty(r, 3, 0, 0, 0, 0), EINVAL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(info_counts_one_region_more),
        T(the_region_has_a_type),
        T(without_room_it_says_how_much_it_needs),
        T(the_current_protocol_is_not_there),
        T(states_change_as_allowed_and_not_else),
        T(states_that_are_none_are_refused),
        T(registers_have_one_width),
        T(running_it_has_nothing_pending),
        T(pending_can_be_asked_twice),
        T(data_beyond_its_size_is_refused),
        T(its_state_goes_over_to_another),
        T(its_state_goes_over_by_pre_copy),
        T(nothing_loaded_leaves_it_resuming),
        T(data_that_is_wrong_is_refused),
        T(dirty_pages_are_told_once),
        T(dirty_pages_want_a_start_and_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
