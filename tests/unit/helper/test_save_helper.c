/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_save_helper.c - streams through a real helper process, fake guest. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream/stream_rig.h"

static int done, done_rc;

static void when_done(libxl_ctx *ctx, int rc, void *for_callback)
{
    done = 1;
    done_rc = rc;
}

static const libxl_asyncop_how how = {.callback = when_done};

static struct libxl__emulator_state dm_state(void)
{
    return (struct libxl__emulator_state){
        .id = 2,
        .bytes = 5,
        .fd = rig_memfd("state", 5),
    };
}

/* A saved fake guest, positioned at its first byte. */
static int saved_image(struct fixture *f, unsigned flags)
{
    struct libxl__emulator_state st = dm_state();
    struct rig r;

    rig_init(&r, f, rig_memfd("", 0));
    r.use_helper = true;
    r.flags = flags;
    r.states = &st;
    r.nr_states = 1;
    assert_int_equal(rig_write(&r, NULL), 0);
    assert_int_equal(r.suspends, 1);
    assert_true(r.results.bytes > 0);
    close(st.fd);
    lseek(r.fd, 0, SEEK_SET);
    return r.fd;
}

static int restore_image(struct fixture *f, struct rig *r, int fd)
{
    rig_init(r, f, fd);
    r->use_helper = true;
    r->need_emulator = true;
    return rig_read(r, NULL);
}

static void round_trip(void **state)
{
    struct rig r;
    int fd = saved_image(*state, 0);

    assert_int_equal(restore_image(*state, &r, fd), 0);
    assert_true(r.emulator_fd[0] >= 0);
    assert_true(r.results.data_pages > 0);
    rig_dispose(&r);
    close(fd);
}

static void live_round_trip(void **state)
{
    struct rig r;
    int fd = saved_image(*state, LIBXL_SUSPEND_LIVE);

    assert_int_equal(restore_image(*state, &r, fd), 0);
    rig_dispose(&r);
    close(fd);
}

static void owner_hears_once_of_a_whole_stream(void **state)
{
    struct rig r;

    rig_init(&r, *state, rig_memfd("", 0));
    r.use_helper = r.wants_written = true;
    r.flags = LIBXL_SUSPEND_LIVE;
    assert_int_equal(rig_write(&r, NULL), 0);
    assert_int_equal(r.written, 1);
    assert_true(r.results.bytes > 0);
    close(r.fd);
}

static void reader_is_ours(libxl__egc *egc, struct rig *r)
{
    libxl__save_helper_takes_xalloc(&r->sh);
    if (r->suspends)
        libxl__save_helper_reply(egc, &r->sh, 0);
}

/* A Xen guest's; what it took, and what came out of it. */
static struct libxl__helper_results
xen_image(struct fixture *f, unsigned flags,
          void (*on_suspend)(libxl__egc *egc, struct rig *r),
          void (*on_started)(libxl__egc *egc, struct rig *r))
{
    struct libxl__helper_results results;
    struct rig w, r;

    rig_init(&w, f, rig_memfd("", 0));
    w.use_helper = true;
    w.hv = "fake-xen";
    w.flags = flags;
    w.on_suspend = on_suspend;
    w.on_started = on_started;
    assert_int_equal(rig_write(&w, NULL), 0);
    results = w.results;
    lseek(w.fd, 0, SEEK_SET);
    rig_init(&r, f, w.fd);
    r.use_helper = true;
    r.hv = "fake-xen";
    assert_int_equal(rig_read(&r, NULL), 0);
    assert_int_equal(r.results.data_pages, results.data_pages);
    rig_dispose(&r);
    close(w.fd);
    return results;
}

/* It says so while the helper waits for something else. */
static void zero_pages_have_no_data_once_the_reader_is_ours(void **state)
{
    struct libxl__helper_results plain, ours;

    plain = xen_image(*state, 0, NULL, NULL);
    ours = xen_image(*state, 0, reader_is_ours, NULL);
    assert_true(ours.zero_pages > 10);
    assert_int_equal(plain.bytes - ours.bytes, ours.zero_pages * 4096);
}

/* It says so before the first page, and the helper asks for nothing. */
static void the_helper_hears_of_its_reader_in_a_live_pass(void **state)
{
    struct libxl__helper_results ours;

    ours = xen_image(*state, LIBXL_SUSPEND_LIVE, NULL, reader_is_ours);
    assert_true(ours.bytes < (1 << 20)); /* of 1 MiB */
}

static void cut_images_are_refused(void **state)
{
    int fd = saved_image(*state, 0);
    size_t n;
    uint8_t *bytes = rig_slurp(fd, &n);

    for (unsigned i = 0; i < 40; i++) {
        struct rig r;
        int cut = rig_memfd(bytes, n * i / 40 + (i % 7));

        assert_int_equal(restore_image(*state, &r, cut), ERROR_FAIL);
        rig_dispose(&r);
        close(cut);
    }
    free(bytes);
    close(fd);
}

static void image_of_a_larger_guest_is_refused(void **state)
{
    struct rig r;
    int fd = saved_image(*state, 0);

    rig_init(&r, *state, fd);
    r.use_helper = true;
    r.memory_bytes = 16 * 4096;
    assert_int_equal(rig_read(&r, NULL), ERROR_FAIL);
    close(fd);
}

static void failing_suspension_fails_the_save(void **state)
{
    struct rig r;

    rig_init(&r, *state, rig_memfd("", 0));
    r.use_helper = true;
    r.suspend_reply = -EIO;
    assert_int_equal(rig_write(&r, NULL), ERROR_FAIL);
    close(r.fd);
}

static void dead_peer_fails_the_save_once(void **state)
{
    struct fixture *f = *state;
    struct rig r;
    int fds[2];

    /* the libxl header fits, libxc's part does not */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    rig_init(&r, f, fds[0]);
    r.use_helper = true;
    assert_int_equal(shutdown(fds[1], SHUT_RD), 0);
    assert_int_equal(rig_write(&r, NULL), ERROR_FAIL);
    assert_int_equal(f->messages, 1);
    close(fds[0]);
    close(fds[1]);
}

/* ---- deaths and aborts ---- */

static void kill_it(libxl__egc *egc, struct rig *r)
{
    kill(libxl__save_helper_pid(&r->sh), SIGKILL);
    if (r->suspends)
        libxl__save_helper_reply(egc, &r->sh, 0);
}

static void killed_helper_is_one_clear_error(void **state)
{
    struct fixture *f = *state;
    struct rig r;

    rig_init(&r, f, rig_memfd("", 0));
    r.use_helper = true;
    r.on_started = kill_it;
    assert_int_equal(rig_write(&r, NULL), ERROR_FAIL);
    assert_int_equal(f->messages, 1);
    assert_non_null(strstr(f->last, "killed by signal 9"));
    close(r.fd);
}

static void helper_killed_while_it_asks(void **state)
{
    struct rig r;

    rig_init(&r, *state, rig_memfd("", 0));
    r.use_helper = true;
    r.on_suspend = kill_it;
    assert_int_equal(rig_write(&r, NULL), ERROR_FAIL);
    assert_int_equal(r.callbacks, 1);
    close(r.fd);
}

/* Wherever in the stream it is when it is killed: one error, one callback, and
 * fixture_teardown finds no fd. */
static void helper_killed_behind_each_part_of_its_stream(void **state)
{
    struct fixture *f = *state;
    uint8_t buf[4096];

    for (size_t part = 0; part < 60; part += 3) {
        size_t left = part * sizeof(buf);
        struct rig r;
        int fds[2];

        done = 0;
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) > 0);
        rig_init(&r, f, fds[1]);
        r.use_helper = true;
        assert_int_equal(rig_write(&r, &how), 0);
        while (!r.libxc_runs)
            fixture_turn(f, 1);
        while (left) {
            struct pollfd pfd = {fds[0], POLLIN, 0};

            fixture_turn(f, 1);
            if (poll(&pfd, 1, 1) > 0)
                left -= (size_t)read(fds[0], buf,
                                     left < sizeof(buf) ? left : sizeof(buf));
        }
        assert_true(libxl__save_helper_pid(&r.sh) > 0);
        kill(libxl__save_helper_pid(&r.sh), SIGKILL);
        fixture_run_until(f, &done);
        assert_int_equal(done_rc, ERROR_FAIL);
        assert_int_equal(r.callbacks, 1);
        close(fds[0]);
        close(fds[1]);
    }
}

static void leave_unanswered(libxl__egc *egc, struct rig *r)
{
    kill(libxl__save_helper_pid(&r->sh), SIGKILL);
}

static struct rig *late_rig;

static int answer_late(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    libxl__save_helper_reply(egc, &late_rig->sh, 0);
    libxl__ao_complete(egc, ao, 0);
    return 0;
}

/* The owner still holds a request when the helper dies: it is not pulled away
 * from under it. */
static void callback_waits_for_an_open_request(void **state)
{
    struct fixture *f = *state;
    struct rig r;

    done = 0;
    rig_init(&r, f, rig_memfd("", 0));
    r.use_helper = true;
    r.on_suspend = leave_unanswered;
    assert_int_equal(rig_write(&r, &how), 0);
    while (!r.suspends || libxl__save_helper_pid(&r.sh))
        fixture_turn(f, 1);
    assert_int_equal(done, 0);
    late_rig = &r;
    assert_int_equal(libxl__ao_run(f->ctx, RIG_DOMID, NULL, answer_late, NULL),
                     0);
    fixture_run_until(f, &done);
    assert_int_equal(done_rc, ERROR_FAIL);
    close(r.fd);
}

static void abort_it(libxl__egc *egc, struct rig *r)
{
    assert_int_equal(libxl_ao_abort(r->f->ctx, &how), 0);
    if (r->suspends)
        libxl__save_helper_reply(egc, &r->sh, 0);
}

/* Saves into a pipe that nobody reads, so that the helper blocks. */
static void abort_ends_a_blocked_save(void **state)
{
    struct fixture *f = *state;
    struct rig r;
    int fds[2];

    done = 0;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    rig_init(&r, f, fds[1]);
    r.use_helper = true;
    assert_int_equal(rig_write(&r, &how), 0);
    while (!r.suspends)
        fixture_turn(f, 1);
    assert_int_equal(libxl_ao_abort(f->ctx, &how), 0);
    fixture_run_until(f, &done);
    assert_int_equal(done_rc, ERROR_ABORTED);
    assert_int_equal(r.callbacks, 1);
    close(fds[0]);
    close(fds[1]);
}

static void abort_ends_a_starved_restore(void **state)
{
    struct fixture *f = *state;
    int image = saved_image(f, 0), fds[2];
    uint8_t start[64];
    struct rig r;

    done = 0;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(pread(image, start, sizeof(start), 0), sizeof(start));
    assert_int_equal(write(fds[1], start, sizeof(start)), sizeof(start));
    rig_init(&r, f, fds[0]);
    r.use_helper = true;
    r.on_started = NULL;
    assert_int_equal(rig_read(&r, &how), 0);
    while (!r.libxc_runs)
        fixture_turn(f, 1);
    assert_int_equal(libxl_ao_abort(f->ctx, &how), 0);
    fixture_run_until(f, &done);
    assert_int_equal(done_rc, ERROR_ABORTED);
    close(image);
    close(fds[0]);
    close(fds[1]);
}

static void abort_at_the_start_and_at_the_suspension(void **state)
{
    struct fixture *f = *state;

    for (int at_suspend = 0; at_suspend < 2; at_suspend++) {
        struct rig r;

        done = 0;
        rig_init(&r, f, rig_memfd("", 0));
        r.use_helper = true;
        if (at_suspend)
            r.on_suspend = abort_it;
        else
            r.on_started = abort_it;
        assert_int_equal(rig_write(&r, &how), 0);
        fixture_run_until(f, &done);
        assert_int_equal(done_rc, ERROR_ABORTED);
        close(r.fd);
    }
}

static void nonblocking_flag_is_given_back(void **state)
{
    struct rig r;
    int fds[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
        0);
    rig_init(&r, *state, fds[0]);
    r.use_helper = true;
    shutdown(fds[1], SHUT_RD);
    assert_int_equal(rig_write(&r, NULL), ERROR_FAIL);
    assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    close(fds[0]);
    close(fds[1]);
}

static void missing_helper_is_an_error(void **state)
{
    struct rig r;

    rig_init(&r, *state, rig_memfd("", 0));
    r.use_helper = true;
    setenv("XL_LIBEXEC_DIR", "/nonexistent", 1);
    assert_int_equal(rig_write(&r, NULL), ERROR_FAIL);
    close(r.fd);
}

static void helper_refuses_open_socket_and_fork(void **state)
{
    char command[512], line[64];
    unsigned lines = 0;
    struct rig r;
    FILE *f;

    rig_init(&r, *state, -1);
    snprintf(command, sizeof(command), "%s/xl-save-helper --try-sandbox",
             getenv("XL_LIBEXEC_DIR"));
    f = popen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        lines++;
        assert_non_null(strstr(line, ": refused\n"));
    }
    assert_int_equal(pclose(f), 0);
    assert_int_equal(lines, 5);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(round_trip),
        T(live_round_trip),
        T(owner_hears_once_of_a_whole_stream),
        T(zero_pages_have_no_data_once_the_reader_is_ours),
        T(the_helper_hears_of_its_reader_in_a_live_pass),
        T(cut_images_are_refused),
        T(image_of_a_larger_guest_is_refused),
        T(failing_suspension_fails_the_save),
        T(dead_peer_fails_the_save_once),
        T(killed_helper_is_one_clear_error),
        T(helper_killed_while_it_asks),
        T(helper_killed_behind_each_part_of_its_stream),
        T(callback_waits_for_an_open_request),
        T(abort_ends_a_blocked_save),
        T(abort_ends_a_starved_restore),
        T(abort_at_the_start_and_at_the_suspension),
        T(nonblocking_flag_is_given_back),
        T(missing_helper_is_an_error),
        T(helper_refuses_open_socket_and_fork),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
