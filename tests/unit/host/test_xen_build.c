/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_xen_build.c - the builder runs beside the loop. */
#include "host/xen_rig.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>

static sem_t go_on;

static void config_init(libxl_domain_config *c)
{
    libxl_domain_config_init(c);
    c->c_info.type = LIBXL_DOMAIN_TYPE_PVH;
    c->c_info.name = strdup("guest");
    c->b_info.max_memkb = c->b_info.target_memkb = 32 << 10;
    c->b_info.max_vcpus = 1;
    c->b_info.kernel = strdup("/boot/vmlinuz");
}

static int start_create(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        const void *user)
{
    return h->ops->create(egc, h, call, user, false);
}

static int create_it(struct xen_rig *r, xen_rig_start *start, unsigned abort_ms,
                     libxl_domain_config *c)
{
    int rc;

    xen_rig_record(r, c);
    rc = xen_rig_run_aborted(r, start, c, abort_ms);
    libxl_domain_config_dispose(c);
    return rc;
}

static int create(struct xen_rig *r, xen_rig_start *start, unsigned abort_ms)
{
    libxl_domain_config c;

    config_init(&c);
    return create_it(r, start, abort_ms, &c);
}

static void a_new_guest_is_built_off_the_loop_thread(void **state)
{
    struct xen_rig *r = *state;

    assert_int_equal(create(r, start_create, 0), 0);
    assert_int_equal(fake_xen.builds, 1);
    assert_false(pthread_equal(fake_xen.builder, pthread_self()));
    assert_string_equal(fake_xs_get("/local/domain/1/store/ring-ref"), "7");
    assert_string_equal(fake_xs_get("/local/domain/1/console/ring-ref"), "8");
    assert_int_equal(fake_xen.open_handles, 1); /* the host's */
}

static void its_nodes_are_for_whom_they_should_be(void **state)
{
    assert_int_equal(create(*state, start_create, 0), 0);
#define PERMS(path) fake_xs_perms("/local/domain/" path)
    assert_int_equal(PERMS("1"), LIBXL__XS_GUEST_READS);
    assert_int_equal(PERMS("1/name"), LIBXL__XS_GUEST_READS);
    assert_int_equal(PERMS("1/memory/target"), LIBXL__XS_GUEST_READS);
    assert_int_equal(PERMS("1/control"), LIBXL__XS_GUEST_READS);
    assert_int_equal(PERMS("1/control/shutdown"), LIBXL__XS_GUEST_OWNS);
    assert_int_equal(PERMS("1/console/tty"), LIBXL__XS_GUEST_READS);
    assert_int_equal(PERMS("1/console/backend-id"), LIBXL__XS_GUEST_SHARES);
    assert_int_equal(PERMS("0/backend/console/1/0/state"),
                     LIBXL__XS_GUEST_READS);
#undef PERMS
    assert_int_equal(fake_xs_perms("/libxl/1/type"), LIBXL__XS_PRIVATE);
    assert_int_equal(fake_xs_perms("/libxl/1/device/console/0/backend"),
                     LIBXL__XS_PRIVATE);
}

/* Its number was another guest's, and somebody did not clean up. */
static void what_was_left_of_another_is_gone(void **state)
{
    fake_xs_put("/local/domain/1/device/vif/0", "left");
    fake_xs_put("/libxl/1/device/vif/0", "left");
    assert_int_equal(create(*state, start_create, 0), 0);
    assert_null(fake_xs_get("/local/domain/1/device/vif/0"));
    assert_null(fake_xs_get("/libxl/1/device/vif/0"));
}

static void the_builders_own_words_are_logged(void **state)
{
    struct xen_rig *r = *state;

    fake_xen.build_r = -ENOENT;
    fake_xen.build_why = "/boot/vmlinuz: no such thing";
    assert_int_equal(create(r, start_create, 0), ERROR_FAIL);
    assert_non_null(strstr(
        r->log, "the guest cannot be built: /boot/vmlinuz: no such thing"));
    assert_null(fake_xs_get("/local/domain/1/store/ring-ref"));
    assert_int_equal(fake_xen.open_handles, 1);
}

static void no_connection_for_the_builder_is_an_error(void **state)
{
    struct xen_rig *r = *state;

    fake_xen.open_r = -EACCES;
    assert_int_equal(create(r, start_create, 0), ERROR_FAIL);
    assert_int_equal(fake_xen.builds, 0);
    assert_non_null(strstr(r->log, "the hypervisor does not answer"));
    assert_non_null(strstr(r->log, strerror(EACCES)));
}

static void wait_for_abort(void)
{
    sem_wait(&go_on);
}

/* The builder stands until the loop, which it must not hold up, has aborted. */
static void let_go(libxl__egc *egc, libxl__ao_abortable *abrt, int rc)
{
    sem_post(&go_on);
}

static libxl__ao_abortable abrt;

static int start_and_listen(libxl__egc *egc, libxl__host *h,
                            libxl__host_call *call, const void *user)
{
    libxl__ao_abortable_init(&abrt);
    abrt.ao = call->ao;
    abrt.callback = let_go;
    assert_int_equal(libxl__ao_abortable_register(&abrt), 0);
    return start_create(egc, h, call, user);
}

static void an_abort_is_answered_when_the_builder_has_ended(void **state)
{
    struct xen_rig *r = *state;

    sem_init(&go_on, 0, 0);
    fake_xen.on_build = wait_for_abort;
    assert_int_equal(create(r, start_and_listen, 20), ERROR_ABORTED);
    assert_int_equal(fake_xen.builds, 1);
    assert_int_equal(fake_xen.open_handles, 1);
    assert_null(fake_xs_get("/local/domain/1/store/ring-ref"));
    sem_destroy(&go_on);
}

/* ---- its disks ---- */

#define DISK_STATE "/local/domain/0/backend/vbd/1/51712/state"

static int create_with_disk(struct xen_rig *r, unsigned abort_ms)
{
    libxl_domain_config c;
    libxl_device_disk *d;

    config_init(&c);
    d = libxl_domain_config_add_disk(&c);
    d->vdev = strdup("xvda");
    d->pdev_path = strdup("/dev/null");
    d->backend = LIBXL_DISK_BACKEND_PHY;
    d->format = LIBXL_DISK_FORMAT_RAW;
    d->readwrite = true;
    return create_it(r, start_create, abort_ms, &c);
}

static void take_disk(void)
{
    fake_xs_put(DISK_STATE, "2");
}

static void a_guest_whose_disk_is_taken_can_go(void **state)
{
    fake_xen.on_build = take_disk;
    assert_int_equal(create_with_disk(*state, 0), 0);
}

static void a_guest_waits_for_a_disk_that_nobody_takes(void **state)
{
    assert_int_equal(create_with_disk(*state, 100), ERROR_ABORTED);
    assert_int_equal(fake_xen.builds, 1);
    assert_string_equal(fake_xs_get(DISK_STATE), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_new_guest_is_built_off_the_loop_thread, xen_rig_open,
            xen_rig_close),
        cmocka_unit_test_setup_teardown(its_nodes_are_for_whom_they_should_be,
                                        xen_rig_open, xen_rig_close),
        cmocka_unit_test_setup_teardown(what_was_left_of_another_is_gone,
                                        xen_rig_open, xen_rig_close),
        cmocka_unit_test_setup_teardown(the_builders_own_words_are_logged,
                                        xen_rig_open, xen_rig_close),
        cmocka_unit_test_setup_teardown(
            no_connection_for_the_builder_is_an_error, xen_rig_open,
            xen_rig_close),
        cmocka_unit_test_setup_teardown(
            an_abort_is_answered_when_the_builder_has_ended, xen_rig_open,
            xen_rig_close),
        cmocka_unit_test_setup_teardown(a_guest_whose_disk_is_taken_can_go,
                                        xen_rig_open, xen_rig_close),
        cmocka_unit_test_setup_teardown(
            a_guest_waits_for_a_disk_that_nobody_takes, xen_rig_open,
            xen_rig_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
