/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PV guests: page tables, p2m, vCPUs and start info through a stream. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/xc_hv_fault.h"
#include "hv/xc_hv_pv.h"
#include "libxc_stream/sr_bench.h"
#include "stream/xc_sr_pv_layout.h"
#include "stream/xc_sr_pv_table.h"
#include "stream/xc_sr_wire.h"

#define PAGES 3000u
#define FOREIGN_MFN 0x999u
#define L1_PFN 5u
#define FLAGS 0x67u
#define L1_TYPE 0x10000000u

struct trip {
    struct xc_hv *from, *to;
    struct sr_log log;
    struct xc_sr_restore_result result;
    int fd, save_rc, restore_rc;
};

static void trip_open(struct trip *t, const struct sr_guest *g)
{
    *t = (struct trip){.fd = sr_temp_file()};
    t->from = sr_guest_new(g);
    t->to = sr_guest_empty(g);
}

static void trip_go(struct trip *t, bool live, bool verify)
{
    struct xc_sr_save_params sp = sr_save_params(t->from, t->fd, &t->log);
    struct xc_sr_restore_params rp = sr_restore_params(t->to, t->fd, &t->log);
    struct xc_sr_stats stats;

    sp.live = live;
    sp.verify = verify;
    t->save_rc = xc_sr_save(&sp, &stats);
    if (t->save_rc)
        return;
    sr_rewind(t->fd);
    t->restore_rc = xc_sr_restore(&rp, &t->result);
}

static void trip_close(struct trip *t)
{
    close(t->fd);
    xc_hv_close(t->from);
    xc_hv_close(t->to);
}

static void comes_back(const struct sr_guest *g, bool live, bool verify)
{
    struct trip t;

    trip_open(&t, g);
    trip_go(&t, live, verify);
    if (t.log.errors)
        print_message("# %s\n", t.log.last_error);
    assert_int_equal(t.save_rc, 0);
    assert_int_equal(t.restore_rc, 0);
    assert_int_equal(t.log.errors + t.log.warnings, 0);
    sr_assert_same_guest(t.from, t.to);
    trip_close(&t);
}

static void guest_of_64_bits_comes_back(void **state)
{
    comes_back(&(struct sr_guest){.pages = PAGES, .seed = 4, .pv_width = 8},
               false, false);
}

static void guest_of_32_bits_comes_back(void **state)
{
    comes_back(&(struct sr_guest){.pages = PAGES, .seed = 5, .pv_width = 4},
               false, false);
}

static void verify_finds_no_difference(void **state)
{
    comes_back(&(struct sr_guest){.pages = PAGES, .seed = 6, .pv_width = 8},
               false, true);
}

static void guest_that_changes_its_tables_meanwhile_comes_back(void **state)
{
    for (uint64_t seed = 1; seed <= 12; seed++)
        comes_back(&(struct sr_guest){.pages = PAGES,
                                      .seed = seed,
                                      .dirty_per_call = (uint32_t)seed * 20,
                                      .pv_width = seed % 2 ? 8 : 4},
                   true, seed % 3 == 0);
}

static uint64_t start_info_word(struct xc_hv *hv, size_t at)
{
    return xc_sr_word(xc_hv_fake_memory(hv), at, 8);
}

static void start_info_is_of_the_new_domain(void **state)
{
    struct sr_guest g = {.pages = PAGES, .seed = 7, .pv_width = 8};
    const struct xc_sr_start_info_layout *l = xc_sr_start_info_layout(8);
    xc_pfn_t store = PAGES - 1;
    struct xc_hv_pv_info info;
    uint64_t mfn;
    struct trip t;

    trip_open(&t, &g);
    trip_go(&t, false, false);
    assert_int_equal(xc_hv_pv_info(t.to, &info), 0);
    assert_int_equal(xc_hv_pv_mfns_of(t.to, &store, 1, &mfn), 0);
    assert_int_equal(t.result.store_pfn, mfn);
    assert_int_equal(start_info_word(t.to, l->store_frame), mfn);
    assert_int_equal(start_info_word(t.to, l->store_port) & 0xffffffff,
                     XC_FAKE_PV_STORE_PORT);
    assert_int_equal(start_info_word(t.to, l->console_port) & 0xffffffff,
                     XC_FAKE_PV_CONSOLE_PORT);
    assert_int_equal(start_info_word(t.to, l->nr_pages), PAGES);
    assert_int_equal(start_info_word(t.to, l->shared_info),
                     info.shared_info_mfn << XC_PAGE_SHIFT);
    trip_close(&t);
}

static uint64_t *table_of(struct xc_hv *hv, xc_pfn_t pfn)
{
    return (uint64_t *)(void *)(xc_hv_fake_memory(hv) + xc_pages_to_bytes(pfn));
}

static void standing_guest_with_a_foreign_frame_is_refused(void **state)
{
    struct sr_guest g = {.pages = PAGES, .seed = 8, .pv_width = 8};
    struct trip t;

    trip_open(&t, &g);
    table_of(t.from, L1_PFN)[9] =
        (uint64_t)FOREIGN_MFN << XC_PAGE_SHIFT | FLAGS;
    trip_go(&t, false, false);
    assert_int_equal(t.save_rc, -ERANGE);
    assert_non_null(strstr(t.log.last_error, "not the guest's"));
    assert_int_equal(t.log.errors, 1);
    trip_close(&t);
}

static void superpage_is_refused(void **state)
{
    struct sr_guest g = {.pages = PAGES, .seed = 8, .pv_width = 8};
    struct trip t;

    trip_open(&t, &g);
    table_of(t.from, 4)[0] |= 0x80;
    trip_go(&t, false, false);
    assert_int_equal(t.save_rc, -ERANGE);
    assert_non_null(strstr(t.log.last_error, "superpage"));
    trip_close(&t);
}

/* Its data never come: what the frame's last owner left must not show. */
static void page_that_only_a_table_names_is_zero(void **state)
{
    static const uint8_t zeros[XC_PAGE_SIZE];
    struct sr_guest g = {.pages = PAGES, .seed = 9, .pv_width = 8};
    xc_pfn_t broken = PAGES - 3;
    uint64_t mfn;
    struct trip t;

    trip_open(&t, &g);
    while (!xc_bitmap_test(xc_hv_fake_touched(t.from), broken))
        broken--;
    assert_int_equal(xc_hv_pv_mfns_of(t.from, &broken, 1, &mfn), 0);
    table_of(t.from, L1_PFN)[9] = mfn << XC_PAGE_SHIFT | FLAGS;
    xc_hv_fake_pv_set_type(t.from, broken, XC_PT_BROKEN >> 28);
    trip_go(&t, false, false);
    assert_int_equal(t.restore_rc, 0);
    assert_int_equal(xc_hv_pv_mfns_of(t.to, &broken, 1, &mfn), 0);
    assert_int_not_equal(mfn, XC_INVALID_MFN);
    assert_memory_equal(table_of(t.to, broken), zeros, sizeof(zeros));
    trip_close(&t);
}

#define BALLOONED_PFN (PAGES - 4)

static int gives_a_table_back(void *data)
{
    struct xc_hv *hv = ((struct sr_log *)data)->guest;
    xc_pfn_t pfn = BALLOONED_PFN;

    xc_hv_fake_guest_writes(hv, pfn, 0);
    return xc_hv_unpopulate(hv, &pfn, 1);
}

/* What it held is none of a table's business any more. */
static void table_that_was_given_back_meanwhile_is_not_pinned(void **state)
{
    struct sr_guest g = {.pages = PAGES, .seed = 9, .pv_width = 8};
    xc_pfn_t pfn = BALLOONED_PFN;
    struct xc_sr_save_params sp;
    struct xc_sr_restore_params rp;
    struct xc_sr_stats stats;
    struct trip t;

    trip_open(&t, &g);
    t.log.guest = t.from;
    xc_hv_fake_guest_writes(t.from, pfn, 0);
    assert_int_equal(xc_hv_populate(t.from, &pfn, 1), 0);
    memset(table_of(t.from, pfn), 0, XC_PAGE_SIZE);
    xc_hv_fake_pv_set_type(t.from, pfn, (XC_PT_PINNED | L1_TYPE) >> 28);
    sp = sr_save_params(t.from, t.fd, &t.log);
    sp.live = true;
    sp.cb.suspend = gives_a_table_back;
    assert_int_equal(xc_sr_save(&sp, &stats), 0);
    sr_rewind(t.fd);
    rp = sr_restore_params(t.to, t.fd, &t.log);
    assert_int_equal(xc_sr_restore(&rp, &t.result), 0);
    assert_int_equal(xc_hv_fake_pv_type(t.to, pfn), 0);
    assert_int_not_equal(xc_hv_fake_pv_type(t.to, L1_PFN), 0);
    trip_close(&t);
}

static unsigned count_records(int fd, enum xc_rec_type wanted)
{
    off_t at = 40;
    uint32_t head[2];
    unsigned n = 0;

    do {
        assert_int_equal(pread(fd, head, sizeof(head), at), sizeof(head));
        n += head[0] == (uint32_t)wanted;
        at += 8 + (off_t)((head[1] + 7) & ~7u);
    } while (head[0] != XC_REC_END);
    return n;
}

/* Between our first look and the suspend the guest may move it. */
static void p2m_that_moved_is_told_again_of_a_guest_that_stands(void **state)
{
    struct xc_hv_fault_plan moved = {.kind = XC_HV_FAULT_FAIL,
                                     .op = "pv_p2m_stable",
                                     .at = 1,
                                     .error = -ESTALE};
    struct sr_guest g = {.pages = PAGES, .seed = 4, .pv_width = 8};
    struct xc_hv *inner;
    struct trip t;

    trip_open(&t, &g);
    inner = t.from;
    assert_int_equal(xc_hv_fault_open(inner, &moved, &t.from), 0);
    trip_go(&t, false, false);
    assert_int_equal(t.save_rc, 0);
    assert_int_equal(t.restore_rc, 0);
    assert_int_equal(count_records(t.fd, XC_REC_X86_PV_P2M_FRAMES), 2);
    sr_assert_same_guest(inner, t.to);
    trip_close(&t);
}

static void table_level_is_read_from_the_type(void **state)
{
    assert_int_equal(xc_sr_table_level(XC_PT_NOTAB), 0);
    assert_int_equal(xc_sr_table_level(XC_PT_L4TAB), 4);
    assert_int_equal(xc_sr_table_level(XC_PT_PINNED | XC_PT_L4TAB), 4);
    assert_int_equal(xc_sr_table_level(XC_PT_BROKEN), 0);
    assert_int_equal(xc_sr_table_level(XC_PT_XALLOC), 0);
    assert_int_equal(xc_sr_table_level(XC_PT_XTAB), 0);
}

static void xens_slots_are_emptied(void **state)
{
    uint64_t page[XC_SR_TABLE_ENTRIES];

    for (size_t i = 0; i < XC_SR_TABLE_ENTRIES; i++)
        page[i] = (uint64_t)(i + 1) << XC_PAGE_SHIFT | 1;
    xc_sr_table_drop_xen(page, 8, 3, 0);
    assert_int_equal(page[256], 257u << XC_PAGE_SHIFT | 1);
    xc_sr_table_drop_xen(page, 8, 4, 0);
    assert_int_not_equal(page[255], 0);
    for (size_t i = 256; i < 272; i++)
        assert_int_equal(page[i], 0);
    assert_int_not_equal(page[272], 0);
    xc_sr_table_drop_xen(page, 4, 2, 0x1234);
    assert_int_not_equal(page[428], 0); /* an L2, but not the top one */
    xc_sr_table_drop_xen(page, 4, 2, 429);
    assert_int_equal(page[428], 0);
    assert_int_equal(page[511], 0);
    xc_sr_table_drop_xen(page, 4, 3, 0);
    assert_int_not_equal(page[3], 0);
    assert_int_equal(page[4], 0);
}

static void cr3_of_32_bits_is_folded(void **state)
{
    uint64_t cr3 = xc_sr_frame_cr3(0x123456, 4);

    assert_int_equal(cr3, 0x23456001);
    assert_int_equal(xc_sr_cr3_frame(cr3, 4), 0x123456 & 0xffffffff);
    assert_int_equal(xc_sr_frame_cr3(0x123456, 8), 0x123456000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guest_of_64_bits_comes_back),
        cmocka_unit_test(guest_of_32_bits_comes_back),
        cmocka_unit_test(verify_finds_no_difference),
        cmocka_unit_test(guest_that_changes_its_tables_meanwhile_comes_back),
        cmocka_unit_test(start_info_is_of_the_new_domain),
        cmocka_unit_test(standing_guest_with_a_foreign_frame_is_refused),
        cmocka_unit_test(superpage_is_refused),
        cmocka_unit_test(page_that_only_a_table_names_is_zero),
        cmocka_unit_test(table_that_was_given_back_meanwhile_is_not_pinned),
        cmocka_unit_test(p2m_that_moved_is_told_again_of_a_guest_that_stands),
        cmocka_unit_test(table_level_is_read_from_the_type),
        cmocka_unit_test(xens_slots_are_emptied),
        cmocka_unit_test(cr3_of_32_bits_is_folded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
