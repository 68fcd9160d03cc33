/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages come into being in pieces of 2 MiB, and none too many stays. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/xc_hv_fault.h"
#include "libxc_stream/sr_bench.h"
#include "stream/xc_sr_populate.h"

#define PAGES 4096u
#define HALF (XC_EXTENT_PAGES / 2)

struct scene {
    struct xc_hv *hv, *fake;
    struct xc_sr_populate p;
};

static void open_limited(struct scene *s, uint64_t max_pages)
{
    struct sr_guest g = {.pages = PAGES, .max_pages = max_pages};
    struct xc_hv_fault_plan count = {.op = "populate_extent"};
    struct xc_hv_info info;

    s->fake = sr_guest_empty(&g);
    assert_int_equal(xc_hv_fault_open(s->fake, &count, &s->hv), 0);
    assert_int_equal(xc_hv_info(s->hv, &info), 0);
    assert_true(info.has_extents);
    assert_int_equal(xc_sr_populate_init(&s->p, s->hv, &info), 0);
}

static void open_scene(struct scene *s)
{
    open_limited(s, 0);
}

static void close_scene(struct scene *s)
{
    xc_sr_populate_dispose(&s->p);
    xc_hv_close(s->hv);
}

static void ask(struct scene *s, xc_pfn_t first, size_t n)
{
    xc_pfn_t pfns[XC_BATCH_MAX];

    for (size_t i = 0; i < n; i++)
        pfns[i] = first + i;
    assert_int_equal(xc_sr_populate(&s->p, pfns, n), 0);
}

static void assert_made(struct scene *s, uint64_t pages, uint64_t extents)
{
    assert_int_equal(xc_sr_populate_end(&s->p), 0);
    assert_int_equal(xc_bitmap_count(xc_hv_fake_made(s->fake)), pages);
    assert_int_equal(xc_hv_fault_calls(s->hv), extents);
    for (xc_pfn_t pfn = 0; pfn < PAGES; pfn++)
        assert_int_equal(xc_bitmap_test(xc_hv_fake_made(s->fake), pfn),
                         xc_sr_populated(&s->p, pfn));
}

static void a_whole_row_is_one_piece(void **state)
{
    struct scene s;

    open_scene(&s);
    ask(&s, 0, 1024);
    assert_made(&s, 1024, 2);
    close_scene(&s);
}

static void a_piece_goes_on_in_the_next_batch(void **state)
{
    struct scene s;

    open_scene(&s);
    ask(&s, 0, 1022);
    ask(&s, 1022, 1022);
    ask(&s, 2044, 1022);
    assert_made(&s, 3066, 6);
    close_scene(&s);
}

static void what_nobody_asked_for_goes_away(void **state)
{
    struct scene s;

    open_scene(&s);
    ask(&s, 512, HALF + 10);
    ask(&s, 512 + HALF + 20, 5);
    ask(&s, 1024, 512);
    assert_made(&s, HALF + 15 + 512, 2);
    close_scene(&s);
}

/* The domain has room for no more than it will have. */
static void rest_of_a_piece_makes_room_for_single_pages(void **state)
{
    struct scene s;

    open_limited(&s, 1024);
    ask(&s, 0, 512 + HALF);
    ask(&s, 2000, 3);
    ask(&s, 3000, HALF - 3);
    assert_made(&s, 1024, 2);
    close_scene(&s);
}

static void single_pages_before_a_piece_leave_it_its_room(void **state)
{
    xc_pfn_t pfns[2 + HALF] = {7, 8};
    struct scene s;

    for (size_t i = 0; i < HALF; i++)
        pfns[2 + i] = 512 + i;
    open_limited(&s, 512);
    assert_int_equal(xc_sr_populate(&s.p, pfns, 2 + HALF), 0);
    assert_made(&s, 2 + HALF, 1);
    close_scene(&s);
}

static void less_than_half_comes_singly(void **state)
{
    struct scene s;

    open_scene(&s);
    ask(&s, 0, HALF - 1);
    ask(&s, 513, 511);
    assert_made(&s, HALF - 1 + 511, 0);
    close_scene(&s);
}

static void single_pages_do_where_there_are_no_pieces(void **state)
{
    struct xc_hv_fault_plan none_left = {.kind = XC_HV_FAULT_FAIL,
                                         .at = 1,
                                         .from_then = true,
                                         .op = "populate_extent",
                                         .error = -ENOMEM};
    struct scene s;

    open_scene(&s);
    xc_hv_fault_plan(s.hv, &none_left);
    ask(&s, 0, 1022);
    assert_made(&s, 1022, 2);
    close_scene(&s);
}

static void pages_twice_in_a_list_are_made_once(void **state)
{
    xc_pfn_t pfns[] = {7, 8, 7, 8, 9};
    struct scene s;

    open_scene(&s);
    assert_int_equal(xc_sr_populate(&s.p, pfns, 5), 0);
    assert_made(&s, 3, 0);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_row_is_one_piece),
        cmocka_unit_test(a_piece_goes_on_in_the_next_batch),
        cmocka_unit_test(what_nobody_asked_for_goes_away),
        cmocka_unit_test(rest_of_a_piece_makes_room_for_single_pages),
        cmocka_unit_test(single_pages_before_a_piece_leave_it_its_room),
        cmocka_unit_test(less_than_half_comes_singly),
        cmocka_unit_test(single_pages_do_where_there_are_no_pieces),
        cmocka_unit_test(pages_twice_in_a_list_are_made_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
