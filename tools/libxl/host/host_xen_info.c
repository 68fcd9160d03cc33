/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_xen_info.c - PLUGIN: questions to the hypervisor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/host_xen_priv.h"

#define ASK_MAX 64u
#define CREDIT 5  /* the hypervisor's numbers of its schedulers */
#define CREDIT2 6
#define ARINC653 7
#define RTDS 8
#define NULL_SCHED 9

static void fill(const xc_domaininfo_t *from, struct libxl__xen_domain *to)
{
    *to = (struct libxl__xen_domain){
        .domid = from->domain,
        .hvm = from->flags & XEN_DOMINF_hvm_guest,
        .running = from->flags & XEN_DOMINF_running,
        .blocked = from->flags & XEN_DOMINF_blocked,
        .paused = from->flags & XEN_DOMINF_paused,
        .shutdown = from->flags & XEN_DOMINF_shutdown,
        .dying = from->flags & XEN_DOMINF_dying,
        .reason = from->flags >> XEN_DOMINF_shutdownshift &
                  XEN_DOMINF_shutdownmask,
        .pages = from->tot_pages,
        .max_pages = from->max_pages,
        .outstanding_pages = from->outstanding_pages,
        .cpu_time = from->cpu_time,
        .vcpus_online = from->nr_online_vcpus,
        .max_vcpu_id = from->max_vcpu_id,
    };
    /* PVH: an HVM guest for which next to nothing is emulated */
    to->pvh = to->hvm && !(from->arch_config.emulation_flags &
                           (XEN_X86_EMU_PIC | XEN_X86_EMU_PM));
    memcpy(to->uuid, from->handle, sizeof(to->uuid));
}

int libxl__xen_call_domains(struct libxl__xen_handle *h, uint32_t first,
                            unsigned max, struct libxl__xen_domain *out)
{
    xc_domaininfo_t info[ASK_MAX];
    int r;

    errno = 0;
    r = xc_domain_getinfolist(h->xch, first, max < ASK_MAX ? max : ASK_MAX,
                              info);
    if (r < 0)
        return libxl__xen_errno();
    for (int i = 0; i < r; i++)
        fill(&info[i], &out[i]);
    return r;
}

int libxl__xen_call_vcpu(struct libxl__xen_handle *h, uint32_t domid,
                         uint32_t vcpu, struct libxl__xen_vcpu *out)
{
    xc_vcpuinfo_t info;

    errno = 0;
    if (xc_vcpu_getinfo(h->xch, domid, vcpu, &info) < 0)
        return libxl__xen_errno();
    *out = (struct libxl__xen_vcpu){
        .online = info.online,
        .blocked = info.blocked,
        .running = info.running,
        .cpu = info.online ? (int)info.cpu : -1,
        .time = info.cpu_time,
    };
    return 0;
}

int libxl__xen_call_phys(struct libxl__xen_handle *h,
                         struct libxl__xen_phys *out)
{
    xc_physinfo_t info;

    errno = 0;
    if (xc_physinfo(h->xch, &info) < 0)
        return libxl__xen_errno();
    *out = (struct libxl__xen_phys){
        .threads_per_core = info.threads_per_core,
        .cores_per_socket = info.cores_per_socket,
        .nr_cpus = info.nr_cpus,
        .max_cpu_id = info.max_cpu_id,
        .nr_nodes = info.nr_nodes,
        .cpu_khz = info.cpu_khz,
        .total_pages = info.total_pages,
        .free_pages = info.free_pages,
        .scrub_pages = info.scrub_pages,
        .outstanding_pages = info.outstanding_pages,
        .pv = info.capabilities & XEN_SYSCTL_PHYSCAP_pv,
        .hvm = info.capabilities & XEN_SYSCTL_PHYSCAP_hvm,
        .hap = info.capabilities & XEN_SYSCTL_PHYSCAP_hap,
        .shadow = info.capabilities & XEN_SYSCTL_PHYSCAP_shadow,
    };
    memcpy(out->hw_cap, info.hw_cap, sizeof(out->hw_cap));
    return 0;
}

int libxl__xen_call_version(struct libxl__xen_handle *h,
                            struct libxl__xen_version *out)
{
    struct xen_compile_info compile = {{0}};
    xen_platform_parameters_t platform = {0};
    int version;

    *out = (struct libxl__xen_version){0};
    errno = 0;
    version = xc_version(h->xch, XENVER_version, NULL);
    if (version < 0)
        return libxl__xen_errno();
    out->major = (unsigned)version >> 16;
    out->minor = (unsigned)version & 0xffff;
    if (xc_version(h->xch, XENVER_extraversion, out->extra) < 0 ||
        xc_version(h->xch, XENVER_compile_info, &compile) < 0 ||
        xc_version(h->xch, XENVER_capabilities, out->caps) < 0 ||
        xc_version(h->xch, XENVER_changeset, out->changeset) < 0 ||
        xc_version(h->xch, XENVER_platform_parameters, &platform) < 0 ||
        xc_version(h->xch, XENVER_commandline, out->commandline) < 0)
        return libxl__xen_errno();
    memcpy(out->compiler, compile.compiler, sizeof(out->compiler));
    memcpy(out->compile_by, compile.compile_by, sizeof(out->compile_by));
    memcpy(out->compile_domain, compile.compile_domain,
           sizeof(out->compile_domain));
    memcpy(out->compile_date, compile.compile_date, sizeof(out->compile_date));
    out->virt_start = platform.virt_start;
    out->page_bytes = (unsigned)xc_version(h->xch, XENVER_pagesize, NULL);
    return 0;
}

static int scheduler_id(struct libxl__xen_handle *h)
{
    int id;

    return xc_sched_id(h->xch, &id) < 0 ? -1 : id;
}

const char *libxl__xen_call_scheduler(struct libxl__xen_handle *h)
{
    switch (scheduler_id(h)) {
    case CREDIT:
        return "credit";
    case CREDIT2:
        return "credit2";
    case ARINC653:
        return "arinc653";
    case RTDS:
        return "rtds";
    case NULL_SCHED:
        return "null";
    default:
        return "unknown";
    }
}

int libxl__xen_call_sched_get(struct libxl__xen_handle *h, uint32_t domid,
                              unsigned *weight, unsigned *cap)
{
    struct xen_domctl_sched_credit one;
    struct xen_domctl_sched_credit2 two;

    errno = 0;
    switch (scheduler_id(h)) {
    case CREDIT:
        if (xc_sched_credit_domain_get(h->xch, domid, &one) < 0)
            return libxl__xen_errno();
        *weight = one.weight;
        *cap = one.cap;
        return 0;
    case CREDIT2:
        if (xc_sched_credit2_domain_get(h->xch, domid, &two) < 0)
            return libxl__xen_errno();
        *weight = two.weight;
        *cap = two.cap;
        return 0;
    default:
        return -ENOTSUP;
    }
}

int libxl__xen_call_sched_set(struct libxl__xen_handle *h, uint32_t domid,
                              unsigned weight, unsigned cap)
{
    struct xen_domctl_sched_credit one = {(uint16_t)weight, (uint16_t)cap};
    struct xen_domctl_sched_credit2 two = {(uint16_t)weight, (uint16_t)cap};

    if (!weight || weight > UINT16_MAX || cap > UINT16_MAX)
        return -EINVAL;
    errno = 0;
    switch (scheduler_id(h)) {
    case CREDIT:
        return libxl__xen_result(
            xc_sched_credit_domain_set(h->xch, domid, &one));
    case CREDIT2:
        return libxl__xen_result(
            xc_sched_credit2_domain_set(h->xch, domid, &two));
    default:
        return -ENOTSUP;
    }
}
