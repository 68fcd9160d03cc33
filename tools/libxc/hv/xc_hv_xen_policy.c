/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen_policy.c - what CPU a domain sees: its CPUID leaves and MSRs.
 *
 * The hypervisor checks both against each other and against the host, so they
 * are handed over in one call, before the first page is made.
 */
#include "hv/xc_hv_xen_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAF_BYTES 24u
#define MSR_BYTES 16u

static_assert(sizeof(xen_cpuid_leaf_t) == LEAF_BYTES, "as in the stream");
static_assert(sizeof(xen_msr_entry_t) == MSR_BYTES, "as in the stream");

struct policy {
    xen_cpuid_leaf_t *leaves;
    xen_msr_entry_t *msrs;
    uint32_t nr_leaves, nr_msrs;
};

static int serialise(struct xc_hv_xen *x, struct policy *p)
{
    xc_cpu_policy_t *policy = xc_cpu_policy_init();
    int rc = 0;

    if (!policy)
        return -ENOMEM;
    if (xc_cpu_policy_get_domain(x->xch, x->domid, policy) ||
        xc_cpu_policy_serialise(x->xch, policy, p->leaves, &p->nr_leaves,
                                p->msrs, &p->nr_msrs))
        rc = xc_hv_xen_errno();
    xc_cpu_policy_destroy(policy);
    return rc;
}

int xc_hv_xen_get_policy(struct xc_hv_xen *x, enum xc_hv_blob id,
                         struct xc_hv_buf *out)
{
    struct policy p = {0};
    int rc;

    if (xc_cpu_policy_get_size(x->xch, &p.nr_leaves, &p.nr_msrs))
        return xc_hv_xen_errno();
    p.leaves = calloc(p.nr_leaves + 1, sizeof(*p.leaves));
    p.msrs = calloc(p.nr_msrs + 1, sizeof(*p.msrs));
    rc = p.leaves && p.msrs ? serialise(x, &p) : -ENOMEM;
    if (!rc && id == XC_HV_CPUID_POLICY) {
        *out = (struct xc_hv_buf){p.leaves, p.nr_leaves * LEAF_BYTES};
        p.leaves = NULL;
    } else if (!rc) {
        *out = (struct xc_hv_buf){p.msrs, p.nr_msrs * MSR_BYTES};
        p.msrs = NULL;
    }
    free(p.leaves);
    free(p.msrs);
    return rc;
}

int xc_hv_xen_apply_policies(struct xc_hv_xen *x)
{
    uint32_t leaf = 0, subleaf = 0, msr = 0;
    int r;

    if (!x->cpuid.data && !x->msrs.data)
        return 0;
    r = xc_set_domain_cpu_policy(
        x->xch, x->domid, (uint32_t)(x->cpuid.bytes / LEAF_BYTES),
        x->cpuid.data, (uint32_t)(x->msrs.bytes / MSR_BYTES), x->msrs.data,
        &leaf, &subleaf, &msr);
    if (r < 0)
        return xc_hv_xen_errno();
    xc_hv_buf_free(&x->cpuid);
    xc_hv_buf_free(&x->msrs);
    return 0;
}

int xc_hv_xen_set_policy(struct xc_hv_xen *x, enum xc_hv_blob id,
                         const void *data, size_t bytes)
{
    size_t each = id == XC_HV_CPUID_POLICY ? LEAF_BYTES : MSR_BYTES;
    struct xc_hv_buf *kept = id == XC_HV_CPUID_POLICY ? &x->cpuid : &x->msrs;
    void *copy;

    if (!bytes || bytes % each || kept->data)
        return -EINVAL;
    copy = malloc(bytes);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, data, bytes);
    *kept = (struct xc_hv_buf){copy, bytes};
    return x->cpuid.data && x->msrs.data ? xc_hv_xen_apply_policies(x) : 0;
}
