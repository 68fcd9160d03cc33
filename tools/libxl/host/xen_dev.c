/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_dev.c - a device's nodes: one end is the guest's, one is dom0's, and one
 * is for toolstacks. */
#include "host/xen_dev.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"

static bool is_hvm(const libxl_domain_config *config)
{
    return config->c_info.type == LIBXL_DOMAIN_TYPE_HVM;
}

/* ---- what is carried ---- */

static int refuse(libxl_ctx *ctx, uint32_t domid, const char *what,
                  const char *why)
{
    LOGD(ctx, domid, ERROR, "%s: %s; not carried by this xl on a Xen host",
         what, why);
    return ERROR_INVAL;
}

int libxl__xen_dev_check(libxl_ctx *ctx, uint32_t domid,
                         const libxl_domain_config *config)
{
    const char *fault;

    for (int i = 0; i < config->num_disks; i++) {
        const libxl_device_disk *d = &config->disks[i];

        fault = libxl__xen_disk_fault(d, is_hvm(config));
        if (fault)
            return refuse(ctx, domid, d->vdev ? d->vdev : "a disk", fault);
    }
    for (int i = 0; i < config->num_nics; i++) {
        fault = libxl__xen_nic_fault(&config->nics[i], is_hvm(config));
        if (fault)
            return refuse(ctx, domid, "a network interface", fault);
    }
    return 0;
}

static int first_free(const libxl_domain_config *config)
{
    int id = 0;

    for (int i = 0; i < config->num_nics; i++)
        if (config->nics[i].devid == id) {
            id++;
            i = -1;
        }
    return id;
}

int libxl__xen_dev_decide(libxl_ctx *ctx, libxl_domain_config *config)
{
    libxl_nic_type type =
        is_hvm(config) ? LIBXL_NIC_TYPE_VIF_IOEMU : LIBXL_NIC_TYPE_VIF;
    int rc = 0;

    for (int i = 0; i < config->num_disks; i++)
        libxl__xen_disk_decide(&config->disks[i]);
    for (int i = 0; i < config->num_nics && !rc; i++) {
        if (config->nics[i].devid < 0)
            config->nics[i].devid = first_free(config);
        rc = libxl__xen_nic_decide(ctx, &config->nics[i], type);
    }
    return rc;
}

/* A disk that is added later starts one if there is none. */
bool libxl__xen_dev_want_qemu(const libxl_domain_config *config)
{
    bool want = is_hvm(config);

    for (int i = 0; i < config->num_disks; i++)
        want |= config->disks[i].backend == LIBXL_DISK_BACKEND_QDISK;
    return want;
}

int libxl__xen_dev_decide_one(libxl__host *h, uint32_t domid,
                              const libxl_domain_config *config,
                              struct libxl__dev *dev)
{
    const char *fault;
    int rc = 0;

    if (dev->disk) {
        fault = libxl__xen_disk_fault(dev->disk, is_hvm(config));
        if (!fault && dev->disk->is_cdrom)
            fault = "a CD drive cannot be added to a guest that runs";
        if (fault)
            return refuse(h->ctx, domid,
                          dev->disk->vdev ? dev->disk->vdev : "a disk", fault);
        libxl__xen_disk_decide(dev->disk);
        return 0;
    }
    if (dev->nic->nictype == LIBXL_NIC_TYPE_UNKNOWN)
        dev->nic->nictype = LIBXL_NIC_TYPE_VIF;
    fault = libxl__xen_nic_fault(dev->nic, is_hvm(config));
    if (!fault && dev->nic->nictype != LIBXL_NIC_TYPE_VIF)
        fault = "an emulated interface cannot be added to a guest that runs";
    if (fault)
        return refuse(h->ctx, domid, "a network interface", fault);
    if (dev->nic->devid < 0)
        dev->nic->devid = first_free(config);
    rc = libxl__xen_nic_decide(h->ctx, dev->nic, LIBXL_NIC_TYPE_VIF);
    return rc;
}

/* ---- nodes ---- */

bool libxl__xen_ends(libxl__gc *gc, uint32_t domid, const char *kind,
                     unsigned id, struct libxl__xen_ends *e)
{
    const char *guests = strcmp(kind, "qdisk") ? kind : "vbd";

    e->front = libxl__sprintf(gc, "/local/domain/%" PRIu32 "/device/%s/%u",
                              domid, guests, id);
    e->back = libxl__sprintf(gc, "/local/domain/0/backend/%s/%" PRIu32 "/%u",
                             kind, domid, id);
    e->libxl = libxl__sprintf(gc, "/libxl/%" PRIu32 "/device/%s/%u", domid,
                              guests, id);
    return e->front && e->back && e->libxl;
}

void libxl__xen_put_front(struct libxl__xs_writer *w,
                          const struct libxl__xen_ends *e)
{
    w->base = e->front;
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "", "%s", "");
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "backend", "%s", e->back);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "backend-id", "%s", "0");
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "trusted", "%s", "1");
}

void libxl__xen_put_back(struct libxl__xs_writer *w,
                         const struct libxl__xen_ends *e,
                         enum libxl__xs_perms perms)
{
    w->base = perms == LIBXL__XS_PRIVATE ? e->libxl : e->back;
    libxl__xs_put(w, perms, "", "%s", "");
    libxl__xs_put(w, perms, "frontend", "%s", e->front);
    if (perms == LIBXL__XS_PRIVATE)
        libxl__xs_put(w, perms, "backend", "%s", e->back);
    libxl__xs_put(w, perms, "frontend-id", "%" PRIu32, w->guest);
    libxl__xs_put(w, perms, "online", "%s", "1");
}

static int put_all(struct libxl__host_xen *hx, libxl__gc *gc, uint32_t domid,
                   const libxl_domain_config *config)
{
    struct libxl__xs_writer w = {.xs = &hx->xs, .gc = gc, .guest = domid};

    for (int i = 0; i < config->num_disks && !w.rc; i++)
        libxl__xen_disk_put(hx, &w, &config->disks[i]);
    for (int i = 0; i < config->num_nics && !w.rc; i++)
        libxl__xen_nic_put(&w, &config->nics[i]);
    return w.rc;
}

/* At once, so that nobody takes a disk between our look for others that use it
 * and our nodes. */
int libxl__xen_dev_lay_out(struct libxl__host_xen *hx, libxl__gc *gc,
                           uint32_t domid, const libxl_domain_config *config)
{
    int rc;

    if (!config->num_disks && !config->num_nics)
        return 0;
    do {
        rc = libxl__xs_begin(&hx->xs);
        if (rc)
            return rc;
        rc = put_all(hx, gc, domid, config);
        if (rc)
            libxl__xs_rollback(&hx->xs);
        else
            rc = libxl__xs_commit(&hx->xs);
    } while (rc == ERROR_NOT_READY);
    return rc;
}
