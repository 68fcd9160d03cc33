/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_build.c - a new domain gets what it first runs. Chain, in order of time:
 *
 *   start -> (worker: run) -> built -> introduction -> who serves its devices
 *
 * The builder reads the kernel and fills the guest's memory, a second or more:
 * it runs on the worker's thread, with a connection of its own. Nothing can
 * stop it: an abort is seen when it has ended, and the caller then destroys the
 * domain. So the domain is never taken away under the builder.
 */
#include <errno.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "host/xen_host.h"

struct build {
    libxl__job job;
    struct libxl__host_xen *hx;
    libxl__host_call *call;
    const libxl_domain_config *config;
    /* the worker's, until built */
    const struct libxl__xen_calls *calls;
    struct libxl__xen_image im;
    struct libxl__xen_built result;
    bool connected;
    int r;
};

static struct build *build_of_job(libxl__job *job)
{
    return CONTAINER_OF(job, struct build, job);
}

/* ---- on the worker's thread ---- */

static void run(libxl__job *job)
{
    struct build *b = build_of_job(job);
    struct libxl__xen_handle *h;

    b->r = b->calls->open(&h);
    if (b->r)
        return;
    b->connected = true;
    b->r = b->calls->build(h, &b->im, &b->result);
    b->calls->close(h);
}

/* ---- on the loop thread ---- */

static int log_failure(struct build *b)
{
    const char *why = b->result.why;

    if (!b->connected)
        LOGED(b->hx->host.ctx, b->call->domid, ERROR, -b->r,
              "the guest cannot be built: the hypervisor does not answer");
    else
        LOGED(b->hx->host.ctx, b->call->domid, ERROR, why[0] ? 0 : -b->r,
              "the guest cannot be built%s%s", why[0] ? ": " : "", why);
    return b->r == -ENOMEM ? ERROR_NOMEM : ERROR_FAIL;
}

static int go_on(libxl__egc *egc, struct build *b)
{
    libxl__host *h = &b->hx->host;
    int rc = libxl__ao_aborting(b->call->ao);

    if (rc)
        return rc;
    if (b->r)
        return log_failure(b);
    rc = libxl__xen_introduce(b->hx, libxl__ao_gc(b->call->ao), b->call->domid,
                              b->result.store_gfn, b->result.console_gfn);
    if (rc)
        return rc;
    return libxl__xen_serve(egc, h, b->call, b->config, -1);
}

static void built(libxl__egc *egc, libxl__job *job)
{
    struct build *b = build_of_job(job);
    int rc = go_on(egc, b);

    if (rc)
        b->call->callback(egc, b->call, rc);
}

/* ---- before ---- */

static struct libxl__xen_image image_of(libxl__gc *gc, uint32_t domid,
                                        const libxl_domain_config *config,
                                        const struct libxl__xen_ports *ports)
{
    bool hvm = config->c_info.type == LIBXL_DOMAIN_TYPE_HVM;
    const libxl_domain_build_info *b = &config->b_info;

    return (struct libxl__xen_image){
        .domid = domid,
        .type = libxl__xen_kind(config),
        .kernel = hvm ? libxl__xen_program(gc, "hvmloader") : b->kernel,
        .ramdisk = hvm ? NULL : b->ramdisk,
        .cmdline = hvm ? NULL : b->cmdline,
        .bios = hvm ? libxl__xen_bios(gc, config) : NULL,
        .memory_kb = b->max_memkb - b->video_memkb,
        .target_kb = b->target_memkb - b->video_memkb,
        .vcpus = (unsigned)b->max_vcpus,
        .store_port = ports->store,
        .console_port = ports->console,
        .acpi = b->acpi,
        .apic = b->apic,
    };
}

int libxl__xen_build(libxl__host *h, libxl__host_call *call,
                     const libxl_domain_config *config,
                     const struct libxl__xen_ports *ports)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    libxl__gc *gc = libxl__ao_gc(call->ao);
    struct build *b = libxl__zalloc(gc, sizeof(*b));

    if (!b)
        return ERROR_NOMEM;
    b->job.run = run;
    b->job.done = built;
    b->hx = hx;
    b->call = call;
    b->config = config;
    b->calls = hx->calls;
    b->im = image_of(gc, call->domid, config, ports);
    b->r = -ECANCELED; /* if it never runs */
    if (b->im.kernel && (b->im.type != LIBXL__XEN_HVM || b->im.bios))
        return libxl__worker_submit(h->ctx, &b->job);
    LOGD(h->ctx, call->domid, ERROR,
         "the guest cannot be built: %s is not installed",
         b->im.kernel ? "its firmware (seabios)" : "Xen's hvmloader");
    return ERROR_FAIL;
}
