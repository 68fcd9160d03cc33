/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_host.c - SEAM 4 on Xen: its table, its opening, and calls that wait.
 */
#include "host/xen_host.h"
#include "host/xen_dev.h"
#include "host/xen_dm.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/log.h"
#include "base/plugin.h"
#include "engine/ctx.h"
#include "store/store_xen.h"

#define LOOK_MS 4
#define USERDATA_DIR "/var/lib/xen"
#define POLL_MS 200

static const struct libxl__host_ops xen_ops;

struct libxl__host_xen *libxl__host_xen_of(libxl__host *h)
{
    assert(h->ops == &xen_ops);
    return (struct libxl__host_xen *)h;
}

int libxl__xen_failed(struct libxl__host_xen *hx, uint32_t domid, int r,
                      const char *what)
{
    if (!r)
        return 0;
    LOGED(hx->host.ctx, domid, ERROR, -r, "%s", what);
    return r == -ENOMEM ? ERROR_NOMEM : ERROR_FAIL;
}

/* ---- calls ---- */

static struct libxl__xen_wait *wait_of_soon(libxl__ev_immediate *soon)
{
    return CONTAINER_OF(soon, struct libxl__xen_wait, soon);
}

static struct libxl__xen_wait *wait_of_tick(libxl__ev_time *tick)
{
    return CONTAINER_OF(tick, struct libxl__xen_wait, tick);
}

static void answer(libxl__egc *egc, libxl__ev_immediate *soon)
{
    struct libxl__xen_wait *w = wait_of_soon(soon);

    w->call->callback(egc, w->call, w->rc);
}

struct libxl__xen_wait *libxl__xen_wait_new(libxl__host *h,
                                            libxl__host_call *call)
{
    struct libxl__xen_wait *w =
        libxl__zalloc(libxl__ao_gc(call->ao), sizeof(*w));

    if (!w)
        return NULL;
    call->state = w;
    w->hx = libxl__host_xen_of(h);
    w->call = call;
    w->soon.callback = answer;
    libxl__ev_time_init(&w->tick);
    libxl__ev_fd_init(&w->told);
    return w;
}

int libxl__xen_answer(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      int rc)
{
    struct libxl__xen_wait *w = libxl__xen_wait_new(h, call);

    if (!w)
        return ERROR_NOMEM;
    w->rc = rc;
    libxl__egc_immediate(egc, &w->soon);
    return 0;
}

static void look(libxl__egc *egc, libxl__ev_time *tick, int rc_wait)
{
    struct libxl__xen_wait *w = wait_of_tick(tick);

    if (rc_wait == ERROR_ABORTED)
        w->abortable = false; /* told once */
    w->rc = w->look(egc, w, rc_wait);
    if (w->rc == ERROR_NOT_READY)
        w->rc = libxl__ev_time_register_rel(w->hx->host.ctx,
                                            w->abortable ? w->call->ao : NULL,
                                            tick, look, LOOK_MS);
    else
        w->call->callback(egc, w->call, w->rc);
}

int libxl__xen_wait_start(libxl__egc *egc, struct libxl__xen_wait *w)
{
    return libxl__ev_time_register_rel(w->hx->host.ctx,
                                       w->abortable ? w->call->ao : NULL,
                                       &w->tick, look, LOOK_MS);
}

void libxl__xen_wait_look(libxl__egc *egc, struct libxl__xen_wait *w)
{
    libxl__ev_time_deregister(w->hx->host.ctx, &w->tick);
    look(egc, &w->tick, ERROR_TIMEDOUT);
}

/* ---- small ops ---- */

static libxl__store *xen_store(libxl__host *h)
{
    return libxl__host_xen_of(h)->store;
}

static bool xen_has_dm(libxl__host *h, uint32_t domid)
{
    struct libxl__xen_domain d;

    return !libxl__xen_domain(libxl__host_xen_of(h), domid, &d) &&
           libxl__xen_type_of(&d) == LIBXL_DOMAIN_TYPE_HVM;
}

/* The helper opens what it needs itself, before it locks itself in. */
static int xen_helper_guest(libxl__host *h, uint32_t domid, bool live,
                            struct libxl__helper_guest *out)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_ports ports = {0};
    struct libxl__xen_domain d;
    libxl__gc gc;
    int rc = libxl__xen_domain(hx, domid, &d);

    if (rc)
        return rc;
    libxl__gc_init(&gc, h->ctx);
    (void)libxl__xen_read_ports(hx, &gc, domid, &ports);
    libxl__gc_dispose(&gc);
    *out = (struct libxl__helper_guest){
        .hv = "xen",
        .domid = domid,
        .memory_bytes = d.max_pages << 12,
        .memory_fd = -1,
        .pagemap_fd = -1,
        .uffd = -1,
        .clear_refs_fd = -1,
        .dev_log_fd = -1,
        .store_port = ports.store,
        .console_port = ports.console,
    };
    return 0;
}

static void xen_helper_guest_done(libxl__host *h, struct libxl__helper_guest *g)
{
}

static int xen_sched(libxl__host *h, uint32_t domid,
                     const libxl_sched_params *in, libxl_sched_params *out)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    int r = 0;

    if (in)
        r = hx->calls->sched_set(hx->xen, domid, in->weight, in->cap);
    if (!r)
        r = hx->calls->sched_get(hx->xen, domid, &out->weight, &out->cap);
    return libxl__xen_failed(hx, domid, r,
                             "the scheduler does not take, or know, that");
}

static void xen_close(libxl__host *h)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);

    if (hx->store)
        hx->store->ops->close(hx->store);
    libxl__xs_close(&hx->xs);
    hx->calls->close(hx->xen);
    free(hx);
}

static const struct libxl__host_ops xen_ops = {
    .name = "xen",
    .title = "Xen host",
    .qemu_image = false,
    .store = xen_store,
    .has_dm = xen_has_dm,
    .dominfo = libxl__xen_dominfo,
    .pulse = libxl__xen_pulse,
    .facts = libxl__xen_facts,
    .vcpus = libxl__xen_vcpus,
    .check_config = libxl__xen_check_config,
    .create = libxl__xen_create,
    .destroy = libxl__xen_destroy,
    .pause = libxl__xen_pause,
    .unpause = libxl__xen_unpause,
    .suspend = libxl__xen_suspend_served,
    .resume = libxl__xen_resume_served,
    .suspend_is_ours = libxl__xen_suspend_is_ours,
    .shutdown = libxl__xen_shutdown,
    .trigger = libxl__xen_trigger,
    .sysrq = libxl__xen_sysrq,
    .set_memory = libxl__xen_set_memory,
    .rename = libxl__xen_rename,
    .check_saveable = libxl__xen_check_saveable,
    .helper_guest = xen_helper_guest,
    .helper_guest_done = xen_helper_guest_done,
    .dm_save = libxl__xen_dm_save,
    .dm_logdirty = libxl__xen_dm_logdirty,
    .dm_keys = libxl__xen_dm_keys,
    .dm_put_key = libxl__xen_dm_put_key,
    .dm_load = libxl__xen_load,
    .sched = xen_sched,
    .dev_decide = libxl__xen_dev_decide_one,
    .dev_add = libxl__xen_dev_add,
    .dev_remove = libxl__xen_dev_remove,
    .dev_info = libxl__xen_dev_info,
    .console_exec = libxl__xen_console_exec,
    .close = xen_close,
};

/* ---- opening ---- */

static int connect_all(struct libxl__host_xen *hx,
                       const struct libxl__xs_calls *xs_calls,
                       const char *userdata_dir)
{
    libxl_ctx *ctx = hx->host.ctx;
    int r = hx->calls->open(&hx->xen);

    if (r) {
        LOGE(ctx, ERROR, -r,
             "the hypervisor does not answer (/dev/xen/privcmd)");
        return ERROR_FAIL;
    }
    r = libxl__xs_open(&hx->xs, ctx, xs_calls);
    if (r)
        return r;
    hx->store = libxl__store_xen_open(ctx, &(struct libxl__store_xen_params){
                                               .xs = &hx->xs,
                                               .userdata_dir = userdata_dir,
                                               .domids = libxl__xen_domids,
                                               .user = hx,
                                           });
    return hx->store ? 0 : ERROR_FAIL;
}

libxl__host *libxl__host_xen_open_with(libxl_ctx *ctx,
                                       const struct libxl__xen_calls *calls,
                                       const struct libxl__xs_calls *xs_calls,
                                       const char *userdata_dir)
{
    struct libxl__host_xen *hx = calloc(1, sizeof(*hx));

    if (!hx)
        return NULL;
    hx->host.ops = &xen_ops;
    hx->host.ctx = ctx;
    hx->host.poll_ms = POLL_MS;
    hx->calls = calls;
    if (!connect_all(hx, xs_calls, userdata_dir))
        return &hx->host;
    xen_close(&hx->host);
    return NULL;
}

libxl__host *libxl__host_xen_open(libxl_ctx *ctx)
{
    const struct libxl__xen_calls *calls;
    const struct libxl__xs_calls *xs_calls = NULL;
    const char *why = NULL;
    libxl__gc gc;

    libxl__gc_init(&gc, ctx);
    calls = libxl__plugin_symbol(&gc, LIBXL__XEN_PLUGIN, LIBXL__XEN_CALLS_NAME,
                                 &why);
    if (calls)
        xs_calls = libxl__plugin_symbol(&gc, LIBXL__XEN_PLUGIN,
                                        LIBXL__XS_CALLS_NAME, &why);
    if (xs_calls && (calls->version != LIBXL__XEN_CALLS_VERSION ||
                     xs_calls->version != LIBXL__XS_CALLS_VERSION))
        why = "it is of another version of xl";
    if (why)
        LOG(ctx, ERROR, "the Xen part, %s: %s", LIBXL__XEN_PLUGIN, why);
    libxl__gc_dispose(&gc);
    return why ? NULL
               : libxl__host_xen_open_with(ctx, calls, xs_calls, USERDATA_DIR);
}
