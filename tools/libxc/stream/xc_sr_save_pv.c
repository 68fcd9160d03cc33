/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_save_pv.c - what a PV guest's stream holds besides its pages:
 *
 *   PV_INFO, P2M_FRAMES ... memory ... TSC_INFO, SHARED_INFO,
 *   for each vCPU that is online: BASIC, EXTENDED, XSAVE, MSRS
 *
 * In all of it PFNs stand for the machine frames of this host.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/xc_sr_pv_layout.h"
#include "stream/xc_sr_report.h"
#include "stream/xc_sr_save_priv.h"

#define USER_TABLE_THERE 1u

static const enum xc_rec_type part_records[XC_HV_VCPU_PARTS] = {
    [XC_HV_VCPU_BASIC] = XC_REC_X86_PV_VCPU_BASIC,
    [XC_HV_VCPU_EXTENDED] = XC_REC_X86_PV_VCPU_EXTENDED,
    [XC_HV_VCPU_XSAVE] = XC_REC_X86_PV_VCPU_XSAVE,
    [XC_HV_VCPU_MSRS] = XC_REC_X86_PV_VCPU_MSRS,
};

static int fail_get(struct xc_sr_save *s, enum xc_rec_type type, int rc)
{
    return xc_sr_fail(&s->p->cb, rc, "cannot get the guest's %s (%s): %s",
                      xc_sr_record_name(type), xc_hv_name(s->p->hv),
                      strerror(-rc));
}

int xc_sr_save_pv_info(struct xc_sr_save *s)
{
    uint8_t body[sizeof(struct xc_wire_pv_info)] = {
        (uint8_t)s->tables.width,
        s->tables.width == 8 ? 4 : 3,
    };

    return xc_sr_save_record(s, XC_REC_X86_PV_INFO, body, sizeof(body));
}

static int put_p2m_frames(struct xc_sr_save *s, const struct xc_hv_buf *frames)
{
    size_t bytes = sizeof(struct xc_wire_p2m_frames) + frames->bytes;
    const xc_pfn_t *pfns = frames->data;
    struct xc_build b;
    uint8_t *body;
    int rc;

    if (s->info.nr_pfns - 1 > UINT32_MAX || bytes > XC_REC_LENGTH_MAX)
        return fail_get(s, XC_REC_X86_PV_P2M_FRAMES, -E2BIG);
    body = malloc(bytes);
    if (!body)
        return fail_get(s, XC_REC_X86_PV_P2M_FRAMES, -ENOMEM);
    b = xc_build_in(body, bytes);
    xc_build_le32(&b, 0);
    xc_build_le32(&b, (uint32_t)(s->info.nr_pfns - 1));
    for (size_t i = 0; i < frames->bytes / sizeof(*pfns); i++)
        xc_build_le64(&b, pfns[i]);
    rc = xc_sr_save_record(s, XC_REC_X86_PV_P2M_FRAMES, body, (uint32_t)bytes);
    free(body);
    return rc;
}

int xc_sr_save_p2m_frames(struct xc_sr_save *s)
{
    struct xc_hv_buf frames;
    int rc = xc_hv_pv_p2m_frames(s->p->hv, &frames);

    if (rc)
        return fail_get(s, XC_REC_X86_PV_P2M_FRAMES, rc);
    rc = put_p2m_frames(s, &frames);
    xc_hv_buf_free(&frames);
    return rc;
}

int xc_sr_save_p2m_again(struct xc_sr_save *s)
{
    int rc;

    if (s->info.type != XC_GUEST_PV)
        return 0;
    rc = xc_hv_pv_p2m_stable(s->p->hv);
    if (rc == -ESTALE)
        return xc_sr_save_p2m_frames(s);
    return rc ? fail_get(s, XC_REC_X86_PV_P2M_FRAMES, rc) : 0;
}

static int save_shared_info(struct xc_sr_save *s)
{
    uint8_t page[XC_PAGE_SIZE];
    int rc = xc_hv_pv_get_shared_info(s->p->hv, page);

    if (rc)
        return fail_get(s, XC_REC_SHARED_INFO, rc);
    return xc_sr_save_record(s, XC_REC_SHARED_INFO, page, sizeof(page));
}

static int fail_vcpu(struct xc_sr_save *s, uint32_t vcpu, const char *what)
{
    return xc_sr_fail(&s->p->cb, -ERANGE,
                      "vCPU %u of the guest is not as a suspended PV guest "
                      "leaves it: %s",
                      vcpu, what);
}

/* A frame, as a PFN; XC_INVALID_PFN: it is not the guest's. */
static xc_pfn_t pfn_of(struct xc_sr_save *s, uint64_t mfn)
{
    xc_pfn_t pfn;

    if (xc_hv_pv_pfns_of(s->p->hv, &mfn, 1, &pfn))
        return XC_INVALID_PFN;
    return pfn;
}

/* A word that holds a frame. */
static bool turn_word(struct xc_sr_save *s, uint8_t *ctx, size_t at)
{
    unsigned width = s->tables.width;
    xc_pfn_t pfn = pfn_of(s, xc_sr_word(ctx, at, width));

    xc_sr_set_word(ctx, at, width, pfn);
    return pfn != XC_INVALID_PFN;
}

static bool turn_gdt(struct xc_sr_save *s, uint8_t *ctx)
{
    unsigned width = s->tables.width;
    uint64_t n = xc_sr_gdt_frames(ctx, width);
    bool ok = n <= XC_SR_GDT_FRAMES_MAX;

    for (uint64_t i = 0; ok && i < n; i++)
        ok =
            turn_word(s, ctx, xc_sr_vcpu_layout(width)->gdt_frames + i * width);
    return ok;
}

static bool turn_tables(struct xc_sr_save *s, uint8_t *ctx)
{
    unsigned width = s->tables.width;
    const struct xc_sr_vcpu_layout *l = xc_sr_vcpu_layout(width);
    uint64_t cr3 = xc_sr_word(ctx, l->top_table, width), user = 0;
    xc_pfn_t pfn = pfn_of(s, xc_sr_cr3_frame(cr3, width));

    if (pfn == XC_INVALID_PFN)
        return false;
    xc_sr_set_word(ctx, l->top_table, width, xc_sr_frame_cr3(pfn, width));
    if (l->user_table)
        user = xc_sr_word(ctx, l->user_table, width);
    if (!user)
        return true;
    pfn = pfn_of(s, xc_sr_cr3_frame(user, width));
    xc_sr_set_word(ctx, l->user_table, width,
                   xc_sr_frame_cr3(pfn, width) | USER_TABLE_THERE);
    return pfn != XC_INVALID_PFN;
}

static int turn_basic(struct xc_sr_save *s, uint32_t vcpu, struct xc_hv_buf *b)
{
    const struct xc_sr_vcpu_layout *l = xc_sr_vcpu_layout(s->tables.width);

    if (b->bytes != l->bytes)
        return fail_vcpu(s, vcpu, "its registers have another size");
    if (vcpu == 0 && !turn_word(s, b->data, l->start_info))
        return fail_vcpu(s, vcpu, "it does not name the start info page");
    if (!turn_gdt(s, b->data))
        return fail_vcpu(s, vcpu, "its GDT is not in the guest's memory");
    if (!turn_tables(s, b->data))
        return fail_vcpu(s, vcpu, "its page table is not the guest's");
    return 0;
}

static int put_part(struct xc_sr_save *s, uint32_t vcpu, enum xc_rec_type type,
                    const struct xc_hv_buf *part)
{
    size_t bytes = sizeof(struct xc_wire_vcpu) + part->bytes;
    struct xc_build b;
    uint8_t *body;
    int rc;

    if (bytes > XC_REC_LENGTH_MAX)
        return fail_get(s, type, -E2BIG);
    body = malloc(bytes);
    if (!body)
        return fail_get(s, type, -ENOMEM);
    b = xc_build_in(body, bytes);
    xc_build_le32(&b, vcpu);
    xc_build_le32(&b, 0);
    xc_build_bytes(&b, part->data, part->bytes);
    rc = xc_sr_save_record(s, type, body, (uint32_t)bytes);
    free(body);
    return rc;
}

/* -ENOENT: the vCPU is not online. */
static int save_part(struct xc_sr_save *s, uint32_t vcpu,
                     enum xc_hv_vcpu_part part)
{
    enum xc_rec_type type = part_records[part];
    struct xc_hv_buf b;
    int rc = xc_hv_pv_get_vcpu(s->p->hv, vcpu, part, &b);

    if (rc == -ENOENT && part == XC_HV_VCPU_BASIC)
        return rc;
    if (rc == -ENOTSUP)
        return 0;
    if (rc)
        return fail_get(s, type, rc == -ENOENT ? -EIO : rc);
    if (part == XC_HV_VCPU_BASIC)
        rc = turn_basic(s, vcpu, &b);
    if (!rc && b.bytes) /* a record without content is left out */
        rc = put_part(s, vcpu, type, &b);
    xc_hv_buf_free(&b);
    return rc;
}

static int save_vcpu(struct xc_sr_save *s, uint32_t vcpu)
{
    int rc = 0;

    for (int part = 0; !rc && part < XC_HV_VCPU_PARTS; part++)
        rc = save_part(s, vcpu, (enum xc_hv_vcpu_part)part);
    if (rc == -ENOENT && vcpu == 0)
        return fail_get(s, XC_REC_X86_PV_VCPU_BASIC, rc);
    return rc == -ENOENT ? 0 : rc;
}

int xc_sr_save_pv_state(struct xc_sr_save *s)
{
    struct xc_hv_pv_info info;
    int rc = xc_hv_pv_info(s->p->hv, &info);

    if (rc)
        return fail_get(s, XC_REC_X86_PV_VCPU_BASIC, rc);
    rc = xc_sr_save_tsc(s);
    if (!rc)
        rc = save_shared_info(s);
    for (uint32_t vcpu = 0; !rc && vcpu < info.nr_vcpus; vcpu++)
        rc = save_vcpu(s, vcpu);
    return rc;
}
