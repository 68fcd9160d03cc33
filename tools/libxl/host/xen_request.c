/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_request.c - what a guest is asked to do, by xenstore. */
#include <inttypes.h>

#include "base/log.h"
#include "host/xen_host.h"

#define SLACK_KB 1024u

int libxl__xen_is_deaf(struct libxl__host_xen *hx,
                       const struct libxl__xen_domain *d, bool *deaf)
{
    uint64_t irq = 0;
    int r = 0;

    *deaf = false;
    if (!d->hvm || d->pvh)
        return 0;
    r = hx->calls->param_get(hx->xen, d->domid, LIBXL__XEN_PARAM_CALLBACK_IRQ,
                             &irq);
    *deaf = !irq;
    return libxl__xen_failed(hx, d->domid, r,
                             "cannot find out whether it has PV drivers");
}

static int ask(struct libxl__host_xen *hx, libxl__gc *gc, uint32_t domid,
               const char *key, const char *value)
{
    struct libxl__xs_writer w = {
        .xs = &hx->xs,
        .gc = gc,
        .guest = domid,
        .base = libxl__sprintf(gc, "/local/domain/%" PRIu32, domid),
    };

    if (!w.base)
        return ERROR_NOMEM;
    libxl__xs_put(&w, LIBXL__XS_GUEST_OWNS, key, "%s", value);
    return w.rc;
}

int libxl__xen_shutdown(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        bool reboot)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_domain d;
    bool deaf;
    int rc = libxl__xen_domain(hx, call->domid, &d);

    if (!rc)
        rc = libxl__xen_is_deaf(hx, &d, &deaf);
    if (!rc && deaf)
        rc = ERROR_NOPARAVIRT;
    if (!rc)
        rc = ask(hx, libxl__ao_gc(call->ao), call->domid, "control/shutdown",
                 reboot ? "reboot" : "poweroff");
    return libxl__xen_answer(egc, h, call, rc);
}

int libxl__xen_sysrq(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                     char key)
{
    char text[2] = {key, '\0'};

    return libxl__xen_answer(egc, h, call,
                             ask(libxl__host_xen_of(h),
                                 libxl__ao_gc(call->ao), call->domid,
                                 "control/sysrq", text));
}

int libxl__xen_set_memory(libxl__egc *egc, libxl__host *h,
                          libxl__host_call *call, uint64_t target_kb)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    libxl__gc *gc = libxl__ao_gc(call->ao);
    uint32_t domid = call->domid;
    uint64_t max_kb = libxl__xs_memory_kb(&hx->xs, gc, domid, "static-max");
    uint64_t video_kb = libxl__xs_memory_kb(&hx->xs, gc, domid, "videoram");
    struct libxl__xs_writer w = {
        .xs = &hx->xs,
        .gc = gc,
        .guest = domid,
        .base = libxl__sprintf(gc, "/local/domain/%" PRIu32, domid),
    };
    int rc = w.base ? 0 : ERROR_NOMEM;

    if (!rc && (target_kb > max_kb || target_kb <= video_kb)) {
        LOGD(h->ctx, domid, ERROR,
             "%" PRIu64 " MiB: the guest can have up to %" PRIu64 " MiB",
             target_kb >> 10, max_kb >> 10);
        rc = ERROR_INVAL;
    }
    if (!rc)
        rc = libxl__xen_failed(
            hx, domid, hx->calls->set_max(hx->xen, domid, target_kb + SLACK_KB),
            "the hypervisor does not set its memory");
    if (!rc)
        libxl__xs_put(&w, LIBXL__XS_GUEST_READS, "memory/target", "%" PRIu64,
                      target_kb - video_kb);
    return libxl__xen_answer(egc, h, call, rc ? rc : w.rc);
}
