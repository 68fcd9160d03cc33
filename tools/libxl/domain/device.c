/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * device.c - a device is added to a domain that runs, or taken from it.
 *
 * add:    ready -> configuration with it -> (host) -> added [-> without it]
 * remove: ready -> (host) -> removed -> configuration without it
 *
 * The configuration is written first: a device that it has and the domain has
 * not is left out when it is next read, so no journal is needed.
 */
#include <string.h>

#include "base/log.h"
#include "domain/dom_op.h"
#include "domain/domain.h"
#include "store/domain_record.h"

struct device {
    libxl__dom_op op;
    enum libxl__device_verb verb;
    struct libxl__dev dev;
    char *old_json; /* the configuration without it */
};

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc);
static void added(libxl__egc *egc, libxl__host_call *call, int rc);
static void removed(libxl__egc *egc, libxl__host_call *call, int rc);

int libxl__domain_device_start(libxl__egc *egc, libxl__ao *ao,
                               const void *params)
{
    const struct libxl__device_params *p = params;
    struct device *dv = libxl__zalloc(libxl__ao_gc(ao), sizeof(*dv));

    if (!dv)
        return ERROR_NOMEM;
    dv->verb = p->verb;
    dv->dev = (struct libxl__dev){p->disk, p->nic};
    dv->op.ao = ao;
    dv->op.domid = libxl__ao_domid(ao);
    dv->op.verb = p->verb == DEVICE_ADD ? "attach" : "detach";
    dv->op.policy = RECOVER_ASK;
    dv->op.user = dv;
    dv->op.ready = ready;
    libxl__dom_op_begin(egc, &dv->op);
    return 0;
}

/* ---- the configuration ---- */

static int write_json(struct device *dv, char *json)
{
    struct libxl__domain_record rec;
    int rc =
        libxl__domain_record_read(dv->op.store, dv->op.gc, dv->op.domid, &rec);

    if (rc)
        return rc;
    if (json)
        rec.config_json = json;
    return libxl__domain_record_write(dv->op.store, dv->op.gc, &rec);
}

/* Its members stay the caller's: borrowed until the text is made. */
static int put_in(libxl_domain_config *config, const struct libxl__dev *dev)
{
    libxl_device_disk *disk =
        dev->disk ? libxl_domain_config_add_disk(config) : NULL;
    libxl_device_nic *nic =
        dev->nic ? libxl_domain_config_add_nic(config) : NULL;

    if (disk)
        *disk = *dev->disk;
    if (nic)
        *nic = *dev->nic;
    return disk || nic ? 0 : ERROR_NOMEM;
}

static void take_out(libxl_domain_config *config, const struct libxl__dev *dev)
{
    if (dev->disk)
        memset(&config->disks[--config->num_disks], 0, sizeof(*dev->disk));
    else
        memset(&config->nics[--config->num_nics], 0, sizeof(*dev->nic));
}

/* With the device in it. */
static int add_to(libxl__egc *egc, struct device *dv,
                  libxl_domain_config *config)
{
    libxl__dom_op *op = &dv->op;
    char *json;
    int rc = libxl_domain_config_check(op->ctx, config);

    if (rc)
        return rc;
    json = libxl_domain_config_to_json(op->ctx, config);
    if (!json)
        return ERROR_NOMEM;
    rc = write_json(dv, libxl__gc_take(op->gc, json));
    if (rc)
        return rc;
    rc = op->host->ops->dev_add(
        egc, op->host, libxl__dom_op_call(op, added, dv), config, &dv->dev);
    if (rc)
        (void)write_json(dv, dv->old_json);
    return rc;
}

static int add(libxl__egc *egc, struct device *dv)
{
    libxl__dom_op *op = &dv->op;
    libxl_domain_config config;
    char *json;
    int rc = libxl__dom_config_load(op->store, op->gc, op->domid, &config);

    if (!rc)
        rc = op->host->ops->dev_decide(op->host, op->domid, &config, &dv->dev);
    if (!rc) {
        json = libxl_domain_config_to_json(op->ctx, &config);
        dv->old_json = json ? libxl__gc_take(op->gc, json) : NULL;
        rc = dv->old_json ? put_in(&config, &dv->dev) : ERROR_NOMEM;
        if (!rc) {
            rc = add_to(egc, dv, &config);
            take_out(&config, &dv->dev);
        }
    }
    libxl_domain_config_dispose(&config);
    return rc;
}

/* ---- the chain ---- */

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc)
{
    struct device *dv = op->user;

    if (!rc && !op->host->ops->dev_add) {
        LOGD(op->ctx, op->domid, ERROR,
             "devices are fixed when a domain is created on a %s",
             op->host->ops->title);
        rc = ERROR_NI;
    }
    if (!rc && dv->verb == DEVICE_ADD)
        rc = add(egc, dv);
    else if (!rc)
        rc = op->host->ops->dev_remove(egc, op->host,
                                       libxl__dom_op_call(op, removed, dv),
                                       &dv->dev, dv->verb == DEVICE_FORCE);
    if (rc)
        libxl__dom_op_complete(egc, op, rc);
}

static void added(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct device *dv = call->user;

    if (rc)
        (void)write_json(dv, dv->old_json);
    libxl__dom_op_complete(egc, &dv->op, rc);
}

static void removed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct device *dv = call->user;

    if (!rc)
        rc = write_json(dv, NULL); /* as it is read now */
    libxl__dom_op_complete(egc, &dv->op, rc);
}
