/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dev_clean.c - what is left of the devices of a domain that has ended.
 *
 * clean -> { script -> script_done }... -> nodes, answer
 *
 * What the host's scripts have set up they take away again: ports of switches,
 * rules, routes; and the loop devices that upstream's xl puts files on. Only
 * the backends' nodes are asked: the domain, and what else xenstore knew of it,
 * may be gone.
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "host/xen_dev.h"

#define BACKENDS "/local/domain/0/backend"

struct task {
    const char *back, *type, *verb, *arg;
};

struct clean {
    struct libxl__host_xen *hx;
    libxl__gc *gc;
    libxl__host_call *call;
    struct task *tasks;
    int nr, at;
    struct libxl__xen_script script;
};

static void script_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok);

static char **children(struct clean *c, const char *dir)
{
    static char *none[] = {NULL};
    char **names =
        dir ? libxl__xs_children(&c->hx->xs, c->gc, "%s", dir) : NULL;

    return names ? names : none;
}

/* The kernel's backends let go of a device when its node goes. QEMU's say what
 * it has open, for who wants the same disk: until it has ended. */
static void remove_nodes(struct clean *c)
{
    for (char **kind = children(c, BACKENDS); *kind; kind++)
        if (strcmp(*kind, "qdisk"))
            libxl__xs_remove(&c->hx->xs, BACKENDS "/%s/%" PRIu32, *kind,
                             c->call->domid);
}

/* ---- what there is to do ---- */

static bool is_on_loop(struct clean *c, const char *back)
{
    const char *node = libxl__xs_read(&c->hx->xs, c->gc, "%s/node", back);

    return node && !strncmp(node, "/dev/loop", strlen("/dev/loop"));
}

static bool is_emulated(struct clean *c, const char *back)
{
    const char *type = libxl__xs_read(&c->hx->xs, c->gc, "%s/type", back);

    return type && !strcmp(type, "vif_ioemu");
}

static void add(struct clean *c, struct task t)
{
    c->tasks[c->nr++] = t;
}

static void add_disk(struct clean *c, const char *back)
{
    if (is_on_loop(c, back))
        add(c, (struct task){back, "vbd", "remove", NULL});
}

static void add_nic(struct clean *c, const char *back)
{
    if (!libxl__xen_nic_has_its_name(c->hx, c->gc, c->call->domid, back))
        return;
    add(c, (struct task){back, "vif", "offline", "type_if=vif"});
    if (is_emulated(c, back))
        add(c, (struct task){back, "vif", "remove", "type_if=tap"});
}

static int find(struct clean *c, const char *kind,
                void (*add_one)(struct clean *c, const char *back))
{
    const char *dir =
        libxl__sprintf(c->gc, BACKENDS "/%s/%" PRIu32, kind, c->call->domid);
    char **ids = children(c, dir);
    struct task *more;
    size_t n = 0;

    while (ids[n])
        n++;
    more = libxl__zalloc(c->gc, sizeof(*more) * ((size_t)c->nr + 2 * n + 1));
    if (!dir || !more)
        return ERROR_NOMEM;
    if (c->nr)
        memcpy(more, c->tasks, sizeof(*more) * (size_t)c->nr);
    c->tasks = more;
    for (size_t i = 0; i < n; i++) {
        const char *back = libxl__sprintf(c->gc, "%s/%s", dir, ids[i]);

        if (!back)
            return ERROR_NOMEM;
        add_one(c, back);
    }
    return 0;
}

/* ---- doing it ---- */

/* ERROR_NOT_READY: there is none any more. */
static int next_script(struct clean *c)
{
    while (c->at < c->nr) {
        const struct task *t = &c->tasks[c->at++];

        c->script = (struct libxl__xen_script){
            .hx = c->hx,
            .gc = c->gc,
            .domid = c->call->domid,
            .back = t->back,
            .type = t->type,
            .verb = t->verb,
            .arg = t->arg,
            .user = c,
            .done = script_done,
        };
        if (!libxl__xen_script_run(&c->script))
            return 0;
    }
    return ERROR_NOT_READY;
}

static void script_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok)
{
    struct clean *c = s->user;

    if (!ok)
        LOGD(c->hx->host.ctx, c->call->domid, WARN,
             "%s: its hotplug script failed (%s): %s may be left", s->back,
             s->verb,
             strcmp(s->type, "vif") ? "a loop device" : "what it has set up");
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
    int rc;

    if (!c)
        return ERROR_NOMEM;
    c->hx = libxl__host_xen_of(h);
    c->gc = gc;
    c->call = call;
    rc = find(c, "vbd", add_disk);
    if (!rc)
        rc = find(c, "vif", add_nic);
    if (rc)
        return rc;
    if (!next_script(c))
        return 0;
    remove_nodes(c);
    return libxl__xen_answer(egc, h, call, 0);
}
