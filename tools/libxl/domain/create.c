/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * create.c - chain: start -> built -> finish, or -> undone
 */
#include "domain/domain.h"
#include "domain/new_domain.h"

struct create {
    libxl__new_domain nd;
    libxl__host_call call;
    uint32_t *domid_out;
    libxl_asyncprogress_how console_how;
};

static void built(libxl__egc *egc, libxl__host_call *call, int rc);
static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc);

int libxl__domain_create_start(libxl__egc *egc, libxl__ao *ao,
                               const void *params)
{
    const struct libxl__create_params *p = params;
    struct create *cr = libxl__zalloc(libxl__ao_gc(ao), sizeof(*cr));
    int rc;

    *p->domid_out = INVALID_DOMID;
    if (!cr)
        return ERROR_NOMEM;
    cr->domid_out = p->domid_out;
    libxl__ao_progress_gethow(&cr->console_how, p->console_how);
    cr->nd.ao = ao;
    cr->nd.config = p->config;
    cr->nd.verb = JOURNAL_CREATE;
    cr->nd.user = cr;
    rc = libxl__new_domain_begin(&cr->nd);
    if (rc)
        return rc;
    cr->call = (libxl__host_call){
        .ao = ao,
        .domid = cr->nd.domid,
        .user = cr,
        .callback = built,
    };
    rc =
        cr->nd.host->ops->create(egc, cr->nd.host, &cr->call, p->config, false);
    if (rc)
        libxl__new_domain_undo(egc, &cr->nd, rc, undone);
    return 0;
}

static void built(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct create *cr = call->user;

    if (!rc)
        rc = libxl__new_domain_done(&cr->nd);
    if (rc) {
        libxl__new_domain_undo(egc, &cr->nd, rc, undone);
        return;
    }
    libxl__new_domain_complete(egc, &cr->nd, cr->domid_out, &cr->console_how);
}

static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc)
{
    libxl__ao_complete(egc, nd->ao, rc);
}
