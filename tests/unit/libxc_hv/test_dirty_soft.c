/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Soft-dirty bits, on any kernel: pagemap and clear_refs are files of ours, the
 * memory is a memfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv/xc_dirty.h"

#define PAGES 5000u /* more than are looked up at a time */
#define VA UINT64_C(0x40000000)
#define SOFT_DIRTY (UINT64_C(1) << 55)
#define PRESENT (UINT64_C(1) << 63)

struct world {
    struct xc_hv_qemu_params p;
    uint8_t *memory;
    struct xc_dirty *log;
    struct xc_bitmap dirty;
};

static void set_flags(struct world *w, xc_pfn_t pfn, uint64_t flags)
{
    off_t at = (off_t)((VA / XC_PAGE_SIZE + pfn) * 8);

    assert_int_equal(pwrite(w->p.pagemap_fd, &flags, 8, at), 8);
}

static void fill_page(struct world *w, xc_pfn_t pfn, int value)
{
    memset(w->memory + xc_pages_to_bytes(pfn), value, XC_PAGE_SIZE);
}

static void take_page(struct world *w, xc_pfn_t pfn)
{
    const void *page = w->memory + xc_pages_to_bytes(pfn);

    assert_int_equal(w->log->ops->take(w->log, &pfn, 1, &page), 0);
}

/* All pages are there, filled with 1, taken, and clean. */
static void world_new(struct world *w)
{
    struct xc_dirty_target t;

    *w = (struct world){
        .p = {.memory_fd = memfd_create("guest", 0),
              .memory_bytes = xc_pages_to_bytes(PAGES),
              .pagemap_fd = memfd_create("pagemap", 0),
              .uffd = -1,
              .qemu_va = VA,
              .clear_refs_fd = memfd_create("clear_refs", 0)},
    };
    assert_int_equal(ftruncate(w->p.memory_fd, (off_t)w->p.memory_bytes), 0);
    w->memory = mmap(NULL, w->p.memory_bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED, w->p.memory_fd, 0);
    assert_true(w->memory != MAP_FAILED);
    t = (struct xc_dirty_target){&w->p, w->memory, true};
    assert_int_equal(xc_bitmap_init(&w->dirty, PAGES), 0);
    assert_int_equal(xc_dirty_soft.start(&t, &w->log), 0);
    for (xc_pfn_t pfn = 0; pfn < PAGES; pfn++) {
        fill_page(w, pfn, 1);
        set_flags(w, pfn, PRESENT);
        take_page(w, pfn);
    }
}

static void world_end(struct world *w)
{
    assert_int_equal(w->log->ops->stop(w->log), 0);
    xc_bitmap_dispose(&w->dirty);
    munmap(w->memory, w->p.memory_bytes);
    close(w->p.memory_fd);
    close(w->p.pagemap_fd);
    close(w->p.clear_refs_fd);
}

static void assert_only(struct world *w, xc_pfn_t pfn)
{
    xc_bitmap_clear_all(&w->dirty);
    assert_int_equal(w->log->ops->read_clear(w->log, &w->dirty), 0);
    assert_int_equal(xc_bitmap_next(&w->dirty, 0), pfn);
    assert_int_equal(xc_bitmap_count(&w->dirty), pfn < PAGES ? 1 : 0);
}

#define NONE PAGES

static void bits_are_cleared_once_at_the_start(void **state)
{
    struct world w;
    char text[8] = "";

    world_new(&w);
    assert_only(&w, NONE);
    assert_only(&w, NONE);
    assert_int_equal(pread(w.p.clear_refs_fd, text, sizeof(text), 0), 1);
    assert_string_equal(text, "4");
    world_end(&w);
}

static void written_page_is_reported_until_it_is_taken(void **state)
{
    struct world w;

    world_new(&w);
    fill_page(&w, 4321, 2);
    set_flags(&w, 4321, PRESENT | SOFT_DIRTY);
    assert_only(&w, 4321);
    assert_only(&w, 4321);
    take_page(&w, 4321);
    assert_only(&w, NONE);
    world_end(&w);
}

/* Taken while it held something else for a moment. */
static void page_that_changed_back_is_reported(void **state)
{
    struct world w;

    world_new(&w);
    set_flags(&w, 7, PRESENT | SOFT_DIRTY);
    fill_page(&w, 7, 2);
    take_page(&w, 7);
    fill_page(&w, 7, 1);
    assert_only(&w, 7);
    world_end(&w);
}

static void page_that_was_swapped_out_is_looked_at(void **state)
{
    struct world w;

    world_new(&w);
    fill_page(&w, 8, 2);
    set_flags(&w, 8, 0);
    assert_only(&w, 8);
    world_end(&w);
}

static void page_that_was_given_back_is_reported(void **state)
{
    struct world w;

    world_new(&w);
    assert_int_equal(fallocate(w.p.memory_fd,
                               FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                               9 * XC_PAGE_SIZE, XC_PAGE_SIZE),
                     0);
    assert_only(&w, 9);
    world_end(&w);
}

static void kernel_without_the_bits_is_not_trusted(void **state)
{
    struct xc_hv_qemu_params p = {
        .pagemap_fd = 0, .clear_refs_fd = 0, .qemu_va = VA};
    struct xc_dirty_target t = {.p = &p, .soft_dirty_works = false};
    struct xc_dirty *log;

    assert_int_equal(xc_dirty_soft.start(&t, &log), -EOPNOTSUPP);
}

/* The page map ends early: QEMU is gone. */
static void lost_page_map_is_an_error(void **state)
{
    struct world w;

    world_new(&w);
    assert_int_equal(ftruncate(w.p.pagemap_fd, 0), 0);
    assert_int_equal(w.log->ops->read_clear(w.log, &w.dirty), -EIO);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_cleared_once_at_the_start),
        cmocka_unit_test(written_page_is_reported_until_it_is_taken),
        cmocka_unit_test(page_that_changed_back_is_reported),
        cmocka_unit_test(page_that_was_swapped_out_is_looked_at),
        cmocka_unit_test(page_that_was_given_back_is_reported),
        cmocka_unit_test(kernel_without_the_bits_is_not_trusted),
        cmocka_unit_test(lost_page_map_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
