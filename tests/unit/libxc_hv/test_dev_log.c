/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bitmap that device processes share with us. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv/xc_dev_log.h"

#define PAGES 100u

struct shared {
    struct xc_dev_log log;
    struct xc_bitmap dirty;
    uint64_t *device; /* its own mapping */
    int fd;
};

static void shared_new(struct shared *s)
{
    s->fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(s->fd >= 0);
    assert_int_equal(ftruncate(s->fd, 4096), 0);
    s->device = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    assert_true(s->device != MAP_FAILED);
    assert_int_equal(xc_dev_log_open(&s->log, s->fd, PAGES), 0);
    assert_int_equal(xc_bitmap_init(&s->dirty, PAGES), 0);
}

static void shared_end(struct shared *s)
{
    xc_dev_log_close(&s->log);
    xc_dev_log_close(&s->log);
    xc_bitmap_dispose(&s->dirty);
    munmap(s->device, 4096);
    close(s->fd);
}

static void what_a_device_sets_is_taken_once(void **state)
{
    struct shared s;

    shared_new(&s);
    s.device[0] = 1u << 3;
    s.device[1] = 1u << 5;
    xc_dev_log_take(&s.log, &s.dirty);
    assert_int_equal(xc_bitmap_count(&s.dirty), 2);
    assert_true(xc_bitmap_test(&s.dirty, 3));
    assert_true(xc_bitmap_test(&s.dirty, 69));
    xc_bitmap_clear_all(&s.dirty);
    xc_dev_log_take(&s.log, &s.dirty);
    assert_int_equal(xc_bitmap_count(&s.dirty), 0);
    shared_end(&s);
}

static void what_came_before_the_start_is_forgotten(void **state)
{
    struct shared s;

    shared_new(&s);
    s.device[0] = ~UINT64_C(0);
    xc_dev_log_take(&s.log, NULL);
    assert_int_equal(s.device[0], 0);
    xc_dev_log_take(&s.log, &s.dirty);
    assert_int_equal(xc_bitmap_count(&s.dirty), 0);
    shared_end(&s);
}

/* A device process is not to be trusted with our memory. */
static void bits_beyond_the_guest_do_no_harm(void **state)
{
    struct shared s;

    shared_new(&s);
    s.device[1] = ~UINT64_C(0);
    s.device[2] = ~UINT64_C(0);
    xc_dev_log_take(&s.log, &s.dirty);
    assert_int_equal(xc_bitmap_count(&s.dirty), PAGES - 64);
    shared_end(&s);
}

static void short_log_is_refused(void **state)
{
    struct xc_dev_log log;
    int fd = memfd_create("log", MFD_CLOEXEC);

    assert_int_equal(ftruncate(fd, 8), 0);
    assert_int_equal(xc_dev_log_open(&log, fd, 65), -EINVAL);
    assert_int_equal(xc_dev_log_open(&log, fd, 64), 0);
    xc_dev_log_close(&log);
    close(fd);
}

static void guest_without_devices_has_none(void **state)
{
    struct xc_dev_log log;
    struct xc_bitmap dirty;

    assert_int_equal(xc_bitmap_init(&dirty, PAGES), 0);
    assert_int_equal(xc_dev_log_open(&log, -1, PAGES), 0);
    xc_dev_log_take(&log, &dirty);
    assert_int_equal(xc_bitmap_count(&dirty), 0);
    xc_dev_log_close(&log);
    xc_bitmap_dispose(&dirty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_device_sets_is_taken_once),
        cmocka_unit_test(what_came_before_the_start_is_forgotten),
        cmocka_unit_test(bits_beyond_the_guest_do_no_harm),
        cmocka_unit_test(short_log_is_refused),
        cmocka_unit_test(guest_without_devices_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
