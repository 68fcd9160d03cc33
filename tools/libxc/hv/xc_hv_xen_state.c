/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_hv_xen_state.c - what a domain is besides its memory. */
#include "hv/xc_hv_xen_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/hvm/params.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define PAIR_BYTES 16u

/* What a save asks for, in the stream's order. */
static const uint32_t saved_params[] = {
    HVM_PARAM_STORE_PFN,
    HVM_PARAM_IOREQ_PFN,
    HVM_PARAM_BUFIOREQ_PFN,
    HVM_PARAM_PAGING_RING_PFN,
    HVM_PARAM_MONITOR_RING_PFN,
    HVM_PARAM_SHARING_RING_PFN,
    HVM_PARAM_VM86_TSS_SIZED,
    HVM_PARAM_CONSOLE_PFN,
    HVM_PARAM_ACPI_IOPORTS_LOCATION,
    HVM_PARAM_VIRIDIAN,
    HVM_PARAM_IDENT_PT,
    HVM_PARAM_VM_GENERATION_ID_ADDR,
    HVM_PARAM_IOREQ_SERVER_PFN,
    HVM_PARAM_NR_IOREQ_SERVER_PAGES,
    HVM_PARAM_X87_FIP_WIDTH,
    HVM_PARAM_MCA_CAP,
};

static int get_context(struct xc_hv_xen *x, struct xc_hv_buf *out)
{
    int bytes = xc_domain_hvm_getcontext(x->xch, x->domid, NULL, 0);

    if (bytes <= 0)
        return xc_hv_xen_errno();
    out->data = calloc(1, (size_t)bytes);
    if (!out->data)
        return -ENOMEM;
    bytes =
        xc_domain_hvm_getcontext(x->xch, x->domid, out->data, (uint32_t)bytes);
    if (bytes <= 0) {
        int rc = xc_hv_xen_errno();

        xc_hv_buf_free(out);
        return rc;
    }
    out->bytes = (size_t)bytes;
    return 0;
}

static int get_params(struct xc_hv_xen *x, struct xc_hv_buf *out)
{
    uint64_t *pairs = calloc(NR(saved_params), PAIR_BYTES), value;
    size_t n = 0;

    if (!pairs)
        return -ENOMEM;
    for (size_t i = 0; i < NR(saved_params); i++) {
        if (xc_hvm_param_get(x->xch, x->domid, saved_params[i], &value) < 0) {
            int rc = xc_hv_xen_errno();

            free(pairs);
            return rc;
        }
        if (!value)
            continue;
        pairs[2 * n] = saved_params[i];
        pairs[2 * n + 1] = value;
        n++;
    }
    *out = (struct xc_hv_buf){pairs, n * PAIR_BYTES};
    return 0;
}

int xc_hv_xen_get_blob(struct xc_hv *hv, enum xc_hv_blob id,
                       struct xc_hv_buf *out)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);

    *out = (struct xc_hv_buf){0};
    switch (id) {
    case XC_HV_HVM_CONTEXT:
        return get_context(x, out);
    case XC_HV_HVM_PARAMS:
        return get_params(x, out);
    default:
        return xc_hv_xen_get_policy(x, id, out);
    }
}

static int set_params(struct xc_hv_xen *x, const void *data, size_t bytes)
{
    uint64_t pair[2];

    for (size_t at = 0; at + PAIR_BYTES <= bytes; at += PAIR_BYTES) {
        memcpy(pair, (const uint8_t *)data + at, PAIR_BYTES);
        if (pair[0] > UINT32_MAX)
            return -EINVAL;
        if (xc_hvm_param_set(x->xch, x->domid, (uint32_t)pair[0], pair[1]) < 0)
            return xc_hv_xen_errno();
    }
    return 0;
}

int xc_hv_xen_set_blob(struct xc_hv *hv, enum xc_hv_blob id, const void *data,
                       size_t bytes)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);

    switch (id) {
    case XC_HV_HVM_CONTEXT:
        if (bytes > UINT32_MAX)
            return -E2BIG;
        if (xc_domain_hvm_setcontext(x->xch, x->domid, (uint8_t *)data,
                                     (uint32_t)bytes) < 0)
            return xc_hv_xen_errno();
        return 0;
    case XC_HV_HVM_PARAMS:
        return set_params(x, data, bytes);
    default:
        return xc_hv_xen_set_policy(x, id, data, bytes);
    }
}

int xc_hv_xen_get_tsc(struct xc_hv *hv, struct xc_hv_tsc *out)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);

    if (xc_domain_get_tsc_info(x->xch, x->domid, &out->mode, &out->nsec,
                               &out->khz, &out->incarnation) < 0)
        return xc_hv_xen_errno();
    return 0;
}

int xc_hv_xen_set_tsc(struct xc_hv *hv, const struct xc_hv_tsc *in)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);

    if (xc_domain_set_tsc_info(x->xch, x->domid, in->mode, in->nsec, in->khz,
                               in->incarnation) < 0)
        return xc_hv_xen_errno();
    return 0;
}
