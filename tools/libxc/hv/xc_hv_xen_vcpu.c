/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen_vcpu.c - a PV guest's vCPUs: registers, callbacks, FPU, MSRs. As
 * the hypervisor has them; frames are turned by our callers.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hv/xc_hv_xen_priv.h"

#define EXTENDED_MAX 128u
#define XSAVE_MAX 65536u
#define MSRS_MAX 1024u
#define MSR_BYTES 16u

static_assert(sizeof(xen_domctl_vcpu_msr_t) == MSR_BYTES, "as in the stream");

static struct xen_domctl command(struct xc_hv_xen *x, uint32_t cmd)
{
    return (struct xen_domctl){.cmd = cmd, .domain = (domid_t)x->domid};
}

static int call(struct xc_hv_xen *x, struct xen_domctl *op)
{
    return xc_domctl(x->xch, op) < 0 ? xc_hv_xen_errno() : 0;
}

static int keep(const void *data, size_t bytes, struct xc_hv_buf *out)
{
    *out = (struct xc_hv_buf){malloc(bytes), bytes};
    if (!out->data)
        return -ENOMEM;
    memcpy(out->data, data, bytes);
    return 0;
}

/* ---- registers ---- */

static size_t context_bytes(const struct xc_hv_xen *x)
{
    vcpu_guest_context_any_t any;

    return x->pv.width == 8 ? sizeof(any.x64) : sizeof(any.x32);
}

static int get_basic(struct xc_hv_xen *x, uint32_t vcpu, struct xc_hv_buf *out)
{
    vcpu_guest_context_any_t any = {0};
    xc_vcpuinfo_t info;

    if (xc_vcpu_getinfo(x->xch, x->domid, vcpu, &info) < 0)
        return errno == ESRCH || errno == ENOENT ? -ENOENT : xc_hv_xen_errno();
    if (!info.online)
        return -ENOENT;
    if (xc_vcpu_getcontext(x->xch, x->domid, vcpu, &any) < 0)
        return xc_hv_xen_errno();
    return keep(&any, context_bytes(x), out);
}

static int set_basic(struct xc_hv_xen *x, uint32_t vcpu, const void *data,
                     size_t bytes)
{
    vcpu_guest_context_any_t any = {0};

    if (bytes != context_bytes(x))
        return -EINVAL;
    memcpy(&any, data, bytes);
    return xc_vcpu_setcontext(x->xch, x->domid, vcpu, &any) < 0
               ? xc_hv_xen_errno()
               : 0;
}

/* ---- callbacks ---- */

static int get_extended(struct xc_hv_xen *x, uint32_t vcpu,
                        struct xc_hv_buf *out)
{
    struct xen_domctl op = command(x, XEN_DOMCTL_get_ext_vcpucontext);
    int rc;

    op.u.ext_vcpucontext.vcpu = vcpu;
    rc = call(x, &op);
    if (rc)
        return rc;
    if (op.u.ext_vcpucontext.size > EXTENDED_MAX)
        return -EIO;
    return keep(&op.u.ext_vcpucontext, op.u.ext_vcpucontext.size, out);
}

static int set_extended(struct xc_hv_xen *x, uint32_t vcpu, const void *data,
                        size_t bytes)
{
    struct xen_domctl op = command(x, XEN_DOMCTL_set_ext_vcpucontext);

    if (bytes > sizeof(op.u.ext_vcpucontext))
        bytes = sizeof(op.u.ext_vcpucontext);
    memcpy(&op.u.ext_vcpucontext, data, bytes);
    op.u.ext_vcpucontext.vcpu = vcpu;
    op.u.ext_vcpucontext.size = (uint32_t)bytes;
    return call(x, &op);
}

/* ---- FPU and what came after it ---- */

static int get_xsave(struct xc_hv_xen *x, uint32_t vcpu, struct xc_hv_buf *out)
{
    struct xen_domctl op = command(x, XEN_DOMCTL_getvcpuextstate);
    DECLARE_HYPERCALL_BUFFER(void, buffer);
    size_t bytes;
    int rc;

    op.u.vcpuextstate.vcpu = vcpu;
    rc = call(x, &op); /* how much is there? */
    bytes = (size_t)op.u.vcpuextstate.size;
    if (rc || !op.u.vcpuextstate.xfeature_mask || !bytes)
        return rc ? rc : -ENOTSUP;
    if (bytes > XSAVE_MAX)
        return -EIO;
    buffer = xc_hypercall_buffer_alloc(x->xch, buffer, bytes);
    if (!buffer)
        return -ENOMEM;
    set_xen_guest_handle(op.u.vcpuextstate.buffer, buffer);
    rc = call(x, &op);
    if (!rc && op.u.vcpuextstate.size <= bytes)
        rc = keep(buffer, (size_t)op.u.vcpuextstate.size, out);
    xc_hypercall_buffer_free(x->xch, buffer);
    return rc;
}

static int set_xsave(struct xc_hv_xen *x, uint32_t vcpu, const void *data,
                     size_t bytes)
{
    struct xen_domctl op = command(x, XEN_DOMCTL_setvcpuextstate);
    DECLARE_HYPERCALL_BUFFER(void, buffer);
    int rc;

    buffer = xc_hypercall_buffer_alloc(x->xch, buffer, bytes);
    if (!buffer)
        return -ENOMEM;
    memcpy(buffer, data, bytes);
    op.u.vcpuextstate.vcpu = vcpu;
    op.u.vcpuextstate.size = bytes;
    set_xen_guest_handle(op.u.vcpuextstate.buffer, buffer);
    rc = call(x, &op);
    xc_hypercall_buffer_free(x->xch, buffer);
    return rc;
}

/* ---- MSRs ---- */

static int get_msrs(struct xc_hv_xen *x, uint32_t vcpu, struct xc_hv_buf *out)
{
    struct xen_domctl op = command(x, XEN_DOMCTL_get_vcpu_msrs);
    DECLARE_HYPERCALL_BUFFER(xen_domctl_vcpu_msr_t, buffer);
    uint32_t most;
    int rc;

    op.u.vcpu_msrs.vcpu = vcpu;
    rc = call(x, &op); /* how many may there be? */
    most = op.u.vcpu_msrs.msr_count;
    if (rc || !most)
        return rc ? rc : -ENOTSUP;
    if (most > MSRS_MAX)
        return -EIO;
    buffer = xc_hypercall_buffer_alloc(x->xch, buffer, most * MSR_BYTES);
    if (!buffer)
        return -ENOMEM;
    set_xen_guest_handle(op.u.vcpu_msrs.msrs, buffer);
    rc = call(x, &op);
    if (!rc && !op.u.vcpu_msrs.msr_count)
        rc = -ENOTSUP;
    else if (!rc && op.u.vcpu_msrs.msr_count <= most)
        rc = keep(buffer, op.u.vcpu_msrs.msr_count * MSR_BYTES, out);
    xc_hypercall_buffer_free(x->xch, buffer);
    return rc;
}

static int set_msrs(struct xc_hv_xen *x, uint32_t vcpu, const void *data,
                    size_t bytes)
{
    struct xen_domctl op = command(x, XEN_DOMCTL_set_vcpu_msrs);
    DECLARE_HYPERCALL_BUFFER(xen_domctl_vcpu_msr_t, buffer);
    int rc;

    buffer = xc_hypercall_buffer_alloc(x->xch, buffer, bytes);
    if (!buffer)
        return -ENOMEM;
    memcpy(buffer, data, bytes);
    op.u.vcpu_msrs.vcpu = vcpu;
    op.u.vcpu_msrs.msr_count = (uint32_t)(bytes / MSR_BYTES);
    set_xen_guest_handle(op.u.vcpu_msrs.msrs, buffer);
    rc = call(x, &op);
    xc_hypercall_buffer_free(x->xch, buffer);
    return rc;
}

/* ---- all of them ---- */

int xc_hv_xen_get_vcpu(struct xc_hv *hv, uint32_t vcpu,
                       enum xc_hv_vcpu_part part, struct xc_hv_buf *out)
{
    static int (*const get[XC_HV_VCPU_PARTS])(struct xc_hv_xen *, uint32_t,
                                              struct xc_hv_buf *) = {
        [XC_HV_VCPU_BASIC] = get_basic,
        [XC_HV_VCPU_EXTENDED] = get_extended,
        [XC_HV_VCPU_XSAVE] = get_xsave,
        [XC_HV_VCPU_MSRS] = get_msrs,
    };

    return get[part](xc_hv_xen_of(hv), vcpu, out);
}

int xc_hv_xen_set_vcpu(struct xc_hv *hv, uint32_t vcpu,
                       enum xc_hv_vcpu_part part, const void *data,
                       size_t bytes)
{
    static int (*const set[XC_HV_VCPU_PARTS])(struct xc_hv_xen *, uint32_t,
                                              const void *, size_t) = {
        [XC_HV_VCPU_BASIC] = set_basic,
        [XC_HV_VCPU_EXTENDED] = set_extended,
        [XC_HV_VCPU_XSAVE] = set_xsave,
        [XC_HV_VCPU_MSRS] = set_msrs,
    };

    return set[part](xc_hv_xen_of(hv), vcpu, data, bytes);
}
