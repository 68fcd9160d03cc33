/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_restore_pv_end.c - END of a PV guest's stream, when all pages are
 * there:
 *
 *   zeros where nothing came -> start info -> vCPUs -> pin tables -> p2m
 *
 * The domain checks tables as soon as a vCPU names them; from then on they
 * cannot be written to.
 */
#include <errno.h>
#include <string.h>

#include "stream/xc_sr_pv_layout.h"
#include "stream/xc_sr_report.h"
#include "stream/xc_sr_restore_priv.h"

static int fail_end(struct xc_sr_restore *r, int rc, const char *what)
{
    return xc_sr_rec_fail(r, rc, "cannot %s (%s): %s", what,
                          xc_hv_name(r->p->hv), strerror(-rc));
}

static int fail_guest(struct xc_sr_restore *r, const char *what)
{
    return xc_sr_rec_fail(r, -EPROTO, "guest state: %s", what);
}

/* The frame of a page that has come with that type; XC_INVALID_MFN: none. */
static uint64_t mfn_of(struct xc_sr_restore *r, xc_pfn_t pfn, uint32_t type)
{
    uint64_t mfn;

    if (pfn >= r->pv.nr_pfns ||
        ((uint32_t)r->pv.types[pfn] << 28 & ~XC_PT_PINNED) != type ||
        xc_hv_pv_mfns_of(r->p->hv, &pfn, 1, &mfn))
        return XC_INVALID_MFN;
    return mfn;
}

/* ---- start info ---- */

/* A page that the toolstack talks with the guest through: its frame. */
static bool turn_ring(struct xc_sr_restore *r, uint8_t *page, size_t frame_at,
                      size_t port_at, uint32_t port, xc_pfn_t *out)
{
    unsigned width = r->pv.width;
    uint64_t mfn = mfn_of(r, xc_sr_word(page, frame_at, width), XC_PT_NOTAB);

    if (mfn == XC_INVALID_MFN)
        return false;
    xc_sr_set_word(page, frame_at, width, mfn);
    xc_sr_set_u32(page, port_at, port);
    *out = mfn;
    return true;
}

static int turn_start_info(struct xc_sr_restore *r, uint8_t *page)
{
    const struct xc_sr_start_info_layout *l =
        xc_sr_start_info_layout(r->pv.width);
    unsigned width = r->pv.width;

    if (!turn_ring(r, page, l->store_frame, l->store_port,
                   r->pv.info.store_port, &r->result->store_pfn))
        return fail_guest(r, "start info names no page for xenstore");
    if (!turn_ring(r, page, l->console_frame, l->console_port,
                   r->pv.info.console_port, &r->result->console_pfn))
        return fail_guest(r, "start info names no page for the console");
    xc_sr_set_word(page, l->nr_pages, width, r->pv.nr_pfns);
    xc_sr_set_word(page, l->shared_info, width,
                   xc_pages_to_bytes(r->pv.info.shared_info_mfn));
    xc_sr_set_u32(page, l->flags, 0);
    return 0;
}

static int restore_start_info(struct xc_sr_restore *r, xc_pfn_t pfn)
{
    uint8_t page[XC_PAGE_SIZE];
    const void *at;
    int rc = xc_hv_map_batch(r->p->hv, &pfn, 1, &at);

    if (rc)
        return fail_end(r, rc, "map start info");
    memcpy(page, at, sizeof(page));
    xc_hv_unmap_batch(r->p->hv);
    rc = turn_start_info(r, page);
    if (rc)
        return rc;
    rc = xc_hv_write_pages(r->p->hv, &pfn, 1, page);
    return rc ? fail_end(r, rc, "write start info") : 0;
}

/* ---- vCPUs ---- */

static bool turn_word(struct xc_sr_restore *r, uint8_t *ctx, size_t at)
{
    unsigned width = r->pv.width;
    uint64_t mfn = mfn_of(r, xc_sr_word(ctx, at, width), XC_PT_NOTAB);

    xc_sr_set_word(ctx, at, width, mfn);
    return mfn != XC_INVALID_MFN;
}

static bool turn_gdt(struct xc_sr_restore *r, uint8_t *ctx)
{
    unsigned width = r->pv.width;
    uint64_t n = xc_sr_gdt_frames(ctx, width);
    bool ok = n <= XC_SR_GDT_FRAMES_MAX;

    for (uint64_t i = 0; ok && i < n; i++)
        ok =
            turn_word(r, ctx, xc_sr_vcpu_layout(width)->gdt_frames + i * width);
    return ok;
}

static bool turn_table_word(struct xc_sr_restore *r, uint8_t *ctx, size_t at)
{
    unsigned width = r->pv.width;
    uint64_t cr3 = xc_sr_word(ctx, at, width);
    uint64_t mfn =
        mfn_of(r, xc_sr_cr3_frame(cr3, width), (uint32_t)r->pv.levels << 28);

    xc_sr_set_word(ctx, at, width, xc_sr_frame_cr3(mfn, width));
    return mfn != XC_INVALID_MFN;
}

static int turn_basic(struct xc_sr_restore *r, uint32_t vcpu, uint8_t *ctx)
{
    unsigned width = r->pv.width;
    const struct xc_sr_vcpu_layout *l = xc_sr_vcpu_layout(width);
    xc_pfn_t start_info = xc_sr_word(ctx, l->start_info, width);
    int rc;

    if (vcpu == 0) {
        if (!turn_word(r, ctx, l->start_info))
            return fail_guest(r, "vCPU 0 does not name start info");
        rc = restore_start_info(r, start_info);
        if (rc)
            return rc;
    }
    if (!turn_gdt(r, ctx))
        return fail_guest(r, "a vCPU's GDT is not in the guest's memory");
    if (!turn_table_word(r, ctx, l->top_table))
        return fail_guest(r, "a vCPU's page table is none of the top level");
    /* bit 0 says that there is one; Xen itself wants none */
    if (l->user_table && (xc_sr_word(ctx, l->user_table, width) & 1) &&
        !turn_table_word(r, ctx, l->user_table))
        return fail_guest(r, "a vCPU's user page table is none of the top "
                             "level");
    return 0;
}

static int load_vcpu(struct xc_sr_restore *r, uint32_t vcpu)
{
    struct xc_hv_buf *parts = r->pv.vcpus[vcpu];
    int rc = 0;

    if (!parts[XC_HV_VCPU_BASIC].data)
        return 0; /* not online */
    rc = turn_basic(r, vcpu, parts[XC_HV_VCPU_BASIC].data);
    if (rc)
        return rc;
    for (int part = 0; !rc && part < XC_HV_VCPU_PARTS; part++)
        if (parts[part].data)
            rc = xc_hv_pv_set_vcpu(r->p->hv, vcpu, (enum xc_hv_vcpu_part)part,
                                   parts[part].data, parts[part].bytes);
    return rc ? fail_end(r, rc, "load a vCPU") : 0;
}

/* ---- page tables and p2m ---- */

static int pin_tables(struct xc_sr_restore *r)
{
    xc_pfn_t pfns[XC_BATCH_MAX];
    uint32_t types[XC_BATCH_MAX];
    size_t n = 0;
    int rc = 0;

    for (xc_pfn_t pfn = 0; !rc && pfn < r->pv.nr_pfns; pfn++) {
        uint32_t type = (uint32_t)r->pv.types[pfn] << 28;

        if (!(type & XC_PT_PINNED) || type >= XC_PT_BROKEN)
            continue;
        pfns[n] = pfn;
        types[n++] = type;
        if (n == XC_BATCH_MAX) {
            rc = xc_hv_pv_pin(r->p->hv, pfns, types, n);
            n = 0;
        }
    }
    if (!rc && n)
        rc = xc_hv_pv_pin(r->p->hv, pfns, types, n);
    return rc ? fail_end(r, rc, "pin the guest's page tables") : 0;
}

/* One frame of the p2m: where the pages from 'first' on are now. */
static int write_p2m_frame(struct xc_sr_restore *r, xc_pfn_t at, xc_pfn_t first)
{
    unsigned width = r->pv.width;
    size_t n = XC_PAGE_SIZE / width;
    uint8_t page[XC_PAGE_SIZE];
    xc_pfn_t pfns[XC_PAGE_SIZE / 4];
    uint64_t mfns[XC_PAGE_SIZE / 4];
    size_t there = 0;
    int rc;

    if (mfn_of(r, at, XC_PT_NOTAB) == XC_INVALID_MFN)
        return fail_guest(r, "a frame of its p2m did not come");
    while (there < n && first + there < r->pv.nr_pfns) {
        pfns[there] = first + there;
        there++;
    }
    rc = xc_hv_pv_mfns_of(r->p->hv, pfns, there, mfns);
    if (rc)
        return fail_end(r, rc, "look up the guest's frames");
    for (size_t i = 0; i < n; i++)
        xc_sr_set_word(page, i * width, width,
                       i < there ? mfns[i] : XC_INVALID_MFN);
    rc = xc_hv_write_pages(r->p->hv, &at, 1, page);
    return rc ? fail_end(r, rc, "write the guest's p2m") : 0;
}

static int write_p2m(struct xc_sr_restore *r)
{
    uint64_t per_frame = XC_PAGE_SIZE / r->pv.width;
    int rc = 0;

    for (xc_pfn_t pfn = 0; !rc && pfn < r->pv.nr_pfns; pfn += per_frame)
        rc = write_p2m_frame(r, r->pv.p2m_frames[pfn / per_frame], pfn);
    return rc;
}

static int check_complete(struct xc_sr_restore *r)
{
    if (!xc_sr_order_seen(&r->order, XC_REC_SHARED_INFO))
        return xc_sr_rec_fail(r, -EPROTO, "the stream has no SHARED_INFO");
    if (!r->pv.vcpus[0][XC_HV_VCPU_BASIC].data)
        return xc_sr_rec_fail(r, -EPROTO,
                              "the stream has no X86_PV_VCPU_BASIC of vCPU 0");
    return 0;
}

int xc_sr_restore_pv_end(struct xc_sr_restore *r)
{
    int rc = check_complete(r);

    if (!rc)
        rc = xc_sr_restore_pv_owed(r);
    for (uint32_t vcpu = 0; !rc && vcpu < r->pv.info.nr_vcpus; vcpu++)
        rc = load_vcpu(r, vcpu);
    if (!rc)
        rc = pin_tables(r);
    return rc ? rc : write_p2m(r);
}
