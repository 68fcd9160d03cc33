/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_make.c - a new domain, in order of time:
 *   create, incoming: frame, channels, nodes -> (the helper fills its memory)
 *           -> load: grants, introduction
 *   create, new:      frame, channels, nodes -> (xen_build.c: kernel,
 *                     introduction, devices)
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "host/xen_dev.h"
#include "host/xen_dm_start.h"
#include "store/domain_record.h"
#include "store/store_xen.h"

#define SLACK_KB 1024u /* pages beside the guest's memory */
#define KB_PER_VCPU 1024u
#define PAGING_KB_PER_MIB 8u
#define TIMER_NO_DELAY_FOR_MISSED_TICKS 1u

enum libxl__xen_type libxl__xen_kind(const libxl_domain_config *config)
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

/* What no image holds: upstream's defaults. */
static int set_chipset(struct libxl__host_xen *hx, uint32_t domid)
{
    static const uint32_t on[] = {
        LIBXL__XEN_PARAM_HPET,
        LIBXL__XEN_PARAM_VPT_ALIGN,
    };
    int r = 0;

    for (size_t i = 0; !r && i < sizeof(on) / sizeof(on[0]); i++)
        r = hx->calls->param_set(hx->xen, domid, on[i], 1);
    return r;
}

static int make_frame(struct libxl__host_xen *hx, uint32_t domid,
                      const libxl_domain_config *config, bool incoming)
{
    const libxl_domain_build_info *b = &config->b_info;
    struct libxl__xen_new n = {
        .domid = domid,
        .type = libxl__xen_kind(config),
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
    if (!r && n.type == LIBXL__XEN_HVM)
        r = set_chipset(hx, domid);
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

/* ---- who serves its devices ---- */

/* In order of time; each is its own step's to answer. */
struct served {
    libxl__host_call *call;       /* the caller's */
    libxl__host_call qemu, disks; /* ours */
    libxl__xen_disk_wait *wait;
    libxl__xen_plug *plug;
};

static void qemu_ready(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct served *sv = call->user;

    if (!rc)
        rc = libxl__xen_disk_wait_start(egc, sv->wait);
    if (rc)
        sv->call->callback(egc, sv->call, rc);
}

static void disks_taken(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct served *sv = call->user;

    if (!rc)
        rc = libxl__xen_plug_start(egc, sv->plug);
    if (rc)
        sv->call->callback(egc, sv->call, rc);
}

static libxl__host_call inner_call(struct served *sv,
                                   libxl__host_callback *callback)
{
    return (libxl__host_call){
        .ao = sv->call->ao,
        .domid = sv->call->domid,
        .user = sv,
        .callback = callback,
    };
}

/* QEMU first: it serves disks, and an emulated interface is its before it gets
 * to its bridge. */
int libxl__xen_serve(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                     const libxl_domain_config *config, int state_fd)
{
    struct served *sv = libxl__zalloc(libxl__ao_gc(call->ao), sizeof(*sv));

    if (!sv)
        return ERROR_NOMEM;
    sv->call = call;
    sv->qemu = inner_call(sv, qemu_ready);
    sv->disks = inner_call(sv, disks_taken);
    sv->wait = libxl__xen_disk_wait_new(h, &sv->disks, config);
    sv->plug = libxl__xen_plug_new(h, call, config);
    if (!sv->wait || !sv->plug)
        return ERROR_NOMEM;
    if (!libxl__xen_dev_want_qemu(config))
        return libxl__xen_disk_wait_start(egc, sv->wait);
    return libxl__xen_dm_spawn(egc, h, &sv->qemu, config, state_fd);
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
        rc = libxl__xen_dev_lay_out(hx, gc, call->domid, config);
    if (!rc)
        rc = libxl__store_xen_publish(hx->store, call->domid);
    if (!rc && !incoming)
        return libxl__xen_build(h, call, config, &ports);
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
        r = hx->calls->param_set(
            hx->xen, d->domid, LIBXL__XEN_PARAM_CONSOLE_EVTCHN, ports.console);
    if (!r)
        r = hx->calls->grants(hx->xen, d->domid, d->hvm, found->console_pfn,
                              found->store_pfn);
    rc = libxl__xen_failed(hx, d->domid, r,
                           "the pages shared with the guest cannot be set up");
    return rc ? rc
              : libxl__xen_introduce(hx, gc, d->domid, found->store_pfn,
                                     found->console_pfn);
}

/* Its own descriptor, read from the start. */
static int serve_with_state(libxl__egc *egc, libxl__host *h,
                            libxl__host_call *call,
                            const libxl_domain_config *config, int fd)
{
    char *path = libxl__sprintf(libxl__ao_gc(call->ao), "/proc/self/fd/%d", fd);
    int state = path ? open(path, O_RDONLY | O_CLOEXEC) : -1, rc;

    if (state < 0) {
        LOGED(h->ctx, call->domid, ERROR, errno,
              "the device state cannot be opened again");
        return ERROR_FAIL;
    }
    rc = libxl__xen_serve(egc, h, call, config, state);
    close(state);
    return rc;
}

/* Who serves its devices comes last. */
static int start_devices(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call, int fd)
{
    libxl__gc *gc = libxl__ao_gc(call->ao);
    struct libxl__domain_record rec;
    libxl_domain_config config;
    int rc;

    libxl_domain_config_init(&config);
    rc = libxl__domain_record_read(libxl__host_xen_of(h)->store, gc,
                                   call->domid, &rec);
    if (!rc)
        rc = libxl_domain_config_from_json(h->ctx, &config, rec.config_json);
    if (!rc)
        rc = fd >= 0 ? serve_with_state(egc, h, call, &config, fd)
                     : libxl__xen_serve(egc, h, call, &config, -1);
    libxl_domain_config_dispose(&config);
    return rc;
}

int libxl__xen_load(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                    int fd)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_domain d;
    int rc = libxl__xen_domain(hx, call->domid, &d);

    if (!rc)
        rc = connect_pages(hx, libxl__ao_gc(call->ao), &d, call->results);
    return rc ? rc : start_devices(egc, h, call, fd);
}
