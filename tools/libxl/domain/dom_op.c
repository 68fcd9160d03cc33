/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dom_op.c - chain: begin -> take_lock -> recovered -> kept -> op->ready
 */
#include "domain/dom_op.h"

#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/lease.h"
#include "domain/stale.h"
#include "store/domain_record.h"

#define KEEPER_RETRY_MS 20
#define KEEPER_PATIENCE_MS 5000

static void take_lock(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void recovered(libxl__egc *egc, libxl__recover_one *ro, int rc);
static void kept(libxl__egc *egc, libxl__keep *ke, int rc);

static libxl__dom_op *dom_op_of_retry(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__dom_op, retry);
}

void libxl__dom_op_begin(libxl__egc *egc, libxl__dom_op *op)
{
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
    libxl__ev_time_init(&op->retry);
    op->patience_ms = libxl__now_ms(op->ctx) + KEEPER_PATIENCE_MS;
    take_lock(egc, &op->retry, ERROR_TIMEDOUT);
}

/* The keeper is about to give it back: it recovers, or starts a guest again. */
static bool wait_for_keeper(libxl__dom_op *op)
{
    return libxl__now_ms(op->ctx) < op->patience_ms &&
           libxl__domain_lock_is_for(op->store, op->domid, "keeper") &&
           !libxl__ev_time_register_rel(op->ctx, op->ao, &op->retry, take_lock,
                                        KEEPER_RETRY_MS);
}

static void take_lock(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__dom_op *op = dom_op_of_retry(ev);

    if (rc == ERROR_TIMEDOUT)
        rc = libxl__domain_lock_take(op->store, op->domid, op->verb, true,
                                     &op->lock);
    if (rc == ERROR_LOCK_FAIL && wait_for_keeper(op))
        return;
    if (rc && rc != ERROR_ABORTED) /* once more, for the message */
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
    /* In this order: the keeper, which the lease wakes, can have the lock. */
    libxl__domain_lock_release(op->lock);
    op->lock = NULL;
    libxl__lease_end(&op->lease);
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

/* The record's name is the domain's. A process that was killed while it renamed
 * may have left another one in the configuration, under which a failed
 * migration or a restart would go on. */
static int take_name(libxl_domain_config *config, const char *name)
{
    char *copy = strdup(name);

    if (!copy)
        return ERROR_NOMEM;
    free(config->c_info.name);
    config->c_info.name = copy;
    return 0;
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
    return rc ? rc : take_name(out, rec.name);
}
