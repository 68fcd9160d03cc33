/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/mover_fixture.h"

enum { BIG = 10 * 1024 * 1024, MEDIUM = 100000 };

static int setup(void **state)
{
    int r = fixture_setup(state);

    fixture_begin(*state);
    return r;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    if (f->ao)
        fixture_complete(f, 0);
    return fixture_teardown(state);
}

static uint8_t *pattern(size_t bytes)
{
    uint8_t *buf = malloc(bytes);

    mover_fill_pattern(buf, bytes);
    return buf;
}

/* ---- bufwriter and bufreader ---- */

static void a_buffer_goes_through_a_tiny_pipe(void **state)
{
    struct fixture *f = *state;
    uint8_t *out = pattern(MEDIUM), *in = calloc(1, MEDIUM);
    struct writer w;
    struct reader r;
    int fds[2];

    mover_tiny_pipe(fds);
    mover_writer_init(f, &w, fds[1]);
    mover_reader_init(f, &r, fds[0]);
    assert_int_equal(libxl__bufwriter_start(&w.bw, out, MEDIUM), 0);
    assert_int_equal(libxl__bufreader_start(&r.br, in, MEDIUM), 0);
    assert_int_equal(w.done + r.done, 0);
    fixture_run_until(f, &r.done);
    fixture_run_until(f, &w.done);
    assert_int_equal(r.res.how, DC_DONE);
    assert_int_equal(w.res.how, DC_DONE);
    assert_int_equal(w.res.bytes, MEDIUM);
    mover_check_pattern(in, MEDIUM);
    assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    close(fds[0]);
    close(fds[1]);
    free(out);
    free(in);
}

static void a_reader_takes_not_one_byte_more(void **state)
{
    struct fixture *f = *state;
    char in[4] = {0}, rest;
    struct reader r;
    int fds[2];

    mover_tiny_pipe(fds);
    assert_int_equal(write(fds[1], "abcdE", 5), 5);
    mover_reader_init(f, &r, fds[0]);
    assert_int_equal(libxl__bufreader_start(&r.br, in, 4), 0);
    fixture_run_until(f, &r.done);
    assert_memory_equal(in, "abcd", 4);
    assert_int_equal(read(fds[0], &rest, 1), 1);
    assert_int_equal(rest, 'E');
    close(fds[0]);
    close(fds[1]);
}

static void eof_before_the_last_byte_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    char in[8];
    int fds[2];

    mover_tiny_pipe(fds);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    close(fds[1]);
    mover_reader_init(f, &r, fds[0]);
    assert_int_equal(libxl__bufreader_start(&r.br, in, 8), 0);
    fixture_run_until(f, &r.done);
    assert_int_equal(r.res.how, DC_SHORT);
    assert_int_equal(r.res.bytes, 3);
    assert_int_equal(libxl__dc_rc(&r.res), ERROR_FAIL);
    assert_non_null(strstr(f->last, "the source"));
    assert_int_equal(f->messages, 1);
    close(fds[0]);
}

static void zero_bytes_are_done_but_not_from_inside_start(void **state)
{
    struct fixture *f = *state;
    struct writer w;
    struct reader r;
    struct copier c;
    int fds[2];

    mover_tiny_pipe(fds);
    mover_writer_init(f, &w, fds[1]);
    mover_reader_init(f, &r, fds[0]);
    mover_copier_init(f, &c, fds[0], fds[1], 0);
    assert_int_equal(libxl__bufwriter_start(&w.bw, NULL, 0), 0);
    assert_int_equal(libxl__bufreader_start(&r.br, NULL, 0), 0);
    assert_int_equal(libxl__datacopier_start(&c.dc), 0);
    assert_int_equal(w.done + r.done + c.done, 0);
    fixture_run_until(f, &w.done);
    fixture_run_until(f, &r.done);
    fixture_run_until(f, &c.done);
    assert_int_equal(w.res.how, DC_DONE);
    assert_int_equal(r.res.how, DC_DONE);
    assert_int_equal(c.res.how, DC_DONE);
    close(fds[0]);
    close(fds[1]);
}

static void a_closed_pipe_is_epipe_and_no_signal(void **state)
{
    struct fixture *f = *state;
    struct writer w;
    int fds[2];

    signal(SIGPIPE, SIG_DFL); /* would end the test */
    mover_tiny_pipe(fds);
    close(fds[0]);
    mover_writer_init(f, &w, fds[1]);
    assert_int_equal(libxl__bufwriter_start(&w.bw, "x", 1), 0);
    fixture_run_until(f, &w.done);
    assert_int_equal(w.res.how, DC_WRITE_ERR);
    assert_int_equal(w.res.errnoval, EPIPE);
    assert_non_null(strstr(f->last, "the sink"));
    close(fds[1]);
}

static void dev_full_is_enospc(void **state)
{
    struct fixture *f = *state;
    struct writer w;
    int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

    mover_writer_init(f, &w, fd);
    assert_int_equal(libxl__bufwriter_start(&w.bw, "x", 1), 0);
    fixture_run_until(f, &w.done);
    assert_int_equal(w.res.how, DC_WRITE_ERR);
    assert_int_equal(w.res.errnoval, ENOSPC);
    close(fd);
}

static void a_directory_is_a_read_error(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    char in[4];
    int fd = open("/", O_RDONLY | O_CLOEXEC);

    mover_reader_init(f, &r, fd);
    assert_int_equal(libxl__bufreader_start(&r.br, in, 4), 0);
    fixture_run_until(f, &r.done);
    assert_int_equal(r.res.how, DC_READ_ERR);
    assert_int_equal(r.res.errnoval, EISDIR);
    close(fd);
}

static void regular_files_work_from_their_position(void **state)
{
    struct fixture *f = *state;
    uint8_t *out = pattern(BIG), *in = calloc(1, BIG);
    struct writer w;
    struct reader r;
    int fd = mover_temp_file();

    assert_int_equal(write(fd, "head", 4), 4);
    mover_writer_init(f, &w, fd);
    assert_int_equal(libxl__bufwriter_start(&w.bw, out, BIG), 0);
    fixture_run_until(f, &w.done);
    assert_int_equal(w.res.how, DC_DONE);
    assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
    mover_reader_init(f, &r, fd);
    assert_int_equal(libxl__bufreader_start(&r.br, in, BIG), 0);
    fixture_run_until(f, &r.done);
    assert_int_equal(r.res.how, DC_DONE);
    mover_check_pattern(in, BIG);
    close(fd);
    free(out);
    free(in);
}

static void a_file_that_ends_early_is_short(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    char in[10];
    int fd = mover_temp_file();

    assert_int_equal(pwrite(fd, "12345", 5, 0), 5);
    mover_reader_init(f, &r, fd);
    assert_int_equal(libxl__bufreader_start(&r.br, in, 10), 0);
    fixture_run_until(f, &r.done);
    assert_int_equal(r.res.how, DC_SHORT);
    assert_int_equal(r.res.bytes, 5);
    close(fd);
}

static void a_killed_file_call_touches_nothing_of_ours(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    struct writer w;
    char *in = malloc(1 << 20);
    int i, fd = mover_temp_file();

    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    for (i = 0; i < 50; i++) {
        mover_reader_init(f, &r, fd);
        mover_writer_init(f, &w, fd);
        assert_int_equal(libxl__bufreader_start(&r.br, in, 1 << 20), 0);
        assert_int_equal(libxl__bufwriter_start(&w.bw, in, 1 << 20), 0);
        libxl__bufreader_kill(&r.br);
        libxl__bufreader_kill(&r.br);
        libxl__bufwriter_kill(&w.bw);
    }
    free(in); /* calls are still in flight: address sanitizer would tell */
    close(fd);
    fixture_turn(f, 3);
    assert_int_equal(r.done + w.done, 0);
}

/* ---- datacopier ---- */

static void ten_mebibytes_go_through_sockets_and_back(void **state)
{
    struct fixture *f = *state;
    uint8_t *out = pattern(BIG), *in = calloc(1, BIG);
    struct writer w;
    struct reader r;
    struct copier c;
    int a[2], b[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    mover_writer_init(f, &w, a[0]);
    mover_copier_init(f, &c, a[1], b[0], BIG);
    mover_reader_init(f, &r, b[1]);
    assert_int_equal(libxl__bufwriter_start(&w.bw, out, BIG), 0);
    assert_int_equal(libxl__datacopier_start(&c.dc), 0);
    assert_int_equal(libxl__bufreader_start(&r.br, in, BIG), 0);
    fixture_run_until(f, &r.done);
    fixture_run_until(f, &c.done);
    assert_int_equal(c.res.how, DC_DONE);
    assert_int_equal(c.res.bytes, BIG);
    mover_check_pattern(in, BIG);
    close(a[0]);
    close(a[1]);
    close(b[0]);
    close(b[1]);
    free(out);
    free(in);
}

static void a_copy_to_eof_ends_at_eof(void **state)
{
    struct fixture *f = *state;
    struct copier c;
    char text[8] = {0};
    int a[2], b[2];

    mover_tiny_pipe(a);
    mover_tiny_pipe(b);
    assert_int_equal(write(a[1], "hello", 5), 5);
    close(a[1]);
    mover_copier_init(f, &c, a[0], b[1], LIBXL__DC_TO_EOF);
    assert_int_equal(libxl__datacopier_start(&c.dc), 0);
    fixture_run_until(f, &c.done);
    assert_int_equal(c.res.how, DC_DONE);
    assert_int_equal(c.res.bytes, 5);
    assert_int_equal(read(b[0], text, 8), 5);
    close(a[0]);
    close(b[0]);
    close(b[1]);
}

static void a_counted_copy_leaves_the_rest(void **state)
{
    struct fixture *f = *state;
    struct copier c;
    char rest;
    int a[2], b[2];

    mover_tiny_pipe(a);
    mover_tiny_pipe(b);
    assert_int_equal(write(a[1], "helloX", 6), 6);
    mover_copier_init(f, &c, a[0], b[1], 5);
    assert_int_equal(libxl__datacopier_start(&c.dc), 0);
    fixture_run_until(f, &c.done);
    assert_int_equal(c.res.how, DC_DONE);
    assert_int_equal(read(a[0], &rest, 1), 1);
    assert_int_equal(rest, 'X');
    close(a[0]);
    close(a[1]);
    close(b[0]);
    close(b[1]);
}

static void a_copy_cut_short_has_written_what_came(void **state)
{
    struct fixture *f = *state;
    struct copier c;
    char text[8] = {0};
    int a[2], b[2];

    mover_tiny_pipe(a);
    mover_tiny_pipe(b);
    assert_int_equal(write(a[1], "hel", 3), 3);
    close(a[1]);
    mover_copier_init(f, &c, a[0], b[1], 5);
    assert_int_equal(libxl__datacopier_start(&c.dc), 0);
    fixture_run_until(f, &c.done);
    assert_int_equal(c.res.how, DC_SHORT);
    assert_int_equal(c.res.bytes, 3);
    assert_int_equal(read(b[0], text, 8), 3);
    close(a[0]);
    close(b[0]);
    close(b[1]);
}

static void a_slow_writer_stops_the_reader(void **state)
{
    struct fixture *f = *state;
    struct copier c;
    int source = mover_temp_file(), b[2];

    assert_int_equal(ftruncate(source, BIG), 0);
    mover_tiny_pipe(b);
    mover_copier_init(f, &c, source, b[1], BIG);
    assert_int_equal(libxl__datacopier_start(&c.dc), 0);
    while (lseek(source, 0, SEEK_CUR) < 4 * 64 * 1024)
        fixture_turn(f, 1);
    fixture_turn(f, 200);
    /* four pieces, one of which may be partly written */
    assert_true(lseek(source, 0, SEEK_CUR) <= 5 * 64 * 1024);
    assert_int_equal(c.done, 0);
    libxl__datacopier_kill(&c.dc);
    libxl__datacopier_kill(&c.dc);
    close(source);
    close(b[0]);
    close(b[1]);
}

static void files_are_copied_to_files(void **state)
{
    struct fixture *f = *state;
    uint8_t *out = pattern(BIG), *in = calloc(1, BIG);
    struct copier c;
    int a = mover_temp_file(), b = mover_temp_file();

    assert_int_equal(pwrite(a, out, BIG, 0), BIG);
    mover_copier_init(f, &c, a, b, LIBXL__DC_TO_EOF);
    assert_int_equal(libxl__datacopier_start(&c.dc), 0);
    fixture_run_until(f, &c.done);
    assert_int_equal(c.res.how, DC_DONE);
    assert_int_equal(pread(b, in, BIG, 0), BIG);
    mover_check_pattern(in, BIG);
    close(a);
    close(b);
    free(in);
    free(out);
}

static void a_full_sink_is_a_write_error_of_the_copy(void **state)
{
    struct fixture *f = *state;
    struct copier c;
    int a = mover_temp_file(), b = open("/dev/full", O_WRONLY | O_CLOEXEC);

    assert_int_equal(ftruncate(a, 4096), 0);
    mover_copier_init(f, &c, a, b, 4096);
    assert_int_equal(libxl__datacopier_start(&c.dc), 0);
    fixture_run_until(f, &c.done);
    assert_int_equal(c.res.how, DC_WRITE_ERR);
    assert_int_equal(c.res.errnoval, ENOSPC);
    close(a);
    close(b);
}

/* ---- abort ---- */

static void abort_ends_each_mover_once(void **state)
{
    struct fixture *f = *state;
    char in[4], out[8192] = {0};
    struct writer w;
    struct reader r;
    struct copier c;
    int a[2], b[2];

    mover_tiny_pipe(a);
    mover_tiny_pipe(b);
    mover_reader_init(f, &r, a[0]);
    mover_writer_init(f, &w, b[1]);
    mover_copier_init(f, &c, a[0], b[1], LIBXL__DC_TO_EOF);
    assert_int_equal(libxl__bufreader_start(&r.br, in, 4), 0);
    assert_int_equal(libxl__bufwriter_start(&w.bw, out, 8192), 0);
    assert_int_equal(libxl__datacopier_start(&c.dc), 0);
    fixture_turn(f, 5);
    assert_int_equal(libxl_ao_abort(f->ctx, &f->how), 0);
    assert_int_equal(r.done, 1);
    assert_int_equal(w.done, 1);
    assert_int_equal(c.done, 1);
    assert_int_equal(r.res.how, DC_ABORTED);
    assert_int_equal(libxl__dc_rc(&w.res), ERROR_ABORTED);
    assert_int_equal(libxl__bufreader_start(&r.br, in, 4), ERROR_ABORTED);
    assert_int_equal(libxl__bufwriter_start(&w.bw, out, 4), ERROR_ABORTED);
    assert_int_equal(libxl__datacopier_start(&c.dc), ERROR_ABORTED);
    assert_int_equal(f->messages, 0);
    close(a[0]);
    close(a[1]);
    close(b[0]);
    close(b[1]);
}

static void abort_with_file_calls_in_flight_is_safe(void **state)
{
    struct fixture *f = *state;
    struct copier c;
    int a = mover_temp_file(), b = mover_temp_file(), turns;

    assert_int_equal(ftruncate(a, BIG), 0);
    for (turns = 0; turns < 8; turns++) {
        mover_copier_init(f, &c, a, b, LIBXL__DC_TO_EOF);
        assert_int_equal(libxl__datacopier_start(&c.dc), 0);
        fixture_turn(f, turns);
        libxl_ao_abort(f->ctx, &f->how);
        if (!c.done)
            fail();
        fixture_complete(f, ERROR_ABORTED);
        fixture_begin(f);
    }
    close(a);
    close(b);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_buffer_goes_through_a_tiny_pipe),
        T(a_reader_takes_not_one_byte_more),
        T(eof_before_the_last_byte_is_an_error),
        T(zero_bytes_are_done_but_not_from_inside_start),
        T(a_closed_pipe_is_epipe_and_no_signal),
        T(dev_full_is_enospc),
        T(a_directory_is_a_read_error),
        T(regular_files_work_from_their_position),
        T(a_file_that_ends_early_is_short),
        T(a_killed_file_call_touches_nothing_of_ours),
        T(ten_mebibytes_go_through_sockets_and_back),
        T(a_copy_to_eof_ends_at_eof),
        T(a_counted_copy_leaves_the_rest),
        T(a_copy_cut_short_has_written_what_came),
        T(a_slow_writer_stops_the_reader),
        T(files_are_copied_to_files),
        T(a_full_sink_is_a_write_error_of_the_copy),
        T(abort_ends_each_mover_once),
        T(abort_with_file_calls_in_flight_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
