/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What xl prints: columns that others split, progress, suggestions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xl.h"
#include "xl_suggest.h"
#include "xl_table.h"

static char *printed(void (*print)(FILE *to, const void *arg), const void *arg)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);

    print(f, arg);
    fclose(f);
    return text;
}

static void print_list_line(FILE *to, const void *arg)
{
    static const struct xl_list_columns plain = {.verbose = false};

    xl_list_line(to, &plain, "web01", arg);
}

static int fields(char *line)
{
    int n = 0;

    for (char *w = strtok(line, " \t\n"); w; w = strtok(NULL, " \t\n"))
        n++;
    return n;
}

static void a_list_line_has_six_fields(void **state)
{
    libxl_dominfo info = {.domid = 3,
                          .current_memkb = 131072,
                          .vcpu_online = 2,
                          .running = true,
                          .cpu_time = UINT64_C(12345000000)};
    char *line = printed(print_list_line, &info);

    assert_string_equal(line, "web01                                        3 "
                              "  128     2     r-----      12.3\n");
    assert_int_equal(fields(line), 6);
    free(line);
}

static void a_never_started_domain_shows_no_time(void **state)
{
    libxl_dominfo info = {.domid = 3, .paused = true};
    char *line = printed(print_list_line, &info);

    assert_non_null(strstr(line, "--p---       0.0\n"));
    free(line);
}

static void expect_state(const libxl_dominfo *info, const char *want)
{
    char got[7];

    xl_state_letters(info, got);
    assert_string_equal(got, want);
}

static void states_are_letters(void **state)
{
    libxl_dominfo i = {.running = true};

    expect_state(&i, "r-----");
    i = (libxl_dominfo){.blocked = true};
    expect_state(&i, "-b----");
    i = (libxl_dominfo){.shutdown = true};
    i.shutdown_reason = LIBXL_SHUTDOWN_REASON_POWEROFF;
    expect_state(&i, "---s--");
    i.shutdown_reason = LIBXL_SHUTDOWN_REASON_SUSPEND;
    expect_state(&i, "---ss-");
    i.shutdown_reason = LIBXL_SHUTDOWN_REASON_REBOOT;
    expect_state(&i, "---sr-");
    i.shutdown_reason = LIBXL_SHUTDOWN_REASON_CRASH;
    expect_state(&i, "---sc-");
    i.shutdown_reason = LIBXL_SHUTDOWN_REASON_UNKNOWN;
    expect_state(&i, "---s--");
    i = (libxl_dominfo){.dying = true};
    expect_state(&i, "-----d");
}

static void uptimes_are_readable(void **state)
{
    char text[64];

    xl_uptime_text(text, sizeof(text), 59);
    assert_string_equal(text, " 0:00:59");
    xl_uptime_text(text, sizeof(text), 86400 + 3661);
    assert_string_equal(text, "1 day,  1:01:01");
    xl_uptime_text(text, sizeof(text), 5 * 86400 + 3661);
    assert_string_equal(text, "5 days,  1:01:01");
}

static void progress_shows_rate_and_time_left(void **state)
{
    libxl_progress p = {.what = "Saving",
                        .done_pages = 25600,
                        .total_pages = 102400,
                        .rate_bps = UINT64_C(100) << 20};
    char text[256];

    xl_progress_text(text, sizeof(text), "web", &p, 0);
    assert_string_equal(text, "Saving web:  25 % 100 MiB of 400 MiB, "
                              "100 MiB/s, 0:04 left");
    p.pass = 3;
    xl_progress_text(text, sizeof(text), "web", &p, 0);
    assert_non_null(strstr(text, "/s, pass 3, 0:04 left"));
    xl_progress_text(text, sizeof(text), "web", &p, 8);
    assert_non_null(strstr(text, "[##......]  25 %"));
}

static void progress_survives_odd_numbers(void **state)
{
    libxl_progress p = {.what = "Saving", .done_pages = 7};
    char text[64];

    xl_progress_text(text, sizeof(text), NULL, &p, 10);
    assert_string_equal(text, "Saving: 28 KiB");
    p.total_pages = 3;
    xl_progress_text(text, sizeof(text), NULL, &p, 10);
    assert_non_null(strstr(text, "100 %"));
    p.total_pages = UINT64_MAX;
    p.done_pages = UINT64_MAX / 2;
    p.rate_bps = 1;
    xl_progress_text(text, 20, "a-long-name-for-a-domain", &p, 10);
    assert_int_equal(strlen(text), 19);
}

static void print_string(FILE *to, const void *arg)
{
    xl_json_string(to, arg);
}

static void json_strings_are_escaped(void **state)
{
    char *text = printed(print_string, "a\"b\\c\n\x01");

    assert_string_equal(text, "\"a\\\"b\\\\c\\u000a\\u0001\"");
    free(text);
}

static void memory_has_units(void **state)
{
    int64_t kb;

    assert_true(xl_parse_memory("512", &kb) && kb == 512 * 1024);
    assert_true(xl_parse_memory("512m", &kb) && kb == 512 * 1024);
    assert_true(xl_parse_memory("1G", &kb) && kb == 1024 * 1024);
    assert_true(xl_parse_memory("2t", &kb) && kb == INT64_C(2) << 30);
    assert_true(xl_parse_memory("64k", &kb) && kb == 64);
    assert_true(xl_parse_memory("4096b", &kb) && kb == 4);
    assert_false(xl_parse_memory("", &kb));
    assert_false(xl_parse_memory("-5", &kb));
    assert_false(xl_parse_memory("5x", &kb));
    assert_false(xl_parse_memory("5mb", &kb));
    assert_false(xl_parse_memory("99999999999999999999", &kb));
}

static const char *suggestion(const char *typed)
{
    struct xl_suggest s;

    xl_suggest_begin(&s, typed);
    for (const struct xl_command *c = xl_commands; c->name; c++)
        xl_suggest_consider(&s, c->name);
    return s.best ? s.best : "";
}

static void near_words_are_suggested(void **state)
{
    assert_string_equal(suggestion("restroe"), "restore");
    assert_string_equal(suggestion("lst"), "list");
    assert_string_equal(suggestion("shutdwon"), "shutdown");
    assert_string_equal(suggestion("frobnicate"), "");
}

static void commands_are_found_by_their_beginning(void **state)
{
    assert_string_equal(xl_command_find("list")->name, "list");
    assert_string_equal(xl_command_find("cr")->name, "create");
    assert_null(xl_command_find("re"));
    assert_null(xl_command_find(""));
    assert_non_null(xl_command_not_offered("dmesg"));
    assert_null(xl_command_not_offered("quux"));
    assert_null(xl_command_not_offered(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_line_has_six_fields),
        cmocka_unit_test(a_never_started_domain_shows_no_time),
        cmocka_unit_test(states_are_letters),
        cmocka_unit_test(uptimes_are_readable),
        cmocka_unit_test(progress_shows_rate_and_time_left),
        cmocka_unit_test(progress_survives_odd_numbers),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(memory_has_units),
        cmocka_unit_test(near_words_are_suggested),
        cmocka_unit_test(commands_are_found_by_their_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
