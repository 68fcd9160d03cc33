/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_save_hvm.c - what an HVM guest's stream holds besides its memory.
 *
 * On a QEMU host that is nothing: vCPU and device state travel in QEMU's own
 * blob, in the libxl layer. On Xen what a hypervisor does not have (-ENOTSUP)
 * is elided.
 */
#include <errno.h>
#include <string.h>

#include "stream/xc_sr_report.h"
#include "stream/xc_sr_save_priv.h"

struct blob_record {
    enum xc_hv_blob id;
    enum xc_rec_type type;
};

static int fail_blob(struct xc_sr_save *s, enum xc_rec_type type, int rc)
{
    return xc_sr_fail(&s->p->cb, rc, "cannot get the guest's %s (%s): %s",
                      xc_sr_record_name(type), xc_hv_name(s->p->hv),
                      strerror(-rc));
}

static int save_params_blob(struct xc_sr_save *s, const struct xc_hv_buf *blob)
{
    const size_t head = sizeof(struct xc_wire_hvm_params);
    uint8_t body[4096];
    struct xc_build b = xc_build_in(body, sizeof(body));

    xc_build_le32(&b,
                  (uint32_t)(blob->bytes / sizeof(struct xc_wire_hvm_param)));
    xc_build_le32(&b, 0);
    xc_build_bytes(&b, blob->data, blob->bytes);
    if (b.failed)
        return xc_sr_fail(&s->p->cb, -E2BIG,
                          "the guest has %zu bytes of HVM parameters, more "
                          "than %zu",
                          blob->bytes, sizeof(body) - head);
    return xc_sr_save_record(s, XC_REC_HVM_PARAMS, body, (uint32_t)b.used);
}

static int save_blob(struct xc_sr_save *s, struct blob_record r)
{
    struct xc_hv_buf blob;
    int rc = xc_hv_get_blob(s->p->hv, r.id, &blob);

    if (rc == -ENOTSUP)
        return 0;
    if (rc)
        return fail_blob(s, r.type, rc);
    if (!blob.bytes)
        rc = 0; /* a record without content is left out */
    else if (blob.bytes > XC_REC_LENGTH_MAX)
        rc = fail_blob(s, r.type, -E2BIG);
    else if (r.type == XC_REC_HVM_PARAMS)
        rc = save_params_blob(s, &blob);
    else
        rc = xc_sr_save_record(s, r.type, blob.data, (uint32_t)blob.bytes);
    xc_hv_buf_free(&blob);
    return rc;
}

int xc_sr_save_static(struct xc_sr_save *s)
{
    int rc = 0;

    if (s->info.type == XC_GUEST_PV)
        rc = xc_sr_save_pv_info(s);
    if (!rc && !s->info.qemu_host) {
        rc = save_blob(s, (struct blob_record){XC_HV_CPUID_POLICY,
                                               XC_REC_X86_CPUID_POLICY});
        if (!rc)
            rc = save_blob(s, (struct blob_record){XC_HV_MSR_POLICY,
                                                   XC_REC_X86_MSR_POLICY});
    }
    if (!rc)
        rc = xc_sr_save_record(s, XC_REC_STATIC_DATA_END, NULL, 0);
    return rc || s->info.type != XC_GUEST_PV ? rc : xc_sr_save_p2m_frames(s);
}

int xc_sr_save_tsc(struct xc_sr_save *s)
{
    uint8_t body[sizeof(struct xc_wire_tsc_info)];
    struct xc_build b = xc_build_in(body, sizeof(body));
    struct xc_hv_tsc tsc;
    int rc = xc_hv_get_tsc(s->p->hv, &tsc);

    if (rc == -ENOTSUP)
        return 0;
    if (rc)
        return fail_blob(s, XC_REC_X86_TSC_INFO, rc);
    xc_sr_put_tsc(&b, &tsc);
    return xc_sr_save_record(s, XC_REC_X86_TSC_INFO, body, sizeof(body));
}

/* Upstream's order: the context before the parameters. */
int xc_sr_save_hvm_state(struct xc_sr_save *s)
{
    int rc;

    if (s->info.qemu_host)
        return 0;
    rc = xc_sr_save_tsc(s);
    if (!rc)
        rc = save_blob(
            s, (struct blob_record){XC_HV_HVM_CONTEXT, XC_REC_HVM_CONTEXT});
    if (!rc)
        rc = save_blob(
            s, (struct blob_record){XC_HV_HVM_PARAMS, XC_REC_HVM_PARAMS});
    return rc;
}
