/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of a process of its own: moved while it stands and while it
 * writes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libxc_hv/qemu_bench.h"
#include "libxc_stream/sr_bench.h"

#define PAGES 4096u

static uint64_t allocated_pages(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_blocks / 8;
}

static void assert_same_memory(const struct fake_qemu *q, int fd)
{
    uint8_t *there = mmap(NULL, q->bytes, PROT_READ, MAP_SHARED, fd, 0);
    int differ;

    assert_true(there != MAP_FAILED);
    differ = memcmp(q->memory, there, q->bytes);
    munmap(there, q->bytes);
    assert_int_equal(differ, 0);
}

/* Scattered pages, and a long run at the end. */
static void fill_some(struct fake_qemu *q)
{
    for (uint64_t pfn = PAGES - 1500; pfn < PAGES; pfn++)
        memset(q->memory + xc_pages_to_bytes(pfn), (int)(pfn % 5),
               XC_PAGE_SIZE);
    for (uint64_t pfn = 0; pfn < PAGES; pfn += 3)
        memset(q->memory + xc_pages_to_bytes(pfn), (int)(pfn % 7),
               XC_PAGE_SIZE);
}

static int pause_it(void *data)
{
    struct sr_log *log = data;

    fake_qemu_pause(log->guest);
    return 0;
}

/* Returns how many pages the source has got behind it. */
static uint64_t move(struct fake_qemu *q, struct xc_hv *from, bool live)
{
    struct sr_log log = {.guest = q};
    struct xc_sr_restore_result result;
    struct xc_sr_stats stats;
    int memory_fd, fd = sr_temp_file();
    uint64_t allocated;
    struct xc_hv *to = fake_qemu_empty(PAGES, &memory_fd);
    struct xc_sr_save_params sp = sr_save_params(from, fd, &log);
    struct xc_sr_restore_params rp = sr_restore_params(to, fd, &log);

    sp.live = live;
    sp.verify = live;
    sp.cb.suspend = pause_it;
    assert_int_equal(xc_sr_save(&sp, &stats), 0);
    sr_rewind(fd);
    assert_int_equal(xc_sr_restore(&rp, &result), 0);
    allocated = allocated_pages(q->memory_fd);
    assert_true(allocated_pages(memory_fd) <= allocated);
    assert_same_memory(q, memory_fd);
    close(fd);
    close(memory_fd);
    xc_hv_close(to);
    return allocated;
}

static void guest_at_rest_is_moved_and_its_holes_stay(void **state)
{
    struct fake_qemu q;
    struct xc_hv *hv;
    uint64_t before;

    fake_qemu_start(&q, PAGES, false);
    fill_some(&q);
    before = allocated_pages(q.memory_fd);
    hv = fake_qemu_attach(&q, WAY_COMPARE);
    assert_int_equal(move(&q, hv, false), before);
    xc_hv_close(hv);
    fake_qemu_end(&q);
}

static void move_writing_guest(enum fake_qemu_way way, const char *method)
{
    struct fake_qemu q;
    struct xc_hv *hv;

    fake_qemu_start(&q, PAGES, true);
    if (way == WAY_UFFD && !fake_qemu_has_uffd(&q)) {
        fake_qemu_end(&q);
        skip();
    }
    hv = fake_qemu_attach(&q, way);
    move(&q, hv, true);
    assert_memory_equal(xc_hv_dirty_method(hv), method, strlen(method));
    xc_hv_close(hv);
    fake_qemu_end(&q);
}

static void writing_guest_is_moved_by_userfaultfd(void **state)
{
    for (int i = 0; i < 5; i++)
        move_writing_guest(WAY_UFFD, "userfaultfd");
}

static void writing_guest_is_moved_by_comparison(void **state)
{
    for (int i = 0; i < 5; i++)
        move_writing_guest(WAY_COMPARE, "comparison of contents");
}

static void assert_reports(enum fake_qemu_way way)
{
    struct xc_bitmap dirty;
    struct fake_qemu q;
    struct xc_hv *hv;
    const void *page;
    xc_pfn_t sent = 6, written = 9;

    fake_qemu_start(&q, PAGES, false);
    fill_some(&q);
    hv = fake_qemu_attach(&q, way);
    assert_int_equal(xc_bitmap_init(&dirty, PAGES), 0);
    assert_int_equal(xc_hv_dirty_start(hv), 0);
    for (xc_pfn_t pfn = 0; pfn < PAGES; pfn++) {
        assert_int_equal(xc_hv_map_batch(hv, &pfn, 1, &page), 0);
        xc_hv_unmap_batch(hv);
    }
    fake_qemu_write(&q, written, 0xee);
    fake_qemu_write(&q, 10, 0xee); /* a hole before */
    assert_int_equal(xc_hv_dirty_read_clear(hv, &dirty, false), 0);
    assert_true(xc_bitmap_test(&dirty, written));
    assert_true(xc_bitmap_test(&dirty, 10));
    assert_false(xc_bitmap_test(&dirty, sent));
    assert_int_equal(xc_bitmap_count(&dirty), 2);
    xc_bitmap_dispose(&dirty);
    xc_hv_close(hv);
    fake_qemu_end(&q);
}

static void userfaultfd_reports_just_what_was_written(void **state)
{
    assert_reports(WAY_UFFD);
}

static void comparison_reports_just_what_was_written(void **state)
{
    assert_reports(WAY_COMPARE);
}

/* An operation was killed: its registration is still there. */
static void second_operation_clears_what_the_first_left(void **state)
{
    struct xc_bitmap dirty;
    struct fake_qemu q;
    struct xc_hv *hv;

    fake_qemu_start(&q, PAGES, false);
    fill_some(&q);
    hv = fake_qemu_attach(&q, WAY_UFFD);
    assert_int_equal(xc_hv_dirty_start(hv), 0);
    assert_int_equal(xc_bitmap_init(&dirty, PAGES), 0);
    {
        struct xc_hv *second = fake_qemu_attach(&q, WAY_UFFD);

        assert_int_equal(xc_hv_dirty_start(second), 0);
        assert_int_equal(xc_hv_dirty_read_clear(second, &dirty, false), 0);
        assert_int_equal(xc_bitmap_count(&dirty), 0);
        fake_qemu_write(&q, 77, 1);
        assert_int_equal(xc_hv_dirty_read_clear(second, &dirty, true), 0);
        assert_int_equal(xc_bitmap_count(&dirty), 1);
        xc_hv_close(second);
    }
    xc_bitmap_dispose(&dirty);
    xc_hv_close(hv);
    fake_qemu_end(&q);
}

static void memory_that_is_too_small_is_refused(void **state)
{
    struct xc_hv_qemu_params p = {
        .memory_fd = memfd_create("guest", 0),
        .memory_bytes = 8192,
        .pagemap_fd = -1,
        .uffd = -1,
        .clear_refs_fd = -1,
        .dev_log_fd = -1,
    };
    struct xc_hv *hv;

    assert_int_equal(ftruncate(p.memory_fd, 4096), 0);
    assert_int_equal(xc_hv_qemu_open(&p, &hv), -EINVAL);
    assert_null(hv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guest_at_rest_is_moved_and_its_holes_stay),
        cmocka_unit_test(writing_guest_is_moved_by_userfaultfd),
        cmocka_unit_test(writing_guest_is_moved_by_comparison),
        cmocka_unit_test(userfaultfd_reports_just_what_was_written),
        cmocka_unit_test(comparison_reports_just_what_was_written),
        cmocka_unit_test(second_operation_clears_what_the_first_left),
        cmocka_unit_test(memory_that_is_too_small_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
