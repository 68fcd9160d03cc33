/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disk and vif specifications. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xl_spec.h"

static libxl_domain_config config;

static int setup(void **state)
{
    libxl_domain_config_init(&config);
    return 0;
}

static int teardown(void **state)
{
    libxl_domain_config_dispose(&config);
    return 0;
}

static libxl_device_disk *disk(const char *spec)
{
    struct xl_cfg_error err = {""};
    libxl_device_disk *d = libxl_domain_config_add_disk(&config);

    if (!xl_disk_parse(spec, d, &err))
        fail_msg("%s", err.text);
    return d;
}

static void bad_disk(const char *spec, const char *part)
{
    struct xl_cfg_error err = {""};

    assert_false(
        xl_disk_parse(spec, libxl_domain_config_add_disk(&config), &err));
    if (!strstr(err.text, part))
        fail_msg("'%s' lacks '%s'", err.text, part);
}

static void expect_disk(const char *spec, const char *target,
                        libxl_disk_format format, const char *vdev,
                        bool readwrite, bool cdrom)
{
    libxl_device_disk *d = disk(spec);

    if (target)
        assert_string_equal(d->pdev_path, target);
    else
        assert_null(d->pdev_path);
    assert_int_equal(d->format, format);
    assert_string_equal(d->vdev, vdev);
    assert_int_equal(d->readwrite, readwrite);
    assert_int_equal(d->is_cdrom, cdrom);
}

static void equivalent_disks_are_equal(void **state)
{
    const char *specs[] = {
        "/dev/vg/v,,hda",
        "/dev/vg/v,raw,hda,rw",
        "format=raw, vdev=hda, access=rw, target=/dev/vg/v",
        "raw:/dev/vg/v,hda,w",
        "phy:/dev/vg/v,hda,w",
        "phy:vg/v,hda,w",
        "tap:aio:/dev/vg/v,hda,w",
        "vdev=hda,/dev/vg/v",
    };

    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
        expect_disk(specs[i], "/dev/vg/v", LIBXL_DISK_FORMAT_RAW, "hda", true,
                    false);
}

static void equivalent_cdroms_are_equal(void **state)
{
    const char *specs[] = {
        "/root/image.iso,,hdc,cdrom",
        "/root/image.iso,,hdc,,cdrom",
        "/root/image.iso,raw,hdc,devtype=cdrom",
        "format=raw, vdev=hdc, access=ro, devtype=cdrom, "
        "target=/root/image.iso",
        "raw:/root/image.iso,hdc:cdrom,ro",
    };

    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
        expect_disk(specs[i], "/root/image.iso", LIBXL_DISK_FORMAT_RAW, "hdc",
                    false, true);
}

static void a_cdrom_can_be_empty(void **state)
{
    expect_disk(",,hdc,cdrom", NULL, LIBXL_DISK_FORMAT_EMPTY, "hdc", false,
                true);
    expect_disk(",hdc:cdrom,r", NULL, LIBXL_DISK_FORMAT_EMPTY, "hdc", false,
                true);
    expect_disk("vdev=hdc,cdrom", NULL, LIBXL_DISK_FORMAT_EMPTY, "hdc", false,
                true);
}

static void flags_and_other_parameters_are_kept(void **state)
{
    libxl_device_disk *d = disk("/a,qcow2,xvdb1,r,no-discard,direct-io-safe,"
                                "backendtype=qdisk,script=block-x");

    assert_false(d->discard_enable);
    assert_true(d->direct_io_safe);
    assert_int_equal(d->backend, LIBXL_DISK_BACKEND_QDISK);
    assert_string_equal(d->script, "block-x");
    assert_false(d->readwrite);
    assert_true(disk("/a,,xvda")->discard_enable);
    assert_string_equal(disk("vdev=xvda,target=/a,b =c ")->pdev_path,
                        "/a,b =c ");
}

static void bad_disks_are_named(void **state)
{
    bad_disk("/a", "vdev, such as xvda");
    bad_disk("", "vdev");
    bad_disk("/a,zip,xvda", "unknown format 'zip'");
    bad_disk("/a,,xvda,maybe", "unknown access");
    bad_disk("/a,,floppy", "not a device name");
    bad_disk("/a,,xvd", "not a device name");
    bad_disk("/a,,xvda,w,z", "one parameter too many");
    bad_disk("/a,,xvda,vdev=xvdb", "given twice: 'vdev'");
    bad_disk("/a,,xvda,target=/b", "given twice: 'target'");
    bad_disk("/a,,xvda,colour=red", "unknown parameter 'colour'");
    bad_disk("/a,,xvda,backend=dd", "driver domains");
    bad_disk("/a,,xvda,colo", "COLO");
    bad_disk(",,xvda", "target is missing");
    bad_disk("/a,,hdc,cdrom,rw", "cannot be writable");
    bad_disk("/a,,xvda,backendtype=tapdisk", "unknown backendtype");
}

static libxl_device_nic *vif(const char *spec)
{
    struct xl_cfg_error err = {""};
    libxl_device_nic *n = libxl_domain_config_add_nic(&config);

    if (!xl_vif_parse(spec, n, &err))
        fail_msg("%s", err.text);
    return n;
}

static void bad_vif(const char *spec, const char *part)
{
    struct xl_cfg_error err = {""};

    assert_false(
        xl_vif_parse(spec, libxl_domain_config_add_nic(&config), &err));
    if (!strstr(err.text, part))
        fail_msg("'%s' lacks '%s'", err.text, part);
}

static void vifs_are_read(void **state)
{
    libxl_device_nic *n;
    char mac[LIBXL_MAC_TEXT];

    vif("");
    n = vif("mac=00:16:3E:74:3d:76, model=rtl8139 ,bridge=xenbr0,type=ioemu,"
            "vifname=v0,script=/s,ip=10.0.0.2,devid=3,mtu=9000");
    libxl_mac_to_text(n->mac, mac);
    assert_string_equal(mac, "00:16:3e:74:3d:76");
    assert_string_equal(n->model, "rtl8139");
    assert_string_equal(n->bridge, "xenbr0");
    assert_int_equal(n->nictype, LIBXL_NIC_TYPE_VIF_IOEMU);
    assert_string_equal(n->ifname, "v0");
    assert_string_equal(n->script, "/s");
    assert_string_equal(n->ip, "10.0.0.2");
    assert_int_equal(n->devid, 3);
    assert_int_equal(n->mtu, 9000);
}

static void rates_become_credits(void **state)
{
    libxl_device_nic *n = vif("rate=1MB/s@20ms");

    assert_int_equal(n->rate_bytes_per_interval, 20000);
    assert_int_equal(n->rate_interval_usecs, 20000);
    n = vif("rate=10Mb/s");
    assert_int_equal(n->rate_bytes_per_interval, 62500);
    assert_int_equal(n->rate_interval_usecs, 50000);
    assert_int_equal(vif("rate=250KB/s@1s")->rate_bytes_per_interval, 250000);
    assert_int_equal(vif("rate=1000B/s@1s")->rate_bytes_per_interval, 1000);
}

static void bad_vifs_are_named(void **state)
{
    bad_vif("mac=1", "not a MAC address: '1'");
    bad_vif("type=wifi", "unknown type");
    bad_vif("rate=fast", "not a rate");
    bad_vif("rate=1MB", "not a rate");
    bad_vif("rate=1MB/s@soon", "not an interval");
    bad_vif("devid=-1", "not a number");
    bad_vif("colour=red", "unknown parameter 'colour'");
    bad_vif("red", "unknown word 'red'");
    bad_vif("backend=net", "driver domains");
    bad_vif("gatewaydev=eth0", "routed networks");
}

static void a_vfio_user_device(void **state)
{
    struct xl_cfg_error err;
    libxl_device_vfio_user *d = libxl_domain_config_add_vfio_user(&config);

    assert_true(xl_vfio_user_parse("name=d1, program=/bin/dev,args=--a b,c  -d",
                                   d, &err));
    assert_string_equal(d->name, "d1");
    assert_string_equal(d->program, "/bin/dev");
    assert_string_equal(d->args[0], "--a");
    assert_string_equal(d->args[1], "b,c");
    assert_string_equal(d->args[2], "-d");
    assert_null(d->args[3]);
}

static void vfio_user_devices_that_cannot_be_are_named(void **state)
{
    static const char *const bad[][2] = {
        {"program=/bin/dev", "missing key 'name'"},
        {"name=d1", "missing key 'program'"},
        {"name=d1,program=/x,size=3", "unknown key 'size'"},
        {"d1", "not KEY=VALUE"},
    };
    struct xl_cfg_error err;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(xl_vfio_user_parse(
            bad[i][0], libxl_domain_config_add_vfio_user(&config), &err));
        assert_non_null(strstr(err.text, bad[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equivalent_disks_are_equal, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(equivalent_cdroms_are_equal, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_cdrom_can_be_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(flags_and_other_parameters_are_kept,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(bad_disks_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(vifs_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(rates_become_credits, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_vifs_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_vfio_user_device, setup, teardown),
        cmocka_unit_test_setup_teardown(
            vfio_user_devices_that_cannot_be_are_named, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
