/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Xen domain's size and memory through hv_xen, on a hypervisor that is a
 * struct: the functions of Xen's libraries that matter here are our own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "hv/xc_hv_xen_priv.h"

#include <xen/foreign/x86_64.h>

#define DOMID 7u
#define GIB_PAGES (UINT64_C(1) << 18)
#define TIB_PAGES (UINT64_C(1) << 28)

/* A PV guest's frames: all of its p2m is one frame, in which PFN p has the
 * machine frame FIRST_MFN + p. */
enum { SHARED_MFN = 1, ROOT_MFN, LIST_MFN, P2M_MFN, FIRST_MFN = 16 };
#define PV_PFNS 100u

static struct {
    bool pv;
    uint64_t max_pages, nr_gpfns;
    unsigned long end_mfn;
    bool m2p_fails;
    /* an HVM guest's pages; pages that it has at no PFN; PFNs asked for */
    struct xc_pfn_run runs[4];
    uint64_t elsewhere, asked;
    /* what it is given in the moment the log is switched on, or read */
    struct xc_pfn_run given;
    int count_errno;
} xen;

static uint64_t nr_pages(void)
{
    uint64_t n = xen.elsewhere;

    for (size_t i = 0; i < 4; i++)
        n += xen.runs[i].count;
    return n;
}

static void give(void)
{
    if (xen.given.count)
        xen.runs[3] = xen.given;
    xen.given.count = 0;
}

static bool is_there(xc_pfn_t pfn)
{
    for (size_t i = 0; i < 4; i++)
        if (pfn - xen.runs[i].first < xen.runs[i].count)
            return true;
    return false;
}

/* ---- Xen's libraries ---- */

xentoollog_logger_stdiostream *
xtl_createlogger_stdiostream(FILE *f, xentoollog_level min_level,
                             unsigned flags)
{
    return malloc(1);
}

void xtl_logger_destroy(xentoollog_logger *logger)
{
    free(logger);
}

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned flags)
{
    return malloc(1);
}

int xc_interface_close(xc_interface *xch)
{
    free(xch);
    return 0;
}

xenforeignmemory_handle *xenforeignmemory_open(xentoollog_logger *logger,
                                               unsigned flags)
{
    return malloc(1);
}

int xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
    free(fmem);
    return 0;
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
    return 4 << 16 | 17;
}

int xc_shadow_control(xc_interface *xch, uint32_t domid, unsigned op,
                      unsigned *mb, unsigned mode)
{
    if (op == XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY)
        give();
    return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned n,
                          xc_domaininfo_t *info)
{
    if (xen.count_errno) {
        errno = xen.count_errno;
        return -1;
    }
    *info = (xc_domaininfo_t){
        .domain = DOMID,
        .flags = xen.pv ? 0 : XEN_DOMINF_hvm_guest,
        .tot_pages = nr_pages(),
        .max_pages = xen.max_pages,
        .shared_info_frame = SHARED_MFN,
    };
    return 1;
}

int xc_domain_nr_gpfns(xc_interface *xch, uint32_t domid, xen_pfn_t *gpfns)
{
    *gpfns = xen.nr_gpfns;
    return 0;
}

int xc_maximum_ram_page(xc_interface *xch, unsigned long *max_mfn)
{
    *max_mfn = xen.end_mfn;
    return 0;
}

int xc_machphys_mfn_list(xc_interface *xch, unsigned long n, xen_pfn_t *mfns)
{
    memset(mfns, 0, n * sizeof(*mfns));
    return 0;
}

int xc_domctl(xc_interface *xch, struct xen_domctl *op)
{
    op->u.address_size.size = 64;
    return 0;
}

/* libxenctrl exports it without a header that is installed */
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t domid, unsigned n,
                          xen_pfn_t *types);
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t domid, unsigned n,
                          xen_pfn_t *types)
{
    assert_true(n <= XC_XEN_TYPES_MAX);
    xen.asked += n;
    for (unsigned i = 0; i < n; i++)
        types[i] = (xen.pv ? types[i] != XC_INVALID_MFN : is_there(types[i]))
                       ? 0
                       : XEN_DOMCTL_PFINFO_XTAB;
    return 0;
}

void *xc__hypercall_buffer_alloc_pages(xc_interface *xch,
                                       xc_hypercall_buffer_t *b, int pages)
{
    b->hbuf = calloc((size_t)pages, XC_PAGE_SIZE);
    return b->hbuf;
}

void xc__hypercall_buffer_free_pages(xc_interface *xch,
                                     xc_hypercall_buffer_t *b, int pages)
{
    free(b->hbuf);
}

/* Nothing was written. */
long long xc_logdirty_control(xc_interface *xch, uint32_t domid, unsigned op,
                              xc_hypercall_buffer_t *words, unsigned long pages,
                              unsigned mode, xc_shadow_op_stats_t *stats)
{
    give();
    return (long long)pages;
}

static void fill_frame(uint64_t *at, xen_pfn_t mfn)
{
    if (mfn == SHARED_MFN)
        ((struct shared_info_x86_64 *)at)->arch.pfn_to_mfn_frame_list_list =
            ROOT_MFN;
    for (size_t i = 0; i < XC_PAGE_SIZE / sizeof(*at); i++) {
        if (mfn == ROOT_MFN)
            at[i] = LIST_MFN;
        else if (mfn == LIST_MFN)
            at[i] = P2M_MFN;
        else if (mfn == P2M_MFN)
            at[i] = FIRST_MFN + i;
    }
}

static void fill_m2p(uint64_t *at, size_t pages)
{
    for (size_t i = 0; i < pages * XC_PAGE_SIZE / sizeof(*at); i++)
        at[i] = i >= FIRST_MFN ? i - FIRST_MFN : XC_INVALID_PFN;
    at[P2M_MFN] = 0; /* the guest's own, and in its list */
}

void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom,
                           int prot, size_t n, const xen_pfn_t *gfns,
                           int *errors)
{
    uint8_t *at;

    if (dom == DOMID_XEN && xen.m2p_fails) {
        errno = ENOMEM;
        return NULL;
    }
    at = mmap(NULL, xc_pages_to_bytes(n), PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    if (dom == DOMID_XEN)
        fill_m2p((uint64_t *)(void *)at, n);
    for (size_t i = 0; dom != DOMID_XEN && i < n; i++) {
        if (errors)
            errors[i] = gfns[i] == XC_INVALID_MFN ? -EINVAL : 0;
        fill_frame((uint64_t *)(void *)(at + xc_pages_to_bytes(i)), gfns[i]);
    }
    return at;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *at, size_t n)
{
    return munmap(at, xc_pages_to_bytes(n));
}

/* ---- tests ---- */

/* What the first look at the guest gives. */
static int size_of(uint64_t nr_gpfns, bool pv)
{
    struct xc_hv_xen_params p = {.domid = DOMID};
    struct xc_hv_info info;
    struct xc_hv *hv;
    int rc;

    xen.pv = pv;
    xen.nr_gpfns = nr_gpfns;
    assert_int_equal(xc_hv_xen_open(&p, &hv), 0);
    rc = xc_hv_info(hv, &info);
    if (!rc)
        assert_int_equal(info.nr_pfns, nr_gpfns);
    xc_hv_close(hv);
    return rc;
}

static int reset(void **state)
{
    memset(&xen, 0, sizeof(xen));
    xen.max_pages = GIB_PAGES;
    xen.end_mfn = 16 * GIB_PAGES;
    return 0;
}

static void guest_that_was_larger_than_it_may_be_is_taken(void **state)
{
    for (int pv = 0; pv < 2; pv++)
        assert_int_equal(size_of(9 * GIB_PAGES, pv), 0);
}

static void guest_that_names_a_page_out_of_reach_is_refused(void **state)
{
    for (int pv = 0; pv < 2; pv++)
        assert_int_equal(size_of(TIB_PAGES + 1, pv), -ERANGE);
}

static void guest_of_more_than_1_tib_is_taken(void **state)
{
    xen.max_pages = 2 * TIB_PAGES;
    assert_int_equal(size_of(2 * TIB_PAGES + 4 * GIB_PAGES, false), 0);
    assert_int_equal(size_of(2 * TIB_PAGES + 4 * GIB_PAGES + 1, false),
                     -ERANGE);
}

static void guest_that_was_larger_than_1_tib_is_taken(void **state)
{
    xen.end_mfn = 2 * TIB_PAGES;
    assert_int_equal(size_of(2 * TIB_PAGES, false), 0);
}

static void guest_that_has_grown_is_noticed(void **state)
{
    struct xc_hv_xen_params p = {.domid = DOMID};
    struct xc_hv_info info;
    struct xc_hv *hv;

    xen.nr_gpfns = GIB_PAGES;
    assert_int_equal(xc_hv_xen_open(&p, &hv), 0);
    xen.nr_gpfns = GIB_PAGES - 1;
    assert_int_equal(xc_hv_info(hv, &info), 0);
    xen.nr_gpfns = GIB_PAGES + 1;
    assert_int_equal(xc_hv_info(hv, &info), -ERANGE);
    xc_hv_close(hv);
}

/* It has no pages yet. */
static void new_domain_is_not_asked_for_its_highest_page(void **state)
{
    struct xc_hv_xen_params p = {.domid = DOMID, .restore = true};
    struct xc_hv_info info;
    struct xc_hv *hv;

    xen.nr_gpfns = UINT64_MAX;
    assert_int_equal(xc_hv_xen_open(&p, &hv), 0);
    assert_int_equal(xc_hv_info(hv, &info), 0);
    assert_int_equal(info.nr_pfns, 4 * GIB_PAGES + xen.max_pages);
    xc_hv_close(hv);
}

static struct xc_hv *open_pv(void)
{
    struct xc_hv_xen_params p = {.domid = DOMID};
    struct xc_hv *hv;

    xen.pv = true;
    xen.nr_gpfns = PV_PFNS;
    assert_int_equal(xc_hv_xen_open(&p, &hv), 0);
    return hv;
}

static void frames_of_a_pv_guest_are_looked_up(void **state)
{
    struct xc_hv *hv = open_pv();
    xc_pfn_t pfns[] = {3, PV_PFNS - 1}, back[2];
    uint64_t mfns[2];
    uint32_t types[2];

    assert_int_equal(xc_hv_pv_mfns_of(hv, pfns, 2, mfns), 0);
    assert_int_equal(mfns[1], FIRST_MFN + PV_PFNS - 1);
    assert_int_equal(xc_hv_pv_pfns_of(hv, mfns, 2, back), 0);
    assert_memory_equal(back, pfns, sizeof(pfns));
    assert_int_equal(xc_hv_page_types(hv, pfns, 2, types), 0);
    assert_int_equal(types[0], 0);
    xc_hv_close(hv);
}

/* Pages must not be left out of a file because a lookup failed. */
static void table_that_cannot_be_mapped_is_an_error_everywhere(void **state)
{
    struct xc_hv *hv = open_pv();
    xc_pfn_t pfn = 3;
    uint64_t mfn = FIRST_MFN;
    struct xc_hv_buf frames;
    struct xc_pfn_run run;
    const void *page;
    uint32_t type;

    xen.m2p_fails = true;
    assert_int_equal(xc_hv_next_run(hv, 0, &run), -ENOMEM);
    assert_int_equal(xc_hv_page_types(hv, &pfn, 1, &type), -ENOMEM);
    assert_int_equal(xc_hv_map_batch(hv, &pfn, 1, &page), -ENOMEM);
    assert_int_equal(xc_hv_pv_pfns_of(hv, &mfn, 1, &pfn), -ENOMEM);
    assert_int_equal(xc_hv_pv_p2m_frames(hv, &frames), -ENOMEM);
    xc_hv_close(hv);
}

static void failed_lookup_is_not_forgotten(void **state)
{
    struct xc_hv *hv = open_pv();
    uint64_t mfn = FIRST_MFN;
    xc_pfn_t pfn;

    xen.m2p_fails = true;
    assert_int_equal(xc_hv_pv_pfns_of(hv, &mfn, 1, &pfn), -ENOMEM);
    xen.m2p_fails = false;
    assert_int_equal(xc_hv_pv_pfns_of(hv, &mfn, 1, &pfn), -ENOMEM);
    xc_hv_close(hv);
}

/* ---- where the pages are ---- */

/* Of 128 MiB and what Xen put below 4 GiB: as most small guests. */
static struct xc_hv *open_small(void)
{
    struct xc_hv_xen_params p = {.domid = DOMID};
    struct xc_hv *hv;

    if (!xen.nr_gpfns)
        xen.nr_gpfns = 0xff000;
    xen.runs[0] = (struct xc_pfn_run){0, 32768};
    xen.runs[1] = (struct xc_pfn_run){0xfeff8, 8};
    assert_int_equal(xc_hv_xen_open(&p, &hv), 0);
    return hv;
}

/* Each run that the guest has, in order, and no other. */
static void assert_runs(struct xc_hv *hv, const struct xc_pfn_run *runs,
                        size_t n)
{
    struct xc_pfn_run run = {0};

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(xc_hv_next_run(hv, run.first + run.count, &run), 0);
        assert_int_equal(run.first, runs[i].first);
        assert_int_equal(run.count, runs[i].count);
    }
    assert_int_equal(xc_hv_next_run(hv, run.first + run.count, &run), -ENOENT);
}

static void holes_behind_the_last_page_are_not_asked_about(void **state)
{
    struct xc_hv *hv = open_small();

    assert_runs(hv, xen.runs, 2);
    assert_true(xen.asked < xen.nr_gpfns / 4);
    xc_hv_close(hv);
}

static void page_far_from_the_others_is_found(void **state)
{
    struct xc_hv *hv = open_small();
    struct xc_pfn_run far = {0x50000, 1};

    xen.runs[2] = xen.runs[1];
    xen.runs[1] = far;
    assert_runs(hv, xen.runs, 3);
    xc_hv_close(hv);
}

static void page_that_is_counted_and_nowhere_ends_no_search(void **state)
{
    struct xc_hv *hv = open_small();

    xen.elsewhere = 1;
    assert_runs(hv, xen.runs, 2);
    assert_true(xen.asked >= xen.nr_gpfns);
    xc_hv_close(hv);
}

static void memory_on_both_sides_of_4_gib_is_found(void **state)
{
    struct xc_hv *hv;
    struct xc_hv_xen_params p = {.domid = DOMID};

    xen.nr_gpfns = 4 * GIB_PAGES + 2000;
    xen.runs[0] = (struct xc_pfn_run){0, 0xf0000};
    xen.runs[1] = (struct xc_pfn_run){0xfeff8, 8};
    xen.runs[2] = (struct xc_pfn_run){4 * GIB_PAGES, 1999};
    assert_int_equal(xc_hv_xen_open(&p, &hv), 0);
    assert_runs(hv, xen.runs, 3);
    xc_hv_close(hv);
}

/* The log of what the guest wrote, read once. */
static uint64_t first_dirty(struct xc_hv *hv, bool final)
{
    struct xc_bitmap dirty;
    uint64_t first;

    assert_int_equal(xc_bitmap_init(&dirty, hv->nr_pfns), 0);
    assert_int_equal(xc_hv_dirty_read_clear(hv, &dirty, final), 0);
    first = xc_bitmap_next(&dirty, 0);
    assert_true(first == hv->nr_pfns || xc_bitmap_count(&dirty) == 1);
    xc_bitmap_dispose(&dirty);
    return first;
}

static struct xc_hv *open_logging(void)
{
    struct xc_hv *hv = open_small();

    assert_int_equal(xc_hv_dirty_start(hv), 0);
    return hv;
}

/* It may have written to it before the log knew of it. */
static void page_that_a_running_guest_is_given_counts_as_written(void **state)
{
    struct xc_hv *hv = open_logging();

    assert_runs(hv, xen.runs, 2);
    assert_int_equal(first_dirty(hv, false), hv->nr_pfns);
    xen.runs[2] = (struct xc_pfn_run){0x50000, 1};
    assert_int_equal(first_dirty(hv, false), 0x50000);
    assert_int_equal(first_dirty(hv, true), hv->nr_pfns);
    xen.runs[3] = (struct xc_pfn_run){0x60000, 1};
    assert_int_equal(first_dirty(hv, true), 0x60000);
    xc_hv_close(hv);
}

static void page_given_while_the_log_is_switched_on_counts(void **state)
{
    struct xc_hv *hv;

    xen.given = (struct xc_pfn_run){40000, 1};
    hv = open_logging();
    assert_runs(hv, xen.runs, 2);
    assert_int_equal(first_dirty(hv, false), 40000);
    xc_hv_close(hv);
}

/* Until then its log had nothing of what was written to it. */
static void page_given_while_the_log_is_read_counts_the_next_time(void **state)
{
    struct xc_hv *hv = open_logging();

    xen.given = (struct xc_pfn_run){40000, 1};
    assert_int_equal(first_dirty(hv, false), hv->nr_pfns);
    assert_int_equal(first_dirty(hv, false), 40000);
    xc_hv_close(hv);
}

static void page_given_back_and_given_again_counts(void **state)
{
    struct xc_hv *hv = open_logging();

    xen.runs[0].count--;
    assert_int_equal(first_dirty(hv, false), hv->nr_pfns);
    xen.runs[0].count++;
    assert_int_equal(first_dirty(hv, false), xen.runs[0].count - 1);
    xc_hv_close(hv);
}

/* Its number is no multiple of a word's bits. */
static void last_page_of_all_counts_when_the_guest_stands(void **state)
{
    struct xc_hv *hv;

    xen.nr_gpfns = 0xff000 + 3;
    hv = open_logging();
    xen.runs[2] = (struct xc_pfn_run){hv->nr_pfns - 1, 1};
    assert_int_equal(first_dirty(hv, true), hv->nr_pfns - 1);
    xc_hv_close(hv);
}

static void verifying_looks_at_a_guest_that_stands_anew(void **state)
{
    struct xc_hv *hv = open_logging();

    assert_int_equal(first_dirty(hv, true), hv->nr_pfns);
    xen.runs[0].count--;
    xen.runs[2] = xen.runs[1];
    xen.runs[1] = (struct xc_pfn_run){40000, 1};
    assert_runs(hv, xen.runs, 3);
    xc_hv_close(hv);
}

static void pages_that_cannot_be_counted_fail_the_save(void **state)
{
    struct xc_hv *hv = open_logging();
    struct xc_bitmap dirty;

    assert_int_equal(xc_bitmap_init(&dirty, hv->nr_pfns), 0);
    xen.count_errno = EPERM;
    assert_int_equal(xc_hv_dirty_read_clear(hv, &dirty, false), -EPERM);
    assert_int_equal(xc_hv_dirty_read_clear(hv, &dirty, true), -EPERM);
    xc_bitmap_dispose(&dirty);
    xc_hv_close(hv);
}

static void types_of_a_full_batch_are_each_its_own(void **state)
{
    struct xc_hv *hv = open_small();
    xc_pfn_t pfns[XC_BATCH_MAX];
    uint32_t types[XC_BATCH_MAX];

    for (size_t i = 0; i < XC_BATCH_MAX; i++)
        pfns[i] = i % 3 ? i : 0x50000 + i;
    assert_int_equal(xc_hv_page_types(hv, pfns, XC_BATCH_MAX, types), 0);
    for (size_t i = 0; i < XC_BATCH_MAX; i++)
        assert_int_equal(types[i], i % 3 ? 0 : XEN_DOMCTL_PFINFO_XTAB);
    xc_hv_close(hv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(guest_that_was_larger_than_it_may_be_is_taken,
                               reset),
        cmocka_unit_test_setup(guest_that_names_a_page_out_of_reach_is_refused,
                               reset),
        cmocka_unit_test_setup(guest_of_more_than_1_tib_is_taken, reset),
        cmocka_unit_test_setup(guest_that_was_larger_than_1_tib_is_taken,
                               reset),
        cmocka_unit_test_setup(guest_that_has_grown_is_noticed, reset),
        cmocka_unit_test_setup(new_domain_is_not_asked_for_its_highest_page,
                               reset),
        cmocka_unit_test_setup(frames_of_a_pv_guest_are_looked_up, reset),
        cmocka_unit_test_setup(
            table_that_cannot_be_mapped_is_an_error_everywhere, reset),
        cmocka_unit_test_setup(failed_lookup_is_not_forgotten, reset),
        cmocka_unit_test_setup(holes_behind_the_last_page_are_not_asked_about,
                               reset),
        cmocka_unit_test_setup(page_far_from_the_others_is_found, reset),
        cmocka_unit_test_setup(page_that_is_counted_and_nowhere_ends_no_search,
                               reset),
        cmocka_unit_test_setup(memory_on_both_sides_of_4_gib_is_found, reset),
        cmocka_unit_test_setup(
            page_that_a_running_guest_is_given_counts_as_written, reset),
        cmocka_unit_test_setup(page_given_while_the_log_is_switched_on_counts,
                               reset),
        cmocka_unit_test_setup(
            page_given_while_the_log_is_read_counts_the_next_time, reset),
        cmocka_unit_test_setup(page_given_back_and_given_again_counts, reset),
        cmocka_unit_test_setup(last_page_of_all_counts_when_the_guest_stands,
                               reset),
        cmocka_unit_test_setup(verifying_looks_at_a_guest_that_stands_anew,
                               reset),
        cmocka_unit_test_setup(pages_that_cannot_be_counted_fail_the_save,
                               reset),
        cmocka_unit_test_setup(types_of_a_full_batch_are_each_its_own, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
