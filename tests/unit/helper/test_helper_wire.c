/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_helper_wire.c - messages between toolstack and save helper. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "helper/helper_wire.h"

static uint8_t frame[LIBXL__HW_FRAME_MAX];

/* Encode, then decode as from 'speaker'. */
static int through(enum libxl__hw_speaker speaker,
                   const struct libxl__hw_msg *in, struct libxl__hw_msg *out)
{
    size_t n = libxl__hw_encode(in, frame);
    uint32_t body;
    uint16_t number;
    int r = libxl__hw_decode_header(frame, &body, &number);

    assert_int_equal(r, 0);
    assert_int_equal(body + LIBXL__HW_HEADER_BYTES, n);
    return libxl__hw_decode(speaker, number, frame + LIBXL__HW_HEADER_BYTES,
                            body, out);
}

static void setup_round_trip(void **state)
{
    struct libxl__hw_msg in = {.number = LIBXL__HW_SETUP}, out;
    struct libxl__hw_setup *s = &in.u.setup;

    *s = (struct libxl__hw_setup){
        .version = 1,
        .hv = LIBXL__HW_HV_QEMU,
        .restore = 1,
        .domid = 77,
        .fds = 0x38,
        .memory_bytes = 1ull << 40,
        .qemu_va = 0x7f0000000000,
        .qemu_pid = 4711,
        .parent_pid = 4710,
        .live = 1,
        .verify = 1,
        .zero_as_xalloc = 1,
        .by_reference = 1,
        .leave_log = 1,
        .rest_ms = 6,
        .max_downtime_ms = 2,
        .max_iters = 3,
        .min_remaining_pages = 4,
        .abort_if_busy = 1,
        .timeout_ms = 5,
        .bandwidth_bps = 1ull << 33,
    };
    assert_int_equal(through(LIBXL__HW_PARENT, &in, &out), 0);
    assert_memory_equal(&out.u.setup, s, sizeof(*s));
}

static void negative_numbers_survive(void **state)
{
    struct libxl__hw_msg in = {.number = LIBXL__HW_REPLY}, out;

    in.u.reply.r = -EIO;
    assert_int_equal(through(LIBXL__HW_PARENT, &in, &out), 0);
    assert_int_equal(out.u.reply.r, -EIO);
}

static void log_text_survives(void **state)
{
    struct libxl__hw_msg in = {.number = LIBXL__HW_LOG}, out;

    in.u.log.level = 3;
    in.u.log.errnoval = ENOSPC;
    libxl__hw_set_text(&in.u.log.text, "no space");
    assert_int_equal(through(LIBXL__HW_CHILD, &in, &out), 0);
    assert_int_equal(out.u.log.level, 3);
    assert_int_equal(out.u.log.errnoval, ENOSPC);
    assert_string_equal(out.u.log.text.s, "no space");
}

static void long_text_is_cut(void **state)
{
    struct libxl__hw_msg in = {.number = LIBXL__HW_LOG}, out;
    char text[LIBXL__HW_TEXT_MAX * 2];

    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    libxl__hw_set_text(&in.u.log.text, text);
    assert_int_equal(through(LIBXL__HW_CHILD, &in, &out), 0);
    assert_int_equal(strlen(out.u.log.text.s), LIBXL__HW_TEXT_MAX);
}

static void message_of_the_wrong_side_is_refused(void **state)
{
    struct libxl__hw_msg in = {.number = LIBXL__HW_SUSPEND}, out;

    assert_int_equal(through(LIBXL__HW_CHILD, &in, &out), 0);
    assert_int_equal(through(LIBXL__HW_PARENT, &in, &out), -EPROTO);
}

static void every_wrong_length_is_refused(void **state)
{
    static const enum libxl__hw_number fixed[] = {
        LIBXL__HW_PROGRESS,
        LIBXL__HW_SUSPEND,
        LIBXL__HW_SWITCH_DM_LOGDIRTY,
        LIBXL__HW_STATIC_DATA_DONE,
        LIBXL__HW_RESULTS,
        LIBXL__HW_COMPLETE,
    };
    uint8_t body[256] = {0};
    struct libxl__hw_msg msg = {0}, out;

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        size_t right;

        msg.number = fixed[i];
        right = libxl__hw_encode(&msg, frame) - LIBXL__HW_HEADER_BYTES;
        for (size_t n = 0; n < sizeof(body); n++)
            assert_int_equal(
                libxl__hw_decode(LIBXL__HW_CHILD, fixed[i], body, n, &out),
                n == right ? 0 : -EPROTO);
    }
}

static void text_with_nul_is_refused(void **state)
{
    uint8_t body[12] = {0};
    struct libxl__hw_msg out;

    memcpy(body + 8, "a\0bc", 4);
    assert_int_equal(libxl__hw_decode(LIBXL__HW_CHILD, LIBXL__HW_LOG, body,
                                      sizeof(body), &out),
                     -EPROTO);
}

static void long_frames_are_refused_by_their_header(void **state)
{
    static const uint8_t huge[8] = {0xff, 0xff, 0xff, 0xff, 16, 0, 0, 0};
    static const uint8_t over[8] = {0x01, 0x08, 0, 0, 16, 0, 0, 0};
    static const uint8_t reserved[8] = {0, 0, 0, 0, 16, 0, 1, 0};
    uint32_t body;
    uint16_t number;

    assert_int_equal(libxl__hw_decode_header(huge, &body, &number), -EMSGSIZE);
    assert_int_equal(libxl__hw_decode_header(over, &body, &number), -EMSGSIZE);
    assert_int_equal(libxl__hw_decode_header(reserved, &body, &number),
                     -EPROTO);
}

static void unknown_numbers_are_refused(void **state)
{
    struct libxl__hw_msg out;

    for (unsigned n = 0; n < 65536; n++)
        if (libxl__hw_name(n)[0] == '?')
            assert_int_equal(
                libxl__hw_decode(LIBXL__HW_CHILD, (uint16_t)n, "", 0, &out),
                -EPROTO);
}

static void requests_alone_are_answered(void **state)
{
    assert_true(libxl__hw_answered(LIBXL__HW_SUSPEND));
    assert_true(libxl__hw_answered(LIBXL__HW_SWITCH_DM_LOGDIRTY));
    assert_true(libxl__hw_answered(LIBXL__HW_STATIC_DATA_DONE));
    assert_false(libxl__hw_answered(LIBXL__HW_LOG));
    assert_false(libxl__hw_answered(LIBXL__HW_COMPLETE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setup_round_trip),
        cmocka_unit_test(negative_numbers_survive),
        cmocka_unit_test(log_text_survives),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(message_of_the_wrong_side_is_refused),
        cmocka_unit_test(every_wrong_length_is_refused),
        cmocka_unit_test(text_with_nul_is_refused),
        cmocka_unit_test(long_frames_are_refused_by_their_header),
        cmocka_unit_test(unknown_numbers_are_refused),
        cmocka_unit_test(requests_alone_are_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
