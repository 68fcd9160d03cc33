/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_host_qemu_more.c - requests to a guest, disks, firmware, and what
 * check_config refuses. */
#include "host/host_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/qemu_probe.h"

/* ---- requests ---- */

struct request {
    libxl_trigger trigger;
    char key;
    uint64_t kb;
    bool reboot;
};

static int start_trigger(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call, void *user)
{
    return h->ops->trigger(egc, h, call, ((struct request *)user)->trigger, 0);
}

static int start_sysrq(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       void *user)
{
    return h->ops->sysrq(egc, h, call, ((struct request *)user)->key);
}

static int start_memory(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        void *user)
{
    return h->ops->set_memory(egc, h, call, ((struct request *)user)->kb);
}

static int start_shutdown(libxl__egc *egc, libxl__host *h,
                          libxl__host_call *call, void *user)
{
    return h->ops->shutdown(egc, h, call, ((struct request *)user)->reboot);
}

static void triggers(void **state)
{
    static const struct {
        libxl_trigger trigger;
        int rc;
    } cases[] = {
        { LIBXL_TRIGGER_POWER, 0 },
        { LIBXL_TRIGGER_SLEEP, ERROR_NI },
        { LIBXL_TRIGGER_INIT, ERROR_NI },
    };
    struct request nmi = { .trigger = LIBXL_TRIGGER_NMI };
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    size_t i;

    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct request q = { .trigger = cases[i].trigger };

        assert_int_equal(host_rig_run(r, domid, start_trigger, &q),
                         cases[i].rc);
        assert_string_equal(host_rig_status(r, domid), "running");
    }
    /* the firmware may not survive it */
    assert_int_equal(host_rig_run(r, domid, start_trigger, &nmi), 0);
}

/* As when the guest resets itself: what follows is on_reboot's. QEMU does it
 * after its answer. */
static void a_reset_ends_the_guest(void **state)
{
    struct request reset = { .trigger = LIBXL_TRIGGER_RESET };
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);

    assert_int_equal(host_rig_call(r, domid, r->h->ops->unpause), 0);
    assert_int_equal(host_rig_run(r, domid, start_trigger, &reset), 0);
    host_rig_wait_status(r, domid, (char *)"query-status", "shutdown");
    assert_true(libxl__reboot_wish_take(r->st, domid));
}

static void sysrq_keys(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    struct request q = { .key = 'b' };

    assert_int_equal(host_rig_run(r, domid, start_sysrq, &q), 0);
    q.key = '"';
    assert_int_equal(host_rig_run(r, domid, start_sysrq, &q), ERROR_NI);
}

static void memory_target(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    struct request q = { .kb = 24 << 10 };
    libxl_dominfo info;
    libxl__gc gc;

    assert_int_equal(host_rig_run(r, domid, start_memory, &q), 0);
    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(r->h->ops->dominfo(r->h, &gc, domid, &info), 0);
    assert_int_equal(info.current_memkb, 24 << 10);
    assert_int_equal(info.max_memkb, 32 << 10);
    libxl_dominfo_dispose(&info);
    libxl__gc_dispose(&gc);
    q.kb = 33 << 10;
    assert_int_equal(host_rig_run(r, domid, start_memory, &q), ERROR_INVAL);
    assert_non_null(strstr(r->log, "maxmem"));
}

static void a_reboot_leaves_a_wish(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    struct request q = { .reboot = true };

    assert_int_equal(host_rig_run(r, domid, start_shutdown, &q), 0);
    q.reboot = false;
    assert_int_equal(host_rig_run(r, domid, start_shutdown, &q), 0);
    assert_false(libxl__reboot_wish_take(r->st, domid));
    q.reboot = true;
    assert_int_equal(host_rig_run(r, domid, start_shutdown, &q), 0);
    assert_true(libxl__reboot_wish_take(r->st, domid));
}

/* ---- the end ---- */

static int start_destroy_memory_later(libxl__egc *egc, libxl__host *h,
                                      libxl__host_call *call, void *user)
{
    call->memory_later = true;
    return h->ops->destroy(egc, h, call);
}

/* A process that holds it ends when we no longer do. */
static bool somebody_holds_memory(void)
{
    char line[256];
    bool found = false;
    FILE *ps = popen("ps -o args= --ppid $PPID", "r");

    assert_non_null(ps);
    while (fgets(line, sizeof(line), ps))
        found = found || strstr(line, "xl-save-helper --hold");
    pclose(ps);
    return found;
}

static void memory_may_be_given_back_later(void **state)
{
    struct host_rig *r = *state;
    uint32_t domid = host_rig_guest(r, false);
    pid_t pid = host_rig_pid(r, domid);
    unsigned looks = 0;

    assert_int_equal(
        host_rig_run(r, domid, start_destroy_memory_later, NULL), 0);
    assert_true(kill(pid, 0) && errno == ESRCH);
    while (somebody_holds_memory() && ++looks < 60000)
        usleep(1000);
    assert_true(looks < 60000);
    assert_int_equal(r->errors, 0);
}

/* ---- disks ---- */

static void add_disk(struct host_rig *r, libxl_domain_config *c,
                     const char *name, bool make)
{
    libxl_device_disk *d = libxl_domain_config_add_disk(c);
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", r->dir, name);
    if (make) {
        fd = open(path, O_CREAT | O_RDWR, 0600);
        assert_int_equal(ftruncate(fd, 1 << 20), 0);
        close(fd);
    }
    free(d->pdev_path);
    free(d->vdev);
    d->pdev_path = strdup(path);
    d->vdev = strdup("xvda");
    d->format = LIBXL_DISK_FORMAT_RAW;
    d->readwrite = true;
}

static void a_disk_serves_one_guest_at_a_time(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;
    uint32_t a, b;

    host_rig_config(r, &c);
    add_disk(r, &c, "disk", true);
    a = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, a, &c, false), 0);
    b = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, b, &c, false), ERROR_FAIL);
    assert_non_null(strstr(r->log, "lock"));
    assert_int_equal(r->errors, 1);
    libxl_domain_config_dispose(&c);
}

/* The saved guest has let go of its disk: the restored one takes it, and a
 * second save of the same, paused, guest works too. */
static void a_disk_moves_with_the_state(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;
    uint32_t from, to;
    int fd = memfd_create("state", MFD_CLOEXEC), i;

    host_rig_config(r, &c);
    add_disk(r, &c, "disk", true);
    from = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, from, &c, false), 0);
    for (i = 0; i < 2; i++) {
        assert_int_equal(host_rig_call(r, from, r->h->ops->suspend), 0);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(host_rig_dm(r, from, fd, false), 0);
        assert_int_equal(host_rig_call(r, from, r->h->ops->resume), 0);
    }
    to = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, to, &c, true), 0);
    assert_int_equal(host_rig_dm(r, to, fd, true), 0);
    assert_int_equal(host_rig_call(r, to, r->h->ops->unpause), 0);
    assert_string_equal(host_rig_status(r, to), "running");
    libxl_domain_config_dispose(&c);
    close(fd);
}

/* ---- firmware ---- */

static void ovmf_survives_save_and_restore(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;
    struct libxl__helper_guest a, b;
    static char buf[1 << 20];
    uint32_t from, to;
    uint64_t at;
    int fd = memfd_create("state", MFD_CLOEXEC);

    host_rig_config(r, &c);
    free(c.b_info.bios);
    c.b_info.bios = strdup("ovmf");
    c.b_info.max_memkb = 64 << 10;
    from = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, from, &c, false), 0);
    assert_int_equal(host_rig_call(r, from, r->h->ops->unpause), 0);
    assert_int_equal(host_rig_call(r, from, r->h->ops->suspend), 0);
    assert_int_equal(host_rig_dm(r, from, fd, false), 0);
    to = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, to, &c, true), 0);
    assert_int_equal(r->h->ops->helper_guest(r->h, from, false, &a), 0);
    assert_int_equal(r->h->ops->helper_guest(r->h, to, false, &b), 0);
    for (at = 0; at < a.memory_bytes; at += sizeof(buf)) {
        assert_int_equal(pread(a.memory_fd, buf, sizeof(buf), (off_t)at),
                         sizeof(buf));
        assert_int_equal(pwrite(b.memory_fd, buf, sizeof(buf), (off_t)at),
                         sizeof(buf));
    }
    r->h->ops->helper_guest_done(r->h, &a);
    r->h->ops->helper_guest_done(r->h, &b);
    assert_int_equal(host_rig_dm(r, to, fd, true), 0);
    assert_int_equal(host_rig_call(r, to, r->h->ops->unpause), 0);
    assert_string_equal(host_rig_status(r, to), "running");
    libxl_domain_config_dispose(&c);
    close(fd);
}

/* ---- what check_config refuses ---- */

static void check_config_names_what_it_refuses(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;

    host_rig_config(r, &c);
    c.b_info.kernel = strdup("/nonexistent/vmlinuz");
    assert_int_not_equal(r->h->ops->check_config(r->h, &c, false), 0);
    assert_non_null(strstr(r->log, "kernel: cannot read /nonexistent/vmlinuz"));
    free(c.b_info.kernel);
    c.b_info.kernel = strdup("/tmp");
    assert_int_not_equal(r->h->ops->check_config(r->h, &c, false), 0);
    assert_non_null(strstr(r->log, "is a directory"));
    free(c.b_info.kernel);
    c.b_info.kernel = NULL;
    c.b_info.max_memkb = (uint64_t)1 << 40;
    assert_int_equal(r->h->ops->check_config(r->h, &c, false), ERROR_NOMEM);
    assert_non_null(strstr(r->log, "no memory for the guest"));
    c.b_info.max_memkb = 32 << 10;
    add_disk(r, &c, "missing", false);
    assert_int_not_equal(r->h->ops->check_config(r->h, &c, false), 0);
    assert_non_null(strstr(r->log, "disk xvda: cannot read"));
    assert_int_equal(r->errors, 4);
    libxl_domain_config_dispose(&c);
}

static void an_image_without_machine_is_refused(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;

    libxl_domain_config_init(&c);
    c.b_info.max_memkb = 32 << 10;
    assert_int_equal(r->h->ops->check_config(r->h, &c, true), ERROR_INVAL);
    assert_non_null(strstr(r->log, "machine"));
    libxl_domain_config_dispose(&c);
}

static void a_kvm_image_needs_kvm(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;
    char why[160];

    if (libxl__kvm_probe_run(why, sizeof(why)))
        skip();
    host_rig_config(r, &c);
    free(c.qemu_host.accel);
    c.qemu_host.accel = strdup("kvm");
    assert_int_equal(r->h->ops->check_config(r->h, &c, true), ERROR_INVAL);
    assert_non_null(strstr(r->log, "made under KVM"));
    libxl_domain_config_dispose(&c);
}

/* An image of an older QEMU: its machine type is made again. */
static void an_older_machine_is_restored_as_it_was(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;
    uint32_t from, to;
    int fd = memfd_create("state", MFD_CLOEXEC);

    host_rig_config(r, &c);
    free(c.qemu_host.machine);
    c.qemu_host.machine = strdup("pc-q35-6.2");
    assert_int_equal(r->h->ops->check_config(r->h, &c, true), 0);
    assert_string_equal(c.qemu_host.machine, "pc-q35-6.2");
    from = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, from, &c, false), 0);
    assert_int_equal(host_rig_call(r, from, r->h->ops->suspend), 0);
    assert_int_equal(host_rig_dm(r, from, fd, false), 0);
    to = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, to, &c, true), 0);
    assert_int_equal(host_rig_dm(r, to, fd, true), 0);
    assert_int_equal(host_rig_call(r, to, r->h->ops->unpause), 0);
    assert_string_equal(host_rig_status(r, to), "running");
    libxl_domain_config_dispose(&c);
    close(fd);
}

static void macs_are_chosen_once(void **state)
{
    static const uint8_t prefix[] = { 0x00, 0x16, 0x3e };
    struct host_rig *r = *state;
    libxl_domain_config c;
    libxl_mac mac;

    host_rig_config(r, &c);
    assert_non_null(libxl_domain_config_add_nic(&c));
    assert_int_equal(r->h->ops->check_config(r->h, &c, false), 0);
    memcpy(mac, c.nics[0].mac, sizeof(mac));
    assert_memory_equal(mac, prefix, sizeof(prefix));
    assert_int_equal(r->h->ops->check_config(r->h, &c, false), 0);
    assert_memory_equal(mac, c.nics[0].mac, sizeof(mac));
    libxl_domain_config_dispose(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, host_rig_open, host_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(memory_may_be_given_back_later),
        TEST(triggers),
        TEST(a_reset_ends_the_guest),
        TEST(sysrq_keys),
        TEST(memory_target),
        TEST(a_reboot_leaves_a_wish),
        TEST(a_disk_serves_one_guest_at_a_time),
        TEST(a_disk_moves_with_the_state),
        TEST(ovmf_survives_save_and_restore),
        TEST(check_config_names_what_it_refuses),
        TEST(an_image_without_machine_is_refused),
        TEST(a_kvm_image_needs_kvm),
        TEST(an_older_machine_is_restored_as_it_was),
        TEST(macs_are_chosen_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
