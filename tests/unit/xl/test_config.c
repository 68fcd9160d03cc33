/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl.cfg's keys: each is taken, warned about or refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xl_config.h"

struct built {
    bool ok;
    libxl_domain_config config;
    struct xl_cfg_error err;
    char warnings[2048];
};

static void warn(void *user, const char *text)
{
    struct built *b = user;
    size_t n = strlen(b->warnings);

    snprintf(b->warnings + n, sizeof(b->warnings) - n, "%s\n", text);
}

static void build(struct built *b, const char *text)
{
    struct xl_cfg cfg;

    memset(b, 0, sizeof(*b));
    xl_cfg_init(&cfg);
    if (!xl_cfg_parse(&cfg, "f", text, strlen(text), false, &b->err))
        fail_msg("%s", b->err.text);
    b->ok = xl_config_build(&cfg, &b->config, warn, b, &b->err);
    xl_cfg_free(&cfg);
}

static void done(struct built *b)
{
    if (b->ok)
        libxl_domain_config_dispose(&b->config);
}

static void expect_ok(struct built *b, const char *text)
{
    build(b, text);
    if (!b->ok)
        fail_msg("%s", b->err.text);
}

static void expect_refused(const char *text, const char *part)
{
    struct built b;

    build(&b, text);
    assert_false(b.ok);
    if (!strstr(b.err.text, part))
        fail_msg("'%s' lacks '%s'", b.err.text, part);
}

static void expect_warned(const char *text, const char *part)
{
    struct built b;

    expect_ok(&b, text);
    if (!strstr(b.warnings, part))
        fail_msg("'%s' lacks '%s'", b.warnings, part);
    done(&b);
}

/* Every key of the manual page has a row; and a row without a field says why
 * when it meets a value that asks for something. */
static void every_key_of_the_manual_is_known(void **state)
{
    FILE *f = fopen("tests/golden/config/xl.cfg.keys", "r");
    char key[80], text[160];
    int keys = 0;

    assert_non_null(f);
    while (fscanf(f, "%79s", key) == 1) {
        struct built b;

        snprintf(text, sizeof(text), "name='g'\n%s=[['x']]", key);
        build(&b, text);
        if (strstr(b.warnings, "unknown key"))
            fail_msg("%s is not known", key);
        if (b.ok && !strstr(b.warnings, key))
            fail_msg("%s=[['x']] is silently ignored", key);
        if (!b.ok && !strstr(b.err.text, key))
            fail_msg("%s is refused without its name: %s", key, b.err.text);
        done(&b);
        keys++;
    }
    fclose(f);
    assert_true(keys > 140);
}

static void no_key_stands_twice(void **state)
{
    for (const struct xl_key *a = xl_keys; a->name; a++) {
        for (const struct xl_key *b = a + 1; b->name; b++)
            assert_string_not_equal(a->name, b->name);
    }
}

static void what_is_off_is_not_refused(void **state)
{
    struct built b;

    expect_ok(&b, "name='g'; nestedhvm=0; pci=[]; sdl=0; spice=0; viridian=0;"
                  "seclabel=''; gfx_passthru=0; usbversion=0; vfb=[];"
                  "tee='none'; ms_vm_genid='none'; passthrough='disabled';"
                  "apic=1; hdtype='ide'; device_model_version='qemu-xen'");
    assert_string_equal(b.warnings, "");
    done(&b);
}

static void refusals_say_what_to_do(void **state)
{
    expect_refused("name='g'\nspice=1", "f:2: spice: refused: SPICE");
    expect_refused("name='g'; pci=['01:00.0']", "pci: refused");
    expect_refused("name='g'; cpuid='host'", "cpu_model");
    expect_refused("name='g'; apic=0", "apic: refused");
    expect_refused("name='g'; bios='rombios'", "seabios");
    expect_refused("name='g'; device_model_version='qemu-xen-traditional'",
                   "qemu-xen");
    expect_refused("name='g'; hdtype='ahci'", "hdtype: refused");
    expect_refused("memory=64", "no name");
}

static void warnings_name_key_and_reason(void **state)
{
    expect_warned("name='g'; cpus='0-3'", "cpus: has no effect");
    expect_warned("name='g'; builder='hvm'", "builder: is old");
    expect_warned("name='g'; on_crash='coredump-restart'",
                  "on_crash: coredump-restart is for a Xen host");
    expect_warned("name='g'; memroy=5", "did you mean memory?");
    expect_warned("name='g'; quux=5", "quux: unknown key, ignored");
    expect_warned("name='g'\nmemory=64\nmemory=65", "memory: repeats line 2");
    expect_warned("name='g'; cmdline='a'; extra='b'", "extra: has no effect");
}

static void defaults_are_those_of_the_manual(void **state)
{
    struct built b;

    expect_ok(&b, "name='g'");
    assert_int_equal(b.config.c_info.type, LIBXL_DOMAIN_TYPE_HVM);
    assert_int_equal(b.config.on_poweroff, LIBXL_ACTION_ON_SHUTDOWN_DESTROY);
    assert_int_equal(b.config.on_reboot, LIBXL_ACTION_ON_SHUTDOWN_RESTART);
    assert_int_equal(b.config.on_crash, LIBXL_ACTION_ON_SHUTDOWN_DESTROY);
    assert_int_equal(b.config.on_soft_reset,
                     LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET);
    assert_false(libxl_uuid_is_nil(&b.config.c_info.uuid));
    assert_true(b.config.b_info.acpi);
    done(&b);
}

static void a_whole_configuration_is_taken(void **state)
{
    struct built b;
    const libxl_domain_build_info *bi = &b.config.b_info;

    expect_ok(&b, "name='g'; type='hvm'; memory=128; maxmem=256;"
                  "vcpus=2; maxvcpus=4; kernel='/k'; ramdisk='/r';"
                  "root='/dev/xvda'; extra='quiet'; on_crash='preserve';"
                  "boot='dc'; vnc=1; vnclisten='0.0.0.0:4'; vga='stdvga';"
                  "usb=1; acpi=0; usbdevice='tablet'; serial=['pty'];"
                  "rtc_timeoffset=-60; device_model_args=['-a'];"
                  "device_model_args_hvm=['-b']; accel='tcg';"
                  "cpu_model='qemu64'; machine='pc-q35-7.2';"
                  "uuid='cb161dfd-754d-4701-98f9-8512d36dd72e';"
                  "disk=['/d,,xvda']; vif=['','mac=00:16:3e:00:01:02']");
    assert_int_equal(bi->target_memkb, 128 * 1024);
    assert_int_equal(bi->max_memkb, 256 * 1024);
    assert_int_equal(bi->avail_vcpus, 2);
    assert_int_equal(bi->max_vcpus, 4);
    assert_string_equal(bi->cmdline, "root=/dev/xvda quiet");
    assert_int_equal(b.config.on_crash,
                     LIBXL_ACTION_ON_SHUTDOWN_PRESERVE);
    assert_string_equal(bi->vnc.listen, "0.0.0.0");
    assert_int_equal(bi->vnc.display, 4);
    assert_string_equal(bi->vga_kind, "std");
    assert_false(bi->acpi);
    assert_string_equal(bi->usbdevice[0], "tablet");
    assert_int_equal(bi->rtc_timeoffset, -60);
    assert_string_equal(bi->extra[0], "-a");
    assert_string_equal(bi->extra[1], "-b");
    assert_string_equal(b.config.qemu_host.accel, "tcg");
    assert_int_equal(b.config.num_disks, 1);
    assert_int_equal(b.config.num_nics, 2);
    assert_int_equal(b.config.nics[1].devid, 1);
    assert_string_equal(b.warnings, "");
    done(&b);
}

static void wrong_values_are_refused(void **state)
{
    expect_refused("name='g'; memory='much'", "memory: wants a number");
    expect_refused("name='g'; memory=0", "memory: 0 is not within");
    expect_refused("name='g'; memory=64; maxmem=32", "maxmem (32) is less");
    expect_refused("name='g'; vcpus=5; maxvcpus=4", "maxvcpus (4) is less");
    expect_refused("name=['g']", "name: wants a string");
    expect_refused("name='g'; type='lxc'", "type: wants");
    expect_refused("name='g'; uuid='1'", "is not a UUID");
    expect_refused("name='g'; on_crash='cry'", "on_crash: wants destroy");
    expect_refused("name='g'; disk='/d,,xvda'", "disk: wants a list");
    expect_refused("name='g'; disk=['/d']", "disk: disk '/d'");
    expect_refused("name='g'; vnclisten='h:x'", "not a display number");
    expect_refused("name='g'; vncdisplay=99999", "vncdisplay: 99999");
}

static void ipv6_addresses_keep_their_colons(void **state)
{
    struct built b;

    expect_ok(&b, "name='g'; vnclisten='::1'");
    assert_string_equal(b.config.b_info.vnc.listen, "::1");
    done(&b);
    expect_ok(&b, "name='g'; vnclisten='[::1]:2'");
    assert_string_equal(b.config.b_info.vnc.listen, "[::1]");
    assert_int_equal(b.config.b_info.vnc.display, 2);
    done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_the_manual_is_known),
        cmocka_unit_test(no_key_stands_twice),
        cmocka_unit_test(what_is_off_is_not_refused),
        cmocka_unit_test(refusals_say_what_to_do),
        cmocka_unit_test(warnings_name_key_and_reason),
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(a_whole_configuration_is_taken),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(ipv6_addresses_keep_their_colons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
