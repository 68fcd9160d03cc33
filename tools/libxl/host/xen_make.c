/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_make.c - a new domain, in order of time:
 *   create, incoming: frame, channels, nodes -> (the helper fills its memory)
 *           -> load: grants, introduction
 *   create, new:      frame, channels, nodes, kernel, introduction
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "host/xen_host.h"
#include "store/domain_record.h"
#include "store/store_xen.h"

#define SLACK_KB 1024u /* pages beside the guest's memory */
#define KB_PER_VCPU 1024u
#define PAGING_KB_PER_MIB 8u
#define TIMER_NO_DELAY_FOR_MISSED_TICKS 1u

static enum libxl__xen_type type_of(const libxl_domain_config *config)
{
    switch (config->c_info.type) {
    case LIBXL_DOMAIN_TYPE_HVM:
        return LIBXL__XEN_HVM;
    case LIBXL_DOMAIN_TYPE_PVH:
        return LIBXL__XEN_PVH;
    default:
        return LIBXL__XEN_PV;
    }
}

/* Room for the guest's second-level page tables, whatever its shape. */
static uint64_t paging_kb(const libxl_domain_build_info *b)
{
    if (b->shadow_memkb)
        return b->shadow_memkb;
    return (uint64_t)b->max_vcpus * KB_PER_VCPU +
           (b->max_memkb >> 10) * PAGING_KB_PER_MIB;
}

static int make_frame(struct libxl__host_xen *hx, uint32_t domid,
                      const libxl_domain_config *config, bool incoming)
{
    const libxl_domain_build_info *b = &config->b_info;
    struct libxl__xen_new n = {
        .domid = domid,
        .type = type_of(config),
        .vcpus = (unsigned)b->max_vcpus,
        .max_kb = b->max_memkb + SLACK_KB,
        .paging_kb = paging_kb(b),
        .msr_relaxed = incoming,
        .old_policy = incoming,
        .time_offset = b->rtc_timeoffset,
    };
    int r;

    memcpy(n.uuid, config->c_info.uuid.uuid, sizeof(n.uuid));
    r = hx->calls->create(hx->xen, &n);
    if (r == -EEXIST) {
        LOGD(hx->host.ctx, domid, ERROR,
             "another toolstack has just taken this domid: try again");
        return ERROR_FAIL;
    }
    if (!r && n.type != LIBXL__XEN_PV)
        r = hx->calls->param_set(hx->xen, domid, LIBXL__XEN_PARAM_TIMER_MODE,
                                 TIMER_NO_DELAY_FOR_MISSED_TICKS);
    return libxl__xen_failed(hx, domid, r,
                             "the hypervisor does not make the domain");
}

static int make_ports(struct libxl__host_xen *hx, uint32_t domid,
                      struct libxl__xen_ports *ports)
{
    int r = hx->calls->port(hx->xen, domid, 0, &ports->store);

    if (!r)
        r = hx->calls->port(hx->xen, domid, 0, &ports->console);
    return libxl__xen_failed(hx, domid, r, "no event channel for the domain");
}

static int build(struct libxl__host_xen *hx, libxl__gc *gc, uint32_t domid,
                 const libxl_domain_config *config,
                 const struct libxl__xen_ports *ports)
{
    const libxl_domain_build_info *b = &config->b_info;
    struct libxl__xen_image im = {
        .domid = domid,
        .type = type_of(config),
        .kernel = b->kernel,
        .ramdisk = b->ramdisk,
        .cmdline = b->cmdline,
        .memory_kb = b->max_memkb,
        .target_kb = b->target_memkb,
        .vcpus = (unsigned)b->max_vcpus,
        .store_port = ports->store,
        .console_port = ports->console,
        .acpi = b->acpi,
        .apic = b->apic,
    };
    struct libxl__xen_built built;
    int r = hx->calls->build(hx->xen, &im, &built);

    if (r) {
        LOGED(hx->host.ctx, domid, ERROR, built.why[0] ? 0 : -r,
              "the guest cannot be built%s%s", built.why[0] ? ": " : "",
              built.why);
        return ERROR_FAIL;
    }
    return libxl__xen_introduce(hx, gc, domid, built.store_gfn,
                                built.console_gfn);
}

int libxl__xen_create(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      const libxl_domain_config *config, bool incoming)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    libxl__gc *gc = libxl__ao_gc(call->ao);
    struct libxl__xen_ports ports;
    int rc;

    rc = make_frame(hx, call->domid, config, incoming);
    if (!rc)
        rc = make_ports(hx, call->domid, &ports);
    if (!rc)
        rc = libxl__xen_lay_out(hx, gc, call->domid, config, &ports);
    if (!rc)
        rc = libxl__store_xen_publish(hx->store, call->domid);
    if (!rc && !incoming)
        rc = build(hx, gc, call->domid, config, &ports);
    return rc ? rc : libxl__xen_answer(egc, h, call, 0);
}

/* ---- after its memory has come ---- */

static int connect_pages(struct libxl__host_xen *hx, libxl__gc *gc,
                         const struct libxl__xen_domain *d,
                         const struct libxl__helper_results *found)
{
    struct libxl__xen_ports ports;
    int r = 0, rc = libxl__xen_read_ports(hx, gc, d->domid, &ports);

    if (rc)
        return rc;
    if (d->hvm)
        r = hx->calls->param_set(hx->xen, d->domid,
                                 LIBXL__XEN_PARAM_STORE_EVTCHN, ports.store);
    if (!r && d->hvm)
        r = hx->calls->param_set(hx->xen, d->domid,
                                 LIBXL__XEN_PARAM_CONSOLE_EVTCHN,
                                 ports.console);
    if (!r)
        r = hx->calls->grants(hx->xen, d->domid, d->hvm, found->console_pfn,
                              found->store_pfn);
    rc = libxl__xen_failed(hx, d->domid, r,
                           "the pages shared with the guest cannot be set up");
    return rc ? rc
              : libxl__xen_introduce(hx, gc, d->domid, found->store_pfn,
                                     found->console_pfn);
}

int libxl__xen_load(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                    int fd)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_domain d;
    int rc = libxl__xen_domain(hx, call->domid, &d);

    if (!rc)
        rc = connect_pages(hx, libxl__ao_gc(call->ao), &d, call->results);
    return rc ? rc : libxl__xen_answer(egc, h, call, 0);
}
