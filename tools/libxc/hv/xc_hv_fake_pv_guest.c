/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_fake_pv_guest.c - what a fake PV guest keeps in its memory:
 *
 *   0 start info, 1 GDT, 2 L4 (a 32-bit guest has none), 3 L3, 4 L2, 5-7 L1,
 *   8... its p2m, then anything; the last two pages: store and console
 *
 * While it runs, entries of its L1 tables change, and one may name a frame that
 * is not its own; it puts that right before it is suspended.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hv/xc_hv_fake_priv.h"

#define START_INFO 0u
#define GDT 1u
#define L4 2u
#define L3 3u
#define L2 4u
#define L1_FIRST 5u
#define NR_L1 3u
#define FLAGS UINT64_C(0x67)
#define STRAY_SLOT 500u
#define STRAY_MFN UINT64_C(0x999)

struct place {
    size_t bytes, start_info, gdt_frames, gdt_ents, user_table, top_table;
};

static struct place vcpu_place(const struct fake *f)
{
    if (f->pv.width == 8)
        return (struct place){5168, 616, 4832, 4960, 4992, 5008};
    return (struct place){2800, 524, 2640, 2704, 0, 2728};
}

static xc_pfn_t fixed_end(const struct fake *f)
{
    uint64_t per_frame = XC_PAGE_SIZE / f->pv.width;

    return XC_FAKE_PV_P2M_PFN + (f->base.nr_pfns + per_frame - 1) / per_frame;
}

bool xc_hv_fake_pv_may_write(const struct fake *f, xc_pfn_t pfn)
{
    return pfn >= fixed_end(f) && f->pv.p2m[pfn];
}

static void set_pte(struct fake *f, xc_pfn_t table, size_t slot, uint64_t mfn)
{
    uint64_t e = mfn << XC_PAGE_SHIFT | FLAGS;

    memcpy(xc_hv_fake_page(f, table) + 8 * slot, &e, sizeof(e));
    xc_hv_fake_note_write(f, table);
}

/* Any page of the guest's that is no table. */
static xc_pfn_t some_page(struct fake *f)
{
    xc_pfn_t end = fixed_end(f), pfn;

    pfn = end + xc_hv_fake_random(f) % (f->base.nr_pfns - end);
    return f->pv.p2m[pfn] ? pfn : START_INFO;
}

static void map_some_page(struct fake *f)
{
    xc_pfn_t table = L1_FIRST + xc_hv_fake_random(f) % NR_L1;
    size_t slot = xc_hv_fake_random(f) % STRAY_SLOT;

    set_pte(f, table, slot, f->pv.p2m[some_page(f)]);
}

void xc_hv_fake_pv_run(struct fake *f)
{
    for (unsigned i = 0; i < 4; i++)
        map_some_page(f);
    if (xc_hv_fake_random(f) % 3)
        return;
    set_pte(f, L1_FIRST, STRAY_SLOT, STRAY_MFN);
    f->pv.strayed = true;
}

void xc_hv_fake_pv_settle(struct fake *f)
{
    if (f->pv.strayed)
        set_pte(f, L1_FIRST, STRAY_SLOT, f->pv.p2m[START_INFO]);
    f->pv.strayed = false;
}

static void make_tables(struct fake *f)
{
    unsigned top = f->pv.width == 8 ? 4 : 3;

    for (xc_pfn_t pfn = L4; pfn < L1_FIRST + NR_L1; pfn++)
        memset(xc_hv_fake_page(f, pfn), 0, XC_PAGE_SIZE);
    if (top == 4)
        set_pte(f, L4, 272, f->pv.p2m[L3]);
    set_pte(f, L3, 1, f->pv.p2m[L2]);
    for (unsigned i = 0; i < NR_L1; i++)
        set_pte(f, L2, 7 * i, f->pv.p2m[L1_FIRST + i]);
    for (unsigned i = 0; i < 300; i++)
        map_some_page(f);
    f->pv.types[L4] = top == 4 ? 0xc : 0;
    f->pv.types[L3] = top == 4 ? 3 : 0xb;
    f->pv.types[L2] = 2;
    for (unsigned i = 0; i < NR_L1; i++)
        f->pv.types[L1_FIRST + i] = 1;
    f->pv.types[L1_FIRST] |= 8; /* pinned by itself too */
}

static void make_p2m(struct fake *f)
{
    uint8_t *at = xc_hv_fake_page(f, XC_FAKE_PV_P2M_PFN);

    memset(at, 0xff, xc_pages_to_bytes(fixed_end(f) - XC_FAKE_PV_P2M_PFN));
    for (xc_pfn_t pfn = 0; pfn < f->base.nr_pfns; pfn++)
        if (f->pv.p2m[pfn])
            memcpy(at + pfn * f->pv.width, &f->pv.p2m[pfn], f->pv.width);
}

/* The guest has turned the frames into PFNs, as it does when suspended. */
static void make_start_info(struct fake *f)
{
    uint8_t *page = xc_hv_fake_page(f, START_INFO);
    xc_pfn_t store = f->base.nr_pfns - 1, console = store - 1;
    size_t w = f->pv.width;

    memset(page, 0, XC_PAGE_SIZE);
    memcpy(page, "xen-3.0-x86", sizeof("xen-3.0-x86"));
    memcpy(page + (w == 8 ? 56 : 44), &store, w);
    memcpy(page + (w == 8 ? 72 : 52), &console, w);
}

static void set_word(const struct fake *f, uint8_t *at, uint64_t value)
{
    memcpy(at, &value, f->pv.width);
}

static void make_basic(struct fake *f, uint32_t vcpu, uint8_t *ctx)
{
    struct place at = vcpu_place(f);
    uint64_t top = f->pv.p2m[f->pv.width == 8 ? L4 : L3];
    uint32_t low = (uint32_t)top;

    set_word(f, ctx + at.start_info, vcpu ? 5 : f->pv.p2m[START_INFO]);
    memset(ctx + at.gdt_frames, 0, 16 * f->pv.width);
    set_word(f, ctx + at.gdt_frames, f->pv.p2m[GDT]);
    set_word(f, ctx + at.gdt_ents, 33);
    if (at.user_table)
        set_word(f, ctx + at.user_table, vcpu ? 0 : top << XC_PAGE_SHIFT);
    set_word(f, ctx + at.top_table,
             f->pv.width == 8 ? top << XC_PAGE_SHIFT : low << 12 | low >> 20);
}

static int make_vcpu(struct fake *f, uint32_t vcpu)
{
    const size_t sizes[XC_HV_VCPU_PARTS] = {
        [XC_HV_VCPU_BASIC] = vcpu_place(f).bytes,
        [XC_HV_VCPU_EXTENDED] = 64,
        [XC_HV_VCPU_XSAVE] = 592,
        [XC_HV_VCPU_MSRS] = 2 * 16,
    };

    for (int part = 0; part < XC_HV_VCPU_PARTS; part++) {
        uint8_t *bytes = malloc(sizes[part]);

        if (!bytes)
            return -ENOMEM;
        for (size_t i = 0; i < sizes[part]; i++)
            bytes[i] = (uint8_t)xc_hv_fake_random(f);
        if (part == XC_HV_VCPU_BASIC)
            make_basic(f, vcpu, bytes);
        f->pv.vcpus[vcpu][part] = (struct xc_hv_buf){bytes, sizes[part]};
    }
    return 0;
}

int xc_hv_fake_pv_seed(struct fake *f)
{
    xc_pfn_t nr = f->base.nr_pfns, pfn;
    int rc;

    if (nr < fixed_end(f) + 16)
        return -EINVAL;
    for (pfn = 0; pfn < fixed_end(f); pfn++)
        xc_bitmap_set(&f->touched, pfn);
    xc_bitmap_set(&f->touched, nr - 2);
    xc_bitmap_set(&f->touched, nr - 1);
    /* the other way round than populate would */
    for (pfn = nr; pfn-- > 0;)
        if (xc_bitmap_test(&f->touched, pfn))
            xc_hv_fake_pv_adopt(f, pfn);
    make_tables(f);
    make_p2m(f);
    make_start_info(f);
    for (size_t i = 0; i < XC_PAGE_SIZE; i++)
        f->pv.shared_info[i] = (uint8_t)xc_hv_fake_random(f);
    rc = make_vcpu(f, 0);
    return rc ? rc : make_vcpu(f, XC_FAKE_VCPUS - 1); /* the others: offline */
}
