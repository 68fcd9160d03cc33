/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_qemu_args.c - a configuration as QEMU's argument vector. */
#include "dm/args_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void the_machine(void **state)
{
    struct args_rig *r = *state;
    char **argv;

    r->c.qemu_host.machine = strdup("pc-q35-7.2");
    argv = args_make(r);
    assert_string_equal(argv[0], "/usr/bin/qemu");
    assert_string_equal(args_value(argv, "-machine", 0),
                        "pc-q35-7.2,memory-backend=ram0,suppress-vmdesc=on");
    assert_string_equal(args_value(argv, "-accel", 0), "tcg");
    assert_string_equal(args_value(argv, "-cpu", 0), "qemu64");
    assert_string_equal(args_value(argv, "-smp", 0), "cpus=2,maxcpus=2");
    assert_string_equal(args_value(argv, "-m", 0), "128M");
    assert_true(args_any(argv, "-object", "size=128M,share=on,"
                                          "mem-path=/proc/self/fd/3"));
    assert_true(args_has(argv, "-S"));
    assert_false(args_has(argv, "-incoming"));
    assert_true(args_any(argv, "-sandbox", "spawn=deny"));
    assert_true(args_any(argv, "-action", "reboot=shutdown,shutdown=pause"));
    assert_true(args_has(argv, "-only-migratable"));
}

static void incoming_waits(void **state)
{
    struct args_rig *r = *state;

    r->rt.incoming = true;
    assert_string_equal(args_value(args_make(r), "-incoming", 0), "defer");
}

static void odd_memory_is_rounded_up(void **state)
{
    struct args_rig *r = *state;

    r->c.b_info.max_memkb = (64 << 10) + 1;
    assert_string_equal(args_value(args_make(r), "-m", 0), "65M");
    assert_int_equal(libxl__qemu_memory_bytes(&r->c), 65 << 20);
}

/* No text of a configuration adds an option. */
static void hostile_texts_stay_values(void **state)
{
    struct args_rig *r = *state;
    char **argv;

    free(r->c.c_info.name);
    r->c.c_info.name = strdup("a,process=x -daemonize");
    r->c.qemu_host.machine = strdup("q35,dumpdtb=/etc/x");
    argv = args_make(r);
    assert_string_equal(args_value(argv, "-name", 0),
                        "guest=a,,process=x -daemonize,debug-threads=on");
    assert_string_equal(args_value(argv, "-machine", 0),
                        "q35,,dumpdtb=/etc/x,memory-backend=ram0,suppress-vmdesc=on");
    assert_false(args_has(argv, "-daemonize"));
}

static void kernel_and_its_line(void **state)
{
    struct args_rig *r = *state;
    char **argv;

    r->c.b_info.kernel = strdup("/boot/vmlinuz");
    r->c.b_info.ramdisk = strdup("/boot/initrd");
    r->c.b_info.cmdline = strdup("console=ttyS0 -S,x");
    argv = args_make(r);
    assert_string_equal(args_value(argv, "-kernel", 0), "/boot/vmlinuz");
    assert_string_equal(args_value(argv, "-initrd", 0), "/boot/initrd");
    assert_string_equal(args_value(argv, "-append", 0), "console=ttyS0 -S,x");
}

static void a_ramdisk_needs_a_kernel(void **state)
{
    struct args_rig *r = *state;

    r->c.b_info.ramdisk = strdup("/boot/initrd");
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "ramdisk"));
}

static void pv_and_pvh_are_refused(void **state)
{
    struct args_rig *r = *state;

    r->c.c_info.type = LIBXL_DOMAIN_TYPE_PV;
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "pv"));
    r->c.c_info.type = LIBXL_DOMAIN_TYPE_PVH;
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "pvh"));
}

/* ---- disks ---- */

static void a_virtio_disk(void **state)
{
    struct args_rig *r = *state;
    yajl_val v;
    char **argv;

    args_disk(r, "xvda", "/dev/a,b\"c");
    argv = args_make(r);
    v = args_json(r, argv, "-blockdev", 0);
    assert_string_equal(libxl__json_string(v, "driver"), "raw");
    assert_true(YAJL_IS_FALSE(libxl__json_get(v, "read-only")));
    v = libxl__json_get(v, "file");
    assert_string_equal(libxl__json_string(v, "driver"), "file");
    assert_string_equal(libxl__json_string(v, "filename"), "/dev/a,b\"c");
    assert_string_equal(libxl__json_string(v, "locking"), "auto");
    assert_true(args_any(argv, "-device", "virtio-blk-pci"));
}

static void a_read_only_qcow2_on_a_block_device(void **state)
{
    struct args_rig *r = *state;
    libxl_device_disk *d = args_disk(r, "vdb", "/dev/x");
    const bool blockdev[] = { true };
    yajl_val v;

    d->format = LIBXL_DISK_FORMAT_QCOW2;
    d->readwrite = false;
    r->rt.disk_is_blockdev = blockdev;
    v = args_json(r, args_make(r), "-blockdev", 0);
    assert_string_equal(libxl__json_string(v, "driver"), "qcow2");
    assert_true(YAJL_IS_TRUE(libxl__json_get(v, "read-only")));
    assert_string_equal(
        libxl__json_string(libxl__json_get(v, "file"), "driver"),
        "host_device");
}

/* XSA-142: a cdrom, or mode r, is read-only whatever else is said. */
static void a_cdrom_is_read_only(void **state)
{
    struct args_rig *r = *state;
    libxl_device_disk *d = args_disk(r, "hdc", "/iso");
    char **argv;
    yajl_val v;

    d->is_cdrom = true;
    argv = args_make(r);
    v = args_json(r, argv, "-blockdev", 0);
    assert_true(YAJL_IS_TRUE(libxl__json_get(v, "read-only")));
    assert_true(args_any(argv, "-device", "ide-cd"));
    assert_true(args_any(argv, "-device", "ide.2"));
}

static void an_empty_cdrom_has_no_medium(void **state)
{
    struct args_rig *r = *state;
    libxl_device_disk *d = args_disk(r, "hdc", NULL);
    char **argv;

    d->is_cdrom = true;
    d->format = LIBXL_DISK_FORMAT_EMPTY;
    argv = args_make(r);
    assert_null(args_value(argv, "-blockdev", 0));
    assert_true(args_any(argv, "-device", "ide-cd"));
}

static void disks_that_cannot_be_are_named(void **state)
{
    static const struct {
        const char *vdev;
        libxl_disk_format format;
        const char *says;
    } bad[] = {
        { "sda", LIBXL_DISK_FORMAT_RAW, "vdev" },
        { "xvda1", LIBXL_DISK_FORMAT_RAW, "vdev" },
        { "xvda", LIBXL_DISK_FORMAT_VHD, "format" },
        { "xvda", LIBXL_DISK_FORMAT_EMPTY, "empty" },
        { "hdz", LIBXL_DISK_FORMAT_RAW, "IDE" },
    };
    struct args_rig *r = *state;
    libxl_device_disk *d = args_disk(r, "xvda", "/d");
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        free(d->vdev);
        d->vdev = strdup(bad[i].vdev);
        d->format = bad[i].format;
        assert_null(args_make(r));
        assert_non_null(strstr(r->log, bad[i].says));
        assert_non_null(strstr(r->log, bad[i].vdev));
    }
}

static void two_disks_in_one_place_are_refused(void **state)
{
    struct args_rig *r = *state;

    args_disk(r, "xvda", "/a");
    args_disk(r, "vda", "/b");
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "another disk"));
}

static void boot_order_is_by_letter(void **state)
{
    struct args_rig *r = *state;
    libxl_device_disk *cd;
    yajl_val disk, cdrom;
    uint64_t a, b;
    char **argv;

    args_disk(r, "xvda", "/a");
    cd = args_disk(r, "hdc", "/iso");
    cd->is_cdrom = true;
    free(r->c.b_info.boot);
    r->c.b_info.boot = strdup("dc");
    argv = args_make(r);
    disk = args_json(r, argv, "-device", 5);
    cdrom = args_json(r, argv, "-device", 6);
    assert_string_equal(libxl__json_string(disk, "driver"), "virtio-blk-pci");
    assert_true(libxl__json_u64(disk, "bootindex", &a));
    assert_true(libxl__json_u64(cdrom, "bootindex", &b));
    assert_true(b < a);
}

/* QEMU gives the place of the first to a kernel that it loads itself. */
static void with_a_kernel_no_disk_is_booted_from(void **state)
{
    struct args_rig *r = *state;
    uint64_t index;
    char **argv;

    args_disk(r, "xvda", "/a");
    free(r->c.b_info.kernel);
    r->c.b_info.kernel = strdup("/vmlinuz");
    argv = args_make(r);
    assert_false(
        libxl__json_u64(args_json(r, argv, "-device", 5), "bootindex", &index));
    assert_null(strchr(args_value(argv, "-blockdev", 0), '\n'));
}

/* ---- the rest ---- */

static void a_nic_keeps_its_mac(void **state)
{
    struct args_rig *r = *state;
    libxl_device_nic *n = libxl_domain_config_add_nic(&r->c);
    static const libxl_mac mac = { 0, 0x16, 0x3e, 1, 2, 3 };
    const int taps[] = { 8 };
    char **argv;

    memcpy(n->mac, mac, sizeof(mac));
    argv = args_make(r);
    assert_true(args_any(argv, "-netdev", "user,id=net0"));
    assert_true(args_any(argv, "-device", "00:16:3e:01:02:03"));
    r->rt.tap_fds = taps;
    assert_true(args_any(args_make(r), "-netdev", "tap,id=net0,fd=8"));
}

static void an_unknown_nic_model_is_named(void **state)
{
    struct args_rig *r = *state;
    libxl_device_nic *n = libxl_domain_config_add_nic(&r->c);

    free(n->model);
    n->model = strdup("netfront,x");
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "netfront"));
}

static void vnc_and_its_password(void **state)
{
    struct args_rig *r = *state;
    char **argv;

    r->c.b_info.vnc.enable = true;
    r->c.b_info.vnc.display = 5;
    free(r->c.b_info.vnc.passwd);
    r->c.b_info.vnc.passwd = strdup("secret");
    argv = args_make(r);
    assert_non_null(strstr(args_value(argv, "-vnc", 0), ":5"));
    assert_non_null(strstr(args_value(argv, "-vnc", 0), "password=on"));
    assert_true(args_any(argv, "-device", "VGA"));
    for (; *argv; argv++)
        assert_null(strstr(*argv, "secret"));
}

static void the_same_config_gives_the_same_vector(void **state)
{
    struct args_rig *r = *state;
    char **a, **b;

    args_disk(r, "xvda", "/a");
    libxl_domain_config_add_nic(&r->c);
    a = args_make(r);
    b = args_make(r);
    for (; *a && *b; a++, b++)
        assert_string_equal(*a, *b);
    assert_true(!*a && !*b);
}

static void what_a_nic_asks_for_in_vain_is_named(void **state)
{
    struct args_rig *r = *state;
    libxl_device_nic *n = libxl_domain_config_add_nic(&r->c);

    n->rate_bytes_per_interval = 1;
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "rate="));
    n->rate_bytes_per_interval = 0;
    n->mtu = 9000;
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "mtu="));
    n->mtu = 0;
    n->script = strdup("/etc/xen/scripts/vif-route");
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "script="));
    free(n->script);
    n->script = strdup("/etc/xen/scripts/vif-bridge");
    assert_non_null(args_make(r));
}

static void a_disk_script_is_refused(void **state)
{
    struct args_rig *r = *state;

    args_disk(r, "xvda", "iqn.x")->script = strdup("block-iscsi");
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "script="));
}

static void vfio_user_devices_have_places_and_sockets(void **state)
{
    struct args_rig *r = *state;
    libxl_device_vfio_user *dev;
    libxl_device_disk *d = args_disk(r, "vda", "/d");
    char **argv;

    d->backend = LIBXL_DISK_BACKEND_VFIO_USER;
    d->format = LIBXL_DISK_FORMAT_RAW;
    dev = libxl_domain_config_add_vfio_user(&r->c);
    dev->name = strdup("demo");
    dev->program = strdup("/bin/demo");
    r->rt.vfio_dir_fd = 9;
    argv = args_make(r);
    assert_true(args_any(argv, "-device",
                         "\"path\":\"/proc/self/fd/9/vfio-0\""));
    assert_true(args_any(argv, "-device",
                         "\"path\":\"/proc/self/fd/9/vfio-1\""));
    assert_true(args_any(argv, "-device", "\"addr\":\"0xf\""));
    assert_true(args_any(argv, "-device", "\"addr\":\"0x10\""));
    assert_false(args_any(argv, "-blockdev", "/d"));
}

static void a_vfio_user_disk_is_raw_and_virtio(void **state)
{
    struct args_rig *r = *state;

    args_disk(r, "hda", "/d")->backend = LIBXL_DISK_BACKEND_VFIO_USER;
    assert_null(args_make(r));
    assert_non_null(strstr(r->log, "vfio-user serve raw disks"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, args_rig_open, args_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_machine),
        TEST(incoming_waits),
        TEST(odd_memory_is_rounded_up),
        TEST(hostile_texts_stay_values),
        TEST(kernel_and_its_line),
        TEST(a_ramdisk_needs_a_kernel),
        TEST(pv_and_pvh_are_refused),
        TEST(a_virtio_disk),
        TEST(a_read_only_qcow2_on_a_block_device),
        TEST(a_cdrom_is_read_only),
        TEST(an_empty_cdrom_has_no_medium),
        TEST(disks_that_cannot_be_are_named),
        TEST(two_disks_in_one_place_are_refused),
        TEST(boot_order_is_by_letter),
        TEST(with_a_kernel_no_disk_is_booted_from),
        TEST(a_nic_keeps_its_mac),
        TEST(an_unknown_nic_model_is_named),
        TEST(what_a_nic_asks_for_in_vain_is_named),
        TEST(a_disk_script_is_refused),
        TEST(vfio_user_devices_have_places_and_sockets),
        TEST(a_vfio_user_disk_is_raw_and_virtio),
        TEST(vnc_and_its_password),
        TEST(the_same_config_gives_the_same_vector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
