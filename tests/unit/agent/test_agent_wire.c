/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/agent_wire.h"

#define TOKEN 0x1122334455667788u
#define HERE "\xffXA1 here 1122334455667788\n"
#define WANT "\xffXA1 want 00000000000000ab\n"

struct log {
    char text[2048];
    struct libxl__agent_reader r;
};

static void feed(struct log *l, const void *bytes, size_t n, size_t piece)
{
    struct libxl__agent_item item;
    const char *p = bytes;
    size_t room, part, len;
    void *to;

    while (n) {
        to = libxl__agent_reader_room(&l->r, &room);
        assert_non_null(to);
        part = n < piece ? n : piece;
        part = part < room ? part : room;
        memcpy(to, p, part);
        libxl__agent_reader_got(&l->r, part);
        p += part;
        n -= part;
        for (;;) {
            libxl__agent_reader_next(&l->r, &item);
            if (item.kind == AGENT_ITEM_NONE)
                break;
            len = strlen(l->text);
            if (item.kind == AGENT_ITEM_MESSAGE)
                snprintf(l->text + len, sizeof(l->text) - len, "M(%.*s|%.*s)",
                         (int)item.json_bytes, item.json, (int)item.data_bytes,
                         (const char *)item.data);
            else
                snprintf(l->text + len, sizeof(l->text) - len, "%s",
                         item.kind == AGENT_ITEM_WANT   ? "W"
                         : item.kind == AGENT_ITEM_HERE ? "H"
                                                        : "L");
            assert_true(item.kind != AGENT_ITEM_LOST || item.why);
        }
    }
}

static void expect_in_pieces(const void *bytes, size_t n, const char *text)
{
    struct log l;
    size_t piece;

    for (piece = 1; piece <= n; piece++) {
        l.text[0] = '\0';
        libxl__agent_reader_init(&l.r, TOKEN);
        feed(&l, bytes, n, piece);
        assert_string_equal(l.text, text);
        libxl__agent_reader_dispose(&l.r);
    }
}

#define EXPECT(bytes, text) expect_in_pieces(bytes, sizeof(bytes) - 1, text)

static void messages_come_whole_however_they_are_cut(void **state)
{
    EXPECT(HERE "Content-Length: 2\r\n\r\n{}"
                "Content-Length: 7\r\nData-Length: 5\r\n\r\n[]\xff\n\0ab",
           "HM({}|)M([]|\xff\n)");
}

static void a_reader_begins_lost_and_is_found_by_its_token(void **state)
{
    EXPECT("Content-Length: 2\r\n\r\n{}", "");
    EXPECT("\xff\xffXA1 here 0000000000000000\n" HERE
           "Content-Length: 2\r\n\r\n{}",
           "HM({}|)");
}

static void lines_between_messages_are_seen_and_old_answers_too(void **state)
{
    EXPECT(HERE WANT "Content-Length: 2\r\n\r\n{}" HERE WANT, "HWM({}|)HW");
    EXPECT(WANT HERE, "WH");
}

static void wrong_bytes_lose_the_reader_until_the_next_token(void **state)
{
    EXPECT(HERE "garbage" HERE "Content-Length: 2\r\n\r\n{}", "HLHM({}|)");
    EXPECT(HERE "\xffnonsense" HERE "Content-Length: 2\r\n\r\n{}", "HLHM({}|)");
    EXPECT(HERE "\xffXA1 here 112233445566778G\n" HERE, "HLH");
}

static void a_half_message_before_a_new_beginning_is_found_out(void **state)
{
    EXPECT(HERE "Content-Length: 5000\r\n\r\n{\"half\":" WANT HERE
                "Content-Length: 2\r\n\r\n{}",
           "HLWHM({}|)");
}

static void each_rule_of_the_header_is_checked(void **state)
{
    static const char *const bad[] = {
        "content-length: 2\r\n\r\n{}",
        "Content-Length:2\r\n\r\n{}",
        "Content-Length: \r\n\r\n{}",
        "Content-Length: -2\r\n\r\n{}",
        "Content-Length: 0x2\r\n\r\n{}",
        "Content-Length: 0\r\n\r\n{}",
        "Content-Length: 999999999\r\n\r\n{}",
        "Content-Length: 18446744073709551618\r\n\r\n{}",
        "Content-Length: 65537\r\n\r\n{}",
        "Content-Length: 2\n\n{}",
        "Content-Length: 2\r\nX: 3\r\n\r\n{}",
        "Content-Length: 2\r\nData-Length: 2\r\n\r\n{}",
        "Content-Length: 2\r\nData-Length: 3\r\n\r\n{}",
        "Content-Length: 700000\r\nData-Length: 600000\r\n\r\n{}",
        "Content-Length: 4\r\nData-Length: 2\r\nData-Length: 2\r\n\r\n{}xx",
        "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        ("Content-Length: 2                                               "
         "                                                                "),
    };
    char text[512];
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "%s%s%s", HERE, bad[i], HERE);
        expect_in_pieces(text, strlen(text), "HLH");
    }
}

static void the_largest_message_passes_and_memory_stays_bounded(void **state)
{
    size_t json = LIBXL__AGENT_JSON_MAX, data = LIBXL__AGENT_DATA_MAX, n;
    struct log *l = calloc(1, sizeof(*l));
    char *big = malloc(json + data);
    char header[LIBXL__AGENT_HEADER_MAX];
    int i;

    memset(big, ' ', json + data);
    libxl__agent_reader_init(&l->r, TOKEN);
    feed(l, HERE, sizeof(HERE) - 1, 100);
    n = libxl__agent_put_header(header, json, data);
    for (i = 0; i < 5; i++) {
        l->text[0] = '\0';
        feed(l, header, n, n);
        feed(l, big, json + data, 7777);
        assert_int_equal(l->text[0], 'M');
        assert_true(l->r.room <= json + data + 2 * 16384);
    }
    for (i = 0; i < 100; i++) /* lost, for megabytes */
        feed(l, big, json, 65536);
    assert_true(l->r.room <= json + data + 2 * 16384);
    libxl__agent_reader_dispose(&l->r);
    free(big);
    free(l);
}

static void what_is_written_is_read(void **state)
{
    char bytes[256];
    size_t n;

    n = libxl__agent_put_line(bytes, AGENT_ITEM_HERE, TOKEN);
    n += libxl__agent_put_line(bytes + n, AGENT_ITEM_WANT, 1);
    n += libxl__agent_put_header(bytes + n, 2, 3);
    memcpy(bytes + n, "{}abc", 5);
    expect_in_pieces(bytes, n + 5, "HWM({}|abc)");
}

static void a_stalled_message_can_be_given_up(void **state)
{
    static const char begun[] =
        HERE "Content-Length: 60\r\nData-Length: 58\r\n\r\n{}" WANT;
    struct log l = {0};

    libxl__agent_reader_init(&l.r, TOKEN);
    feed(&l, begun, sizeof(begun) - 1, 1000);
    assert_string_equal(l.text, "H");
    assert_true(libxl__agent_reader_partial(&l.r));
    libxl__agent_reader_lose(&l.r, 0xab);
    feed(&l, "\xffXA1 here 00000000000000ab\n", 27, 1000);
    assert_string_equal(l.text, "HWH");
    assert_false(libxl__agent_reader_partial(&l.r));
    libxl__agent_reader_dispose(&l.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_whole_however_they_are_cut),
        cmocka_unit_test(a_reader_begins_lost_and_is_found_by_its_token),
        cmocka_unit_test(lines_between_messages_are_seen_and_old_answers_too),
        cmocka_unit_test(wrong_bytes_lose_the_reader_until_the_next_token),
        cmocka_unit_test(a_half_message_before_a_new_beginning_is_found_out),
        cmocka_unit_test(each_rule_of_the_header_is_checked),
        cmocka_unit_test(the_largest_message_passes_and_memory_stays_bounded),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_stalled_message_can_be_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
