/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rng_dev: a second device behind the same interface, without a transport. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ring/ring_driver.h"
#include "ring/rng_dev.h"

struct rig {
    struct ring_driver d; /* its memory and ring, driven by hand */
    libxl__rng_dev *rng;
    libxl__vdev *dev;
    unsigned interrupts, idles;
    const char *broken;
};

static void interrupt(libxl__vdev *dev, unsigned q)
{
    struct rig *r = dev->transport;

    r->interrupts++;
}

static void broken(libxl__vdev *dev, unsigned q, const char *reason)
{
    struct rig *r = dev->transport;

    r->broken = reason;
}

static void idle(libxl__egc *egc, libxl__vdev *dev)
{
    struct rig *r = dev->transport;

    r->idles++;
}

static int setup(void **state)
{
    static struct rig rig;
    struct rig *r = &rig;

    memset(r, 0, sizeof(*r));
    ring_driver_init(&r->d, 8, 0);
    r->rng = libxl__rng_dev_new(NULL);
    assert_non_null(r->rng);
    r->dev = libxl__rng_dev_vdev(r->rng);
    r->dev->transport = r;
    r->dev->interrupt = interrupt;
    r->dev->broken = broken;
    r->dev->idle = idle;
    /* the driver's memory is the device's: the same table, copied */
    for (unsigned i = 0; i < r->d.mem.nr; i++)
        assert_int_equal(libxl__ring_mem_add(&r->dev->mem,
                                             r->d.mem.regions[i].gpa,
                                             r->d.mem.regions[i].bytes,
                                             r->d.mem.regions[i].hva, 0), 0);
    assert_int_equal(libxl__vq_setup(&r->dev->queues[0], &r->d.params), 0);
    r->dev->enabled[0] = true;
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;

    libxl__rng_dev_free(r->rng);
    ring_driver_free(&r->d);
    return 0;
}

static void a_buffer_is_filled(void **state)
{
    struct rig *r = *state;
    static const uint8_t zeroes[64];
    uint32_t id, len;

    ring_driver_desc(&r->d, 0, DRV_DATA, 64, VQ_DESC_F_WRITE, 0);
    ring_driver_offer(&r->d, 0);
    libxl__vdev_kick(NULL, r->dev, 0);
    assert_true(ring_driver_take(&r->d, &id, &len));
    assert_int_equal(len, 64);
    assert_memory_not_equal(ring_driver_at(&r->d, DRV_DATA), zeroes, 64);
    assert_int_equal(r->interrupts, 1);
}

static void a_large_request_gets_4_kib(void **state)
{
    struct rig *r = *state;
    uint32_t id, len;

    ring_driver_desc(&r->d, 0, DRV_DATA, 3000, VQ_DESC_F_NEXT | VQ_DESC_F_WRITE,
                     1);
    ring_driver_desc(&r->d, 1, DRV_HIGH, 9000, VQ_DESC_F_WRITE, 0);
    ring_driver_offer(&r->d, 0);
    libxl__vdev_kick(NULL, r->dev, 0);
    assert_true(ring_driver_take(&r->d, &id, &len));
    assert_int_equal(len, LIBXL__RNG_REQUEST_MAX);
}

static void a_request_to_read_from_breaks_the_queue(void **state)
{
    struct rig *r = *state;

    ring_driver_desc(&r->d, 0, DRV_DATA, 64, 0, 0);
    ring_driver_offer(&r->d, 0);
    libxl__vdev_kick(NULL, r->dev, 0);
    assert_non_null(r->broken);
    assert_int_equal(libxl__vdev_held(r->dev), 0);
}

static void a_quiet_device_takes_nothing_until_it_is_resumed(void **state)
{
    struct rig *r = *state;
    uint32_t id, len;

    libxl__vdev_quieten(NULL, r->dev);
    assert_int_equal(r->idles, 1);
    ring_driver_desc(&r->d, 0, DRV_DATA, 64, VQ_DESC_F_WRITE, 0);
    ring_driver_offer(&r->d, 0);
    libxl__vdev_kick(NULL, r->dev, 0);
    assert_false(ring_driver_take(&r->d, &id, &len));
    libxl__vdev_resume(NULL, r->dev);
    assert_true(ring_driver_take(&r->d, &id, &len));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_buffer_is_filled),
        T(a_large_request_gets_4_kib),
        T(a_request_to_read_from_breaks_the_queue),
        T(a_quiet_device_takes_nothing_until_it_is_resumed),
    };
    return cmocka_run_group_tests_name("rng_dev", tests, NULL, NULL);
}
