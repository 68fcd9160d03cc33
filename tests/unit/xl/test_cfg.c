/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl.cfg's syntax. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xl_cfg.h"

static bool parse(struct xl_cfg *cfg, const char *text, bool bare,
                  struct xl_cfg_error *err)
{
    xl_cfg_init(cfg);
    err->text[0] = '\0';
    return xl_cfg_parse(cfg, "f", text, strlen(text), bare, err);
}

static void expect_error(const char *text, const char *part)
{
    struct xl_cfg cfg;
    struct xl_cfg_error err;

    assert_false(parse(&cfg, text, false, &err));
    if (!strstr(err.text, part))
        fail_msg("'%s' lacks '%s'", err.text, part);
    xl_cfg_free(&cfg);
}

static void expect_text(const char *text, const char *key, const char *want)
{
    struct xl_cfg cfg;
    struct xl_cfg_error err;
    const struct xl_cfg_setting *s;

    if (!parse(&cfg, text, false, &err))
        fail_msg("%s", err.text);
    s = xl_cfg_find(&cfg, key);
    assert_non_null(s);
    assert_int_not_equal(s->value.kind, XL_CFG_LIST);
    assert_string_equal(s->value.text, want);
    xl_cfg_free(&cfg);
}

static void both_quotes_make_strings(void **state)
{
    expect_text("a = 'x y'", "a", "x y");
    expect_text("a=\"it's\"", "a", "it's");
    expect_text("a='say \"hi\"'", "a", "say \"hi\"");
}

static void escapes_are_understood(void **state)
{
    expect_text("a='\\n\\t\\\\\\'\\x41\\101'", "a", "\n\t\\'AA");
    expect_error("a='\\q'", "f:1: a string has an escape");
    expect_error("a='\\x00'", "escape");
    expect_error("a='\\'", "f:1: a string does not end");
}

static void numbers_are_decimal_octal_or_hex(void **state)
{
    const char *text = "a=10; b=0x1f; c=010; d=-3; e='77'; f='x'; g=[]";
    struct xl_cfg cfg;
    struct xl_cfg_error err;
    int64_t n;

    assert_true(parse(&cfg, text, false, &err));
    assert_true(xl_cfg_number(&xl_cfg_find(&cfg, "a")->value, &n) && n == 10);
    assert_true(xl_cfg_number(&xl_cfg_find(&cfg, "b")->value, &n) && n == 31);
    assert_true(xl_cfg_number(&xl_cfg_find(&cfg, "c")->value, &n) && n == 8);
    assert_true(xl_cfg_number(&xl_cfg_find(&cfg, "d")->value, &n) && n == -3);
    assert_true(xl_cfg_number(&xl_cfg_find(&cfg, "e")->value, &n) && n == 77);
    assert_false(xl_cfg_number(&xl_cfg_find(&cfg, "f")->value, &n));
    assert_false(xl_cfg_number(&xl_cfg_find(&cfg, "g")->value, &n));
    xl_cfg_free(&cfg);
}

static void lists_nest_and_cross_lines(void **state)
{
    struct xl_cfg cfg;
    struct xl_cfg_error err;
    const struct xl_cfg_value *v;

    if (!parse(&cfg, "l = [ 'a', # first\n  ['b', 3],\n ]\n", false, &err))
        fail_msg("%s", err.text);
    v = &xl_cfg_find(&cfg, "l")->value;
    assert_int_equal(v->kind, XL_CFG_LIST);
    assert_int_equal(v->items, 2);
    assert_string_equal(v->item[0].text, "a");
    assert_int_equal(v->item[1].items, 2);
    assert_int_equal(v->item[1].item[1].kind, XL_CFG_NUMBER);
    xl_cfg_free(&cfg);
}

static void lines_continue_and_comments_end(void **state)
{
    expect_text("a = \\\n 'x' # c\n#all\nb=2", "a", "x");
    expect_text("\r\na='x'\r\nb='y'\r\n", "b", "y");
    expect_text("a='#no'", "a", "#no");
}

static void plus_equals_extends(void **state)
{
    struct xl_cfg cfg;
    struct xl_cfg_error err;

    expect_text("a='x'\na+='y'", "a", "xy");
    expect_text("a+='y'", "a", "y");
    assert_true(parse(&cfg, "l=['a']\nl+=['b','c']", false, &err));
    assert_int_equal(xl_cfg_find(&cfg, "l")->value.items, 3);
    xl_cfg_free(&cfg);
    expect_error("a='x'\na+=['y']", "f:2: a += wants");
    expect_error("a=1\na+=2", "a += wants");
}

static void a_later_setting_replaces(void **state)
{
    struct xl_cfg cfg;
    struct xl_cfg_error err;

    assert_true(parse(&cfg, "a=1\na=2", false, &err));
    assert_int_equal(cfg.settings, 1);
    assert_string_equal(cfg.setting[0].value.text, "2");
    assert_int_equal(cfg.setting[0].earlier_line, 1);
    assert_true(xl_cfg_parse(&cfg, "g", "a=3", 3, true, &err));
    assert_string_equal(cfg.setting[0].value.text, "3");
    assert_string_equal(cfg.setting[0].source, "g");
    assert_int_equal(cfg.setting[0].earlier_line, 0);
    xl_cfg_free(&cfg);
}

static void bare_words_are_for_the_command_line(void **state)
{
    struct xl_cfg cfg;
    struct xl_cfg_error err;

    assert_true(
        parse(&cfg, "name=web-01; kernel=/a/b.c;memory=64", true, &err));
    assert_string_equal(xl_cfg_find(&cfg, "name")->value.text, "web-01");
    assert_string_equal(xl_cfg_find(&cfg, "kernel")->value.text, "/a/b.c");
    assert_int_equal(xl_cfg_find(&cfg, "memory")->value.kind, XL_CFG_NUMBER);
    xl_cfg_free(&cfg);
    assert_true(
        parse(&cfg, "uuid=7ddcb606-abe8-4090-a188-ba89b6431daa", true, &err));
    assert_int_equal(xl_cfg_find(&cfg, "uuid")->value.kind, XL_CFG_STRING);
    xl_cfg_free(&cfg);
    expect_error("name=web", "a value wants quotes");
}

static void errors_name_the_line(void **state)
{
    expect_error("a=1\nb=\n", "f:2: a value");
    expect_error("a", "f:1: a key wants =");
    expect_error("a=1 b=2", "f:1: the value should end here, but here is b");
    expect_error("a=[1 2]", "a list wants ','");
    expect_error("a=[1", "a list wants");
    expect_error("a='x\n'", "f:1: a string does not end on its line");
    expect_error("\n\n5=a", "f:3: a line begins with a key");
    expect_error("a=12x", "neither a number nor a key");
    expect_error("a={}", "'{' is not expected");
    expect_error("\x01", "byte 0x01");
    expect_error("a=]", "a value");
    expect_error("=", "a line begins");
}

static void what_is_too_much_is_refused(void **state)
{
    struct xl_cfg cfg;
    struct xl_cfg_error err;
    char *big = malloc(XL_CFG_TEXT_MAX + 2);

    memset(big, '\n', XL_CFG_TEXT_MAX + 1);
    xl_cfg_init(&cfg);
    assert_false(
        xl_cfg_parse(&cfg, "f", big, XL_CFG_TEXT_MAX + 1, false, &err));
    xl_cfg_free(&cfg);
    memcpy(big, "a=", 2);
    memset(big + 2, '[', 100000);
    assert_false(xl_cfg_parse(&cfg, "f", big, 100002, false, &err));
    assert_non_null(strstr(err.text, "nested too deeply"));
    xl_cfg_free(&cfg);
    for (int i = 0; i < 200000; i += 2)
        memcpy(big + 3 + i, "1,", 2);
    assert_false(xl_cfg_parse(&cfg, "f", big, 200003, false, &err));
    assert_non_null(strstr(err.text, "too many values"));
    xl_cfg_free(&cfg);
    free(big);
}

/* Cut anywhere, or with a byte changed, it ends with an answer. */
static void any_damage_ends_with_an_answer(void **state)
{
    static const char text[] = "a='x\\x41'; b=[1,['c',],] # d\nb+=[0x1]\\\n\n";

    for (size_t i = 0; i < sizeof(text) * 256; i++) {
        struct xl_cfg cfg;
        struct xl_cfg_error err = {""};
        char copy[sizeof(text)];
        bool ok;

        memcpy(copy, text, sizeof(text));
        copy[i / 256] = (char)(i % 256);
        xl_cfg_init(&cfg);
        ok = xl_cfg_parse(&cfg, "f", copy, i % 2 ? sizeof(text) - 1 : i / 256,
                          i % 3 == 0, &err);
        assert_true(ok || err.text[0]);
        xl_cfg_free(&cfg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_quotes_make_strings),
        cmocka_unit_test(escapes_are_understood),
        cmocka_unit_test(numbers_are_decimal_octal_or_hex),
        cmocka_unit_test(lists_nest_and_cross_lines),
        cmocka_unit_test(lines_continue_and_comments_end),
        cmocka_unit_test(plus_equals_extends),
        cmocka_unit_test(a_later_setting_replaces),
        cmocka_unit_test(bare_words_are_for_the_command_line),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(what_is_too_much_is_refused),
        cmocka_unit_test(any_damage_ends_with_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
