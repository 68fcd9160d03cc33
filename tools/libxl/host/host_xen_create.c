/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_xen_create.c - PLUGIN: the frame of a new domain. */
#include <errno.h>
#include <string.h>

#include "host/host_xen_priv.h"

#define EVTCHN_LAST 1023u
#define GRANT_FRAMES 64
#define MAPTRACK_FRAMES 1024
#define KB_PER_MIB 1024u

static int make(struct libxl__xen_handle *h, const struct libxl__xen_new *n)
{
    struct xen_domctl_createdomain c = {
        .max_vcpus = n->vcpus,
        .max_evtchn_port = EVTCHN_LAST,
        .max_grant_frames = GRANT_FRAMES,
        .max_maptrack_frames = MAPTRACK_FRAMES,
        .grant_opts = XEN_DOMCTL_GRANT_version(2),
        .arch.misc_flags = n->msr_relaxed ? XEN_X86_MSR_RELAXED : 0,
    };
    uint32_t domid = n->domid;

    if (n->type != LIBXL__XEN_PV)
        c.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
    if (n->type == LIBXL__XEN_HVM)
        c.arch.emulation_flags = XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI;
    else if (n->type == LIBXL__XEN_PVH)
        c.arch.emulation_flags = XEN_X86_EMU_LAPIC;
    memcpy(c.handle, n->uuid, sizeof(c.handle));
    errno = 0;
    if (xc_domain_create(h->xch, &domid, &c) < 0)
        return libxl__xen_errno();
    return domid == n->domid ? 0 : -EPROTO;
}

/* The pool of its page tables wants vCPUs to be there. */
static int dress(struct libxl__xen_handle *h, const struct libxl__xen_new *n)
{
    unsigned paging_mib =
        (unsigned)((n->paging_kb + KB_PER_MIB - 1) / KB_PER_MIB);

    errno = 0;
    if (xc_domain_max_vcpus(h->xch, n->domid, n->vcpus) ||
        xc_domain_setmaxmem(h->xch, n->domid, n->max_kb) ||
        xc_domain_set_tsc_info(h->xch, n->domid, 0, 0, 0, 0) ||
        (n->time_offset &&
         xc_domain_set_time_offset(h->xch, n->domid,
                                   (int32_t)n->time_offset)))
        return libxl__xen_errno();
    if (n->type != LIBXL__XEN_PV &&
        xc_shadow_control(h->xch, n->domid, XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION,
                          &paging_mib, 0) < 0)
        return libxl__xen_errno();
    return xc_cpuid_apply_policy(h->xch, n->domid, n->old_policy, NULL, 0, true,
                                 false, false, NULL, NULL);
}

int libxl__xen_call_create(struct libxl__xen_handle *h,
                           const struct libxl__xen_new *n)
{
    int r = make(h, n);

    if (r)
        return r;
    r = dress(h, n);
    if (r)
        xc_domain_destroy(h->xch, n->domid);
    return r < -1 ? r : r ? -EIO : 0;
}
