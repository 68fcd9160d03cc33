/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_tables.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/xc_sr_batch.h"
#include "stream/xc_sr_pv_table.h"
#include "stream/xc_sr_report.h"

int xc_sr_tables_init(struct xc_sr_tables *t, struct xc_hv *hv,
                      const struct xc_sr_callbacks *cb)
{
    struct xc_hv_pv_info info;
    int rc = xc_hv_pv_info(hv, &info);

    *t = (struct xc_sr_tables){
        .hv = hv,
        .cb = cb,
        .width = info.width,
        .compat_m2p_mfn = info.compat_m2p_mfn,
    };
    if (rc)
        return xc_sr_fail(cb, rc, "cannot learn about the PV guest (%s): %s",
                          xc_hv_name(hv), strerror(-rc));
    rc = xc_bitmap_init(&t->deferred, hv->nr_pfns);
    if (rc)
        return xc_sr_fail(cb, rc, "no memory for the set of page tables");
    return 0;
}

void xc_sr_tables_dispose(struct xc_sr_tables *t)
{
    xc_bitmap_dispose(&t->deferred);
    free(t->copies);
    t->copies = NULL;
}

void xc_sr_tables_begin(struct xc_sr_tables *t)
{
    t->used = 0;
}

static uint8_t *next_copy(struct xc_sr_tables *t)
{
    assert(t->used < XC_SR_BATCH_PAGES);
    if (!t->copies)
        t->copies = malloc(xc_pages_to_bytes(XC_SR_BATCH_PAGES));
    return t->copies ? t->copies + xc_pages_to_bytes(t->used++) : NULL;
}

/* NULL, or what is wrong with the table. */
static const char *translate(struct xc_sr_tables *t, uint8_t *page,
                             unsigned level, int *rc)
{
    uint64_t frames[XC_SR_TABLE_ENTRIES];
    xc_pfn_t pfns[XC_SR_TABLE_ENTRIES];
    size_t n;

    *rc = 0;
    if (level == 4 && t->width == 4)
        return "a 32-bit guest has no L4";
    xc_sr_table_drop_xen(page, t->width, level, t->compat_m2p_mfn);
    if (xc_sr_table_has_superpage(page, level))
        return "it maps a superpage, which a stream cannot carry";
    n = xc_sr_table_frames(page, frames);
    *rc = xc_hv_pv_pfns_of(t->hv, frames, n, pfns);
    if (*rc)
        return "its frames cannot be looked up";
    for (size_t i = 0; i < n; i++)
        if (pfns[i] == XC_INVALID_PFN)
            return "it maps a frame that is not the guest's";
    xc_sr_table_set_frames(page, pfns);
    return NULL;
}

int xc_sr_tables_copy(struct xc_sr_tables *t, xc_pfn_t pfn, uint32_t type,
                      const void **page)
{
    unsigned level = xc_sr_table_level(type);
    uint8_t *copy = next_copy(t);
    const char *wrong;
    int rc;

    if (!copy)
        return xc_sr_fail(t->cb, -ENOMEM, "no memory to copy page tables");
    memcpy(copy, *page, XC_PAGE_SIZE);
    wrong = translate(t, copy, level, &rc);
    if (rc || (wrong && t->guest_stands))
        return xc_sr_fail(t->cb, rc ? rc : -ERANGE,
                          "the guest's L%u page table at PFN %#llx: %s", level,
                          (unsigned long long)pfn, wrong);
    *page = copy;
    if (wrong) {
        xc_bitmap_set(&t->deferred, pfn);
        *page = NULL;
    }
    return 0;
}
