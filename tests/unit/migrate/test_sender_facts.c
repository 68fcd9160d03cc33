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

#include "migrate/disk_facts.h"
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
    char *facts = libxl__sender_facts_encode(&gc, &sender, ID, false);
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

/* A writable device of 512 bytes, as two hosts name it; NULL: not at all. */
static const char *
devices_differ(const char *here, const char *there,
               void (*change)(struct libxl__disk_question *q))
{
    libxl_domain_config config = one_disk("disk", true);
    struct libxl__disk_question q = {
        .disk = &config.disks[0],
        .here = {.block = true, .dev = 1, .bytes = 512, .ident = here},
        .there = {.block = true, .dev = 2, .bytes = 512, .ident = there},
    };
    const char *differ;

    if (change)
        change(&q);
    differ = libxl__disk_facts_differ(&gc, &q);
    libxl_domain_config_dispose(&config);
    return differ;
}

static void is_assumed(struct libxl__disk_question *q)
{
    q->assume_same = true;
}

static void is_longer(struct libxl__disk_question *q)
{
    q->assume_same = true;
    q->here.bytes++;
}

static void is_on_this_host(struct libxl__disk_question *q)
{
    q->same_host = true;
    q->here.dev = q->there.dev;
}

static void
a_device_is_known_by_the_name_that_its_storage_gives_it(void **state)
{
    assert_null(devices_differ("wwid naa.5", "wwid naa.5", NULL));
    assert_non_null(strstr(devices_differ("wwid naa.5", "wwid naa.6", NULL),
                           "another device"));
}

static void
a_device_without_a_name_is_refused_unless_the_user_knows(void **state)
{
    assert_non_null(
        strstr(devices_differ(NULL, NULL, NULL), "--assume-same-disks"));
    assert_non_null(strstr(devices_differ("x", NULL, NULL), "storage there"));
    assert_non_null(strstr(devices_differ(NULL, "x", NULL), "storage here"));
    assert_null(devices_differ(NULL, NULL, is_assumed));
    assert_non_null(strstr(devices_differ(NULL, NULL, is_longer), "bytes"));
    assert_null(devices_differ(NULL, NULL, is_on_this_host));
}

static void what_the_user_knows_reaches_the_receiver(void **state)
{
    libxl_domain_config sender = one_disk("disk", true);
    libxl_domain_config receiver = one_disk("copy", true);
    const char *facts, *reason;

    write_file("disk", "content");
    write_file("copy", "content");
    facts = libxl__sender_facts_encode(&gc, &sender, ID, true);
    assert_int_equal(libxl__sender_facts_check(&gc, facts, &receiver, &reason),
                     0);
    libxl_domain_config_dispose(&sender);
    libxl_domain_config_dispose(&receiver);
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
        cmocka_unit_test(
            a_device_is_known_by_the_name_that_its_storage_gives_it),
        cmocka_unit_test(
            a_device_without_a_name_is_refused_unless_the_user_knows),
        cmocka_unit_test(what_the_user_knows_reaches_the_receiver),
        cmocka_unit_test(unknown_texts_are_refused),
    };

    return cmocka_run_group_tests(tests, up, down);
}
