/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device's state through an fd of the frontend's. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring/blk_req.h"
#include "ring/vu_frontend.h"

#define STATE_BYTES 300000u /* more than a pipe holds */
#define PIECE 1000u
#define DEADLINE_TURNS 6000

/* A device whose state is a pattern of STATE_BYTES. */
struct patterned {
    uint64_t moved;
    bool wrong;
    int fail_at_piece; /* -1: never */
    int pieces;
};
static struct patterned p;

static uint8_t pattern(uint64_t at)
{
    return (uint8_t)(at * 7 + at / 256);
}

static int transition(void *dev, enum devmig_state from, enum devmig_state to)
{
    if (to == DEVMIG_STOP_COPY || to == DEVMIG_RESUMING)
        p.moved = 0;
    if (from == DEVMIG_RESUMING && (p.wrong || p.moved != STATE_BYTES))
        return -EPROTO;
    return 0;
}

static uint64_t pending(void *dev)
{
    return STATE_BYTES - p.moved;
}

static ssize_t prepare(void *dev)
{
    uint64_t left = STATE_BYTES - p.moved;

    if (p.pieces++ == p.fail_at_piece)
        return -EIO;
    return (ssize_t)(left < PIECE ? left : PIECE);
}

static ssize_t read_data(void *dev, void *buf, uint64_t bytes, uint64_t offset)
{
    for (uint64_t i = 0; i < bytes; i++)
        ((uint8_t *)buf)[i] = pattern(p.moved++);
    return (ssize_t)bytes;
}

static ssize_t write_data(void *dev, const void *buf, uint64_t bytes,
                          uint64_t offset)
{
    for (uint64_t i = 0; i < bytes; i++)
        p.wrong |= ((const uint8_t *)buf)[i] != pattern(p.moved++);
    return (ssize_t)bytes;
}

static int data_written(void *dev, uint64_t bytes)
{
    return 0;
}

static const struct devmig_ops ops = {
    .transition = transition,
    .get_pending_bytes = pending,
    .prepare_data = prepare,
    .read_data = read_data,
    .write_data = write_data,
    .data_written = data_written,
};

static int setup_patterned(void **state)
{
    int r = vuf_setup(state);
    struct vu_frontend *f = *state;

    p = (struct patterned){.fail_at_piece = -1};
    libxl__blk_dev_vdev(f->blk)->mig.ops = &ops;
    return r;
}

/* The backend's end of a pipe is sent and closed here; ours is returned. */
static int begin(struct vu_frontend *f, uint32_t direction, uint64_t expect)
{
    uint32_t body[2] = {htole32(direction), 0};
    uint64_t reply;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    vuf_send(f, VU_SET_DEVICE_STATE_FD, 0, body, sizeof(body),
             &ends[direction == VU_STATE_SAVE], 1);
    vuf_reply(f, VU_SET_DEVICE_STATE_FD, &reply, sizeof(reply));
    assert_int_equal(le64toh(reply), expect);
    close(ends[direction == VU_STATE_SAVE]);
    fcntl(ends[direction == VU_STATE_LOAD], F_SETFL, O_NONBLOCK);
    return ends[direction == VU_STATE_LOAD];
}

static uint64_t check(struct vu_frontend *f)
{
    uint64_t reply;

    vuf_send(f, VU_CHECK_DEVICE_STATE, 0, NULL, 0, NULL, 0);
    vuf_reply(f, VU_CHECK_DEVICE_STATE, &reply, sizeof(reply));
    return le64toh(reply);
}

/* Until its end; closes it. */
static uint64_t read_all(struct vu_frontend *f, int fd, bool *right)
{
    uint64_t got = 0;
    uint8_t buf[4096];
    ssize_t r = -1;

    *right = true;
    for (int i = 0; i < DEADLINE_TURNS && r; i++) {
        while ((r = read(fd, buf, sizeof(buf))) > 0)
            for (ssize_t j = 0; j < r; j++)
                *right &= buf[j] == pattern(got++);
        if (r)
            vuf_turn(f);
    }
    assert_int_equal(r, 0);
    close(fd);
    return got;
}

static void write_pattern(struct vu_frontend *f, int fd, uint64_t bytes)
{
    uint64_t at = 0;

    for (int i = 0; i < DEADLINE_TURNS && at < bytes;) {
        uint8_t buf[4096];
        size_t n = bytes - at < sizeof(buf) ? bytes - at : sizeof(buf);
        ssize_t r;

        for (size_t j = 0; j < n; j++)
            buf[j] = pattern(at + j);
        r = write(fd, buf, n);
        if (r > 0) {
            at += (uint64_t)r;
        } else {
            vuf_turn(f);
            i++;
        }
    }
    assert_int_equal(at, bytes);
}

static void a_block_device_saves_nothing(void **state)
{
    struct vu_frontend *f = *state;
    bool right;

    assert_int_equal(read_all(f, begin(f, VU_STATE_SAVE, VU_STATE_NO_FD),
                              &right), 0);
    assert_int_equal(check(f), 0);
}

static void a_block_device_loads_nothing(void **state)
{
    struct vu_frontend *f = *state;

    close(begin(f, VU_STATE_LOAD, VU_STATE_NO_FD));
    assert_int_equal(check(f), 0);
    vuf_start(f, 0);
    assert_int_equal(vuf_blk(f, BLK_T_IN, 0, 512, true), BLK_S_OK);
}

static void a_block_device_loads_nothing_else(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_LOAD, VU_STATE_NO_FD);

    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    assert_int_equal(check(f), VU_STATE_FAILED);
    assert_non_null(strstr(f->last_error, "was not loaded"));
}

static void the_feature_is_offered_where_there_is_state(void **state)
{
    struct vu_frontend *f = *state;
    uint64_t features;

    vuf_send(f, VU_GET_PROTOCOL_FEATURES, 0, NULL, 0, NULL, 0);
    vuf_reply(f, VU_GET_PROTOCOL_FEATURES, &features, sizeof(features));
    assert_true(le64toh(features) >> VU_PF_DEVICE_STATE & 1);
    libxl__blk_dev_vdev(f->blk)->mig.ops = NULL;
    vuf_send(f, VU_GET_PROTOCOL_FEATURES, 0, NULL, 0, NULL, 0);
    vuf_reply(f, VU_GET_PROTOCOL_FEATURES, &features, sizeof(features));
    assert_false(le64toh(features) >> VU_PF_DEVICE_STATE & 1);
}

static void a_state_larger_than_the_pipe_is_saved(void **state)
{
    struct vu_frontend *f = *state;
    bool right;

    assert_int_equal(read_all(f, begin(f, VU_STATE_SAVE, VU_STATE_NO_FD),
                              &right), STATE_BYTES);
    assert_true(right);
    assert_int_equal(check(f), 0);
}

static void a_state_larger_than_the_pipe_is_loaded(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_LOAD, VU_STATE_NO_FD);

    write_pattern(f, fd, STATE_BYTES);
    close(fd);
    assert_int_equal(check(f), 0);
    assert_int_equal(p.moved, STATE_BYTES);
    vuf_start(f, 0);
}

static void requests_are_answered_while_state_moves(void **state)
{
    struct vu_frontend *f = *state;
    bool right;
    int fd = begin(f, VU_STATE_SAVE, VU_STATE_NO_FD);

    vuf_must_live(f); /* the pipe is full, and nobody reads */
    assert_int_equal(read_all(f, fd, &right), STATE_BYTES);
}

static void a_state_that_is_cut_short_fails_and_no_ring_starts(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_LOAD, VU_STATE_NO_FD);

    write_pattern(f, fd, STATE_BYTES - 1);
    close(fd);
    assert_int_equal(check(f), VU_STATE_FAILED);
    vuf_send_start(f, 0, 0);
    vuf_must_close(f, "state is not whole");
}

static void a_second_load_after_a_failed_one_fails(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_LOAD, VU_STATE_NO_FD);

    write_pattern(f, fd, 1000);
    close(fd);
    assert_int_equal(check(f), VU_STATE_FAILED);
    fd = begin(f, VU_STATE_LOAD, VU_STATE_NO_FD | VU_STATE_FAILED);
    close(fd);
}

static void a_reset_device_can_be_loaded_again(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_LOAD, VU_STATE_NO_FD);

    write_pattern(f, fd, 1000);
    close(fd);
    assert_int_equal(check(f), VU_STATE_FAILED);
    vuf_send(f, VU_RESET_DEVICE, 0, NULL, 0, NULL, 0);
    fd = begin(f, VU_STATE_LOAD, VU_STATE_NO_FD);
    write_pattern(f, fd, STATE_BYTES);
    close(fd);
    assert_int_equal(check(f), 0);
}

static void a_load_that_is_not_ended_fails_its_check(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_LOAD, VU_STATE_NO_FD);

    write_pattern(f, fd, 1000);
    assert_int_equal(check(f), VU_STATE_FAILED);
    close(fd);
    vuf_must_live(f);
}

static void a_save_that_nobody_reads_fails_its_check(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_SAVE, VU_STATE_NO_FD);

    assert_int_equal(check(f), VU_STATE_FAILED);
    close(fd);
    vuf_start(f, 0); /* it goes on: nothing was lost */
}

static void a_reader_that_goes_away_fails_the_save(void **state)
{
    struct vu_frontend *f = *state;

    close(begin(f, VU_STATE_SAVE, VU_STATE_NO_FD));
    assert_int_equal(check(f), VU_STATE_FAILED);
    vuf_must_live(f);
}

static void a_device_that_fails_to_save_says_so(void **state)
{
    struct vu_frontend *f = *state;
    bool right;

    p.fail_at_piece = 100;
    assert_int_equal(read_all(f, begin(f, VU_STATE_SAVE, VU_STATE_NO_FD),
                              &right), 100 * PIECE);
    assert_int_equal(check(f), VU_STATE_FAILED);
    vuf_start(f, 0);
}

static void a_check_of_nothing_fails(void **state)
{
    assert_int_equal(check(*state), VU_STATE_FAILED);
}

static void a_frontend_that_goes_away_ends_its_transfer(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_LOAD, VU_STATE_NO_FD);

    write_pattern(f, fd, 1000);
    vuf_connect(f);
    close(fd);
    vuf_start(f, 0); /* the next one finds a device that was reset */
}

static void a_file_that_cannot_be_waited_for_fails(void **state)
{
    struct vu_frontend *f = *state;
    uint32_t body[2] = {htole32(VU_STATE_SAVE), 0};
    uint64_t reply;

    vuf_send(f, VU_SET_DEVICE_STATE_FD, 0, body, sizeof(body), &f->image_fd, 1);
    vuf_reply(f, VU_SET_DEVICE_STATE_FD, &reply, sizeof(reply));
    assert_int_equal(le64toh(reply), VU_STATE_NO_FD | VU_STATE_FAILED);
    vuf_must_live(f);
}

static void state_must_be_refused(struct vu_frontend *f, uint32_t direction,
                                  uint32_t phase, unsigned nr_fds,
                                  const char *why)
{
    uint32_t body[2] = {htole32(direction), htole32(phase)};

    vuf_send(f, VU_SET_DEVICE_STATE_FD, 0, body, sizeof(body), &f->kick_fd,
             nr_fds);
    vuf_must_close(f, why);
}

static void direction_2(void **state)
{
    state_must_be_refused(*state, 2, 0, 1, "neither saved nor loaded");
}

static void phase_1(void **state)
{
    state_must_be_refused(*state, 0, 1, 1, "phase that is not known");
}

static void state_without_its_fd(void **state)
{
    state_must_be_refused(*state, 0, 0, 0, "state without its fd");
}

static void state_of_a_device_that_has_none(void **state)
{
    struct vu_frontend *f = *state;

    libxl__blk_dev_vdev(f->blk)->mig.ops = NULL;
    state_must_be_refused(f, 0, 0, 1, "state that the device does not have");
}

static void state_while_a_ring_runs(void **state)
{
    struct vu_frontend *f = *state;

    vuf_start(f, 0);
    state_must_be_refused(f, 0, 0, 1, "while rings run");
}

static void a_ring_started_while_state_moves(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_SAVE, VU_STATE_NO_FD);

    vuf_send_start(f, 0, 0);
    vuf_must_close(f, "state is not whole");
    close(fd);
}

static void two_transfers_at_once(void **state)
{
    struct vu_frontend *f = *state;
    int fd = begin(f, VU_STATE_SAVE, VU_STATE_NO_FD);

    state_must_be_refused(f, 0, 0, 1, "while it is being moved");
    close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, vuf_setup, vuf_teardown)
#define P(name) \
    cmocka_unit_test_setup_teardown(name, setup_patterned, vuf_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_block_device_saves_nothing),
        T(a_block_device_loads_nothing),
        T(a_block_device_loads_nothing_else),
        T(the_feature_is_offered_where_there_is_state),
        P(a_state_larger_than_the_pipe_is_saved),
        P(a_state_larger_than_the_pipe_is_loaded),
        P(requests_are_answered_while_state_moves),
        P(a_state_that_is_cut_short_fails_and_no_ring_starts),
        P(a_second_load_after_a_failed_one_fails),
        P(a_reset_device_can_be_loaded_again),
        P(a_load_that_is_not_ended_fails_its_check),
        P(a_save_that_nobody_reads_fails_its_check),
        P(a_reader_that_goes_away_fails_the_save),
        P(a_device_that_fails_to_save_says_so),
        P(a_check_of_nothing_fails),
        P(a_frontend_that_goes_away_ends_its_transfer),
        P(a_file_that_cannot_be_waited_for_fails),
        T(direction_2),
        T(phase_1),
        T(state_without_its_fd),
        T(state_of_a_device_that_has_none),
        T(state_while_a_ring_runs),
        P(a_ring_started_while_state_moves),
        P(two_transfers_at_once),
    };
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &ignore, NULL); /* as device processes do */
    return cmocka_run_group_tests_name("vhost_user, device state", tests, NULL,
                                       NULL);
}
