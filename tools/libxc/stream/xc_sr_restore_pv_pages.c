/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_restore_pv_pages.c - a PV guest's pages: their types, and page tables
 * in which machine frames of this host stand for PFNs again.
 *
 * A table may name a page that has not come yet: it is made on the spot, and
 * owed until its data come. What is owed at END was never sent: zeros, and not
 * what the frame's last owner left.
 */
#include <errno.h>
#include <string.h>

#include "stream/xc_sr_pv_table.h"
#include "stream/xc_sr_report.h"
#include "stream/xc_sr_restore_priv.h"

void xc_sr_restore_pv_note(struct xc_sr_restore *r, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        xc_pfn_t pfn = xc_sr_pd_pfn(r->entries[i]);
        uint32_t type = xc_sr_pd_type(r->entries[i]);

        /* also that of a page that is gone: what it held is no table now */
        if (type == XC_PT_XALLOC)
            type = XC_PT_NOTAB;
        r->pv.types[pfn] = (uint8_t)(type >> 28);
    }
}

void xc_sr_restore_pv_came(struct xc_sr_restore *r, uint32_t count)
{
    for (uint32_t i = 0; r->pv.owed.bits && i < count; i++)
        if (xc_sr_type_in_ram(xc_sr_pd_type(r->entries[i])))
            xc_bitmap_clear(&r->pv.owed, xc_sr_pd_pfn(r->entries[i]));
}

static int fail_table(struct xc_sr_restore *r, int rc, xc_pfn_t pfn,
                      const char *what)
{
    return xc_sr_rec_fail(r, rc, "guest state: the page table at PFN %#llx: %s",
                          (unsigned long long)pfn, what);
}

static int make_named(struct xc_sr_restore *r, const xc_pfn_t *pfns, size_t n)
{
    int rc = 0;

    if (!r->pv.owed.bits)
        rc = xc_bitmap_init(&r->pv.owed, r->info.nr_pfns);
    for (size_t i = 0; !rc && i < n; i++)
        if (!xc_sr_populated(&r->populate, pfns[i]))
            xc_bitmap_set(&r->pv.owed, pfns[i]);
    return rc ? rc : xc_sr_populate(&r->populate, pfns, n);
}

static int turn_table(struct xc_sr_restore *r, xc_pfn_t pfn, uint8_t *page)
{
    xc_pfn_t pfns[XC_SR_TABLE_ENTRIES];
    uint64_t mfns[XC_SR_TABLE_ENTRIES];
    size_t n = xc_sr_table_frames(page, pfns);
    int rc;

    for (size_t i = 0; i < n; i++)
        if (pfns[i] >= r->pv.nr_pfns)
            return fail_table(r, -EPROTO, pfn,
                              "it names a page outside the "
                              "guest");
    rc = make_named(r, pfns, n);
    if (rc)
        return fail_table(r, rc, pfn, "what it names cannot be allocated");
    rc = xc_hv_pv_mfns_of(r->p->hv, pfns, n, mfns);
    for (size_t i = 0; !rc && i < n; i++)
        if (mfns[i] == XC_INVALID_MFN)
            rc = -EIO;
    if (rc)
        return fail_table(r, rc, pfn,
                          "the frames of what it names are not "
                          "known");
    xc_sr_table_set_frames(page, mfns);
    return 0;
}

int xc_sr_restore_pv_tables(struct xc_sr_restore *r, const xc_pfn_t *pfns,
                            size_t n, uint8_t *data)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++) {
        uint32_t type = (uint32_t)r->pv.types[pfns[i]] << 28;
        unsigned level = xc_sr_table_level(type);

        if (level > r->pv.levels)
            return fail_table(r, -EPROTO, pfns[i], "a 32-bit guest has no L4");
        if (level)
            rc = turn_table(r, pfns[i], data + xc_pages_to_bytes(i));
    }
    return rc;
}

int xc_sr_restore_pv_owed(struct xc_sr_restore *r)
{
    const struct xc_bitmap *owed = &r->pv.owed;
    xc_pfn_t pfns[XC_BATCH_MAX];
    xc_pfn_t pfn = 0;
    int rc = 0;

    while (!rc && pfn < owed->bits) {
        size_t n = 0;

        while (n < XC_BATCH_MAX) {
            pfn = xc_bitmap_next(owed, pfn);
            if (pfn >= owed->bits)
                break;
            pfns[n++] = pfn++;
        }
        if (n)
            rc = xc_hv_zero_pages(r->p->hv, pfns, n);
    }
    if (rc)
        return xc_sr_rec_fail(r, rc,
                              "cannot clear pages that were not sent "
                              "(%s): %s",
                              xc_hv_name(r->p->hv), strerror(-rc));
    return 0;
}
