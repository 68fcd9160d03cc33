/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * life.c - operations that are one host call under the lock.
 *
 * start -> ready -> (host call) -> called -> finish
 */
#include <string.h>

#include "base/log.h"
#include "domain/dom_op.h"
#include "domain/domain.h"
#include "domain/names.h"

struct life {
    libxl__dom_op op;
    struct libxl__life_params p;
};

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc);
static void called(libxl__egc *egc, libxl__host_call *call, int rc);

static const char *const verb_names[] = {
    [LIFE_PAUSE] = "pause",        [LIFE_UNPAUSE] = "unpause",
    [LIFE_SHUTDOWN] = "shutdown",  [LIFE_REBOOT] = "reboot",
    [LIFE_TRIGGER] = "trigger",    [LIFE_SYSRQ] = "sysrq",
    [LIFE_SET_MEMORY] = "mem-set", [LIFE_RESUME] = "resume",
};

int libxl__domain_life_start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct life *li = libxl__zalloc(libxl__ao_gc(ao), sizeof(*li));

    if (!li)
        return ERROR_NOMEM;
    li->p = *(const struct libxl__life_params *)params;
    li->op.ao = ao;
    li->op.domid = libxl__ao_domid(ao);
    li->op.verb = verb_names[li->p.verb];
    li->op.policy = li->p.verb == LIFE_UNPAUSE ? RECOVER_RUN : RECOVER_ASK;
    li->op.user = li;
    li->op.ready = ready;
    libxl__dom_op_begin(egc, &li->op);
    return 0;
}

static int start_call(libxl__egc *egc, struct life *li)
{
    libxl__host *h = li->op.host;
    libxl__host_call *call = libxl__dom_op_call(&li->op, called, li);

    switch (li->p.verb) {
    case LIFE_PAUSE:
        return h->ops->pause(egc, h, call);
    case LIFE_UNPAUSE:
        return h->ops->unpause(egc, h, call);
    case LIFE_SHUTDOWN:
        return h->ops->shutdown(egc, h, call, false);
    case LIFE_REBOOT:
        return h->ops->shutdown(egc, h, call, true);
    case LIFE_TRIGGER:
        return h->ops->trigger(egc, h, call, li->p.trigger, li->p.vcpuid);
    case LIFE_SYSRQ:
        return h->ops->sysrq(egc, h, call, li->p.sysrq);
    case LIFE_SET_MEMORY:
        return h->ops->set_memory(egc, h, call, li->p.target_kb);
    case LIFE_RESUME:
        return h->ops->resume(egc, h, call);
    }
    return ERROR_INVAL;
}

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc)
{
    struct life *li = op->user;

    if (!rc)
        rc = start_call(egc, li);
    if (rc)
        libxl__dom_op_complete(egc, op, rc);
}

static void called(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct life *li = call->user;

    libxl__dom_op_complete(egc, &li->op, rc);
}

/* ---- rename ---- */

struct rename {
    libxl__dom_op op;
    struct libxl__rename_params p;
};

static void rename_ready(libxl__egc *egc, libxl__dom_op *op, int rc);

int libxl__domain_rename_start(libxl__egc *egc, libxl__ao *ao,
                               const void *params)
{
    struct rename *re = libxl__zalloc(libxl__ao_gc(ao), sizeof(*re));

    if (!re)
        return ERROR_NOMEM;
    re->p = *(const struct libxl__rename_params *)params;
    re->op.ao = ao;
    re->op.domid = libxl__ao_domid(ao);
    re->op.verb = "rename";
    re->op.user = re;
    re->op.ready = rename_ready;
    libxl__dom_op_begin(egc, &re->op);
    return 0;
}

static int check_old_name(libxl__dom_op *op, const char *old_name)
{
    struct libxl__domain_record rec;
    int rc = libxl__domain_record_read(op->store, op->gc, op->domid, &rec);

    if (rc || !old_name || !strcmp(rec.name, old_name))
        return rc;
    LOGD(op->ctx, op->domid, ERROR, "its name is \"%s\", not \"%s\"", rec.name,
         old_name);
    return ERROR_INVAL;
}

static void rename_ready(libxl__egc *egc, libxl__dom_op *op, int rc)
{
    struct rename *re = op->user;

    if (!rc)
        rc = check_old_name(op, re->p.old_name);
    if (!rc && !re->p.new_name[0]) {
        LOGD(op->ctx, op->domid, ERROR, "a name cannot be empty");
        rc = ERROR_INVAL;
    }
    if (!rc)
        rc =
            libxl__domain_set_name(op->host, op->gc, op->domid, re->p.new_name);
    libxl__dom_op_complete(egc, op, rc);
}
