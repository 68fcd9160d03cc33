/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A strict reader: streams made by hand, cut, and changed byte by byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xc_span.h"
#include "libxc_stream/sr_bench.h"
#include "stream/xc_sr_codec.h"

#define PAGES 64u
#define ROOM (256u << 10)

/* A stream under construction. */
struct tape {
    uint8_t bytes[ROOM];
    struct xc_build b;
};

static struct tape *tape_new(uint32_t version)
{
    struct tape *t = calloc(1, sizeof(*t));
    struct xc_sr_domain_header h = {.type = XC_GUEST_HVM};

    assert_non_null(t);
    t->b = xc_build_in(t->bytes, sizeof(t->bytes));
    xc_sr_put_image_header(&t->b);
    t->bytes[15] = (uint8_t)version;
    xc_sr_put_domain_header(&t->b, &h);
    return t;
}

static void put(struct tape *t, uint32_t type, const void *body, uint32_t n)
{
    struct xc_sr_record r = {type, n};

    xc_sr_put_record(&t->b, &r);
    xc_build_bytes(&t->b, body, n);
    xc_build_zeros(&t->b, xc_sr_padding(n));
}

static void put_page(struct tape *t, xc_pfn_t pfn, uint32_t type, int value)
{
    uint8_t body[16 + XC_PAGE_SIZE];
    struct xc_build b = xc_build_in(body, sizeof(body));

    xc_build_le32(&b, 1);
    xc_build_le32(&b, 0);
    xc_build_le64(&b, xc_sr_pd_entry(pfn, type));
    if (xc_sr_type_has_data(type)) {
        memset(body + b.used, value, XC_PAGE_SIZE);
        b.used += XC_PAGE_SIZE;
    }
    put(t, XC_REC_PAGE_DATA, body, (uint32_t)b.used);
}

/* Behind it: what a small stream of a QEMU host looks like. */
static struct tape *small_tape(void)
{
    struct tape *t = tape_new(3);

    put(t, 0x80000001u, "skip me", 7);
    put(t, XC_REC_STATIC_DATA_END, NULL, 0);
    put_page(t, 3, XC_PT_NOTAB, 0x33);
    put_page(t, 4, XC_PT_XALLOC, 0);
    put_page(t, 5, XC_PT_XTAB, 0);
    put(t, 0x80000002u, NULL, 0);
    put(t, XC_REC_VERIFY, NULL, 0);
    put_page(t, 3, XC_PT_NOTAB, 0x33);
    put(t, XC_REC_END, NULL, 0);
    return t;
}

struct outcome {
    int rc;
    struct sr_log log;
    struct xc_sr_restore_result result;
    uint8_t memory[PAGES * XC_PAGE_SIZE];
};

static struct outcome *play_bytes(const void *bytes, size_t n, bool qemu_host)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = qemu_host};
    struct outcome *o = calloc(1, sizeof(*o));
    struct xc_hv *hv = sr_guest_empty(&g);
    int fd = sr_temp_file();
    struct xc_sr_restore_params p = sr_restore_params(hv, fd, &o->log);

    assert_int_equal(write(fd, bytes, n), n);
    sr_rewind(fd);
    o->rc = xc_sr_restore(&p, &o->result);
    memcpy(o->memory, xc_hv_fake_memory(hv), sizeof(o->memory));
    assert_int_equal(o->log.errors >= 1, o->rc != 0);
    close(fd);
    xc_hv_close(hv);
    return o;
}

static struct outcome *play(struct tape *t, bool qemu_host)
{
    struct outcome *o;

    assert_false(t->b.failed);
    o = play_bytes(t->bytes, t->b.used, qemu_host);
    free(t);
    return o;
}

static uint8_t page_value(const struct outcome *o, xc_pfn_t pfn)
{
    return o->memory[xc_pages_to_bytes(pfn) + 100];
}

/* Played on a QEMU host, it fails with rc and these words. */
static void assert_refused(struct tape *t, int rc, const char *words)
{
    struct outcome *o = play(t, true);

    assert_int_equal(o->rc, rc);
    if (!strstr(o->log.last_error, words))
        fail_msg("\"%s\" lacks \"%s\"", o->log.last_error, words);
    free(o);
}

static void small_stream_is_read(void **state)
{
    struct outcome *o = play(small_tape(), true);

    assert_int_equal(o->rc, 0);
    assert_int_equal(page_value(o, 3), 0x33);
    assert_int_equal(page_value(o, 4), 0);
    assert_int_equal(o->log.static_done, 1);
    assert_int_equal(o->log.missing, 3);
    assert_true(o->result.store_pfn == XC_INVALID_PFN);
    free(o);
}

static void end_of_file_is_never_the_end(void **state)
{
    struct tape *t = small_tape();

    for (size_t n = 0; n < t->b.used; n++) {
        struct outcome *o = play_bytes(t->bytes, n, true);

        assert_int_equal(o->rc, -ENODATA);
        assert_non_null(strstr(o->log.last_error, "truncated"));
        assert_int_equal(o->log.errors, 1);
        free(o);
    }
    free(t);
}

static void bytes_behind_the_end_are_left_alone(void **state)
{
    struct tape *t = small_tape();
    struct outcome *o;
    size_t used = t->b.used;

    put(t, XC_REC_PAGE_DATA, "garbage", 7);
    o = play(t, true);
    assert_int_equal(o->rc, 0);
    assert_int_equal(o->result.stats.bytes, used);
    free(o);
}

/* No rule governs them: options but for bit 0, reserved fields, Xen's version,
 * and the optional record. */
static bool is_free(size_t at)
{
    return (at >= 16 && at < 24) || (at >= 30 && at < 56);
}

/* The headers and the first two records. */
static void changed_header_bytes_are_refused(void **state)
{
    struct tape *t = small_tape();

    for (size_t at = 0; at < 64; at++) {
        struct outcome *o;

        if (is_free(at))
            continue;
        t->bytes[at] ^= 0x40;
        o = play_bytes(t->bytes, t->b.used, true);
        if (o->rc == 0)
            fail_msg("byte %zu may change", at);
        free(o);
        t->bytes[at] ^= 0x40;
    }
    free(t);
}

/* Any byte may change: the reader refuses or reads, and stays whole. */
static void no_changed_byte_harms_the_reader(void **state)
{
    struct tape *t = small_tape();

    for (size_t at = 0; at < t->b.used; at++) {
        static const uint8_t flips[] = {0x01, 0x80, 0xff};

        if (at > 100 && at < 4000)
            continue; /* inside a page */
        for (size_t i = 0; i < sizeof(flips); i++) {
            t->bytes[at] ^= flips[i];
            free(play_bytes(t->bytes, t->b.used, true));
            t->bytes[at] ^= flips[i];
        }
    }
    free(t);
}

static struct tape *with_static_end(void)
{
    struct tape *t = tape_new(3);

    put(t, XC_REC_STATIC_DATA_END, NULL, 0);
    return t;
}

static void later_page_wins(void **state)
{
    struct tape *t = with_static_end();
    struct outcome *o;

    put_page(t, 7, XC_PT_NOTAB, 1);
    put_page(t, 7, XC_PT_NOTAB, 2);
    put_page(t, 7, XC_PT_XTAB, 0);
    put(t, XC_REC_END, NULL, 0);
    o = play(t, true);
    assert_int_equal(page_value(o, 7), 2);
    free(o);
}

static void xalloc_is_zero_also_where_data_were(void **state)
{
    for (int qemu_host = 1; qemu_host >= 0; qemu_host--) {
        struct tape *t = with_static_end();
        struct outcome *o;

        put_page(t, 7, XC_PT_NOTAB, 1);
        put_page(t, 7, XC_PT_XALLOC, 0);
        if (!qemu_host)
            put(t, XC_REC_HVM_CONTEXT, "context", 7);
        put(t, XC_REC_END, NULL, 0);
        o = play(t, qemu_host);
        assert_int_equal(o->rc, 0);
        assert_int_equal(page_value(o, 7), 0);
        free(o);
    }
}

static void pfn_beyond_the_domain_is_refused(void **state)
{
    struct tape *t = with_static_end();

    put_page(t, PAGES, XC_PT_XTAB, 0);
    assert_refused(t, -EPROTO, "outside the domain");
}

static void page_tables_of_an_hvm_guest_are_refused(void **state)
{
    struct tape *t = with_static_end();

    put_page(t, 1, 0x10000000u, 0);
    assert_refused(t, -EPROTO, "page table");
}

static void verify_names_the_page_that_differs(void **state)
{
    struct tape *t = with_static_end();

    put_page(t, 9, XC_PT_NOTAB, 1);
    put(t, XC_REC_VERIFY, NULL, 0);
    put_page(t, 9, XC_PT_NOTAB, 2);
    put(t, XC_REC_END, NULL, 0);
    assert_refused(t, -EBADMSG, "1 pages differ");
}

static void verify_compares_zero_pages(void **state)
{
    struct tape *t = with_static_end();

    put_page(t, 9, XC_PT_NOTAB, 1);
    put(t, XC_REC_VERIFY, NULL, 0);
    put_page(t, 9, XC_PT_XALLOC, 0);
    put(t, XC_REC_END, NULL, 0);
    assert_refused(t, -EBADMSG, "1 pages differ");
}

static void verify_only_warns_on_xen(void **state)
{
    struct tape *t = with_static_end();
    struct outcome *o;

    put_page(t, 9, XC_PT_NOTAB, 1);
    put(t, XC_REC_VERIFY, NULL, 0);
    put_page(t, 9, XC_PT_NOTAB, 2);
    put(t, XC_REC_HVM_CONTEXT, "context", 7);
    put(t, XC_REC_END, NULL, 0);
    o = play(t, false);
    assert_int_equal(o->rc, 0);
    assert_int_equal(o->log.warnings, 1);
    assert_non_null(strstr(o->log.last_warning, "0x9"));
    assert_int_equal(page_value(o, 9), 1);
    free(o);
}

static void version_2_tells_what_is_missing(void **state)
{
    struct tape *t = tape_new(2);
    struct outcome *o;

    put_page(t, 1, XC_PT_NOTAB, 5);
    put(t, XC_REC_HVM_CONTEXT, "context", 7);
    put(t, XC_REC_END, NULL, 0);
    o = play(t, false);
    assert_int_equal(o->rc, 0);
    assert_int_equal(o->log.static_done, 1);
    assert_int_equal(o->log.missing, 3);
    free(o);
}

static void image_of_xen_is_refused_on_a_qemu_host(void **state)
{
    struct tape *t = with_static_end();

    put(t, XC_REC_HVM_CONTEXT, "context", 7);
    assert_refused(t, -EPROTO, "saved on Xen?");
}

static void guest_without_vcpus_is_refused(void **state)
{
    struct tape *t = with_static_end();
    struct outcome *o;

    put(t, XC_REC_END, NULL, 0);
    o = play(t, false);
    assert_int_equal(o->rc, -EPROTO);
    assert_non_null(strstr(o->log.last_error, "HVM_CONTEXT"));
    free(o);
}

static void checkpointed_stream_is_refused_by_name(void **state)
{
    struct tape *t = with_static_end();

    put(t, XC_REC_CHECKPOINT, NULL, 0);
    assert_refused(t, -EPROTO, "Remus");
}

static void long_records_are_refused_before_anything_is_allocated(void **state)
{
    static const uint32_t lengths[] = {0x8000001u, 0xfffffff9u, 0xffffffffu};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct tape *t = with_static_end();
        struct xc_sr_record r = {XC_REC_PAGE_DATA, lengths[i]};

        xc_sr_put_record(&t->b, &r);
        assert_refused(t, -EPROTO, "128 MiB");
    }
}

static void special_pages_are_cleared_and_reported(void **state)
{
    static const uint64_t pairs[] = {1, 10, 17, 11, 5, 12};
    uint8_t body[8 + sizeof(pairs)];
    struct xc_build b = xc_build_in(body, sizeof(body));
    struct tape *t = with_static_end();
    struct outcome *o;

    put_page(t, 10, XC_PT_NOTAB, 1);
    put_page(t, 12, XC_PT_NOTAB, 1);
    xc_build_le32(&b, 3);
    xc_build_le32(&b, 0);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        xc_build_le64(&b, pairs[i]);
    put(t, XC_REC_HVM_PARAMS, body, sizeof(body));
    put(t, XC_REC_HVM_CONTEXT, "context", 7);
    put(t, XC_REC_END, NULL, 0);
    o = play(t, false);
    assert_int_equal(o->rc, 0);
    assert_int_equal(o->result.store_pfn, 10);
    assert_int_equal(o->result.console_pfn, 11);
    assert_int_equal(page_value(o, 10), 0);
    assert_int_equal(page_value(o, 12), 0);
    free(o);
}

static void memory_that_was_there_before_is_gone(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true};
    struct tape *t = small_tape();
    struct xc_hv *hv = sr_guest_empty(&g);
    struct sr_log log = {0};
    struct xc_sr_restore_result result;
    int fd = sr_temp_file();
    struct xc_sr_restore_params p = sr_restore_params(hv, fd, &log);

    xc_hv_fake_guest_writes(hv, 40, 0x77);
    assert_int_equal(write(fd, t->bytes, t->b.used), t->b.used);
    sr_rewind(fd);
    assert_int_equal(xc_sr_restore(&p, &result), 0);
    assert_int_equal(xc_hv_fake_memory(hv)[40 * XC_PAGE_SIZE], 0);
    close(fd);
    free(t);
    xc_hv_close(hv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_stream_is_read),
        cmocka_unit_test(end_of_file_is_never_the_end),
        cmocka_unit_test(bytes_behind_the_end_are_left_alone),
        cmocka_unit_test(changed_header_bytes_are_refused),
        cmocka_unit_test(no_changed_byte_harms_the_reader),
        cmocka_unit_test(later_page_wins),
        cmocka_unit_test(xalloc_is_zero_also_where_data_were),
        cmocka_unit_test(pfn_beyond_the_domain_is_refused),
        cmocka_unit_test(page_tables_of_an_hvm_guest_are_refused),
        cmocka_unit_test(verify_names_the_page_that_differs),
        cmocka_unit_test(verify_compares_zero_pages),
        cmocka_unit_test(verify_only_warns_on_xen),
        cmocka_unit_test(version_2_tells_what_is_missing),
        cmocka_unit_test(image_of_xen_is_refused_on_a_qemu_host),
        cmocka_unit_test(guest_without_vcpus_is_refused),
        cmocka_unit_test(checkpointed_stream_is_refused_by_name),
        cmocka_unit_test(long_records_are_refused_before_anything_is_allocated),
        cmocka_unit_test(special_pages_are_cleared_and_reported),
        cmocka_unit_test(memory_that_was_there_before_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
