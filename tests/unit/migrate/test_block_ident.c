/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_block_ident.c - devices of a sysfs that the test makes. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "migrate/block_ident.h"

static libxl__gc gc;
static char dir[32];

static int up(void **state)
{
    libxl__gc_init(&gc, NULL);
    strcpy(dir, "/tmp/xl-test-ident-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    return remove(path);
}

static int down(void **state)
{
    libxl__gc_dispose(&gc);
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Makes the file, and the directories above it. */
static void put(const char *name, const char *text)
{
    char *path = libxl__sprintf(&gc, "%s/%s", dir, name), *slash = path;
    FILE *f;

    while ((slash = strchr(slash + 1, '/'))) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void link_to(const char *device, const char *name)
{
    assert_int_equal(symlink(device, libxl__sprintf(&gc, "%s/%s", dir, name)),
                     0);
}

static const char *ident(unsigned major, unsigned minor)
{
    return libxl__block_ident(&gc, dir, makedev(major, minor));
}

static void a_scsi_disk_has_its_wwid(void **state)
{
    put("8:0/device/wwid", "naa.600140500000001 \n");
    assert_string_equal(ident(8, 0), "wwid naa.600140500000001");
}

static void an_nvme_namespace_has_its_wwid(void **state)
{
    put("259:0/wwid", "eui.0025385b71b0e3c0\n");
    assert_string_equal(ident(259, 0), "wwid eui.0025385b71b0e3c0");
}

static void a_partition_is_part_of_its_disk(void **state)
{
    put("sda/device/wwid", "naa.6001405\n");
    put("sda/sda2/partition", "2\n");
    put("sda/sda2/start", "4096\n");
    link_to("sda/sda2", "8:2");
    assert_string_equal(ident(8, 2), "wwid naa.6001405, partition 2 from 4096");
}

static void a_logical_volume_has_its_uuid(void **state)
{
    put("254:0/dm/uuid", "LVM-abcdef\n");
    put("254:1/dm/uuid", "part1-mpath-36001405\n");
    put("254:2/dm/uuid", "CRYPT-LUKS2-1234-name\n");
    assert_string_equal(ident(254, 0), "dm LVM-abcdef");
    assert_string_equal(ident(254, 1), "dm part1-mpath-36001405");
    assert_null(ident(254, 2));
}

static void an_rbd_image_has_its_place_in_the_cluster(void **state)
{
    put("251:0/device/cluster_fsid", "f5\n");
    put("251:0/device/pool_id", "3\n");
    put("251:0/device/image_id", "10ab\n");
    put("251:0/device/current_snap", "-\n");
    assert_string_equal(ident(251, 0), "rbd f5/3/10ab@-");
}

static void a_loop_is_its_file(void **state)
{
    char *file = libxl__sprintf(&gc, "%s/file", dir);
    struct stat st;

    put("file", "content");
    put("7:0/loop/backing_file", libxl__sprintf(&gc, "%s\n", file));
    put("7:0/loop/offset", "512\n");
    put("7:0/loop/sizelimit", "0\n");
    assert_int_equal(stat(file, &st), 0);
    assert_string_equal(ident(7, 0),
                        libxl__sprintf(&gc, "loop inode %llu, 512+0",
                                       (unsigned long long)st.st_ino));
    unlink(file);
    assert_null(ident(7, 0));
}

static void a_short_serial_number_is_no_name(void **state)
{
    put("253:0/serial", "disk0\n");
    put("253:16/serial", "b0a1c2d3-e4f5-4a6b-8\n");
    assert_null(ident(253, 0));
    assert_string_equal(ident(253, 16), "serial b0a1c2d3-e4f5-4a6b-8");
}

static void a_drbd_device_is_one_on_two_hosts(void **state)
{
    put("drbd3/size", "1\n");
    link_to("drbd3", "147:3");
    assert_string_equal(ident(147, 3), "drbd");
}

static void anything_else_has_no_name(void **state)
{
    put("43:0/size", "1\n");
    put("8:16/device/wwid", "something\n");
    put("8:32/device/wwid", "naa.\x1b[2J\n");
    assert_null(ident(43, 0));
    assert_null(ident(8, 16));
    assert_null(ident(8, 32));
    assert_null(ident(9, 9));
}

#define T(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_scsi_disk_has_its_wwid),
        T(an_nvme_namespace_has_its_wwid),
        T(a_partition_is_part_of_its_disk),
        T(a_logical_volume_has_its_uuid),
        T(an_rbd_image_has_its_place_in_the_cluster),
        T(a_loop_is_its_file),
        T(a_short_serial_number_is_no_name),
        T(a_drbd_device_is_one_on_two_hosts),
        T(anything_else_has_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
