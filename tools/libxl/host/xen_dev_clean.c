/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dev_clean.c - what is left of the devices of a domain that has ended.
 *
 * clean -> { script remove -> script_done }... -> nodes, answer
 *
 * Upstream's xl puts files on loop devices by its script for disks: it has to
 * take them off again. Interfaces go with their nodes.
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "host/xen_dev.h"

struct clean {
    struct libxl__host_xen *hx;
    libxl__host_call *call;
    const char **backs; /* NULL-terminated: disks on a loop device */
    int at;
    struct libxl__xen_script script;
};

static void script_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok);

static void remove_nodes(struct clean *c)
{
    static const char *const kinds[] = {"vbd", "qdisk", "vif"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        libxl__xs_remove(&c->hx->xs, "/local/domain/0/backend/%s/%" PRIu32,
                         kinds[i], c->call->domid);
}

static bool is_on_loop(struct libxl__host_xen *hx, libxl__gc *gc,
                       const char *back)
{
    const char *node =
        back ? libxl__xs_read(&hx->xs, gc, "%s/node", back) : NULL;

    return node && !strncmp(node, "/dev/loop", strlen("/dev/loop"));
}

/* NULL: no memory. */
static const char **find_loops(struct libxl__host_xen *hx, libxl__gc *gc,
                               uint32_t domid)
{
    static char *none[] = {NULL};
    char **ids =
        libxl__xs_children(&hx->xs, gc, "/libxl/%" PRIu32 "/device/vbd", domid);
    size_t n = 0, nr = 0;
    const char **out;

    for (ids = ids ? ids : none; ids[n];)
        n++;
    out = libxl__zalloc(gc, sizeof(*out) * (n + 1));
    for (size_t i = 0; out && i < n; i++) {
        out[nr] = libxl__xs_read(&hx->xs, gc,
                                 "/libxl/%" PRIu32 "/device/vbd/%s/backend",
                                 domid, ids[i]);
        if (is_on_loop(hx, gc, out[nr]))
            nr++;
    }
    if (out)
        out[nr] = NULL;
    return out;
}

/* ERROR_NOT_READY: there is none any more. */
static int next_script(struct clean *c)
{
    const char *back;
    int rc;

    while ((back = c->backs[c->at])) {
        c->at++;
        c->script = (struct libxl__xen_script){
            .hx = c->hx,
            .gc = libxl__ao_gc(c->call->ao),
            .domid = c->call->domid,
            .back = back,
            .type = "vbd",
            .verb = "remove",
            .user = c,
            .done = script_done,
        };
        rc = libxl__xen_script_run(&c->script);
        if (!rc)
            return 0;
    }
    return ERROR_NOT_READY;
}

static void script_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok)
{
    struct clean *c = s->user;

    if (!ok)
        LOGD(c->hx->host.ctx, c->call->domid, WARN,
             "%s: its hotplug script failed: a loop device may be left",
             s->back);
    if (!next_script(c))
        return;
    remove_nodes(c);
    c->call->callback(egc, c->call, 0);
}

int libxl__xen_dev_clean(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call)
{
    libxl__gc *gc = libxl__ao_gc(call->ao);
    struct clean *c = libxl__zalloc(gc, sizeof(*c));

    if (!c)
        return ERROR_NOMEM;
    c->hx = libxl__host_xen_of(h);
    c->call = call;
    c->backs = find_loops(c->hx, gc, call->domid);
    if (!c->backs)
        return ERROR_NOMEM;
    if (!next_script(c))
        return 0;
    remove_nodes(c);
    return libxl__xen_answer(egc, h, call, 0);
}
