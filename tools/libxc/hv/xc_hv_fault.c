/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hv/xc_hv_fault.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hv/xc_hv_pv.h"

struct fault {
    struct xc_hv base;
    struct xc_hv *inner;
    struct xc_hv_fault_plan plan;
    uint64_t calls;
};

static_assert(offsetof(struct fault, base) == 0, "cast from its base");

static struct fault *fault_of(const struct xc_hv *hv)
{
    return (struct fault *)hv;
}

static struct xc_hv *inner_of(const struct xc_hv *hv)
{
    return fault_of(hv)->inner;
}

/* How many of n the op may still do; *rc is what it then has to return. */
static size_t strike(struct xc_hv *hv, const char *op, size_t n, int *rc)
{
    struct fault *f = fault_of(hv);
    struct timespec pause = {
        .tv_sec = f->plan.delay_ms / 1000,
        .tv_nsec = (long)(f->plan.delay_ms % 1000) * 1000000,
    };
    bool hit;

    *rc = 0;
    if (f->plan.op && strcmp(f->plan.op, op) != 0)
        return n;
    f->calls++;
    hit = f->plan.from_then ? f->calls >= f->plan.at : f->calls == f->plan.at;
    if (!hit || f->plan.kind == XC_HV_FAULT_NONE)
        return n;
    if (f->plan.kind == XC_HV_FAULT_DELAY) {
        nanosleep(&pause, NULL);
        return n;
    }
    *rc = f->plan.error;
    return f->plan.kind == XC_HV_FAULT_CUT ? n / 2 : 0;
}

static void fault_close(struct xc_hv *hv)
{
    xc_hv_close(inner_of(hv));
    free(hv);
}

static int fault_info(struct xc_hv *hv, struct xc_hv_info *out)
{
    int rc;

    strike(hv, "info", 0, &rc);
    return rc ? rc : xc_hv_info(inner_of(hv), out);
}

static int fault_next_run(struct xc_hv *hv, xc_pfn_t from,
                          struct xc_pfn_run *out)
{
    int rc;

    strike(hv, "next_run", 0, &rc);
    return rc ? rc : xc_hv_next_run(inner_of(hv), from, out);
}

static int fault_page_types(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                            uint32_t *types)
{
    int rc, inner_rc;

    n = strike(hv, "page_types", n, &rc);
    inner_rc = xc_hv_page_types(inner_of(hv), pfns, n, types);
    return rc ? rc : inner_rc;
}

static int fault_map_batch(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                           const void **pages)
{
    int rc;

    strike(hv, "map_batch", 0, &rc);
    return rc ? rc : xc_hv_map_batch(inner_of(hv), pfns, n, pages);
}

static void fault_unmap_batch(struct xc_hv *hv)
{
    xc_hv_unmap_batch(inner_of(hv));
}

static int fault_memory_fd(struct xc_hv *hv)
{
    return xc_hv_memory_fd(inner_of(hv));
}

static int fault_lent_fd(struct xc_hv *hv)
{
    return xc_hv_lent_fd(inner_of(hv));
}

static int fault_populate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    int rc, inner_rc;

    n = strike(hv, "populate", n, &rc);
    inner_rc = xc_hv_populate(inner_of(hv), pfns, n);
    return rc ? rc : inner_rc;
}

static int fault_populate_extent(struct xc_hv *hv, xc_pfn_t first)
{
    int rc;

    strike(hv, "populate_extent", 0, &rc);
    return rc ? rc : xc_hv_populate_extent(inner_of(hv), first);
}

static int fault_unpopulate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    int rc, inner_rc;

    n = strike(hv, "unpopulate", n, &rc);
    inner_rc = xc_hv_unpopulate(inner_of(hv), pfns, n);
    return rc ? rc : inner_rc;
}

static int fault_write_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                             const void *data)
{
    int rc, inner_rc;

    n = strike(hv, "write_pages", n, &rc);
    inner_rc = xc_hv_write_pages(inner_of(hv), pfns, n, data);
    return rc ? rc : inner_rc;
}

static int fault_zero_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    int rc, inner_rc;

    n = strike(hv, "zero_pages", n, &rc);
    inner_rc = xc_hv_zero_pages(inner_of(hv), pfns, n);
    return rc ? rc : inner_rc;
}

static int fault_dirty_start(struct xc_hv *hv)
{
    int rc;

    strike(hv, "dirty_start", 0, &rc);
    return rc ? rc : xc_hv_dirty_start(inner_of(hv));
}

static int fault_dirty_read_clear(struct xc_hv *hv, struct xc_bitmap *into,
                                  bool final)
{
    int rc;

    strike(hv, "dirty_read_clear", 0, &rc);
    return rc ? rc : xc_hv_dirty_read_clear(inner_of(hv), into, final);
}

/* Fails, but the log is off nevertheless: what the seam promises. */
static int fault_dirty_stop(struct xc_hv *hv)
{
    int rc, inner_rc = xc_hv_dirty_stop(inner_of(hv));

    strike(hv, "dirty_stop", 0, &rc);
    return rc ? rc : inner_rc;
}

static const char *fault_dirty_method(const struct xc_hv *hv)
{
    return xc_hv_dirty_method(inner_of(hv));
}

static int fault_get_blob(struct xc_hv *hv, enum xc_hv_blob id,
                          struct xc_hv_buf *out)
{
    int rc;

    strike(hv, "get_blob", 0, &rc);
    return rc ? rc : xc_hv_get_blob(inner_of(hv), id, out);
}

static int fault_set_blob(struct xc_hv *hv, enum xc_hv_blob id,
                          const void *data, size_t bytes)
{
    int rc;

    strike(hv, "set_blob", 0, &rc);
    return rc ? rc : xc_hv_set_blob(inner_of(hv), id, data, bytes);
}

static int fault_get_tsc(struct xc_hv *hv, struct xc_hv_tsc *out)
{
    int rc;

    strike(hv, "get_tsc", 0, &rc);
    return rc ? rc : xc_hv_get_tsc(inner_of(hv), out);
}

static int fault_set_tsc(struct xc_hv *hv, const struct xc_hv_tsc *in)
{
    int rc;

    strike(hv, "set_tsc", 0, &rc);
    return rc ? rc : xc_hv_set_tsc(inner_of(hv), in);
}

static const struct xc_hv_ops fault_ops = {
    .name = "fault",
    .close = fault_close,
    .info = fault_info,
    .next_run = fault_next_run,
    .page_types = fault_page_types,
    .map_batch = fault_map_batch,
    .unmap_batch = fault_unmap_batch,
    .memory_fd = fault_memory_fd,
    .lent_fd = fault_lent_fd,
    .populate = fault_populate,
    .populate_extent = fault_populate_extent,
    .unpopulate = fault_unpopulate,
    .write_pages = fault_write_pages,
    .zero_pages = fault_zero_pages,
    .dirty_start = fault_dirty_start,
    .dirty_read_clear = fault_dirty_read_clear,
    .dirty_stop = fault_dirty_stop,
    .dirty_method = fault_dirty_method,
    .get_blob = fault_get_blob,
    .set_blob = fault_set_blob,
    .get_tsc = fault_get_tsc,
    .set_tsc = fault_set_tsc,
};

static int fault_pv_info(struct xc_hv *hv, struct xc_hv_pv_info *out)
{
    int rc;

    strike(hv, "pv_info", 0, &rc);
    return rc ? rc : xc_hv_pv_info(inner_of(hv), out);
}

static int fault_pv_p2m_frames(struct xc_hv *hv, struct xc_hv_buf *out)
{
    int rc;

    strike(hv, "pv_p2m_frames", 0, &rc);
    return rc ? rc : xc_hv_pv_p2m_frames(inner_of(hv), out);
}

static int fault_pv_p2m_stable(struct xc_hv *hv)
{
    int rc;

    strike(hv, "pv_p2m_stable", 0, &rc);
    return rc ? rc : xc_hv_pv_p2m_stable(inner_of(hv));
}

static int fault_pv_pfns_of(struct xc_hv *hv, const uint64_t *mfns, size_t n,
                            xc_pfn_t *pfns)
{
    int rc;

    strike(hv, "pv_pfns_of", 0, &rc);
    return rc ? rc : xc_hv_pv_pfns_of(inner_of(hv), mfns, n, pfns);
}

static int fault_pv_mfns_of(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                            uint64_t *mfns)
{
    int rc;

    strike(hv, "pv_mfns_of", 0, &rc);
    return rc ? rc : xc_hv_pv_mfns_of(inner_of(hv), pfns, n, mfns);
}

static int fault_pv_set_width(struct xc_hv *hv, unsigned width)
{
    int rc;

    strike(hv, "pv_set_width", 0, &rc);
    return rc ? rc : xc_hv_pv_set_width(inner_of(hv), width);
}

static int fault_pv_pin(struct xc_hv *hv, const xc_pfn_t *pfns,
                        const uint32_t *types, size_t n)
{
    int rc;

    strike(hv, "pv_pin", 0, &rc);
    return rc ? rc : xc_hv_pv_pin(inner_of(hv), pfns, types, n);
}

static int fault_pv_get_shared_info(struct xc_hv *hv, void *page)
{
    int rc;

    strike(hv, "pv_get_shared_info", 0, &rc);
    return rc ? rc : xc_hv_pv_get_shared_info(inner_of(hv), page);
}

static int fault_pv_set_shared_info(struct xc_hv *hv, const void *page)
{
    int rc;

    strike(hv, "pv_set_shared_info", 0, &rc);
    return rc ? rc : xc_hv_pv_set_shared_info(inner_of(hv), page);
}

static int fault_pv_get_vcpu(struct xc_hv *hv, uint32_t vcpu,
                             enum xc_hv_vcpu_part part, struct xc_hv_buf *out)
{
    int rc;

    strike(hv, "pv_get_vcpu", 0, &rc);
    return rc ? rc : xc_hv_pv_get_vcpu(inner_of(hv), vcpu, part, out);
}

static int fault_pv_set_vcpu(struct xc_hv *hv, uint32_t vcpu,
                             enum xc_hv_vcpu_part part, const void *data,
                             size_t bytes)
{
    int rc;

    strike(hv, "pv_set_vcpu", 0, &rc);
    return rc ? rc : xc_hv_pv_set_vcpu(inner_of(hv), vcpu, part, data, bytes);
}

static const struct xc_hv_pv_ops fault_pv_ops = {
    .info = fault_pv_info,
    .p2m_frames = fault_pv_p2m_frames,
    .p2m_stable = fault_pv_p2m_stable,
    .pfns_of = fault_pv_pfns_of,
    .mfns_of = fault_pv_mfns_of,
    .set_width = fault_pv_set_width,
    .pin = fault_pv_pin,
    .get_shared_info = fault_pv_get_shared_info,
    .set_shared_info = fault_pv_set_shared_info,
    .get_vcpu = fault_pv_get_vcpu,
    .set_vcpu = fault_pv_set_vcpu,
};

int xc_hv_fault_open(struct xc_hv *inner, const struct xc_hv_fault_plan *plan,
                     struct xc_hv **out)
{
    struct fault *f = calloc(1, sizeof(*f));

    *out = NULL;
    if (!f) {
        xc_hv_close(inner);
        return -ENOMEM;
    }
    f->base.ops = &fault_ops;
    f->base.pv = inner->pv ? &fault_pv_ops : NULL;
    f->base.nr_pfns = inner->nr_pfns;
    f->inner = inner;
    f->plan = *plan;
    *out = &f->base;
    return 0;
}

void xc_hv_fault_plan(struct xc_hv *hv, const struct xc_hv_fault_plan *plan)
{
    fault_of(hv)->plan = *plan;
}

uint64_t xc_hv_fault_calls(const struct xc_hv *hv)
{
    return fault_of(hv)->calls;
}

struct xc_hv *xc_hv_fault_inner(struct xc_hv *hv)
{
    return inner_of(hv);
}
