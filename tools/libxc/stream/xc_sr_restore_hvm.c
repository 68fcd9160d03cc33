/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_restore_hvm.c - what an HVM guest's stream holds besides its memory.
 *
 * Parameters take effect at once, the context at END: either may come first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/xc_sr_report.h"
#include "stream/xc_sr_restore_priv.h"

#define PARAMS_MAX 1024u

static int fail_set(struct xc_sr_restore *r, int rc)
{
    return xc_sr_rec_fail(r, rc, "the domain refuses it (%s): %s",
                          xc_hv_name(r->p->hv), strerror(-rc));
}

int xc_sr_restore_policy(struct xc_sr_restore *r, enum xc_hv_blob id)
{
    struct xc_hv_buf body;
    int rc = xc_sr_rec_body(r, &body);

    if (rc)
        return rc;
    rc = xc_hv_set_blob(r->p->hv, id, body.data, body.bytes);
    xc_hv_buf_free(&body);
    return rc ? fail_set(r, rc) : 0;
}

int xc_sr_restore_tsc(struct xc_sr_restore *r)
{
    uint8_t body[sizeof(struct xc_wire_tsc_info)] = {0};
    struct xc_span s = xc_span_of(body, sizeof(body));
    struct xc_hv_tsc tsc;
    const char *broken;
    int rc = xc_sr_rec_read(r, body, sizeof(body));

    if (rc)
        return rc;
    broken = xc_sr_get_tsc(&s, &tsc);
    if (broken)
        return xc_sr_rec_fail(r, -EPROTO, "%s", broken);
    rc = xc_hv_set_tsc(r->p->hv, &tsc);
    return rc ? fail_set(r, rc) : 0;
}

int xc_sr_restore_hvm_context(struct xc_sr_restore *r)
{
    return xc_sr_rec_body(r, &r->hvm_context);
}

/* Pages that the toolstack and the device model expect to find empty. */
static int clear_page(struct xc_sr_restore *r, uint64_t index, xc_pfn_t pfn)
{
    int rc;

    if (pfn >= r->info.nr_pfns)
        return xc_sr_rec_fail(r, -EPROTO,
                              "parameter %llu names PFN %#llx outside the "
                              "domain, which ends at %#llx",
                              (unsigned long long)index,
                              (unsigned long long)pfn,
                              (unsigned long long)r->info.nr_pfns);
    rc = xc_sr_populate_zero(&r->populate, &pfn, 1);
    if (rc)
        return xc_sr_rec_fail(r, rc, "cannot clear PFN %#llx (%s): %s",
                              (unsigned long long)pfn, xc_hv_name(r->p->hv),
                              strerror(-rc));
    return 0;
}

static int note_param(struct xc_sr_restore *r, uint64_t index, uint64_t value)
{
    switch (index) {
    case XC_HVM_PARAM_STORE_PFN:
        r->result->store_pfn = value;
        return clear_page(r, index, value);
    case XC_HVM_PARAM_CONSOLE_PFN:
        r->result->console_pfn = value;
        return clear_page(r, index, value);
    case XC_HVM_PARAM_IOREQ_PFN:
    case XC_HVM_PARAM_BUFIOREQ_PFN:
        return clear_page(r, index, value);
    default:
        return 0;
    }
}

/* In a pair array of our own order: the wire's without what is discarded. */
static int apply_params(struct xc_sr_restore *r, struct xc_span *s,
                        uint32_t count)
{
    uint64_t pairs[PARAMS_MAX * 2];
    size_t n = 0;
    int rc;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t index = xc_span_le64(s), value = xc_span_le64(s);

        if (index == XC_HVM_PARAM_PAE_ENABLED)
            continue;
        rc = note_param(r, index, value);
        if (rc)
            return rc;
        pairs[n++] = index;
        pairs[n++] = value;
    }
    if (!n)
        return 0;
    rc = xc_hv_set_blob(r->p->hv, XC_HV_HVM_PARAMS, pairs, n * sizeof(*pairs));
    return rc ? fail_set(r, rc) : 0;
}

int xc_sr_restore_hvm_params(struct xc_sr_restore *r)
{
    const char *broken;
    struct xc_hv_buf body;
    struct xc_span s;
    uint32_t count;
    int rc;

    if (r->record.length > sizeof(struct xc_wire_hvm_params) +
                               PARAMS_MAX * sizeof(struct xc_wire_hvm_param))
        return xc_sr_rec_fail(r, -EPROTO, "more than %u parameters",
                              PARAMS_MAX);
    rc = xc_sr_rec_body(r, &body);
    if (rc)
        return rc;
    s = xc_span_of(body.data, body.bytes);
    broken = xc_sr_get_hvm_params(&s, r->record.length, &count);
    if (broken)
        rc = xc_sr_rec_fail(r, -EPROTO, "count %u: %s", count, broken);
    else
        rc = apply_params(r, &s, count);
    xc_hv_buf_free(&body);
    return rc;
}

int xc_sr_restore_hvm_end(struct xc_sr_restore *r)
{
    int rc;

    if (r->info.qemu_host)
        return 0;
    if (!r->hvm_context.data)
        return xc_sr_rec_fail(r, -EPROTO,
                              "the stream has no HVM_CONTEXT: the "
                              "guest's vCPUs are missing");
    rc = xc_hv_set_blob(r->p->hv, XC_HV_HVM_CONTEXT, r->hvm_context.data,
                        r->hvm_context.bytes);
    return rc ? xc_sr_rec_fail(r, rc,
                               "the domain refuses its HVM_CONTEXT "
                               "(%s): %s",
                               xc_hv_name(r->p->hv), strerror(-rc))
              : 0;
}
