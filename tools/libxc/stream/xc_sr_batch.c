/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_batch.c - gather PFNs, then: types -> map -> entries -> write -> unmap.
 */
#include "stream/xc_sr_batch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/xc_zero.h"
#include "stream/xc_sr_codec.h"
#include "stream/xc_sr_pv_table.h"
#include "stream/xc_sr_report.h"

#define HEAD_MAX                                                               \
    (sizeof(struct xc_wire_record) + sizeof(struct xc_wire_page_data) +        \
     XC_SR_BATCH_PAGES * 8)

static_assert(HEAD_MAX == 2 * XC_PAGE_SIZE, "pages stay on 4 KiB");
static_assert(XC_SR_BATCH_PAGES + 1 <= IOV_MAX, "one writev is enough");

/* Shorter runs of pages are cheaper to copy than to refer to. */
#define LENT_RUN_MIN 16u

/* What is to be done with an entry's page. */
enum fate { FATE_NONE, FATE_DATA, FATE_HOLE };

struct xc_sr_batch {
    struct xc_sr_batch_params p;
    size_t n;
    xc_pfn_t pfns[XC_SR_BATCH_PAGES];
    uint32_t types[XC_SR_BATCH_PAGES];
    uint8_t fates[XC_SR_BATCH_PAGES]; /* enum fate */
    /* the pages that carry data, in the order of pfns */
    size_t nr_mapped;
    xc_pfn_t mapped_pfns[XC_SR_BATCH_PAGES];
    const void *pages[XC_SR_BATCH_PAGES];
    uint8_t head[HEAD_MAX];
    struct iovec iov[XC_SR_BATCH_PAGES + 1];
    int nr_iov;
};

int xc_sr_batch_new(const struct xc_sr_batch_params *p,
                    struct xc_sr_batch **out)
{
    struct xc_sr_batch *b = calloc(1, sizeof(*b));

    *out = b;
    if (!b)
        return xc_sr_fail(p->cb, -ENOMEM, "no memory for a page batch");
    b->p = *p;
    return 0;
}

void xc_sr_batch_free(struct xc_sr_batch *b)
{
    free(b);
}

bool xc_sr_batch_empty(const struct xc_sr_batch *b)
{
    return b->n == 0;
}

static int fail_pages(const struct xc_sr_batch *b, int rc, const char *what)
{
    return xc_sr_fail(b->p.cb, rc,
                      "cannot %s %zu guest pages from PFN %#llx on (%s): %s",
                      what, b->n, (unsigned long long)b->pfns[0],
                      xc_hv_name(b->p.hv), strerror(-rc));
}

static int get_types(struct xc_sr_batch *b)
{
    int rc = xc_hv_page_types(b->p.hv, b->pfns, b->n, b->types);

    if (rc)
        return fail_pages(b, rc, "get the types of");
    for (size_t i = 0; i < b->n; i++) {
        if (!xc_sr_type_known(b->types[i]))
            return xc_sr_fail(b->p.cb, -EIO,
                              "PFN %#llx has the unknown page type %#x",
                              (unsigned long long)b->pfns[i], b->types[i]);
    }
    return 0;
}

static int map_pages(struct xc_sr_batch *b)
{
    int rc = 0;

    b->nr_mapped = 0;
    for (size_t i = 0; i < b->n; i++)
        if (xc_sr_type_has_data(b->types[i]))
            b->mapped_pfns[b->nr_mapped++] = b->pfns[i];
    if (b->nr_mapped)
        rc = xc_hv_map_batch(b->p.hv, b->mapped_pfns, b->nr_mapped, b->pages);
    return rc ? fail_pages(b, rc, "map") : 0;
}

static enum fate fate_of(struct xc_sr_batch *b, size_t i, const void *page)
{
    bool may_xalloc = b->p.zero_as_xalloc && b->types[i] == XC_PT_NOTAB;

    if (!may_xalloc && !b->p.io->holes)
        return FATE_DATA;
    if (!xc_page_is_zero(page))
        return FATE_DATA;
    b->p.stats->zero_pages++;
    if (!may_xalloc)
        return FATE_HOLE;
    b->types[i] = XC_PT_XALLOC;
    return FATE_NONE;
}

static int take_table(struct xc_sr_batch *b, size_t i, const void **page)
{
    int rc = xc_sr_tables_copy(b->p.tables, b->pfns[i], b->types[i], page);

    if (!*page)
        b->types[i] = XC_PT_XTAB;
    b->fates[i] = *page ? FATE_DATA : FATE_NONE;
    return rc;
}

/* Decides each page's fate; packs 'pages' and 'mapped_pfns' down to those that
 * will be sent. */
static int look_at_pages(struct xc_sr_batch *b)
{
    size_t from = 0, to = 0;
    int rc = 0;

    if (b->p.tables)
        xc_sr_tables_begin(b->p.tables);
    for (size_t i = 0; !rc && i < b->n; i++) {
        b->fates[i] = FATE_NONE;
        if (!xc_sr_type_has_data(b->types[i]))
            continue;
        if (b->p.tables && xc_sr_table_level(b->types[i]))
            rc = take_table(b, i, &b->pages[from]);
        else
            b->fates[i] = (uint8_t)fate_of(b, i, b->pages[from]);
        if (b->fates[i] != FATE_NONE) {
            b->mapped_pfns[to] = b->pfns[i];
            b->pages[to++] = b->pages[from];
        }
        from++;
    }
    b->nr_mapped = to;
    return rc;
}

static void put_head(struct xc_sr_batch *b)
{
    struct xc_build head = xc_build_in(b->head, sizeof(b->head));
    struct xc_sr_record record = {
        .type = XC_REC_PAGE_DATA,
        .length = (uint32_t)(sizeof(struct xc_wire_page_data) + 8 * b->n +
                             xc_pages_to_bytes(b->nr_mapped)),
    };

    xc_sr_put_record(&head, &record);
    xc_build_le32(&head, (uint32_t)b->n);
    xc_build_le32(&head, 0);
    for (size_t i = 0; i < b->n; i++)
        xc_build_le64(&head, xc_sr_pd_entry(b->pfns[i], b->types[i]));
    assert(!head.failed);
    b->iov[0] = (struct iovec){b->head, head.used};
    b->nr_iov = 1;
}

static void queue_page(struct xc_sr_batch *b, const void *page)
{
    struct iovec *last = b->nr_iov ? &b->iov[b->nr_iov - 1] : NULL;

    if (last && (char *)last->iov_base + last->iov_len == (const char *)page)
        last->iov_len += XC_PAGE_SIZE;
    else
        b->iov[b->nr_iov++] = (struct iovec){(void *)page, XC_PAGE_SIZE};
}

static int write_queued(struct xc_sr_batch *b)
{
    int n = b->nr_iov;

    b->nr_iov = 0;
    return xc_sr_io_writev(b->p.io, b->iov, n);
}

/* How many of the pages to be sent follow one another from i on. */
static size_t run_at(const struct xc_sr_batch *b, size_t i)
{
    size_t end = i + 1;

    while (end < b->nr_mapped &&
           b->mapped_pfns[end] == b->mapped_pfns[end - 1] + 1)
        end++;
    return end - i;
}

/* Long runs as the pages themselves, the others copied: no hole is left. */
static int write_lent(struct xc_sr_batch *b, int fd)
{
    size_t run;
    int rc = 0;

    put_head(b);
    for (size_t i = 0; !rc && i < b->nr_mapped; i += run) {
        run = run_at(b, i);
        for (size_t k = 0; run < LENT_RUN_MIN && k < run; k++)
            queue_page(b, b->pages[i + k]);
        if (run < LENT_RUN_MIN)
            continue;
        rc = write_queued(b);
        if (!rc)
            rc = xc_sr_io_splice(b->p.io, fd,
                                 xc_pages_to_bytes(b->mapped_pfns[i]),
                                 xc_pages_to_bytes(run));
    }
    return rc ? rc : write_queued(b);
}

static int lent_fd(const struct xc_sr_batch *b)
{
    return b->p.by_reference && b->p.io->pipe && !b->p.tables
               ? xc_hv_lent_fd(b->p.hv)
               : -ENOTSUP;
}

static int write_record(struct xc_sr_batch *b)
{
    size_t next = 0, holes = 0;
    int rc = 0;

    put_head(b);
    for (size_t i = 0; !rc && i < b->n; i++) {
        if (b->fates[i] == FATE_NONE)
            continue;
        if (b->fates[i] == FATE_HOLE) {
            if (!holes++)
                rc = write_queued(b);
            next++;
            continue;
        }
        if (holes) {
            rc = xc_sr_io_hole(b->p.io, xc_pages_to_bytes(holes));
            holes = 0;
        }
        queue_page(b, b->pages[next++]);
    }
    if (!rc && holes)
        rc = xc_sr_io_hole(b->p.io, xc_pages_to_bytes(holes));
    return rc ? rc : write_queued(b);
}

/* Who reads the stream may have said so in its middle. */
static void ask_reader(struct xc_sr_batch *b)
{
    const struct xc_sr_callbacks *cb = b->p.cb;

    if (!b->p.zero_as_xalloc && cb->takes_xalloc)
        b->p.zero_as_xalloc = cb->takes_xalloc(cb->data);
}

int xc_sr_batch_flush(struct xc_sr_batch *b)
{
    int rc, fd;

    if (!b->n)
        return 0;
    ask_reader(b);
    if (xc_sr_cancelled(b->p.cb))
        return xc_sr_fail(b->p.cb, -ECANCELED, "save was cancelled");
    rc = get_types(b);
    if (rc)
        return rc;
    rc = map_pages(b);
    if (rc)
        return rc;
    rc = look_at_pages(b);
    if (rc) {
        xc_hv_unmap_batch(b->p.hv);
        return rc;
    }
    fd = lent_fd(b);
    rc = fd < 0 ? write_record(b) : write_lent(b, fd);
    xc_hv_unmap_batch(b->p.hv);
    if (rc == -ECANCELED)
        return xc_sr_fail(b->p.cb, rc, "save was cancelled");
    if (rc)
        return xc_sr_fail(b->p.cb, rc,
                          "cannot write PAGE_DATA at offset %llu: %s",
                          (unsigned long long)b->p.io->offset, strerror(-rc));
    b->p.stats->data_pages += b->nr_mapped;
    b->n = 0;
    return 0;
}

int xc_sr_batch_add(struct xc_sr_batch *b, xc_pfn_t pfn)
{
    b->pfns[b->n++] = pfn;
    return b->n == XC_SR_BATCH_PAGES ? xc_sr_batch_flush(b) : 0;
}
