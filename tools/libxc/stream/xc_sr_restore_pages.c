/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_restore_pages.c - one PAGE_DATA record:
 *
 *   count -> entries -> check them all -> pages without data (made, zeroed)
 *   -> pages with data, XC_BATCH_MAX at a time: make, fetch, write
 *
 * Behind VERIFY nothing is written, everything is compared. Where a PFN stands
 * twice in one record, its data win.
 */
#include <errno.h>
#include <string.h>

#include "base/xc_zero.h"
#include "stream/xc_sr_report.h"
#include "stream/xc_sr_restore_priv.h"

#define TELL_EVERY_NS UINT64_C(100000000)
#define MISMATCHES_NAMED 10

typedef int (*pages_fn)(struct xc_sr_restore *r, const xc_pfn_t *pfns,
                        size_t n);

static bool verifying(const struct xc_sr_restore *r)
{
    return r->order.phase == XC_SR_VERIFYING;
}

static int check_entry(struct xc_sr_restore *r, uint32_t i)
{
    xc_pfn_t pfn = xc_sr_pd_pfn(r->entries[i]);
    uint32_t type = xc_sr_pd_type(r->entries[i]);
    xc_pfn_t end =
        r->info.type == XC_GUEST_PV ? r->pv.nr_pfns : r->info.nr_pfns;

    if (!xc_sr_type_known(type))
        return xc_sr_rec_fail(r, -EPROTO,
                              "entry %u (PFN %#llx) has the reserved page "
                              "type %u",
                              i, (unsigned long long)pfn, type >> 28);
    if (r->info.type != XC_GUEST_PV && type != XC_PT_NOTAB &&
        type < XC_PT_BROKEN)
        return xc_sr_rec_fail(r, -EPROTO,
                              "entry %u (PFN %#llx) is a page table, which an "
                              "HVM guest has not",
                              i, (unsigned long long)pfn);
    if (pfn >= end)
        return xc_sr_rec_fail(r, -EPROTO,
                              "entry %u: PFN %#llx lies outside the domain, "
                              "which ends at %#llx",
                              i, (unsigned long long)pfn,
                              (unsigned long long)end);
    return 0;
}

static int read_entries(struct xc_sr_restore *r, uint32_t *count)
{
    uint8_t head[sizeof(struct xc_wire_page_data)];
    struct xc_span s = xc_span_of(head, sizeof(head));
    const char *broken;
    int rc = xc_sr_rec_read(r, head, sizeof(head));

    if (rc)
        return rc;
    broken = xc_sr_get_page_data(&s, r->record.length, count);
    if (broken)
        return xc_sr_rec_fail(r, -EPROTO, "count %u: %s", *count, broken);
    rc = xc_sr_rec_read(r, r->entries, (size_t)*count * 8);
    if (rc)
        return rc;
    s = xc_span_of(r->entries, (size_t)*count * 8);
    for (uint32_t i = 0; i < *count; i++)
        r->entries[i] = xc_span_le64(&s);
    return 0;
}

static int check_entries(struct xc_sr_restore *r, uint32_t count)
{
    uint64_t nr_data = 0, length;
    int rc;

    for (uint32_t i = 0; i < count; i++) {
        rc = check_entry(r, i);
        if (rc)
            return rc;
        nr_data += xc_sr_type_has_data(xc_sr_pd_type(r->entries[i]));
    }
    length = sizeof(struct xc_wire_page_data) + (uint64_t)count * 8 +
             xc_pages_to_bytes(nr_data);
    if (r->record.length != length)
        return xc_sr_rec_fail(r, -EPROTO,
                              "%u entries of which %llu have data make %llu "
                              "bytes",
                              count, (unsigned long long)nr_data,
                              (unsigned long long)length);
    return 0;
}

static int fail_hv(struct xc_sr_restore *r, int rc, const char *what,
                   const xc_pfn_t *pfns, size_t n)
{
    return xc_sr_rec_fail(r, rc,
                          "cannot %s %zu pages from PFN %#llx on (%s): "
                          "%s",
                          what, n, (unsigned long long)pfns[0],
                          xc_hv_name(r->p->hv), strerror(-rc));
}

static void name_mismatch(struct xc_sr_restore *r, xc_pfn_t pfn)
{
    enum xc_log_level level = r->info.qemu_host ? XC_LOG_ERROR : XC_LOG_WARN;

    if (r->mismatches++ < MISMATCHES_NAMED)
        xc_sr_note(&r->p->cb, level,
                   "verify: PFN %#llx differs from what was sent before",
                   (unsigned long long)pfn);
}

static int compare_pages(struct xc_sr_restore *r, const xc_pfn_t *pfns,
                         size_t n, const uint8_t *data)
{
    const void *pages[XC_BATCH_MAX];
    int rc = xc_hv_map_batch(r->p->hv, pfns, n, pages);

    if (rc)
        return fail_hv(r, rc, "compare", pfns, n);
    for (size_t i = 0; i < n; i++)
        if (memcmp(pages[i], data + xc_pages_to_bytes(i), XC_PAGE_SIZE))
            name_mismatch(r, pfns[i]);
    xc_hv_unmap_batch(r->p->hv);
    return 0;
}

static int write_pages(struct xc_sr_restore *r, const xc_pfn_t *pfns, size_t n,
                       const void *data)
{
    int rc = xc_sr_populate(&r->populate, pfns, n);

    if (rc)
        return fail_hv(r, rc, "allocate", pfns, n);
    rc = xc_hv_write_pages(r->p->hv, pfns, n, data);
    return rc ? fail_hv(r, rc, "write", pfns, n) : 0;
}

static int take_data(struct xc_sr_restore *r, const xc_pfn_t *pfns, size_t n)
{
    void *data;
    int rc = xc_sr_source_get(&r->source, xc_pages_to_bytes(n), &data);

    if (rc == -ENOMEM)
        return xc_sr_rec_fail(r, rc, "no memory for its pages");
    if (rc)
        rc = xc_sr_rec_io_fail(r, rc);
    else if (r->info.type == XC_GUEST_PV)
        rc = xc_sr_restore_pv_tables(r, pfns, n, data);
    if (rc)
        ;
    else if (verifying(r))
        rc = compare_pages(r, pfns, n, data);
    else
        rc = write_pages(r, pfns, n, data);
    xc_sr_source_put(&r->source);
    r->result->stats.data_pages += n;
    return rc;
}

/* A page that cannot hold anything must not come to life by our look at it. */
static int compare_with_zero(struct xc_sr_restore *r, xc_pfn_t pfn)
{
    struct xc_pfn_run run;
    const void *page;
    int rc = xc_hv_next_run(r->p->hv, pfn, &run);

    if (rc == -ENOENT || (!rc && run.first > pfn))
        return 0;
    if (!rc)
        rc = xc_hv_map_batch(r->p->hv, &pfn, 1, &page);
    if (rc)
        return fail_hv(r, rc, "compare", &pfn, 1);
    if (!xc_page_is_zero(page))
        name_mismatch(r, pfn);
    xc_hv_unmap_batch(r->p->hv);
    return 0;
}

static int take_zeros(struct xc_sr_restore *r, const xc_pfn_t *pfns, size_t n)
{
    int rc = 0;

    r->result->stats.zero_pages += n;
    if (verifying(r)) {
        for (size_t i = 0; !rc && i < n; i++)
            rc = compare_with_zero(r, pfns[i]);
        return rc;
    }
    rc = xc_sr_populate_zero(&r->populate, pfns, n);
    return rc ? fail_hv(r, rc, "zero", pfns, n) : 0;
}

/* Pieces of 2 MiB want to be asked for in a row, whatever is in the pages. */
static int make_pages(struct xc_sr_restore *r, uint32_t count)
{
    xc_pfn_t pfns[XC_BATCH_MAX];
    int rc = 0;

    for (uint32_t i = 0; !rc && i < count;) {
        size_t n = 0;

        for (; i < count && n < XC_BATCH_MAX; i++)
            if (xc_sr_type_in_ram(xc_sr_pd_type(r->entries[i])))
                pfns[n++] = xc_sr_pd_pfn(r->entries[i]);
        rc = n ? xc_sr_populate(&r->populate, pfns, n) : 0;
        if (rc)
            return fail_hv(r, rc, "allocate", pfns, n);
    }
    return 0;
}

/* Hands the entries of one kind to fn, XC_BATCH_MAX at a time, in order. */
static int for_entries(struct xc_sr_restore *r, uint32_t count, bool with_data,
                       pages_fn fn)
{
    xc_pfn_t pfns[XC_BATCH_MAX];
    size_t n = 0;
    int rc = 0;

    for (uint32_t i = 0; !rc && i < count; i++) {
        uint32_t type = xc_sr_pd_type(r->entries[i]);

        if (with_data ? !xc_sr_type_has_data(type) : type != XC_PT_XALLOC)
            continue;
        pfns[n++] = xc_sr_pd_pfn(r->entries[i]);
        if (n == XC_BATCH_MAX) {
            rc = fn(r, pfns, n);
            n = 0;
        }
    }
    return rc || !n ? rc : fn(r, pfns, n);
}

static void tell_progress(struct xc_sr_restore *r, uint32_t count)
{
    const struct xc_sr_callbacks *cb = &r->p->cb;
    uint64_t now = xc_sr_now_ns();

    r->progress.done_pages += count;
    if (!cb->progress || now - r->told_ns < TELL_EVERY_NS)
        return;
    r->told_ns = now;
    r->progress.pass = 1;
    r->progress.total_pages = r->info.nr_pfns;
    r->progress.bytes = r->io.offset;
    cb->progress(cb->data, &r->progress);
}

static int verdict(struct xc_sr_restore *r)
{
    if (!r->mismatches || !r->info.qemu_host)
        return 0;
    return xc_sr_rec_fail(r, -EBADMSG,
                          "%llu pages differ from what was sent "
                          "before",
                          (unsigned long long)r->mismatches);
}

int xc_sr_restore_pages(struct xc_sr_restore *r)
{
    uint32_t count;
    int rc = read_entries(r, &count);

    if (!rc)
        rc = check_entries(r, count);
    if (!rc && !verifying(r) && r->info.has_extents && !r->info.zero_fresh)
        rc = make_pages(r, count);
    if (!rc && r->info.type == XC_GUEST_PV)
        xc_sr_restore_pv_note(r, count);
    if (!rc)
        rc = for_entries(r, count, false, take_zeros);
    if (!rc)
        rc = for_entries(r, count, true, take_data);
    if (rc)
        return rc;
    if (r->info.type == XC_GUEST_PV)
        xc_sr_restore_pv_came(r, count);
    tell_progress(r, count);
    return verdict(r);
}
