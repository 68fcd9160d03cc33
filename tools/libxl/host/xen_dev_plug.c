/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dev_plug.c - chain, for each interface:
 *   look (netback has made its end: state 2) -> script online -> vif_done
 *        [-> script add, for its emulated twin -> tap_done] -> next ... answer
 *
 * An abort is seen at each wait: a script that runs is killed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "host/xen_dev.h"

#define BACKEND_MS 10000u
#define LOOK_MS 10u
#define INIT_WAIT "2"

struct iface {
    int devid;
    bool emulated; /* it has an emulated twin */
};

struct libxl__xen_plug {
    struct libxl__host_xen *hx;
    libxl__host_call *call;
    struct iface *all;
    int nr, at; /* at: the one that is plugged */
    bool undoes;
    int rc; /* while it is undone */
    uint64_t give_up_ms;
    libxl__ev_time tick;
    struct libxl__xen_script script;
};

static void look(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void vif_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok);
static void tap_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok);
static void undone(libxl__egc *egc, struct libxl__xen_script *s, bool ok);

static libxl__xen_plug *plug_of_tick(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__xen_plug, tick);
}

libxl__xen_plug *libxl__xen_plug_new(libxl__host *h, libxl__host_call *call,
                                     const libxl_domain_config *config)
{
    libxl__gc *gc = libxl__ao_gc(call->ao);
    libxl__xen_plug *p = libxl__zalloc(gc, sizeof(*p));

    if (!p)
        return NULL;
    p->hx = libxl__host_xen_of(h);
    p->call = call;
    p->nr = config->num_nics;
    p->all = libxl__zalloc(gc, sizeof(*p->all) * ((size_t)p->nr + 1));
    libxl__ev_time_init(&p->tick);
    for (int i = 0; p->all && i < p->nr; i++)
        p->all[i] = (struct iface){
            .devid = config->nics[i].devid,
            .emulated = config->nics[i].nictype == LIBXL_NIC_TYPE_VIF_IOEMU,
        };
    return p->all ? p : NULL;
}

void libxl__xen_plug_undoes(libxl__xen_plug *p)
{
    p->undoes = true;
}

static int wait_for_backend(libxl__xen_plug *p)
{
    return libxl__ev_time_register_rel(p->hx->host.ctx, p->call->ao, &p->tick,
                                       look, LOOK_MS);
}

int libxl__xen_plug_start(libxl__egc *egc, libxl__xen_plug *p)
{
    if (!p->nr)
        return libxl__xen_answer(egc, &p->hx->host, p->call, 0);
    p->give_up_ms = libxl__now_ms(p->hx->host.ctx) + BACKEND_MS;
    return wait_for_backend(p);
}

static void finish(libxl__egc *egc, libxl__xen_plug *p, int rc)
{
    p->call->callback(egc, p->call, rc);
}

static struct libxl__xen_script script_for(libxl__xen_plug *p, const char *back)
{
    return (struct libxl__xen_script){
        .hx = p->hx,
        .gc = libxl__ao_gc(p->call->ao),
        .domid = p->call->domid,
        .back = back,
        .type = "vif",
        .user = p,
    };
}

static int run_script(libxl__xen_plug *p, const char *back, bool tap)
{
    p->script = script_for(p, back);
    p->script.verb = tap ? "add" : "online";
    p->script.arg = tap ? "type_if=tap" : "type_if=vif";
    p->script.ao = p->call->ao;
    p->script.done = tap ? tap_done : vif_done;
    return libxl__xen_script_run(&p->script);
}

static void look(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__xen_plug *p = plug_of_tick(ev);
    libxl__gc *gc = libxl__ao_gc(p->call->ao);
    libxl_ctx *ctx = p->hx->host.ctx;
    int devid = p->all[p->at].devid;
    char *back =
        libxl__sprintf(gc, "/local/domain/0/backend/vif/%" PRIu32 "/%d",
                       p->call->domid, devid);
    char *state =
        back ? libxl__xs_read(&p->hx->xs, gc, "%s/state", back) : NULL;

    if (rc == ERROR_ABORTED) {
        /* nothing of it has been begun */
    } else if (state && !strcmp(state, INIT_WAIT)) {
        rc = run_script(p, back, false);
    } else if (libxl__now_ms(ctx) < p->give_up_ms) {
        rc = wait_for_backend(p);
    } else {
        LOGD(ctx, p->call->domid, ERROR,
             "network interface %d: the host's driver (xen-netback) does not "
             "take it",
             devid);
        rc = ERROR_FAIL;
    }
    if (rc)
        finish(egc, p, rc);
}

static void next(libxl__egc *egc, libxl__xen_plug *p)
{
    int rc = 0;

    p->give_up_ms = libxl__now_ms(p->hx->host.ctx) + BACKEND_MS;
    if (++p->at < p->nr)
        rc = wait_for_backend(p);
    if (rc || p->at == p->nr)
        finish(egc, p, rc);
}

/* A script that has been aborted may have done half of it. */
static int undo(libxl__xen_plug *p, const char *back)
{
    p->script = script_for(p, back);
    p->script.verb = "offline";
    p->script.arg = "type_if=vif";
    p->script.done = undone;
    if (!libxl__xen_nic_has_its_name(p->hx, p->script.gc, p->script.domid,
                                     back))
        return ERROR_NOTFOUND;
    return libxl__xen_script_run(&p->script);
}

static void script_failed(libxl__egc *egc, libxl__xen_plug *p)
{
    int rc = libxl__ao_aborting(p->call->ao);

    if (!rc && !p->script.stopped)
        LOGD(p->hx->host.ctx, p->call->domid, ERROR,
             "network interface %d: its hotplug script failed (does the bridge "
             "exist?)",
             p->all[p->at].devid);
    p->rc = rc ? rc : ERROR_FAIL;
    if (!p->undoes || undo(p, p->script.back))
        finish(egc, p, p->rc);
}

static void undone(libxl__egc *egc, struct libxl__xen_script *s, bool ok)
{
    libxl__xen_plug *p = s->user;

    finish(egc, p, p->rc);
}

static void vif_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok)
{
    libxl__xen_plug *p = s->user;
    int rc;

    if (!ok) {
        script_failed(egc, p);
        return;
    }
    if (!p->all[p->at].emulated) {
        next(egc, p);
        return;
    }
    rc = run_script(p, s->back, true);
    if (rc)
        finish(egc, p, rc);
}

static void tap_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok)
{
    libxl__xen_plug *p = s->user;

    if (ok)
        next(egc, p);
    else
        script_failed(egc, p);
}
