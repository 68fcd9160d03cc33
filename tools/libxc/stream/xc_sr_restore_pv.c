/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_restore_pv.c - the records that only a PV guest's stream has, each as
 * it comes; what of them can take effect at END alone is kept until then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/xc_sr_pv_layout.h"
#include "stream/xc_sr_report.h"
#include "stream/xc_sr_restore_priv.h"

static int fail_set(struct xc_sr_restore *r, int rc)
{
    return xc_sr_rec_fail(r, rc, "the domain refuses it (%s): %s",
                          xc_hv_name(r->p->hv), strerror(-rc));
}

static int take_width(struct xc_sr_restore *r, const struct xc_span *body)
{
    struct xc_sr_pv_restore *pv = &r->pv;
    int rc;

    pv->width = body->at[0];
    pv->levels = body->at[1];
    if (!(pv->width == 8 && pv->levels == 4) &&
        !(pv->width == 4 && pv->levels == 3))
        return xc_sr_rec_fail(r, -EPROTO,
                              "width %u with %u page table levels: only 4 "
                              "with 3 and 8 with 4 exist",
                              pv->width, pv->levels);
    rc = xc_hv_pv_set_width(r->p->hv, pv->width);
    if (!rc)
        rc = xc_hv_pv_info(r->p->hv, &pv->info);
    if (rc)
        return fail_set(r, rc);
    pv->vcpus = calloc(pv->info.nr_vcpus, sizeof(*pv->vcpus));
    if (!pv->vcpus)
        return xc_sr_rec_fail(r, -ENOMEM, "no memory for %u vCPUs",
                              pv->info.nr_vcpus);
    return 0;
}

int xc_sr_restore_pv_info(struct xc_sr_restore *r)
{
    uint8_t body[sizeof(struct xc_wire_pv_info)];
    struct xc_span s = xc_span_of(body, sizeof(body));
    int rc = xc_sr_rec_read(r, body, sizeof(body));

    if (!rc)
        rc = take_width(r, &s);
    if (rc)
        return rc;
    rc = xc_sr_io_skip(&r->io, r->record.length - sizeof(body));
    return rc ? xc_sr_rec_io_fail(r, rc) : 0;
}

/* Room for PFNs below end; what is there stays. */
static int grow(struct xc_sr_restore *r, xc_pfn_t end)
{
    struct xc_sr_pv_restore *pv = &r->pv;
    uint64_t per_frame = XC_PAGE_SIZE / pv->width;
    size_t frames = (size_t)((end + per_frame - 1) / per_frame);
    size_t had = (size_t)((pv->nr_pfns + per_frame - 1) / per_frame);
    uint8_t *types;
    xc_pfn_t *list;

    if (end <= pv->nr_pfns)
        return 0;
    list = realloc(pv->p2m_frames, frames * sizeof(*list));
    if (!list)
        return -ENOMEM;
    pv->p2m_frames = list;
    for (size_t i = had; i < frames; i++)
        list[i] = XC_INVALID_PFN;
    types = realloc(pv->types, (size_t)end);
    if (!types)
        return -ENOMEM;
    pv->types = types;
    memset(types + pv->nr_pfns, (int)(XC_PT_XTAB >> 28),
           (size_t)(end - pv->nr_pfns));
    pv->nr_pfns = end;
    return 0;
}

static int take_frames(struct xc_sr_restore *r, struct xc_span *s,
                       uint32_t start, uint32_t end)
{
    uint64_t per_frame = XC_PAGE_SIZE / r->pv.width;
    uint64_t first = start / per_frame, n = end / per_frame - first + 1;

    if (s->left != n * sizeof(uint64_t))
        return xc_sr_rec_fail(r, -EPROTO,
                              "PFNs %#x to %#x take %llu frames, not %zu "
                              "bytes of them",
                              start, end, (unsigned long long)n, s->left);
    if (grow(r, (xc_pfn_t)end + 1))
        return xc_sr_rec_fail(r, -ENOMEM, "no memory for %#x pages", end);
    for (uint64_t i = 0; i < n; i++) {
        xc_pfn_t pfn = xc_span_le64(s);

        if (pfn >= r->pv.nr_pfns)
            return xc_sr_rec_fail(r, -EPROTO,
                                  "frame %llu lies at PFN %#llx, outside the "
                                  "guest, which ends at %#llx",
                                  (unsigned long long)i,
                                  (unsigned long long)pfn,
                                  (unsigned long long)r->pv.nr_pfns);
        r->pv.p2m_frames[first + i] = pfn;
    }
    return 0;
}

static int check_range(struct xc_sr_restore *r, uint32_t start, uint32_t end)
{
    if (start > end)
        return xc_sr_rec_fail(r, -EPROTO, "%#x to %#x is no range", start, end);
    if (end >= r->info.nr_pfns)
        return xc_sr_rec_fail(r, -EPROTO,
                              "the range ends at %#x, the new domain at %#llx",
                              end, (unsigned long long)r->info.nr_pfns);
    return 0;
}

int xc_sr_restore_p2m_frames(struct xc_sr_restore *r)
{
    struct xc_hv_buf body;
    uint32_t start, end;
    struct xc_span s;
    int rc = xc_sr_rec_body(r, &body);

    if (rc)
        return rc;
    s = xc_span_of(body.data, body.bytes);
    start = xc_span_le32(&s);
    end = xc_span_le32(&s);
    rc = check_range(r, start, end);
    if (!rc)
        rc = take_frames(r, &s, start, end);
    xc_hv_buf_free(&body);
    return rc;
}

int xc_sr_restore_shared_info(struct xc_sr_restore *r)
{
    uint8_t page[XC_PAGE_SIZE];
    int rc = xc_sr_rec_read(r, page, sizeof(page));

    if (rc)
        return rc;
    rc = xc_hv_pv_set_shared_info(r->p->hv, page);
    return rc ? fail_set(r, rc) : 0;
}

static const char *bad_part(const struct xc_sr_restore *r,
                            enum xc_hv_vcpu_part part, uint32_t bytes)
{
    if (part == XC_HV_VCPU_BASIC && bytes &&
        bytes != xc_sr_vcpu_layout(r->pv.width)->bytes)
        return "the length is not that of a vCPU of the guest's width";
    if (part == XC_HV_VCPU_XSAVE && bytes && bytes < XC_WIRE_VCPU_XSAVE_MIN)
        return "the length is below 16";
    return NULL;
}

/* The last one of a vCPU and part counts, an empty one never. */
int xc_sr_restore_vcpu(struct xc_sr_restore *r, enum xc_hv_vcpu_part part)
{
    uint8_t head[sizeof(struct xc_wire_vcpu)];
    struct xc_span s = xc_span_of(head, sizeof(head));
    uint32_t bytes = r->record.length - (uint32_t)sizeof(head), vcpu;
    struct xc_hv_buf *kept;
    const char *broken;
    int rc = xc_sr_rec_read(r, head, sizeof(head));

    if (rc)
        return rc;
    vcpu = xc_span_le32(&s);
    if (vcpu >= r->pv.info.nr_vcpus)
        return xc_sr_rec_fail(r, -EPROTO, "vCPU %u, the domain has %u", vcpu,
                              r->pv.info.nr_vcpus);
    broken = bad_part(r, part, bytes);
    if (broken)
        return xc_sr_rec_fail(r, -EPROTO, "%s: %u", broken, bytes);
    if (!bytes)
        return 0;
    kept = &r->pv.vcpus[vcpu][part];
    xc_hv_buf_free(kept);
    *kept = (struct xc_hv_buf){malloc(bytes), bytes};
    if (!kept->data)
        return xc_sr_rec_fail(r, -ENOMEM, "no memory for its body");
    return xc_sr_rec_read(r, kept->data, bytes);
}

void xc_sr_restore_pv_dispose(struct xc_sr_restore *r)
{
    struct xc_sr_pv_restore *pv = &r->pv;

    for (uint32_t v = 0; pv->vcpus && v < pv->info.nr_vcpus; v++)
        for (int part = 0; part < XC_HV_VCPU_PARTS; part++)
            xc_hv_buf_free(&pv->vcpus[v][part]);
    free(pv->vcpus);
    free(pv->p2m_frames);
    free(pv->types);
    xc_bitmap_dispose(&pv->owed);
    *pv = (struct xc_sr_pv_restore){0};
}
