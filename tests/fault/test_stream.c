/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_stream.c - the k-th allocation, or the k-th read, of a libxl stream goes
 * wrong, for every k until it succeeds: an error, once, and nothing is left.
 * With the rig's own libxc, and with a real save helper.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault_wrap.h"
#include "stream/stream_rig.h"

#define K_MAX 400

static uint8_t image[8192];
static size_t image_bytes;

static struct libxl__emulator_state dm_state;

/* One stream into a pipe; rc. */
static int write_once(struct rig *r, struct fixture *f, bool helper)
{
    ssize_t n;
    int fds[2], rc;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    rig_init(r, f, fds[1]);
    r->use_helper = helper;
    r->memory_bytes = 4 * 4096;
    r->states = &dm_state;
    r->nr_states = 1;
    rc = rig_write(r, NULL);
    fault_disarm();
    close(fds[1]);
    n = read(fds[0], image, sizeof(image));
    image_bytes = n > 0 ? (size_t)n : 0;
    close(fds[0]);
    return rc;
}

static int read_once(struct rig *r, struct fixture *f, const void *bytes,
                     size_t n)
{
    int fds[2], rc;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], bytes, n), n);
    close(fds[1]);
    rig_init(r, f, fds[0]);
    r->need_emulator = true;
    rc = rig_read(r, NULL);
    fault_disarm();
    rig_dispose(r);
    close(fds[0]);
    return rc;
}

/* An operation that could not be started makes no callback. */
static void check_end(const struct rig *r, int rc)
{
    assert_true(r->callbacks <= 1);
    assert_true(rc || r->callbacks == 1);
}

static void check_without_memory(void **state, bool helper)
{
    struct rig r;
    unsigned k;
    int rc = -1;

    dm_state = (struct libxl__emulator_state){
        .id = 2,
        .bytes = 5,
        .fd = rig_memfd("state", 5),
    };
    for (k = 1; k < K_MAX && rc; k++) {
        fault_arm(FAULT_ALLOC, k, FAULT_ERROR, ENOMEM);
        rc = write_once(&r, *state, helper);
        check_end(&r, rc);
    }
    assert_int_equal(rc, 0);
    assert_in_range(k, 4, K_MAX);
    close(dm_state.fd);
}

static void writing_without_memory(void **state)
{
    check_without_memory(state, false);
}

static void helper_without_memory(void **state)
{
    check_without_memory(state, true);
}

/* A whole stream, in image. */
static void make_image(struct fixture *f)
{
    struct rig r;

    dm_state = (struct libxl__emulator_state){
        .id = 2,
        .bytes = 5,
        .fd = rig_memfd("state", 5),
    };
    assert_int_equal(write_once(&r, f, false), 0);
    close(dm_state.fd);
}

static void reading_without_memory(void **state)
{
    struct rig r;
    unsigned k;
    int rc = -1;

    make_image(*state);
    for (k = 1; k < K_MAX && rc; k++) {
        fault_arm(FAULT_ALLOC, k, FAULT_ERROR, ENOMEM);
        rc = read_once(&r, *state, image, image_bytes);
        check_end(&r, rc);
    }
    assert_int_equal(rc, 0);
    assert_in_range(k, 4, K_MAX);
}

static void reads_that_fail_or_end(void **state)
{
    static const enum fault_how hows[] = {FAULT_ERROR, FAULT_EOF};

    make_image(*state);
    for (int h = 0; h < 2; h++) {
        unsigned k, failures = 0;
        bool came = true;

        for (k = 1; k < K_MAX && came; k++) {
            struct rig r;
            int rc;

            fault_arm(FAULT_READ, k, hows[h], EIO);
            rig_init(&r, *state, -1);
            rc = read_once(&r, *state, image, image_bytes);
            check_end(&r, rc);
            failures += rc != 0;
            came = rc != 0 || k < 20;
        }
        assert_true(failures > 0);
        assert_true(k < K_MAX);
    }
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(writing_without_memory),
        T(helper_without_memory),
        T(reading_without_memory),
        T(reads_that_fail_or_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
