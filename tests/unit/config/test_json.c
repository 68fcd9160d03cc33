/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations as JSON: what goes in comes out, what is wrong is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/fields.h"

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 65536);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, f) > 0);
    fclose(f);
    return text;
}

static void expect_error(const char *json, const char *part)
{
    libxl_domain_config c;
    struct libxl__config_error err = {""};
    int rc = libxl__config_parse(json, strlen(json), &c, &err);

    assert_int_equal(rc, ERROR_INVAL);
    if (!strstr(err.text, part))
        fail_msg("'%s' lacks '%s'", err.text, part);
}

static void foreign_json_comes_back_byte_for_byte(void **state)
{
    const char *files[] = {"hvm", "pv", "pvh"};

    for (size_t i = 0; i < 3; i++) {
        char path[64], *text, *out;
        libxl_domain_config c;
        struct libxl__config_error err = {""};

        snprintf(path, sizeof(path), "tests/golden/config/%s.json", files[i]);
        text = slurp(path);
        assert_int_equal(libxl__config_parse(text, strlen(text), &c, &err), 0);
        assert_string_equal(c.c_info.name, files[i]);
        assert_int_equal(libxl__config_generate(&c, &out, &err), 0);
        assert_string_equal(out, text);
        libxl_domain_config_dispose(&c);
        free(text);
        free(out);
    }
}

static void changes_are_written_into_foreign_json(void **state)
{
    char *text = slurp("tests/golden/config/hvm.json"), *out;
    libxl_domain_config c;
    struct libxl__config_error err = {""};

    assert_int_equal(libxl__config_parse(text, strlen(text), &c, &err), 0);
    free(c.c_info.name);
    c.c_info.name = strdup("other");
    c.on_poweroff = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
    assert_int_equal(libxl__config_generate(&c, &out, &err), 0);
    assert_non_null(strstr(out, "\"name\": \"other\""));
    assert_null(strstr(out, "\"name\": \"hvm\""));
    assert_non_null(strstr(out, "\"on_poweroff\": \"preserve\""));
    assert_non_null(strstr(out, "\"sched\": \"credit2\""));
    libxl_domain_config_dispose(&c);
    free(text);
    free(out);
}

/* Every row of the tables, once with a value that is not its default. */
static const char full[] =
    "{\n"
    "    \"c_info\": {\n"
    "        \"type\": \"hvm\",\n"
    "        \"name\": \"g\",\n"
    "        \"domid\": 7,\n"
    "        \"uuid\": \"cb161dfd-754d-4701-98f9-8512d36dd72e\",\n"
    "        \"run_hotplug_scripts\": \"False\"\n"
    "    },\n"
    "    \"b_info\": {\n"
    "        \"max_vcpus\": 4,\n"
    "        \"avail_vcpus\": [\n"
    "            0,\n"
    "            1\n"
    "        ],\n"
    "        \"max_memkb\": 262144,\n"
    "        \"target_memkb\": 131072,\n"
    "        \"video_memkb\": 8192,\n"
    "        \"shadow_memkb\": 4096,\n"
    "        \"rtc_timeoffset\": -3600,\n"
    "        \"localtime\": \"True\",\n"
    "        \"device_model\": \"/usr/bin/q\",\n"
    "        \"extra\": [\n"
    "            \"-a\",\n"
    "            \"b c\"\n"
    "        ],\n"
    "        \"kernel\": \"/k\",\n"
    "        \"cmdline\": \"a=\\\"1\\\" \\\\ \\u0007 \303\274\",\n"
    "        \"ramdisk\": \"/r\",\n"
    "        \"type.hvm\": {\n"
    "            \"bios\": \"ovmf\",\n"
    "            \"apic\": \"False\",\n"
    "            \"acpi\": \"False\",\n"
    "            \"system_firmware\": \"/f\",\n"
    "            \"nographic\": \"True\",\n"
    "            \"vga\": {\n"
    "                \"kind\": \"std\"\n"
    "            },\n"
    "            \"vnc\": {\n"
    "                \"enable\": \"True\",\n"
    "                \"listen\": \"::1\",\n"
    "                \"passwd\": \"x\",\n"
    "                \"display\": 3,\n"
    "                \"findunused\": \"True\"\n"
    "            },\n"
    "            \"keymap\": \"de\",\n"
    "            \"boot\": \"dc\",\n"
    "            \"usb\": \"True\",\n"
    "            \"usbdevice\": \"tablet\",\n"
    "            \"serial_list\": [\n"
    "                \"pty\",\n"
    "                \"null\"\n"
    "            ]\n"
    "        }\n"
    "    },\n"
    "    \"disks\": [\n"
    "        {\n"
    "            \"pdev_path\": \"/d\",\n"
    "            \"vdev\": \"xvda\",\n"
    "            \"backend\": \"qdisk\",\n"
    "            \"format\": \"qcow2\",\n"
    "            \"script\": \"s\",\n"
    "            \"removable\": 1,\n"
    "            \"readwrite\": 1,\n"
    "            \"direct_io_safe\": true,\n"
    "            \"discard_enable\": \"False\"\n"
    "        },\n"
    "        {\n"
    "            \"vdev\": \"hdc\",\n"
    "            \"format\": \"empty\",\n"
    "            \"is_cdrom\": 1\n"
    "        }\n"
    "    ],\n"
    "    \"nics\": [\n"
    "        {\n"
    "            \"devid\": 0,\n"
    "            \"mtu\": 9000,\n"
    "            \"model\": \"e1000\",\n"
    "            \"mac\": \"00:16:3e:00:01:02\",\n"
    "            \"ip\": \"10.0.0.1\",\n"
    "            \"bridge\": \"br0\",\n"
    "            \"ifname\": \"v0\",\n"
    "            \"script\": \"vs\",\n"
    "            \"nictype\": \"vif_ioemu\",\n"
    "            \"rate_bytes_per_interval\": 18446744073709551615,\n"
    "            \"rate_interval_usecs\": 50000\n"
    "        }\n"
    "    ],\n"
    "    \"on_poweroff\": \"preserve\",\n"
    "    \"on_reboot\": \"restart\",\n"
    "    \"on_watchdog\": \"restart_rename\",\n"
    "    \"on_crash\": \"coredump_restart\",\n"
    "    \"on_soft_reset\": \"soft_reset\",\n"
    "    \"qemu_host\": {\n"
    "        \"machine\": \"pc-q35-7.2\",\n"
    "        \"cpu_model\": \"qemu64\",\n"
    "        \"accel\": \"tcg\"\n"
    "    }\n"
    "}\n";

static void parse_full(libxl_domain_config *c)
{
    struct libxl__config_error err = {""};

    if (libxl__config_parse(full, strlen(full), c, &err))
        fail_msg("%s", err.text);
}

static void every_field_goes_in_and_out(void **state)
{
    libxl_domain_config c;
    struct libxl__config_error err = {""};
    char *out;

    parse_full(&c);
    assert_int_equal(libxl__config_generate(&c, &out, &err), 0);
    assert_string_equal(out, full);
    free(out);
    /* and from the struct alone, in the tables' own order */
    free(c.foreign_json);
    c.foreign_json = NULL;
    assert_int_equal(libxl__config_generate(&c, &out, &err), 0);
    assert_string_equal(out, full);
    free(out);
    libxl_domain_config_dispose(&c);
}

static void copy_shares_nothing(void **state)
{
    libxl_domain_config a, b;
    struct libxl__config_error err = {""};
    char *out;

    parse_full(&a);
    assert_int_equal(libxl_domain_config_copy(NULL, &b, &a), 0);
    libxl_domain_config_dispose(&a);
    assert_int_equal(libxl__config_generate(&b, &out, &err), 0);
    assert_string_equal(out, full);
    free(out);
    libxl_domain_config_dispose(&b);
}

static void dispose_accepts_a_disposed_one(void **state)
{
    libxl_domain_config c;

    parse_full(&c);
    libxl_domain_config_dispose(&c);
    libxl_domain_config_dispose(&c);
    assert_null(c.disks);
}

static void a_minimal_one_gets_the_defaults(void **state)
{
    libxl_domain_config c;
    struct libxl__config_error err = {""};
    const char *json = "{\"c_info\":{\"name\":\"a\"},\"b_info\":null}";

    assert_int_equal(libxl__config_parse(json, strlen(json), &c, &err), 0);
    assert_int_equal(c.b_info.max_vcpus, 1);
    assert_int_equal(c.b_info.max_memkb, 131072);
    assert_true(c.b_info.acpi);
    assert_int_equal(c.on_reboot, LIBXL_ACTION_ON_SHUTDOWN_DESTROY);
    libxl_domain_config_dispose(&c);
}

/* As upstream's xl means it. */
static void a_disk_of_which_nothing_is_said_hands_on_discards(void **state)
{
    libxl_domain_config c;
    struct libxl__config_error err = {""};
    const char *json =
        "{\"c_info\":{\"name\":\"a\"},\"b_info\":null,"
        "\"disks\":[{\"pdev_path\":\"/d\",\"vdev\":\"xvda\"}]}";

    assert_int_equal(libxl__config_parse(json, strlen(json), &c, &err), 0);
    assert_true(c.disks[0].discard_enable);
    libxl_domain_config_dispose(&c);
}

static void errors_name_the_field(void **state)
{
    expect_error("{\"c_info\":{\"name\":5}}", "c_info.name: wants a string");
    expect_error("{\"c_info\":{\"name\":\"a\"},\"b_info\":{\"max_memkb\":-1}}",
                 "b_info.max_memkb: wants a number of 0 or more");
    expect_error("{\"c_info\":{\"name\":\"a\"},"
                 "\"b_info\":{\"max_memkb\":17179869185}}",
                 "b_info.max_memkb: 17179869185 is more than");
    expect_error("{\"b_info\":{\"max_vcpus\":99999999999999999999}}",
                 "b_info.max_vcpus: wants a whole number");
    expect_error("{\"b_info\":{\"avail_vcpus\":[1,1]}}",
                 "b_info.avail_vcpus[1]: 1 is not within 2");
    expect_error("{\"c_info\":{\"name\":\"a\"},\"disks\":[{\"vdev\":\"x\"}]}",
                 "disks[0].pdev_path: missing");
    expect_error("{\"c_info\":{\"name\":\"a\"},"
                 "\"disks\":[{\"vdev\":\"x\",\"format\":\"zip\"}]}",
                 "disks[0].format: 'zip' is not a known value");
    expect_error("{\"nics\":[{\"mac\":\"0:1\"}]}", "nics[0].mac: '0:1'");
    expect_error("{\"c_info\":{\"uuid\":\"\"}}", "c_info.uuid: ''");
    expect_error("{\"c_info\":{\"name\":\"a\",\"name\":\"b\"}}",
                 "c_info.name: given twice");
    expect_error("{\"c_info\":{\"type\":\"pv\"},\"b_info\":{\"type.hvm\":{}}}",
                 "b_info.type.hvm: does not fit");
    expect_error("{\"on_crash\":\"explode\"}", "on_crash: 'explode'");
    expect_error("[]", "(whole): wants an object, has a list");
    expect_error("{}", "c_info.name: missing");
}

static void names_that_would_mislead_are_refused(void **state)
{
    expect_error("{\"c_info\":{\"name\":\"\"}}", "missing");
    expect_error("{\"c_info\":{\"name\":\"17\"}}", "domain id");
    expect_error("{\"c_info\":{\"name\":\"a b\"}}", "blanks");
    expect_error("{\"c_info\":{\"name\":\"../x\"}}", "'/'");
    expect_error("{\"c_info\":{\"name\":\"a\\nb\"}}", "control");
    expect_error("{\"c_info\":{\"name\":\"-x\"}}", "begins with '-'");
}

static void broken_text_is_refused(void **state)
{
    expect_error("", "not JSON");
    expect_error("{\"c_info\":", "not JSON");
    expect_error("{} x", "not JSON");
    expect_error("{\"c_info\":{\"name\":\"a\\u0000b\"}}", "NUL");
    expect_error("{\"c_info\":{\"name\":\"\xff\"}}", "not JSON");
}

static void an_escaped_backslash_is_no_nul(void **state)
{
    const char *json = "{\"c_info\":{\"name\":\"a\\\\u0000\"}}";
    libxl_domain_config c;
    struct libxl__config_error err = {""};

    assert_int_equal(libxl__config_parse(json, strlen(json), &c, &err), 0);
    assert_string_equal(c.c_info.name, "a\\u0000");
    libxl_domain_config_dispose(&c);
}

static void depth_and_size_are_bounded(void **state)
{
    char *deep = malloc(200001);
    libxl_domain_config c;
    struct libxl__config_error err = {""};
    char *big;

    memset(deep, '[', 200000);
    deep[200000] = '\0';
    expect_error(deep, "nested too deeply");
    free(deep);
    big = malloc(LIBXL__CONFIG_TEXT_MAX + 1);
    memset(big, ' ', LIBXL__CONFIG_TEXT_MAX + 1);
    assert_int_equal(
        libxl__config_parse(big, LIBXL__CONFIG_TEXT_MAX + 1, &c, &err),
        ERROR_INVAL);
    assert_non_null(strstr(err.text, "the limit is"));
    free(big);
}

/* Cut anywhere, or with one byte changed, it ends with an answer. */
static void any_damage_ends_with_an_answer(void **state)
{
    size_t n = strlen(full);

    for (size_t i = 0; i < n; i++) {
        libxl_domain_config c;
        struct libxl__config_error err = {""};
        char *text = strdup(full);

        assert_int_equal(
            libxl__config_parse(full, i == n - 1 ? i - 1 : i, &c, &err),
            ERROR_INVAL);
        assert_true(err.text[0] != '\0');
        text[i] = (char)(text[i] ^ (1 << (i % 7)));
        if (!libxl__config_parse(text, n, &c, &err))
            libxl_domain_config_dispose(&c);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_json_comes_back_byte_for_byte),
        cmocka_unit_test(changes_are_written_into_foreign_json),
        cmocka_unit_test(every_field_goes_in_and_out),
        cmocka_unit_test(copy_shares_nothing),
        cmocka_unit_test(dispose_accepts_a_disposed_one),
        cmocka_unit_test(a_minimal_one_gets_the_defaults),
        cmocka_unit_test(a_disk_of_which_nothing_is_said_hands_on_discards),
        cmocka_unit_test(errors_name_the_field),
        cmocka_unit_test(names_that_would_mislead_are_refused),
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(an_escaped_backslash_is_no_nul),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(any_damage_ends_with_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
