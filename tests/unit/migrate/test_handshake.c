/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_handshake.c - the words of a migration, and the answers beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "migrate/answer.h"
#include "migrate/handshake.h"

static void words_have_upstreams_bytes(void **state)
{
    static const struct {
        enum libxl__hs_word word;
        const char *text;
        size_t n;
    } expect[] = {
        {LIBXL__HS_BANNER,
         "xl migration receiver ready, send binary domain data.\n", 54},
        {LIBXL__HS_READY, "domain received, ready to unpause", 34},
        {LIBXL__HS_GO, "domain is yours, you are cleared to unpause", 44},
        {LIBXL__HS_REPORT, "my copy unpause results are as follows", 39},
        {LIBXL__HS_GIVEN_BACK, "domain is yours, you are cleared to unpause",
         44},
    };

    for (size_t i = 0; i < sizeof(expect) / sizeof(expect[0]); i++) {
        const struct libxl__hs_text *t = libxl__hs_text(expect[i].word);

        assert_int_equal(t->n, expect[i].n);
        assert_memory_equal(t->bytes, expect[i].text, t->n);
    }
}

static void matching_goes_byte_by_byte(void **state)
{
    for (int w = 0; w < LIBXL__HS_NR_WORDS; w++) {
        const struct libxl__hs_text *t = libxl__hs_text(w);
        char copy[LIBXL__HS_WORD_MAX + 1] = "";

        memcpy(copy, t->bytes, t->n);
        for (size_t n = 0; n < t->n; n++)
            assert_int_equal(libxl__hs_match(w, copy, n), LIBXL__HS_MORE);
        assert_int_equal(libxl__hs_match(w, copy, t->n), LIBXL__HS_MATCH);
        assert_int_equal(libxl__hs_match(w, copy, t->n + 1), LIBXL__HS_MATCH);
        for (size_t i = 0; i < t->n; i++) {
            copy[i] ^= 1;
            assert_int_equal(libxl__hs_match(w, copy, t->n), LIBXL__HS_WRONG);
            copy[i] ^= 1;
        }
    }
}

static void quotes_are_printable_and_short(void **state)
{
    char noise[300], quote[LIBXL__HS_QUOTE_MAX + 1];

    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)i;
    libxl__hs_quote(noise, sizeof(noise), quote);
    assert_int_equal(strlen(quote), LIBXL__HS_QUOTE_MAX);
    for (const char *c = quote; *c; c++)
        assert_true(*c >= ' ' && *c < 127);
}

static void query_round_trip(void **state)
{
    struct libxl__hs_query in, out;
    uint8_t raw[LIBXL__HS_QUERY_BYTES];

    for (int i = 0; i < 16; i++) {
        in.uuid[i] = (uint8_t)(i * 11);
        in.id[i] = (uint8_t)(i * 7);
    }
    libxl__hs_encode_query(&in, raw);
    assert_true(libxl__hs_decode_query(raw, &out));
    assert_memory_equal(&in, &out, sizeof(in));
    raw[5] ^= 1;
    assert_false(libxl__hs_decode_query(raw, &out));
}

static void id_round_trip(void **state)
{
    static const char *const none[] = {
        "", "0", "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0", "0123456789ABCDEF0123456789abcdef",
        "0123456789abcdef 123456789abcdef",
    };
    uint8_t in[LIBXL__HS_ID_BYTES], out[LIBXL__HS_ID_BYTES];
    char text[LIBXL__HS_ID_CHARS + 1];

    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 37 + 9);
    libxl__hs_id_format(in, text);
    assert_true(libxl__hs_id_parse(text, out));
    assert_memory_equal(in, out, sizeof(in));
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(libxl__hs_id_parse(none[i], out));
}

static libxl__gc gc;

static int gc_up(void **state)
{
    libxl__gc_init(&gc, NULL);
    return 0;
}

static int gc_down(void **state)
{
    libxl__gc_dispose(&gc);
    return 0;
}

/* Through the codec; the line is one line. */
static struct libxl__answer through(const struct libxl__answer *in)
{
    struct libxl__answer out;
    char *line = libxl__answer_encode(&gc, in);
    size_t n;

    assert_non_null(line);
    n = strlen(line);
    assert_true(n <= LIBXL__ANSWER_MAX);
    assert_ptr_equal(strchr(line, '\n'), line + n - 1);
    assert_int_equal(line[0], '{');
    line[n - 1] = '\0';
    assert_true(libxl__answer_decode(&gc, line, &out));
    return out;
}

static void answers_round_trip(void **state)
{
    struct libxl__answer out;

    out = through(&(struct libxl__answer){.accepted = true});
    assert_true(out.accepted);
    assert_false(out.zero_pages);
    assert_null(out.reason);
    out =
        through(&(struct libxl__answer){.accepted = true, .zero_pages = true});
    assert_true(out.accepted && out.zero_pages);
    out = through(&(struct libxl__answer){.reason = "no \"memory\"\nhere"});
    assert_false(out.accepted);
    assert_string_equal(out.reason, "no \"memory\"?here");
    out = through(&(struct libxl__answer){.outcome = LIBXL__OUTCOME_RAN});
    assert_int_equal(out.outcome, LIBXL__OUTCOME_RAN);
}

static void long_reasons_are_cut(void **state)
{
    char reason[5000];
    struct libxl__answer out;

    memset(reason, '"', sizeof(reason)); /* each takes two bytes */
    reason[sizeof(reason) - 1] = '\0';
    out = through(&(struct libxl__answer){.reason = reason});
    assert_true(strlen(out.reason) >= 500);
}

static void other_lines_are_no_answers(void **state)
{
    static const char *const lines[] = {
        "",
        "{",
        "{}",
        "[]",
        "1",
        "{\"xl-migrate\": 2, \"accepted\": true}",
        "{\"xl-migrate\": 1}",
        "{\"xl-migrate\": 1, \"accepted\": 1}",
        "{\"xl-migrate\": 1, \"outcome\": \"maybe\"}",
        "{\"xl-migrate\": 1, \"accepted\": true} x",
        "{\"a\":[[[[[[[[[[[[]]]]]]]]]]]],\"xl-migrate\":1,\"accepted\":true}",
    };
    struct libxl__answer out;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_false(libxl__answer_decode(&gc, lines[i], &out));
}

static void unknown_keys_are_ignored(void **state)
{
    struct libxl__answer out;

    assert_true(libxl__answer_decode(
        &gc, "{\"xl-migrate\": 1, \"new\": {}, \"accepted\": true}", &out));
    assert_true(out.accepted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_have_upstreams_bytes),
        cmocka_unit_test(matching_goes_byte_by_byte),
        cmocka_unit_test(quotes_are_printable_and_short),
        cmocka_unit_test(query_round_trip),
        cmocka_unit_test(id_round_trip),
        cmocka_unit_test(answers_round_trip),
        cmocka_unit_test(long_reasons_are_cut),
        cmocka_unit_test(other_lines_are_no_answers),
        cmocka_unit_test(unknown_keys_are_ignored),
    };

    return cmocka_run_group_tests(tests, gc_up, gc_down);
}
