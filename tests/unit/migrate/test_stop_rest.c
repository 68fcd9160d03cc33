/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stop_rest.c - what earlier migrations over a link have measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "migrate/stop_rest.h"

static libxl__gc gc;

static int up(void **state)
{
    libxl__gc_init(&gc, NULL);
    return 0;
}

static int down(void **state)
{
    libxl__gc_dispose(&gc);
    return 0;
}

static void nothing_is_known_at_first(void **state)
{
    assert_int_equal(libxl__stop_rest_of("", "ssh a"), 0);
    assert_int_equal(libxl__stop_rest_of("x\n\nssh a 7\n", "ssh a"), 0);
}

static void each_link_has_its_own(void **state)
{
    char *text = libxl__stop_rest_with(&gc, "", "ssh a", 40);

    text = libxl__stop_rest_with(&gc, text, "ssh b", 7);
    assert_int_equal(libxl__stop_rest_of(text, "ssh a"), 40);
    assert_int_equal(libxl__stop_rest_of(text, "ssh b"), 7);
    assert_int_equal(libxl__stop_rest_of(text, "ssh c"), 0);
}

static void the_shortest_of_the_last_four_counts(void **state)
{
    static const uint32_t measured[] = {10, 90, 50, 70, 60};
    char *text = "";

    for (unsigned i = 0; i < 4; i++)
        text = libxl__stop_rest_with(&gc, text, "ssh a", measured[i]);
    assert_int_equal(libxl__stop_rest_of(text, "ssh a"), 10);
    text = libxl__stop_rest_with(&gc, text, "ssh a", measured[4]);
    assert_int_equal(libxl__stop_rest_of(text, "ssh a"), 50);
}

static void the_link_not_used_for_longest_is_forgotten(void **state)
{
    char *text = "";

    for (unsigned i = 0; i < LIBXL__STOP_REST_LINKS; i++)
        text = libxl__stop_rest_with(&gc, text,
                                     libxl__sprintf(&gc, "ssh %u", i), 5);
    text = libxl__stop_rest_with(&gc, text, "ssh 0", 6);
    text = libxl__stop_rest_with(&gc, text, "another", 5);
    assert_int_equal(libxl__stop_rest_of(text, "ssh 0"), 5);
    assert_int_equal(libxl__stop_rest_of(text, "ssh 1"), 0);
    assert_int_equal(libxl__stop_rest_of(text, "ssh 2"), 5);
}

/* Whatever a file says that is not ours. */
static void damaged_texts_do_no_harm(void **state)
{
    static const char *const ends[] = {
        "", " ", " x", " 99999999999999", " 1 2 3 4 5 6\n", "\n\n", " 3"};
    char *line = libxl__stop_rest_with(&gc, "", "ssh a", 7);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char *text = libxl__sprintf(&gc, "%.16s%s", line, ends[i]);

        libxl__stop_rest_of(text, "ssh a");
        assert_non_null(libxl__stop_rest_with(&gc, text, "ssh a", 8));
        assert_non_null(libxl__stop_rest_with(&gc, text, "ssh b", 8));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_at_first),
        cmocka_unit_test(each_link_has_its_own),
        cmocka_unit_test(the_shortest_of_the_last_four_counts),
        cmocka_unit_test(the_link_not_used_for_longest_is_forgotten),
        cmocka_unit_test(damaged_texts_do_no_harm),
    };

    return cmocka_run_group_tests(tests, up, down);
}
