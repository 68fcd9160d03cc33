/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a save writes, where it lies in the file, and how it gives up. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/xc_span.h"
#include "hv/xc_hv_fault.h"
#include "libxc_stream/sr_bench.h"
#include "stream/xc_sr_codec.h"

#define PAGES 3000u

struct shot {
    struct xc_hv *hv;
    struct sr_log log;
    struct xc_sr_stats stats;
    struct xc_sr_save_params p;
    int fd;
};

static void aim(struct shot *s, const struct sr_guest *g)
{
    *s = (struct shot){.hv = sr_guest_new(g), .fd = sr_temp_file()};
    s->p = sr_save_params(s->hv, s->fd, &s->log);
}

static void put_away(struct shot *s)
{
    assert_int_equal(s->log.dm_log_on, s->log.dm_log_off);
    assert_false(xc_hv_fake_is_logging(s->hv));
    close(s->fd);
    xc_hv_close(s->hv);
}

static uint64_t read_le64(int fd, off_t at)
{
    uint8_t bytes[8];
    struct xc_span s = xc_span_of(bytes, sizeof(bytes));

    assert_int_equal(pread(fd, bytes, sizeof(bytes), at), sizeof(bytes));
    return xc_span_le64(&s);
}

/* Calls see for each record of the file, which begins at 'at'. */
static void for_records(int fd, off_t at,
                        void (*see)(int fd, off_t at, uint32_t type,
                                    uint32_t length))
{
    uint32_t type;

    at += 40;
    do {
        uint64_t head = read_le64(fd, at);
        uint32_t length = (uint32_t)(head >> 32);

        type = (uint32_t)head;
        see(fd, at, type, length);
        at += 8 + (off_t)length + xc_sr_padding(length);
    } while (type != XC_REC_END);
}

static void expect_pages_on_4k(int fd, off_t at, uint32_t type, uint32_t length)
{
    uint32_t count;

    if (type != XC_REC_PAGE_DATA)
        return;
    count = (uint32_t)read_le64(fd, at + 8);
    assert_int_equal(at % XC_PAGE_SIZE, 0);
    assert_true(count == 1022 || (length - 8 - 8 * count) / 4096 < 1022);
    if (count == 1022)
        assert_int_equal((at + 16 + 8 * (off_t)count) % XC_PAGE_SIZE, 0);
}

static void pages_lie_on_4k(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true, .seed = 5};
    off_t start = XC_PAGE_SIZE - XC_SR_QEMU_PROLOGUE_BYTES;
    struct shot s;

    aim(&s, &g);
    assert_int_equal(lseek(s.fd, start, SEEK_SET), start);
    assert_int_equal(xc_sr_save(&s.p, &s.stats), 0);
    for_records(s.fd, start, expect_pages_on_4k);
    put_away(&s);
}

static void expect_no_data_for_zeros(int fd, off_t at, uint32_t type,
                                     uint32_t length)
{
    uint8_t page[XC_PAGE_SIZE];
    uint32_t count, seen = 0;

    if (type != XC_REC_PAGE_DATA)
        return;
    count = (uint32_t)read_le64(fd, at + 8);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t entry = read_le64(fd, at + 16 + 8 * (off_t)i);
        off_t data = at + 16 + 8 * (off_t)count + seen * (off_t)XC_PAGE_SIZE;

        if (!xc_sr_type_has_data(xc_sr_pd_type(entry)))
            continue;
        seen++;
        assert_int_equal(pread(fd, page, sizeof(page), data), sizeof(page));
        assert_true(page[0] || memcmp(page, page + 1, sizeof(page) - 1));
    }
}

static void zero_pages_of_a_qemu_host_have_no_data(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true, .seed = 5};
    struct shot s;

    aim(&s, &g);
    assert_int_equal(xc_sr_save(&s.p, &s.stats), 0);
    assert_true(s.stats.zero_pages > 0);
    for_records(s.fd, 0, expect_no_data_for_zeros);
    put_away(&s);
}

static void zero_pages_of_xen_are_holes_in_a_file(void **state)
{
    struct sr_guest g = {.pages = PAGES, .seed = 5};
    /* what precedes the first PAGE_DATA: headers, policies, STATIC_DATA_END */
    off_t start = XC_PAGE_SIZE - (40 + 8 + 120 + 8 + 32 + 8);
    struct shot s;
    struct stat st;

    aim(&s, &g);
    assert_int_equal(lseek(s.fd, start, SEEK_SET), start);
    assert_int_equal(xc_sr_save(&s.p, &s.stats), 0);
    assert_true(s.stats.zero_pages > 100);
    assert_int_equal(fstat(s.fd, &st), 0);
    assert_int_equal((uint64_t)st.st_size, (uint64_t)start + s.stats.bytes);
    /* the last record is short, and its pages lie elsewhere */
    assert_true((uint64_t)st.st_blocks * 512 <
                (uint64_t)st.st_size - s.stats.zero_pages / 3 * XC_PAGE_SIZE);
    put_away(&s);
}

/* Old bytes of a file that is overwritten must not shine through. */
static void no_holes_are_left_over_old_bytes(void **state)
{
    struct sr_guest g = {.pages = PAGES, .seed = 5};
    struct xc_sr_restore_result result;
    struct xc_sr_restore_params rp;
    struct xc_hv *to;
    struct shot s;
    uint8_t old[4096];

    aim(&s, &g);
    memset(old, 0xa5, sizeof(old));
    for (int i = 0; i < 4000; i++)
        assert_int_equal(write(s.fd, old, sizeof(old)), sizeof(old));
    sr_rewind(s.fd);
    assert_int_equal(xc_sr_save(&s.p, &s.stats), 0);
    sr_rewind(s.fd);
    to = sr_guest_empty(&g);
    rp = sr_restore_params(to, s.fd, &s.log);
    assert_int_equal(xc_sr_restore(&rp, &result), 0);
    sr_assert_same_guest(s.hv, to);
    xc_hv_close(to);
    put_away(&s);
}

static void guest_that_will_not_be_suspended_fails_the_save(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true, .seed = 5};

    for (int live = 0; live < 2; live++) {
        struct shot s;

        aim(&s, &g);
        s.log.suspend_rc = -ETIME;
        s.p.live = live;
        assert_int_equal(xc_sr_save(&s.p, &s.stats), -ETIME);
        assert_int_equal(s.log.errors, 1);
        put_away(&s);
    }
}

static void cancelled_save_says_so(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true, .seed = 5};
    struct shot s;

    aim(&s, &g);
    s.log.cancel = true;
    s.p.live = true;
    assert_int_equal(xc_sr_save(&s.p, &s.stats), -ECANCELED);
    assert_int_equal(s.log.suspends, 0);
    put_away(&s);
}

static void busy_guest_is_left_running(void **state)
{
    struct sr_guest g = {
        .pages = 20000, .qemu_host = true, .seed = 5, .dirty_per_call = 3000};
    struct shot s;

    aim(&s, &g);
    s.p.live = true;
    s.p.precopy.max_downtime_ms = 1;
    assert_int_equal(xc_sr_save(&s.p, &s.stats), -EBUSY);
    assert_int_equal(s.log.suspends, 0);
    assert_non_null(strstr(s.log.last_error, "goes on running"));
    put_away(&s);
}

static void time_allowed_ends_a_pass(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true, .seed = 5};
    struct shot s;

    aim(&s, &g);
    s.p.live = true;
    s.p.precopy.timeout_ms = 1;
    s.p.precopy.bandwidth_bps = 100000; /* the guest would take 80 s */
    assert_int_equal(xc_sr_save(&s.p, &s.stats), -ETIMEDOUT);
    assert_int_equal(s.log.suspends, 0);
    put_away(&s);
}

/* Only where all went well: a guest that runs on has no log. */
static void log_of_a_guest_that_goes_stays_on(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true, .seed = 5};

    for (int fails = 0; fails < 2; fails++) {
        struct shot s;

        aim(&s, &g);
        s.p.live = s.p.leave_log = true;
        s.log.suspend_rc = fails ? -ETIME : 0;
        assert_int_equal(xc_sr_save(&s.p, &s.stats), s.log.suspend_rc);
        assert_int_equal(xc_hv_fake_is_logging(s.hv), !fails);
        close(s.fd);
        xc_hv_close(s.hv);
    }
}

/* As a Xen guest with a page out of reach. */
static void guest_that_cannot_be_measured_is_refused_in_words(void **state)
{
    struct sr_guest g = {.pages = PAGES, .seed = 5};
    struct xc_hv_fault_plan plan = {
        .kind = XC_HV_FAULT_FAIL, .op = "info", .at = 1, .error = -ERANGE};
    struct shot s;
    struct xc_hv *hv;

    aim(&s, &g);
    assert_int_equal(xc_hv_fault_open(s.hv, &plan, &hv), 0);
    s.p.hv = hv;
    assert_int_equal(xc_sr_save(&s.p, &s.stats), -ERANGE);
    assert_int_equal(s.log.suspends, 0);
    assert_int_equal(s.log.errors, 1);
    assert_non_null(strstr(s.log.last_error, "highest page"));
    close(s.fd);
    xc_hv_close(hv);
}

/* As a Xen guest to which memory was added after the save had begun. */
static void guest_that_grew_meanwhile_fails_the_save(void **state)
{
    struct sr_guest g = {.pages = PAGES, .seed = 5};
    struct xc_hv_fault_plan plan = {
        .kind = XC_HV_FAULT_FAIL, .op = "info", .at = 2, .error = -ERANGE};

    for (int live = 0; live < 2; live++) {
        struct shot s;
        struct xc_hv *hv;

        aim(&s, &g);
        assert_int_equal(xc_hv_fault_open(s.hv, &plan, &hv), 0);
        s.p.hv = hv;
        s.p.live = live;
        assert_int_equal(xc_sr_save(&s.p, &s.stats), -ERANGE);
        assert_int_equal(s.log.suspends, 1);
        assert_int_equal(s.log.errors, 1);
        assert_non_null(strstr(s.log.last_error, "was added"));
        close(s.fd);
        xc_hv_close(hv);
    }
}

static struct xc_hv *written_hv;
static uint64_t written_bytes;

static void note_written(void *data, const struct xc_sr_stats *stats)
{
    written_bytes = xc_hv_fake_is_logging(written_hv) ? stats->bytes : 0;
}

static void stream_is_given_back_before_the_log_is_off(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true, .seed = 5};
    struct shot s;

    aim(&s, &g);
    s.p.live = true;
    s.p.cb.written = note_written;
    written_hv = s.hv;
    assert_int_equal(xc_sr_save(&s.p, &s.stats), 0);
    assert_int_equal(written_bytes, lseek(s.fd, 0, SEEK_END));
    put_away(&s);
}

static void live_save_suspends_once_and_reports(void **state)
{
    struct sr_guest g = {
        .pages = PAGES, .qemu_host = true, .seed = 5, .dirty_per_call = 100};
    struct shot s;

    aim(&s, &g);
    s.p.live = true;
    assert_int_equal(xc_sr_save(&s.p, &s.stats), 0);
    assert_int_equal(s.log.suspends, 1);
    assert_true(s.log.progress.finished);
    assert_int_equal(s.log.progress.bytes, s.stats.bytes);
    assert_true(s.stats.passes >= 2);
    put_away(&s);
}

#ifndef __SANITIZE_ADDRESS__ /* whose own memory is beyond any limit */
/* With little memory to spare, whatever the guest's size. */
static void memory_does_not_grow_with_the_guest(void **state)
{
    struct rlimit old, small = {32u << 20, RLIM_INFINITY};
    struct sr_guest g = {.pages = 1u << 20, .qemu_host = true};
    struct xc_sr_restore_result result;
    struct xc_hv *from = sr_guest_empty(&g), *to = sr_guest_empty(&g);
    struct sr_log log = {0};
    struct xc_sr_stats stats;
    int fd = sr_temp_file();
    struct xc_sr_save_params sp = sr_save_params(from, fd, &log);
    struct xc_sr_restore_params rp = sr_restore_params(to, fd, &log);

    for (xc_pfn_t pfn = 0; pfn < g.pages; pfn += 1000)
        xc_hv_fake_guest_writes(from, pfn, 3);
    sp.live = true;
    assert_int_equal(getrlimit(RLIMIT_DATA, &old), 0);
    /* what is mapped already, the fake guests, is not taken away */
    small.rlim_cur += 2 * xc_pages_to_bytes(g.pages) + (16u << 20);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_DATA, &small), 0);
    assert_int_equal(xc_sr_save(&sp, &stats), 0);
    sr_rewind(fd);
    assert_int_equal(xc_sr_restore(&rp, &result), 0);
    assert_int_equal(setrlimit(RLIMIT_DATA, &old), 0);
    assert_int_equal(result.stats.data_pages, stats.data_pages);
    close(fd);
    xc_hv_close(from);
    xc_hv_close(to);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_lie_on_4k),
        cmocka_unit_test(zero_pages_of_a_qemu_host_have_no_data),
        cmocka_unit_test(zero_pages_of_xen_are_holes_in_a_file),
        cmocka_unit_test(no_holes_are_left_over_old_bytes),
        cmocka_unit_test(guest_that_will_not_be_suspended_fails_the_save),
        cmocka_unit_test(cancelled_save_says_so),
        cmocka_unit_test(busy_guest_is_left_running),
        cmocka_unit_test(time_allowed_ends_a_pass),
        cmocka_unit_test(log_of_a_guest_that_goes_stays_on),
        cmocka_unit_test(guest_that_cannot_be_measured_is_refused_in_words),
        cmocka_unit_test(guest_that_grew_meanwhile_fails_the_save),
        cmocka_unit_test(stream_is_given_back_before_the_log_is_off),
        cmocka_unit_test(live_save_suspends_once_and_reports),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(memory_does_not_grow_with_the_guest),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
