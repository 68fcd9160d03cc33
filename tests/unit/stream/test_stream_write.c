/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stream_write.c - the bytes of a libxl stream, and how writing fails. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/stream_rig.h"

#define HEADER "LibxlFmt\0\0\0\2\0\0\0\0"
#define LIBXC "\1\0\0\0\0\0\0\0" RIG_LIBXC
#define END "\0\0\0\0\0\0\0\0"

/* Writes with the rig as it is, and compares all bytes. */
static void writes(struct rig *r, const void *expect, size_t n)
{
    size_t have;
    uint8_t *got;

    r->fd = rig_memfd("", 0);
    assert_int_equal(rig_write(r, NULL), 0);
    assert_int_equal(r->callbacks, 1);
    got = rig_slurp(r->fd, &have);
    assert_int_equal(have, n);
    assert_memory_equal(got, expect, n);
    free(got);
    close(r->fd);
}

static void guest_without_device_model(void **state)
{
    static const char expect[] = HEADER LIBXC END;
    struct rig r;

    rig_init(&r, *state, -1);
    r.hvm = false;
    writes(&r, expect, sizeof(expect) - 1);
}

static void contexts_are_padded_and_numbered(void **state)
{
    static const char expect[] =
        HEADER LIBXC "\3\0\0\0\15\0\0\0\2\0\0\0\0\0\0\0state\0\0\0"
                     "\3\0\0\0\20\0\0\0\2\0\0\0\1\0\0\0eightbyt" END;
    struct libxl__emulator_state states[2] = {
        {.id = 2, .index = 0, .bytes = 5},
        {.id = 2, .index = 1, .bytes = 8},
    };
    struct rig r;

    states[0].fd = rig_memfd("state", 5);
    states[1].fd = rig_memfd("eightbyt", 8);
    lseek(states[1].fd, 3, SEEK_SET); /* wherever its writer left it */
    rig_init(&r, *state, -1);
    r.states = states;
    r.nr_states = 2;
    writes(&r, expect, sizeof(expect) - 1);
    close(states[0].fd);
    close(states[1].fd);
}

static void xenstore_data_come_first(void **state)
{
    static const char expect[] =
        HEADER LIBXC "\2\0\0\0\31\0\0\0\2\0\0\0\0\0\0\0physmap/0/size\0"
                     "1\0"
                     "\0\0\0\0\0\0\0" END;
    static const char keys[] = "physmap/0/size\0"
                               "1";
    struct rig r;

    rig_init(&r, *state, -1);
    r.xs_data = keys;
    r.xs_bytes = sizeof(keys);
    writes(&r, expect, sizeof(expect) - 1);
}

/* The rc of writing with the rig as it is. */
static int write_rc(struct rig *r)
{
    int rc;

    if (r->fd < 0)
        r->fd = rig_memfd("", 0);
    rc = rig_write(r, NULL);
    assert_int_equal(r->callbacks, 1);
    close(r->fd);
    return rc;
}

static void failing_parts_end_the_stream(void **state)
{
    struct rig r;

    rig_init(&r, *state, -1);
    r.libxc_rc = ERROR_GUEST_TIMEDOUT;
    assert_int_equal(write_rc(&r), ERROR_GUEST_TIMEDOUT);
    rig_init(&r, *state, -1);
    r.emulator_rc = ERROR_NOMEM;
    assert_int_equal(write_rc(&r), ERROR_NOMEM);
}

static void short_emulator_state_is_an_error(void **state)
{
    struct libxl__emulator_state st = {.id = 2, .bytes = 6};
    struct rig r;

    st.fd = rig_memfd("state", 5);
    rig_init(&r, *state, -1);
    r.states = &st;
    r.nr_states = 1;
    assert_int_equal(write_rc(&r), ERROR_FAIL);
    close(st.fd);
}

static void huge_emulator_state_is_refused(void **state)
{
    struct libxl__emulator_state st = {.id = 2, .bytes = 1ull << 32};
    struct fixture *f = *state;
    struct rig r;

    st.fd = rig_memfd("state", 5);
    rig_init(&r, f, -1);
    r.states = &st;
    r.nr_states = 1;
    assert_int_equal(write_rc(&r), ERROR_FAIL);
    assert_non_null(strstr(f->last, "more than a stream can hold"));
    close(st.fd);
}

static void full_disk_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct rig r;

    rig_init(&r, f, open("/dev/full", O_WRONLY | O_CLOEXEC));
    assert_int_equal(write_rc(&r), ERROR_FAIL);
    assert_int_equal(f->messages, 1);
    assert_non_null(strstr(f->last, "No space left"));
}

static void closed_pipe_is_an_error(void **state)
{
    struct rig r;
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    close(fds[0]);
    rig_init(&r, *state, fds[1]);
    assert_int_equal(write_rc(&r), ERROR_FAIL);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(guest_without_device_model),
        T(contexts_are_padded_and_numbered),
        T(xenstore_data_come_first),
        T(failing_parts_end_the_stream),
        T(short_emulator_state_is_an_error),
        T(huge_emulator_state_is_refused),
        T(full_disk_is_an_error),
        T(closed_pipe_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
