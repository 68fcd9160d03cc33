/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * api_device.c - entry points: disks and interfaces of a domain that runs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "config/fields.h"
#include "domain/domain.h"
#include "engine/ctx.h"
#include "host/host.h"

void libxl_device_disk_init(libxl_device_disk *disk)
{
    memset(disk, 0, sizeof(*disk));
    libxl__config_defaults(&libxl__fields_disk, disk);
}

void libxl_device_disk_dispose(libxl_device_disk *disk)
{
    libxl__config_free(&libxl__fields_disk, disk);
}

void libxl_device_nic_init(libxl_device_nic *nic)
{
    memset(nic, 0, sizeof(*nic));
    libxl__config_defaults(&libxl__fields_nic, nic);
}

void libxl_device_nic_dispose(libxl_device_nic *nic)
{
    libxl__config_free(&libxl__fields_nic, nic);
}

/* ---- add, remove ---- */

static int start(libxl_ctx *ctx, uint32_t domid, enum libxl__device_verb verb,
                 libxl_device_disk *disk, libxl_device_nic *nic,
                 const libxl_asyncop_how *ao_how)
{
    struct libxl__device_params p = {verb, disk, nic};

    return libxl__ao_run(ctx, domid, ao_how, libxl__domain_device_start, &p);
}

int libxl_device_disk_add(libxl_ctx *ctx, uint32_t domid,
                          libxl_device_disk *disk,
                          const libxl_asyncop_how *ao_how)
{
    return start(ctx, domid, DEVICE_ADD, disk, NULL, ao_how);
}

int libxl_device_nic_add(libxl_ctx *ctx, uint32_t domid, libxl_device_nic *nic,
                         const libxl_asyncop_how *ao_how)
{
    return start(ctx, domid, DEVICE_ADD, NULL, nic, ao_how);
}

int libxl_device_disk_safe_remove(libxl_ctx *ctx, uint32_t domid,
                                  libxl_device_disk *disk,
                                  const libxl_asyncop_how *ao_how)
{
    return start(ctx, domid, DEVICE_REMOVE, disk, NULL, ao_how);
}

int libxl_device_nic_remove(libxl_ctx *ctx, uint32_t domid,
                            libxl_device_nic *nic,
                            const libxl_asyncop_how *ao_how)
{
    return start(ctx, domid, DEVICE_REMOVE, NULL, nic, ao_how);
}

int libxl_device_disk_destroy(libxl_ctx *ctx, uint32_t domid,
                              libxl_device_disk *disk,
                              const libxl_asyncop_how *ao_how)
{
    return start(ctx, domid, DEVICE_FORCE, disk, NULL, ao_how);
}

int libxl_device_nic_destroy(libxl_ctx *ctx, uint32_t domid,
                             libxl_device_nic *nic,
                             const libxl_asyncop_how *ao_how)
{
    return start(ctx, domid, DEVICE_FORCE, NULL, nic, ao_how);
}

/* ---- questions ---- */

libxl_device_disk *libxl_device_disk_list(libxl_ctx *ctx, uint32_t domid,
                                          int *num)
{
    libxl_device_disk *list = NULL;
    libxl_domain_config config;

    *num = -1;
    if (!libxl_retrieve_domain_configuration(ctx, domid, &config, NULL)) {
        list = config.disks;
        *num = config.num_disks;
        config.disks = NULL;
        config.num_disks = 0;
    }
    libxl_domain_config_dispose(&config);
    return list;
}

void libxl_device_disk_list_free(libxl_device_disk *list, int num)
{
    for (int i = 0; i < num; i++)
        libxl_device_disk_dispose(&list[i]);
    free(list);
}

libxl_device_nic *libxl_device_nic_list(libxl_ctx *ctx, uint32_t domid,
                                        int *num)
{
    libxl_device_nic *list = NULL;
    libxl_domain_config config;

    *num = -1;
    if (!libxl_retrieve_domain_configuration(ctx, domid, &config, NULL)) {
        list = config.nics;
        *num = config.num_nics;
        config.nics = NULL;
        config.num_nics = 0;
    }
    libxl_domain_config_dispose(&config);
    return list;
}

void libxl_device_nic_list_free(libxl_device_nic *list, int num)
{
    for (int i = 0; i < num; i++)
        libxl_device_nic_dispose(&list[i]);
    free(list);
}

/* *backend and *frontend are the caller's. */
static int ask(libxl_ctx *ctx, uint32_t domid, const struct libxl__dev *dev,
               struct libxl__dev_info *out, char **backend, char **frontend)
{
    libxl__host *h = libxl__ctx_check(ctx) ? NULL : libxl__host_get(ctx);
    libxl__gc gc;
    int rc;

    if (!h)
        return ERROR_FAIL;
    if (!h->ops->dev_info) {
        LOGD(ctx, domid, ERROR,
             "a %s does not tell of devices ('xl list -l' shows them)",
             h->ops->title);
        return ERROR_NI;
    }
    libxl__gc_init(&gc, ctx);
    rc = h->ops->dev_info(h, &gc, domid, dev, out);
    if (!rc) {
        *backend = strdup(out->backend);
        *frontend = strdup(out->frontend);
        rc = *backend && *frontend ? 0 : ERROR_NOMEM;
    }
    libxl__gc_dispose(&gc);
    return rc;
}

int libxl_device_disk_getinfo(libxl_ctx *ctx, uint32_t domid,
                              const libxl_device_disk *disk,
                              libxl_diskinfo *info)
{
    libxl_device_disk copy = *disk;
    struct libxl__dev dev = {.disk = &copy};
    struct libxl__dev_info i = {0};
    int rc;

    memset(info, 0, sizeof(*info));
    rc = ask(ctx, domid, &dev, &i, &info->backend, &info->frontend);
    info->backend_id = i.backend_id;
    info->frontend_id = i.frontend_id;
    info->devid = i.devid;
    info->state = i.state;
    info->evtch = i.evtch;
    info->rref = i.rref[0];
    return rc;
}

void libxl_diskinfo_dispose(libxl_diskinfo *info)
{
    free(info->backend);
    free(info->frontend);
    memset(info, 0, sizeof(*info));
}

int libxl_device_nic_getinfo(libxl_ctx *ctx, uint32_t domid,
                             const libxl_device_nic *nic, libxl_nicinfo *info)
{
    libxl_device_nic copy = *nic;
    struct libxl__dev dev = {.nic = &copy};
    struct libxl__dev_info i = {0};
    int rc;

    memset(info, 0, sizeof(*info));
    rc = ask(ctx, domid, &dev, &i, &info->backend, &info->frontend);
    info->backend_id = i.backend_id;
    info->frontend_id = i.frontend_id;
    info->devid = i.devid;
    info->state = i.state;
    info->evtch = i.evtch;
    info->rref_tx = i.rref[0];
    info->rref_rx = i.rref[1];
    return rc;
}

void libxl_nicinfo_dispose(libxl_nicinfo *info)
{
    free(info->backend);
    free(info->frontend);
    memset(info, 0, sizeof(*info));
}
