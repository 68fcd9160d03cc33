/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_xen_disk_share.c - what a disk is on, and who else uses it. */
#include "store/store_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/xen_dev.h"
#include "store/fake_xs.h"

#define OURS 1
#define OTHER 2
/* Some device that every host has: its number is what counts. */
#define DEVICE "/dev/null"
#define NUMBER "1:3"
#define VBD "/local/domain/0/backend/vbd/2/51712"
#define QDISK "/local/domain/0/backend/qdisk/2/51712"

struct rig {
    struct store_rig *store;
    libxl__host *host;
    libxl_domain_config config;
    libxl__gc gc;
};

static struct rig rig;
static struct libxl__xen_domain domains[2];

static int open_hv(struct libxl__xen_handle **out)
{
    *out = NULL;
    return 0;
}

static void close_hv(struct libxl__xen_handle *h)
{
}

static int list(struct libxl__xen_handle *h, uint32_t first, unsigned max,
                struct libxl__xen_domain *out)
{
    int n = 0;

    for (int i = 0; i < 2 && (unsigned)n < max; i++)
        if (domains[i].domid && domains[i].domid >= first)
            out[n++] = domains[i];
    return n;
}

static const struct libxl__xen_calls calls = {
    .open = open_hv,
    .close = close_hv,
    .domains = list,
};

static int open_rig(void **state)
{
    void *store;

    store_rig_open(&store);
    rig.store = store;
    fake_xs_empty();
    rig.host = libxl__host_xen_open_with(rig.store->ctx, &calls, &fake_xs_calls,
                                         rig.store->dir);
    assert_non_null(rig.host);
    libxl__gc_init(&rig.gc, rig.store->ctx);
    libxl_domain_config_init(&rig.config);
    domains[0] = (struct libxl__xen_domain){.domid = OURS, .uuid = {1}};
    domains[1] = (struct libxl__xen_domain){.domid = OTHER, .uuid = {2}};
    fake_xs_put("/local/domain/2/name", "db");
    return 0;
}

static int close_rig(void **state)
{
    void *store = rig.store;

    libxl_domain_config_dispose(&rig.config);
    libxl__gc_dispose(&rig.gc);
    rig.host->ops->close(rig.host);
    return store_rig_close(&store);
}

static libxl_device_disk *add_disk(const char *path, bool writes)
{
    libxl_device_disk *d = libxl_domain_config_add_disk(&rig.config);

    d->vdev = strdup("xvda");
    d->pdev_path = strdup(path);
    d->format = LIBXL_DISK_FORMAT_RAW;
    d->backend = LIBXL_DISK_BACKEND_PHY;
    d->readwrite = writes;
    return d;
}

static void other_has_device(const char *mode)
{
    fake_xs_put(VBD "/physical-device", NUMBER);
    fake_xs_put(VBD "/mode", mode);
}

static int lay_out(void)
{
    return libxl__xen_dev_lay_out(libxl__host_xen_of(rig.host), &rig.gc, OURS,
                                  &rig.config);
}

#define OUR_NODE "/local/domain/0/backend/vbd/1/51712/params"

static void a_device_that_another_guest_has_is_refused(void **state)
{
    other_has_device("w");
    add_disk(DEVICE, true);
    assert_int_equal(lay_out(), ERROR_FAIL);
    assert_non_null(
        strstr(rig.store->log, "disk xvda: domain 2 (db) uses " DEVICE));
    assert_null(fake_xs_get(OUR_NODE));
}

static void who_reads_does_not_meet_who_writes(void **state)
{
    libxl_device_disk *d = add_disk(DEVICE, false);

    other_has_device("w");
    assert_int_equal(lay_out(), ERROR_FAIL);
    d->readwrite = true;
    other_has_device("r");
    assert_int_equal(lay_out(), ERROR_FAIL);
}

static void two_may_read(void **state)
{
    other_has_device("r");
    add_disk(DEVICE, false);
    assert_int_equal(lay_out(), 0);
    assert_string_equal(fake_xs_get(OUR_NODE), DEVICE);
}

static void another_device_is_nobodys_business(void **state)
{
    other_has_device("w");
    fake_xs_put(VBD "/physical-device", "1:5");
    add_disk(DEVICE, true);
    assert_int_equal(lay_out(), 0);
}

/* A migration from this host to itself. */
static void the_same_guest_has_the_same_disks(void **state)
{
    other_has_device("w");
    domains[1].uuid[0] = 1;
    add_disk(DEVICE, true);
    assert_int_equal(lay_out(), 0);
}

static void a_guest_keeps_its_disk_until_it_is_gone(void **state)
{
    other_has_device("w");
    add_disk(DEVICE, true);
    domains[1].shutdown = true;
    assert_int_equal(lay_out(), ERROR_FAIL);
    domains[1].dying = true;
    assert_int_equal(lay_out(), 0);
    domains[1].domid = 0;
    assert_int_equal(lay_out(), 0);
}

/* By another name, and in another format. */
static void a_file_that_another_guest_writes_to_is_refused(void **state)
{
    const char *path = store_rig_path(rig.store, "image");
    char *other;
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fclose(f);
    add_disk(path, true)->backend = LIBXL_DISK_BACKEND_QDISK;
    other = libxl__sprintf(&rig.gc, "qcow2:%s/./image", rig.store->dir);
    fake_xs_put(QDISK "/params", other);
    fake_xs_put(QDISK "/mode", "w");
    assert_int_equal(lay_out(), ERROR_FAIL);
    fake_xs_put(QDISK "/params", "aio:");
    assert_int_equal(lay_out(), 0);
}

/* A process with its arguments, that waits. */
static pid_t start_its_qemu(void)
{
    int started[2];
    char text[16], none;
    pid_t pid;

    assert_int_equal(pipe2(started, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("/bin/sh", "sh", "-c", "kill -STOP $$", "sh", "-xen-domid", "2",
              NULL);
        _exit(1);
    }
    close(started[1]);
    assert_int_equal(read(started[0], &none, 1), 0);
    close(started[0]);
    snprintf(text, sizeof(text), "%d", (int)pid);
    fake_xs_put("/local/domain/2/image/device-model-pid", text);
    return pid;
}

static void a_qemu_keeps_its_disk_until_it_has_ended(void **state)
{
    pid_t qemu = start_its_qemu();

    fake_xs_put(QDISK "/params", "aio:" DEVICE);
    fake_xs_put(QDISK "/mode", "w");
    add_disk(DEVICE, true);
    domains[1].dying = true;
    assert_int_equal(lay_out(), ERROR_FAIL);
    domains[1].domid = 0;
    assert_int_equal(lay_out(), ERROR_FAIL);
    kill(qemu, SIGKILL);
    assert_int_equal(waitpid(qemu, NULL, 0), qemu);
    assert_int_equal(lay_out(), 0);
}

static bool is_mounted(const char *line, bool write, char *where, size_t size)
{
    FILE *f = tmpfile();
    struct stat st;
    bool found;

    assert_non_null(f);
    assert_int_equal(stat(DEVICE, &st), 0);
    fputs(line, f);
    rewind(f);
    found = libxl__xen_is_mounted(f, st.st_rdev, write, where, size);
    fclose(f);
    return found;
}

static void what_this_host_has_mounted_is_in_use(void **state)
{
    char where[64];

#define IS_MOUNTED(line, write) is_mounted(line, write, where, sizeof(where))
    assert_true(IS_MOUNTED("proc /proc proc rw 0 0\n"
                           "/dev/null /srv\\040x ext4 rw,relatime 0 0\n",
                           false));
    assert_string_equal(where, "/srv x");
    assert_true(IS_MOUNTED("/dev/null / ext4 ro,relatime 0 0\n", true));
    assert_false(IS_MOUNTED("/dev/null / ext4 ro,relatime 0 0\n", false));
    assert_false(IS_MOUNTED("/dev/zero / ext4 rw 0 0\n", true));
    assert_false(IS_MOUNTED("/dev/no-such / ext4 rw 0 0\n", true));
#undef IS_MOUNTED
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_that_another_guest_has_is_refused),
        TEST(who_reads_does_not_meet_who_writes),
        TEST(two_may_read),
        TEST(another_device_is_nobodys_business),
        TEST(the_same_guest_has_the_same_disks),
        TEST(a_guest_keeps_its_disk_until_it_is_gone),
        TEST(a_qemu_keeps_its_disk_until_it_has_ended),
        TEST(a_file_that_another_guest_writes_to_is_refused),
        TEST(what_this_host_has_mounted_is_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
