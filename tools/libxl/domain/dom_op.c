/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dom_op.c - chain: begin -> (lock) -> recovered -> kept -> op->ready
 */
#include "domain/dom_op.h"

#include <string.h>

#include "base/log.h"
#include "domain/lease.h"
#include "domain/stale.h"
#include "store/domain_record.h"

static void recovered(libxl__egc *egc, libxl__recover_one *ro, int rc);
static void kept(libxl__egc *egc, libxl__keep *ke, int rc);

void libxl__dom_op_begin(libxl__egc *egc, libxl__dom_op *op)
{
    int rc;

    op->ctx = libxl__ao_ctx(op->ao);
    op->gc = libxl__ao_gc(op->ao);
    op->lock = NULL;
    op->lease = -1;
    op->host = libxl__host_get(op->ctx);
    if (!op->host) {
        op->ready(egc, op, ERROR_FAIL);
        return;
    }
    op->store = op->host->ops->store(op->host);
    if (libxl__stale_sweep(op->host, op->gc, op->domid)) {
        op->ready(egc, op, ERROR_DOMAIN_NOTFOUND);
        return;
    }
    rc = libxl__domain_lock_take(op->store, op->domid, op->verb, false,
                                 &op->lock);
    if (rc) {
        op->ready(egc, op, rc);
        return;
    }
    op->recover = (struct libxl__recover_one){
        .ao = op->ao,
        .host = op->host,
        .domid = op->domid,
        .policy = op->policy,
        .user = op,
        .callback = recovered,
    };
    libxl__recover_one_start(egc, &op->recover);
}

static void recovered(libxl__egc *egc, libxl__recover_one *ro, int rc)
{
    libxl__dom_op *op = ro->user;

    if (!rc && ro->gone)
        rc = ERROR_DOMAIN_NOTFOUND;
    if (rc) {
        libxl__dom_op_end(op);
        op->ready(egc, op, rc);
        return;
    }
    op->keep = (libxl__keep){
        .ao = op->ao,
        .host = op->host,
        .domid = op->domid,
        .policy = KEEP_AS_IT_WAS,
        .user = op,
        .callback = kept,
    };
    libxl__keep_start(egc, &op->keep);
}

/* An operation is not refused for the want of a keeper (which was logged). */
static void kept(libxl__egc *egc, libxl__keep *ke, int rc)
{
    libxl__dom_op *op = ke->user;

    op->lease = libxl__lease_begin(op->store, op->domid);
    op->ready(egc, op, 0);
}

void libxl__dom_op_end(libxl__dom_op *op)
{
    libxl__lease_end(&op->lease);
    libxl__domain_lock_release(op->lock);
    op->lock = NULL;
}

void libxl__dom_op_complete(libxl__egc *egc, libxl__dom_op *op, int rc)
{
    libxl__dom_op_end(op);
    libxl__ao_complete(egc, op->ao, rc);
}

libxl__host_call *libxl__dom_op_call(libxl__dom_op *op,
                                     libxl__host_callback *callback, void *user)
{
    op->call = (libxl__host_call){
        .ao = op->ao,
        .domid = op->domid,
        .user = user,
        .callback = callback,
    };
    return &op->call;
}

int libxl__dom_config_load(libxl__store *store, libxl__gc *gc, uint32_t domid,
                           libxl_domain_config *out)
{
    struct libxl__domain_record rec;
    int rc;

    libxl_domain_config_init(out);
    rc = libxl__domain_record_read(store, gc, domid, &rec);
    if (rc == ERROR_NOTFOUND) {
        LOGD(store->ctx, domid, ERROR, "the domain has no configuration");
        return ERROR_DOMAIN_NOTFOUND;
    }
    if (rc)
        return rc;
    rc = libxl_domain_config_from_json(store->ctx, out, rec.config_json);
    if (rc)
        libxl_domain_config_init(out);
    return rc;
}
