/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stream_read.c - libxl streams made by hand, and what becomes of them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/sr_record.h"
#include "stream/stream_rig.h"

/* A stream under construction. */
struct image {
    uint8_t bytes[512];
    size_t n;
};

static void put(struct image *im, const void *bytes, size_t n)
{
    assert_true(im->n + n <= sizeof(im->bytes));
    memcpy(im->bytes + im->n, bytes, n);
    im->n += n;
}

static void put_record(struct image *im, uint32_t type, const void *body,
                       uint32_t n)
{
    struct libxl__sr_record rec = {.type = type, .bytes = n};
    static const uint8_t zeros[8];
    uint8_t raw[8];

    libxl__sr_encode_record(&rec, raw);
    put(im, raw, 8);
    put(im, body, n);
    put(im, zeros, libxl__sr_padding(n));
}

static void put_header(struct image *im, uint32_t options)
{
    uint8_t raw[16];

    im->n = 0;
    libxl__sr_encode_header(options, raw);
    put(im, raw, 16);
}

static void put_libxc(struct image *im)
{
    put_record(im, REC_TYPE_LIBXC_CONTEXT, "", 0);
    put(im, RIG_LIBXC, 8);
}

#define CONTEXT0 "\2\0\0\0\0\0\0\0state"
#define KEYS "\2\0\0\0\0\0\0\0physmap/1f/size\0abc"

/* Everything that a QEMU host's stream may hold. */
static struct image whole(void)
{
    struct image im;

    put_header(&im, 0);
    put_libxc(&im);
    put_record(&im, REC_TYPE_EMULATOR_XENSTORE_DATA, KEYS, sizeof(KEYS));
    put_record(&im, 0x80000077, "what?", 5);
    put_record(&im, REC_TYPE_EMULATOR_CONTEXT, CONTEXT0, sizeof(CONTEXT0) - 1);
    put_record(&im, REC_TYPE_END, "", 0);
    return im;
}

/* The rc of reading n bytes of the image, from a file or a pipe. */
static int read_image(struct fixture *f, struct rig *r, const void *bytes,
                      size_t n, bool as_pipe)
{
    int fds[2] = {-1, -1};
    int rc;

    if (as_pipe) {
        assert_int_equal(pipe(fds), 0);
        assert_int_equal(write(fds[1], bytes, n), n);
        close(fds[1]);
    } else {
        fds[0] = rig_memfd(bytes, n);
    }
    rig_init(r, f, fds[0]);
    r->need_emulator = true;
    rc = rig_read(r, NULL);
    assert_int_equal(r->callbacks, 1);
    close(fds[0]);
    return rc;
}

static void refused(struct fixture *f, const struct image *im,
                    const char *check_id)
{
    struct rig r;
    unsigned before = f->messages;

    assert_int_equal(read_image(f, &r, im->bytes, im->n, false), ERROR_FAIL);
    rig_dispose(&r);
    assert_int_equal(f->messages, before + 1);
    assert_non_null(strstr(f->last, check_id));
    assert_non_null(strstr(f->last, "libxl"));
}

static void whole_stream_is_read(void **state)
{
    struct image im = whole();
    struct rig r;
    size_t n;
    uint8_t *got;

    for (int as_pipe = 0; as_pipe < 2; as_pipe++) {
        assert_int_equal(read_image(*state, &r, im.bytes, im.n, as_pipe), 0);
        assert_string_equal(r.keys, "physmap/1f/size=abc;");
        assert_int_equal(r.emulator_id[0], 2);
        got = rig_slurp(r.emulator_fd[0], &n);
        assert_int_equal(n, 5);
        assert_memory_equal(got, "state", 5);
        free(got);
        rig_dispose(&r);
    }
}

static void nothing_is_read_beyond_end(void **state)
{
    struct image im = whole();
    struct rig r;
    int fds[2];
    char next[8];

    put(&im, "GO!", 3);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], im.bytes, im.n), im.n);
    rig_init(&r, *state, fds[0]);
    assert_int_equal(rig_read(&r, NULL), 0);
    assert_int_equal(read(fds[0], next, sizeof(next)), 3);
    assert_memory_equal(next, "GO!", 3);
    rig_dispose(&r);
    close(fds[0]);
    close(fds[1]);
}

static void every_cut_is_an_error(void **state)
{
    struct image im = whole();

    for (size_t n = 0; n < im.n; n++) {
        for (int as_pipe = 0; as_pipe < 2; as_pipe++) {
            struct rig r;

            assert_int_equal(read_image(*state, &r, im.bytes, n, as_pipe),
                             ERROR_FAIL);
            rig_dispose(&r);
        }
    }
}

static void bad_header_is_refused(void **state)
{
    struct image im = whole();

    im.bytes[0] = 'l';
    refused(*state, &im, "[libxl.header.ident]");
}

static void record_before_libxc_context_is_refused(void **state)
{
    struct image im;

    put_header(&im, 0);
    put_record(&im, REC_TYPE_END, "", 0);
    refused(*state, &im, "[libxl.order.libxc_context_first]");
}

static void lengths_near_4_gib_are_refused(void **state)
{
    struct fixture *f = *state;

    for (uint32_t last = 0xf0; last <= 0xff; last++) {
        struct image im;
        uint8_t raw[8] = {REC_TYPE_EMULATOR_CONTEXT,
                          0,
                          0,
                          0,
                          (uint8_t)last,
                          0xff,
                          0xff,
                          0xff};

        put_header(&im, 0);
        put_libxc(&im);
        put(&im, raw, 8);
        refused(f, &im, "[libxl.record.length]");
    }
}

static void message_names_record_offset_and_reason(void **state)
{
    struct fixture *f = *state;
    struct image im;

    put_header(&im, 0);
    put_libxc(&im);
    put_record(&im, REC_TYPE_CHECKPOINT_END, "", 0);
    refused(f, &im, "Remus");
    assert_non_null(strstr(f->last, "record 1 (CHECKPOINT_END) at offset 32"));
}

static void wrong_emulator_is_refused(void **state)
{
    struct image im;

    put_header(&im, 0);
    put_libxc(&im);
    put_record(&im, REC_TYPE_EMULATOR_CONTEXT, "\1\0\0\0\0\0\0\0x", 9);
    refused(*state, &im, "[libxl.emulator.id]");
}

static void emulator_of_a_converted_stream_may_be_unknown(void **state)
{
    struct image im;
    struct rig r;

    put_header(&im, LIBXL__SR_OPTION_LEGACY);
    put_libxc(&im);
    put_record(&im, REC_TYPE_EMULATOR_CONTEXT, "\0\0\0\0\0\0\0\0x", 9);
    put_record(&im, REC_TYPE_END, "", 0);
    assert_int_equal(read_image(*state, &r, im.bytes, im.n, false), 0);
    rig_dispose(&r);
}

static void foreign_xenstore_keys_are_refused(void **state)
{
    static const char body[] = "\2\0\0\0\0\0\0\0state\0running";
    struct image im;

    put_header(&im, 0);
    put_libxc(&im);
    put_record(&im, REC_TYPE_EMULATOR_XENSTORE_DATA, body, sizeof(body));
    refused(*state, &im, "[libxl.xenstore.key]");
}

static void missing_emulator_is_refused(void **state)
{
    struct image im;

    put_header(&im, 0);
    put_libxc(&im);
    put_record(&im, REC_TYPE_END, "", 0);
    refused(*state, &im, "[libxl.order.emulator_missing]");
}

static void failing_libxc_ends_the_stream(void **state)
{
    struct image im = whole();
    struct rig r;
    int fd = rig_memfd(im.bytes, im.n);

    rig_init(&r, *state, fd);
    r.libxc_rc = ERROR_TIMEDOUT;
    assert_int_equal(rig_read(&r, NULL), ERROR_TIMEDOUT);
    assert_int_equal(r.callbacks, 1);
    rig_dispose(&r);
    close(fd);
}

static void failing_owner_ends_the_stream(void **state)
{
    struct image im = whole();
    struct rig r;
    int fd = rig_memfd(im.bytes, im.n);

    rig_init(&r, *state, fd);
    r.emulator_rc = ERROR_NOMEM;
    assert_int_equal(rig_read(&r, NULL), ERROR_NOMEM);
    rig_dispose(&r);
    close(fd);
}

static void ten_thousand_tiny_records_pass(void **state)
{
    static const uint8_t tiny[8] = {1, 0, 0, 0x80, 0, 0, 0, 0};
    struct image im = whole();
    struct rig r;
    int fd = rig_memfd(im.bytes, im.n - 8);

    lseek(fd, 0, SEEK_END);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(write(fd, tiny, 8), 8);
    assert_int_equal(write(fd, im.bytes + im.n - 8, 8), 8);
    lseek(fd, 0, SEEK_SET);
    rig_init(&r, *state, fd);
    assert_int_equal(rig_read(&r, NULL), 0);
    rig_dispose(&r);
    close(fd);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(whole_stream_is_read),
        T(nothing_is_read_beyond_end),
        T(every_cut_is_an_error),
        T(bad_header_is_refused),
        T(record_before_libxc_context_is_refused),
        T(lengths_near_4_gib_are_refused),
        T(message_names_record_offset_and_reason),
        T(wrong_emulator_is_refused),
        T(emulator_of_a_converted_stream_may_be_unknown),
        T(foreign_xenstore_keys_are_refused),
        T(missing_emulator_is_refused),
        T(failing_libxc_ends_the_stream),
        T(failing_owner_ends_the_stream),
        T(ten_thousand_tiny_records_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
