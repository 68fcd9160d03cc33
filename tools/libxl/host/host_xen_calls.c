/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_xen_calls.c - PLUGIN: the table of xen_calls.h, and a domain's life. The
 * files host_xen*.c are the only ones of libxl that include <xenctrl.h>.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/host_xen_priv.h"

#include <xen/hvm/params.h>

static_assert(LIBXL__XEN_PARAM_CALLBACK_IRQ == HVM_PARAM_CALLBACK_IRQ &&
                  LIBXL__XEN_PARAM_STORE_EVTCHN == HVM_PARAM_STORE_EVTCHN &&
                  LIBXL__XEN_PARAM_HPET == HVM_PARAM_HPET_ENABLED &&
                  LIBXL__XEN_PARAM_TIMER_MODE == HVM_PARAM_TIMER_MODE &&
                  LIBXL__XEN_PARAM_ACPI_S_STATE == HVM_PARAM_ACPI_S_STATE &&
                  LIBXL__XEN_PARAM_VPT_ALIGN == HVM_PARAM_VPT_ALIGN &&
                  LIBXL__XEN_PARAM_CONSOLE_EVTCHN == HVM_PARAM_CONSOLE_EVTCHN,
              "the hypervisor's numbers");

int libxl__xen_errno(void)
{
    return errno > 0 ? -errno : -EIO;
}

int libxl__xen_result(int r)
{
    return r < 0 ? libxl__xen_errno() : 0;
}

static void call_close(struct libxl__xen_handle *h)
{
    if (!h)
        return;
    if (h->xch)
        xc_interface_close(h->xch);
    if (h->logger)
        xtl_logger_destroy(h->logger);
    free(h);
}

static int call_open(struct libxl__xen_handle **out)
{
    struct libxl__xen_handle *h = calloc(1, sizeof(*h));
    int r;

    *out = NULL;
    if (!h)
        return -ENOMEM;
    errno = 0;
    /* libxenctrl's own words on stderr would repeat what our callers say. */
    h->logger = (xentoollog_logger *)xtl_createlogger_stdiostream(
        stderr, XTL_CRITICAL, 0);
    h->xch = h->logger ? xc_interface_open(h->logger, h->logger, 0) : NULL;
    if (h->xch) {
        *out = h;
        return 0;
    }
    r = libxl__xen_errno();
    call_close(h);
    return r;
}

static int call_destroy(struct libxl__xen_handle *h, uint32_t domid)
{
    errno = 0;
    return libxl__xen_result(xc_domain_destroy(h->xch, domid));
}

static int call_pause(struct libxl__xen_handle *h, uint32_t domid)
{
    errno = 0;
    return libxl__xen_result(xc_domain_pause(h->xch, domid));
}

static int call_unpause(struct libxl__xen_handle *h, uint32_t domid)
{
    errno = 0;
    return libxl__xen_result(xc_domain_unpause(h->xch, domid));
}

static int call_shutdown(struct libxl__xen_handle *h, uint32_t domid,
                         unsigned reason)
{
    errno = 0;
    return libxl__xen_result(xc_domain_shutdown(h->xch, domid, (int)reason));
}

static int call_resume(struct libxl__xen_handle *h, uint32_t domid)
{
    errno = 0;
    return libxl__xen_result(xc_domain_resume(h->xch, domid, 1));
}

static int call_trigger(struct libxl__xen_handle *h, uint32_t domid,
                        unsigned which, uint32_t vcpu)
{
    static const uint32_t triggers[] = {
        [1] = XEN_DOMCTL_SENDTRIGGER_POWER, [2] = XEN_DOMCTL_SENDTRIGGER_SLEEP,
        [3] = XEN_DOMCTL_SENDTRIGGER_NMI,   [4] = XEN_DOMCTL_SENDTRIGGER_INIT,
        [5] = XEN_DOMCTL_SENDTRIGGER_RESET,
    };

    if (!which || which >= sizeof(triggers) / sizeof(triggers[0]))
        return -EINVAL;
    errno = 0;
    return libxl__xen_result(
        xc_domain_send_trigger(h->xch, domid, triggers[which], vcpu));
}

static int call_set_max(struct libxl__xen_handle *h, uint32_t domid,
                        uint64_t max_kb)
{
    errno = 0;
    return libxl__xen_result(xc_domain_setmaxmem(h->xch, domid, max_kb));
}

static int call_port(struct libxl__xen_handle *h, uint32_t domid,
                     uint32_t remote, uint32_t *port)
{
    xc_evtchn_port_or_error_t r;

    errno = 0;
    r = xc_evtchn_alloc_unbound(h->xch, domid, remote);
    if (r < 0)
        return libxl__xen_errno();
    *port = (uint32_t)r;
    return 0;
}

static int call_param_get(struct libxl__xen_handle *h, uint32_t domid,
                          uint32_t param, uint64_t *value)
{
    errno = 0;
    return libxl__xen_result(xc_hvm_param_get(h->xch, domid, param, value));
}

static int call_param_set(struct libxl__xen_handle *h, uint32_t domid,
                          uint32_t param, uint64_t value)
{
    errno = 0;
    return libxl__xen_result(xc_hvm_param_set(h->xch, domid, param, value));
}

static int call_grants(struct libxl__xen_handle *h, uint32_t domid, bool hvm,
                       uint64_t console_gfn, uint64_t store_gfn)
{
    errno = 0;
    return libxl__xen_result(
        xc_dom_gnttab_seed(h->xch, domid, hvm, console_gfn, store_gfn, 0, 0));
}

extern const struct libxl__xen_calls libxl__xen_calls;
__attribute__((visibility("default")))
const struct libxl__xen_calls libxl__xen_calls = {
    .version = LIBXL__XEN_CALLS_VERSION,
    .open = call_open,
    .close = call_close,
    .domains = libxl__xen_call_domains,
    .vcpu = libxl__xen_call_vcpu,
    .phys = libxl__xen_call_phys,
    .get_version = libxl__xen_call_version,
    .scheduler = libxl__xen_call_scheduler,
    .sched_get = libxl__xen_call_sched_get,
    .sched_set = libxl__xen_call_sched_set,
    .create = libxl__xen_call_create,
    .build = libxl__xen_call_build,
    .destroy = call_destroy,
    .pause = call_pause,
    .unpause = call_unpause,
    .shutdown = call_shutdown,
    .resume = call_resume,
    .trigger = call_trigger,
    .set_max = call_set_max,
    .port = call_port,
    .param_get = call_param_get,
    .param_set = call_param_set,
    .grants = call_grants,
    .channel_open = libxl__xen_call_channel_open,
    .channel_notify = libxl__xen_call_channel_notify,
    .channel_take = libxl__xen_call_channel_take,
    .channel_close = libxl__xen_call_channel_close,
};
