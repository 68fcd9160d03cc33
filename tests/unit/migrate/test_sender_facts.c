/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sender_facts.c - are the guest's disks the same ones at the receiver? */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "migrate/sender_facts.h"

#define ID "00112233445566778899aabbccddeeff"

static libxl__gc gc;
static char dir[] = "/tmp/xl-test-facts-XXXXXX";

static int up(void **state)
{
    libxl__gc_init(&gc, NULL);
    return mkdtemp(dir) ? 0 : -1;
}

static const char *path(const char *name)
{
    return libxl__sprintf(&gc, "%s/%s", dir, name);
}

static int down(void **state)
{
    unlink(path("disk"));
    unlink(path("copy"));
    rmdir(dir);
    libxl__gc_dispose(&gc);
    return 0;
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* A configuration with one disk at this path. */
static libxl_domain_config one_disk(const char *name, bool readwrite)
{
    libxl_domain_config config;
    libxl_device_disk *d;

    libxl_domain_config_init(&config);
    d = libxl_domain_config_add_disk(&config);
    assert_non_null(d);
    free(d->vdev);
    free(d->pdev_path);
    d->vdev = strdup("xvda");
    d->pdev_path = strdup(path(name));
    d->readwrite = readwrite;
    d->format = LIBXL_DISK_FORMAT_RAW;
    return config;
}

/* The sender has one disk, the receiver another; NULL: they are the same. */
static const char *compared(const char *there, const char *here, bool readwrite)
{
    libxl_domain_config sender = one_disk(there, readwrite);
    libxl_domain_config receiver = one_disk(here, readwrite);
    char *facts = libxl__sender_facts_encode(&gc, &sender, ID);
    const char *reason;
    int rc;

    assert_non_null(facts);
    assert_string_equal(libxl__sender_facts_id(&gc, facts), ID);
    rc = libxl__sender_facts_check(&gc, facts, &receiver, &reason);
    assert_int_equal(rc, reason ? ERROR_INVAL : 0);
    libxl_domain_config_dispose(&sender);
    libxl_domain_config_dispose(&receiver);
    return reason;
}

static void one_file_is_the_same(void **state)
{
    write_file("disk", "content");
    assert_null(compared("disk", "disk", true));
    assert_null(compared("disk", "disk", false));
}

static void copy_of_a_writable_disk_is_refused(void **state)
{
    write_file("disk", "content");
    write_file("copy", "content");
    assert_non_null(strstr(compared("disk", "copy", true), "another file"));
}

static void copy_of_a_read_only_disk_will_do(void **state)
{
    write_file("disk", "content");
    write_file("copy", "content");
    assert_null(compared("disk", "copy", false));
    write_file("copy", "cont");
    assert_non_null(strstr(compared("disk", "copy", false), "4 bytes here"));
}

static void missing_disk_is_refused(void **state)
{
    write_file("disk", "content");
    unlink(path("copy"));
    assert_non_null(strstr(compared("disk", "copy", true), "disk xvda: "));
    assert_non_null(
        strstr(compared("disk", "copy", true), "cannot be reached"));
}

static void file_is_not_a_directory(void **state)
{
    write_file("disk", "content");
    assert_non_null(compared("disk", "", true));
}

#define ONE_DISK_WITHOUT_NUMBERS                                               \
    "{\"xl-migrate\": 1, \"disks\": "                                          \
    "[{\"vdev\": \"xvda\", \"kind\": \"file\"}]}"

static void unknown_texts_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"xl-migrate\": 2, \"disks\": []}",
        "{\"xl-migrate\": 1}",
        "{\"xl-migrate\": 1, \"disks\": {}}",
        ONE_DISK_WITHOUT_NUMBERS,
    };
    libxl_domain_config config = one_disk("disk", true);
    const char *reason;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(
            libxl__sender_facts_check(&gc, texts[i], &config, &reason),
            ERROR_INVAL);
    assert_int_equal(
        libxl__sender_facts_check(
            &gc,
            "{\"xl-migrate\": 1, \"disks\": [1, {}, {\"vdev\": \"other\"}]}",
            &config, &reason),
        0);
    libxl_domain_config_dispose(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_is_the_same),
        cmocka_unit_test(copy_of_a_writable_disk_is_refused),
        cmocka_unit_test(copy_of_a_read_only_disk_will_do),
        cmocka_unit_test(missing_disk_is_refused),
        cmocka_unit_test(file_is_not_a_directory),
        cmocka_unit_test(unknown_texts_are_refused),
    };

    return cmocka_run_group_tests(tests, up, down);
}
