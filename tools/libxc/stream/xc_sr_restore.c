/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_restore.c - the order of a restore:
 *
 *   headers -> (record header -> order table -> handler -> padding)* -> END
 *
 * A strict reader: every rule is checked before anything is allocated or done
 * for a record; the first one broken ends the restore with one message.
 * Nothing behind END is read: the fd may carry more for somebody else.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/xc_sr_report.h"
#include "stream/xc_sr_restore_priv.h"

int xc_sr_rec_fail(struct xc_sr_restore *r, int rc, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return xc_sr_fail(
        &r->p->cb, rc, "record %u (%s, type %#x, length %u) at offset %llu: %s",
        r->index, xc_sr_record_name(r->record.type), r->record.type,
        r->record.length, (unsigned long long)r->record_at, text);
}

static int fail_io(struct xc_sr_restore *r, int rc, const char *what)
{
    unsigned long long at = r->io.offset;

    if (rc == -ECANCELED)
        return xc_sr_fail(&r->p->cb, rc, "restore was cancelled");
    if (rc == -ENODATA)
        return xc_sr_fail(&r->p->cb, rc,
                          "the stream ends at offset %llu, %zu bytes short "
                          "of %s: it is truncated",
                          at, r->io.missing, what);
    return xc_sr_fail(&r->p->cb, rc, "cannot read %s at offset %llu: %s", what,
                      at, strerror(-rc));
}

int xc_sr_rec_io_fail(struct xc_sr_restore *r, int rc)
{
    char what[64];

    snprintf(what, sizeof(what), "record %u (%s)", r->index,
             xc_sr_record_name(r->record.type));
    return fail_io(r, rc, what);
}

int xc_sr_rec_read(struct xc_sr_restore *r, void *into, size_t n)
{
    int rc = xc_sr_io_read(&r->io, into, n);

    return rc ? xc_sr_rec_io_fail(r, rc) : 0;
}

int xc_sr_rec_body(struct xc_sr_restore *r, struct xc_hv_buf *out)
{
    int rc;

    *out = (struct xc_hv_buf){malloc(r->record.length), r->record.length};
    if (!out->data)
        return xc_sr_rec_fail(r, -ENOMEM, "no memory for its body");
    rc = xc_sr_rec_read(r, out->data, out->bytes);
    if (rc)
        xc_hv_buf_free(out);
    return rc;
}

static int static_data_done(struct xc_sr_restore *r)
{
    const struct xc_sr_callbacks *cb = &r->p->cb;
    unsigned missing = 0;
    int rc;

    if (!xc_sr_order_seen(&r->order, XC_REC_X86_CPUID_POLICY))
        missing |= 1;
    if (!xc_sr_order_seen(&r->order, XC_REC_X86_MSR_POLICY))
        missing |= 2;
    if (!cb->static_data_done)
        return 0;
    rc = cb->static_data_done(cb->data, missing);
    if (rc)
        return xc_sr_rec_fail(r, rc, "the domain refuses its static data: %s",
                              strerror(-rc));
    return 0;
}

static int end(struct xc_sr_restore *r)
{
    int rc = xc_sr_populate_end(&r->populate);

    if (rc)
        return xc_sr_rec_fail(r, rc,
                              "cannot give back memory that nothing "
                              "came for (%s): %s",
                              xc_hv_name(r->p->hv), strerror(-rc));
    return r->info.type == XC_GUEST_PV ? xc_sr_restore_pv_end(r)
                                       : xc_sr_restore_hvm_end(r);
}

static int handle(struct xc_sr_restore *r)
{
    switch (r->record.type) {
    case XC_REC_PAGE_DATA:
        return xc_sr_restore_pages(r);
    case XC_REC_X86_CPUID_POLICY:
        return xc_sr_restore_policy(r, XC_HV_CPUID_POLICY);
    case XC_REC_X86_MSR_POLICY:
        return xc_sr_restore_policy(r, XC_HV_MSR_POLICY);
    case XC_REC_X86_TSC_INFO:
        return xc_sr_restore_tsc(r);
    case XC_REC_HVM_CONTEXT:
        return xc_sr_restore_hvm_context(r);
    case XC_REC_HVM_PARAMS:
        return xc_sr_restore_hvm_params(r);
    case XC_REC_X86_PV_INFO:
        return xc_sr_restore_pv_info(r);
    case XC_REC_X86_PV_P2M_FRAMES:
        return xc_sr_restore_p2m_frames(r);
    case XC_REC_SHARED_INFO:
        return xc_sr_restore_shared_info(r);
    case XC_REC_X86_PV_VCPU_BASIC:
        return xc_sr_restore_vcpu(r, XC_HV_VCPU_BASIC);
    case XC_REC_X86_PV_VCPU_EXTENDED:
        return xc_sr_restore_vcpu(r, XC_HV_VCPU_EXTENDED);
    case XC_REC_X86_PV_VCPU_XSAVE:
        return xc_sr_restore_vcpu(r, XC_HV_VCPU_XSAVE);
    case XC_REC_X86_PV_VCPU_MSRS:
        return xc_sr_restore_vcpu(r, XC_HV_VCPU_MSRS);
    case XC_REC_VERIFY:
        xc_sr_note(&r->p->cb, XC_LOG_INFO, "comparing the memory once more");
        xc_sr_source_read_only(&r->source);
        return 0;
    case XC_REC_STATIC_DATA_END:
        return 0;
    case XC_REC_END:
        return end(r);
    default:
        return xc_sr_rec_fail(r, -ENOTSUP, "this record cannot be handled");
    }
}

static int read_record_header(struct xc_sr_restore *r)
{
    uint8_t head[sizeof(struct xc_wire_record)];
    struct xc_span s = xc_span_of(head, sizeof(head));
    char what[48];
    const char *broken;
    int rc;

    r->record_at = r->io.offset;
    rc = xc_sr_io_read(&r->io, head, sizeof(head));
    if (rc) {
        snprintf(what, sizeof(what), "the header of record %u", r->index);
        return fail_io(r, rc, what);
    }
    broken = xc_sr_get_record(&s, &r->record);
    return broken ? xc_sr_rec_fail(r, -EPROTO, "%s", broken) : 0;
}

static int skip(struct xc_sr_restore *r, uint64_t n)
{
    int rc = xc_sr_io_skip(&r->io, n);

    return rc ? xc_sr_rec_io_fail(r, rc) : 0;
}

static int read_record(struct xc_sr_restore *r)
{
    uint32_t padding;
    struct xc_sr_step step;
    int rc = read_record_header(r);

    if (rc)
        return rc;
    padding = xc_sr_padding(r->record.length);
    step = xc_sr_order_step(&r->order, &r->record);
    if (step.broken)
        return xc_sr_rec_fail(r, -EPROTO, "%s", step.broken);
    if (step.skip)
        return skip(r, (uint64_t)r->record.length + padding);
    if (step.static_done)
        rc = static_data_done(r);
    if (!rc)
        rc = handle(r);
    return rc ? rc : skip(r, padding);
}

static int read_header(struct xc_sr_restore *r, void *into, size_t n,
                       const char *what)
{
    int rc = xc_sr_io_read(&r->io, into, n);

    return rc ? fail_io(r, rc, what) : 0;
}

static int read_image_header(struct xc_sr_restore *r, uint32_t *version)
{
    uint8_t bytes[sizeof(struct xc_wire_image_header)];
    struct xc_span s = xc_span_of(bytes, sizeof(bytes));
    struct xc_sr_image_header h;
    const char *broken;
    int rc = read_header(r, bytes, sizeof(bytes), "the image header");

    if (rc)
        return rc;
    broken = xc_sr_get_image_header(&s, &h);
    if (broken)
        return xc_sr_fail(&r->p->cb, -EPROTO,
                          "image header at offset 0 (version %u): %s",
                          h.version, broken);
    *version = h.version;
    return 0;
}

static int read_domain_header(struct xc_sr_restore *r)
{
    uint8_t bytes[sizeof(struct xc_wire_domain_header)];
    struct xc_span s = xc_span_of(bytes, sizeof(bytes));
    uint64_t at = r->io.offset;
    struct xc_sr_domain_header h;
    const char *broken;
    int rc = read_header(r, bytes, sizeof(bytes), "the domain header");

    if (rc)
        return rc;
    broken = xc_sr_get_domain_header(&s, &h);
    if (!broken && h.type != r->info.type)
        broken = h.type == XC_GUEST_PV
                     ? "it is a PV guest's, the new domain is HVM"
                     : "it is an HVM guest's, the new domain is PV";
    if (broken)
        return xc_sr_fail(&r->p->cb, -EPROTO,
                          "domain header at offset %llu (type %u): %s",
                          (unsigned long long)at, h.type, broken);
    return 0;
}

static int read_stream(struct xc_sr_restore *r)
{
    uint32_t version = 0;
    int rc = read_image_header(r, &version);

    if (!rc)
        rc = read_domain_header(r);
    if (rc)
        return rc;
    xc_sr_order_init(&r->order, xc_sr_profile_of(&r->info), version);
    for (r->index = 0; !rc && r->order.phase != XC_SR_DONE; r->index++)
        rc = read_record(r);
    return rc;
}

static int restore_init(struct xc_sr_restore *r)
{
    const struct xc_sr_callbacks *cb = &r->p->cb;
    int rc = xc_hv_info(r->p->hv, &r->info);

    if (rc)
        return xc_sr_fail(cb, rc, "cannot learn about the domain (%s): %s",
                          xc_hv_name(r->p->hv), strerror(-rc));
    xc_sr_io_init(&r->io, r->p->fd);
    r->io.cancelled = cb->cancelled;
    r->io.cancel_data = cb->data;
    /* page tables are changed on their way */
    xc_sr_source_init(&r->source, &r->io,
                      r->info.type != XC_GUEST_PV &&
                          xc_hv_memory_fd(r->p->hv) >= 0);
    r->entries = malloc(XC_PD_COUNT_MAX * sizeof(*r->entries));
    rc = xc_sr_populate_init(&r->populate, r->p->hv, &r->info);
    if (rc || !r->entries)
        return xc_sr_fail(cb, -ENOMEM, "no memory to restore %llu pages",
                          (unsigned long long)r->info.nr_pfns);
    rc = xc_sr_populate_wipe(&r->populate);
    if (rc)
        return xc_sr_fail(cb, rc, "cannot empty the domain's memory (%s): %s",
                          xc_hv_name(r->p->hv), strerror(-rc));
    return 0;
}

int xc_sr_restore(const struct xc_sr_restore_params *p,
                  struct xc_sr_restore_result *result)
{
    struct xc_sr_restore r = {.p = p, .result = result};
    int rc;

    *result =
        (struct xc_sr_restore_result){XC_INVALID_PFN, XC_INVALID_PFN, {0}};
    rc = restore_init(&r);
    if (!rc)
        rc = read_stream(&r);
    result->stats.bytes = r.io.offset;
    result->stats.passes = 1;
    xc_sr_source_dispose(&r.source);
    xc_sr_populate_dispose(&r.populate);
    xc_hv_buf_free(&r.hvm_context);
    xc_sr_restore_pv_dispose(&r);
    free(r.entries);
    return rc;
}
