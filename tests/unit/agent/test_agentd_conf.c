/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest's daemon lets a host do: configuration, and paths. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/agentd_conf.h"

static void a_configuration_is_four_lists(void **state)
{
    struct agentd_conf c;

    assert_null(libxl__agentd_conf_parse(
        &c, "# comment\n\n read =  /data \nread=/var/log\r\nwrite = /tmp/x y\n"
            "disable = guest.shutdown\nexec=/bin/true"));
    assert_int_equal(c.read.n, 2);
    assert_string_equal(c.read.entries[0], "/data");
    assert_string_equal(c.write.entries[0], "/tmp/x y");
    assert_true(libxl__agentd_list_has(&c.disable, "guest.shutdown"));
    assert_false(libxl__agentd_list_has(&c.disable, "guest.shut"));
    assert_true(libxl__agentd_list_has(&c.exec, "/bin/true"));
    libxl__agentd_conf_dispose(&c);
    assert_null(libxl__agentd_conf_parse(&c, ""));
    assert_int_equal(c.read.n, 1); /* by default all can be read */
    assert_int_equal(c.write.n + c.exec.n, 0);
    libxl__agentd_conf_dispose(&c);
}

static void a_line_that_is_not_understood_is_an_error(void **state)
{
    static const char *const bad[] = {"read",      "read =",  "= /x",
                                      "raed = /x", "read /x", "readx = /"};
    struct agentd_conf c;
    char text[64], *why;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "write = /a\n%s\n", bad[i]);
        why = libxl__agentd_conf_parse(&c, text);
        assert_non_null(why);
        assert_non_null(strstr(why, "line 2"));
        free(why);
    }
}

static void too_many_lines_are_an_error(void **state)
{
    struct agentd_conf c;
    char text[4096] = "", *why;
    int i;

    for (i = 0; i < 40; i++)
        strcat(text, "read = /x\n");
    why = libxl__agentd_conf_parse(&c, text);
    assert_non_null(strstr(why, "too many"));
    free(why);
}

static void only_plain_absolute_paths_are_looked_at(void **state)
{
    char longest[5000];

    assert_true(libxl__agentd_path_ok("/a/b"));
    assert_true(libxl__agentd_path_ok("/a/..b"));
    assert_true(libxl__agentd_path_ok("/"));
    assert_false(libxl__agentd_path_ok(""));
    assert_false(libxl__agentd_path_ok("a/b"));
    assert_false(libxl__agentd_path_ok("/a/../b"));
    assert_false(libxl__agentd_path_ok("/.."));
    assert_false(libxl__agentd_path_ok("/a/.."));
    memset(longest, 'x', sizeof(longest) - 1);
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    assert_false(libxl__agentd_path_ok(longest));
}

/* ---- with files ---- */

struct tree {
    char top[64];
    struct agentd_conf c;
};

static char *at(struct tree *t, const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", t->top, name);
    return path;
}

static void make_file(struct tree *t, const char *name)
{
    int fd = open(at(t, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static int setup(void **state)
{
    struct tree *t = calloc(1, sizeof(*t));
    char conf[256], target[128];

    strcpy(t->top, "/tmp/xl-unit-agentd.XXXXXX");
    assert_non_null(mkdtemp(t->top));
    mkdir(at(t, "in"), 0700);
    mkdir(at(t, "inside"), 0700); /* begins like "in" */
    mkdir(at(t, "out"), 0700);
    make_file(t, "in/file");
    make_file(t, "inside/file");
    make_file(t, "out/file");
    snprintf(target, sizeof(target), "%s/out/file", t->top);
    assert_int_equal(symlink(target, at(t, "in/link")), 0);
    assert_int_equal(link(target, at(t, "in/second-name")), 0);
    snprintf(target, sizeof(target), "%s/out", t->top);
    assert_int_equal(symlink(target, at(t, "in/dirlink")), 0);
    snprintf(target, sizeof(target), "%s/in/file", t->top);
    assert_int_equal(symlink(target, at(t, "out/link-in")), 0);
    assert_int_equal(mkfifo(at(t, "in/fifo"), 0600), 0);
    snprintf(conf, sizeof(conf), "read = %s/in/\nwrite = %s/in\n", t->top,
             t->top);
    assert_null(libxl__agentd_conf_parse(&t->c, conf));
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {
        "in/file",     "in/link",  "in/second-name",
        "in/dirlink",  "in/fifo",  "in/new",
        "inside/file", "out/file", "out/new",
        "out/link-in", "in",       "inside",
        "out",
    };
    struct tree *t = *state;
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        remove(at(t, names[i]));
    assert_int_equal(rmdir(t->top), 0);
    libxl__agentd_conf_dispose(&t->c);
    free(t);
    return 0;
}

static int opens(int fd)
{
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

static int reads(struct tree *t, const char *name)
{
    return opens(libxl__agentd_open_read(&t->c, at(t, name)));
}

static int writes(struct tree *t, const char *name)
{
    return opens(libxl__agentd_open_write(&t->c, at(t, name)));
}

static void what_lies_inside_is_read_by_any_name(void **state)
{
    struct tree *t = *state;

    assert_int_equal(reads(t, "in/file"), 0);
    assert_int_equal(reads(t, "out/link-in"), 0);
    assert_int_equal(reads(t, "in/none"), -ENOENT);
}

static void what_lies_outside_is_not_read_by_any_name(void **state)
{
    struct tree *t = *state;

    assert_int_equal(reads(t, "out/file"), -EACCES);
    assert_int_equal(reads(t, "in/link"), -EACCES);
    assert_int_equal(reads(t, "in/dirlink/file"), -EACCES);
    assert_int_equal(reads(t, "inside/file"), -EACCES);
    assert_int_equal(reads(t, "in/../out/file"), -EINVAL);
}

static void only_regular_files_are_read_and_none_blocks(void **state)
{
    struct tree *t = *state;

    assert_int_equal(reads(t, "in/fifo"), -EACCES);
    assert_int_equal(reads(t, "in"), -EISDIR);
    assert_int_equal(opens(libxl__agentd_open_read(&t->c, "/dev/zero")),
                     -EACCES);
}

static void writing_makes_files_inside_only(void **state)
{
    struct tree *t = *state;

    assert_int_equal(writes(t, "in/new"), 0);
    assert_int_equal(writes(t, "in/file"), 0);
    assert_int_equal(writes(t, "out/new"), -EACCES);
    assert_int_equal(access(at(t, "out/new"), F_OK), -1);
    assert_int_equal(writes(t, "in/dirlink/new"), -EACCES);
    assert_int_equal(writes(t, "in/link"), -ELOOP);
    assert_int_equal(writes(t, "in/second-name"), -EACCES);
    assert_true(writes(t, "in/fifo") < 0);
    assert_true(writes(t, "in/") < 0);
    assert_int_equal(writes(t, "none/new"), -ENOENT);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configuration_is_four_lists),
        cmocka_unit_test(a_line_that_is_not_understood_is_an_error),
        cmocka_unit_test(too_many_lines_are_an_error),
        cmocka_unit_test(only_plain_absolute_paths_are_looked_at),
        T(what_lies_inside_is_read_by_any_name),
        T(what_lies_outside_is_not_read_by_any_name),
        T(only_regular_files_are_read_and_none_blocks),
        T(writing_makes_files_inside_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
