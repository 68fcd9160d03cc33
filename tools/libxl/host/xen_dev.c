/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_dev.c - a device's nodes: one end is the guest's, one is dom0's, and one
 * is for toolstacks. */
#include "host/xen_dev.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/log.h"

#define SCRIPTS "/etc/xen/scripts/"
#define XVD_MAJOR 202u
#define SD_MAJOR 8u
#define MINORS 16u
#define XVD_EXTENDED (1u << 28)

/* The number of xvda, sdb3 and so on; 0: not such a name. */
static unsigned number_of(const char *vdev)
{
    bool xvd = !strncmp(vdev, "xvd", 3), sd = !strncmp(vdev, "sd", 2);
    const char *at = vdev + (xvd ? 3 : 2);
    unsigned disk, part = 0;
    char *end;

    if ((!xvd && !sd) || *at < 'a' || *at > 'z')
        return 0;
    disk = (unsigned)(*at++ - 'a');
    if (*at) {
        part = (unsigned)strtoul(at, &end, 10);
        if (*end || part >= MINORS)
            return 0;
    }
    if (disk < MINORS)
        return (xvd ? XVD_MAJOR : SD_MAJOR) << 8 | disk * MINORS | part;
    return xvd ? XVD_EXTENDED | disk << 8 | part : 0;
}

/* ---- what is carried ---- */

static const char *disk_fault(const libxl_device_disk *d)
{
    struct stat st;

    if (!d->vdev || !number_of(d->vdev))
        return "its name is not xvda, sda and so on";
    if (d->is_cdrom || d->script)
        return "a CD, and a disk with a script, are not carried";
    if (d->backend != LIBXL_DISK_BACKEND_PHY &&
        d->backend != LIBXL_DISK_BACKEND_UNKNOWN)
        return "its backend is not phy";
    if (!d->pdev_path || stat(d->pdev_path, &st) || !S_ISBLK(st.st_mode))
        return "its target is not a block device";
    return NULL;
}

static const char *nic_fault(const libxl_device_nic *n)
{
    if (!n->bridge)
        return "it has no bridge";
    if (n->nictype == LIBXL_NIC_TYPE_VIF_IOEMU)
        return "an emulated interface is not carried";
    return NULL;
}

static int refuse(libxl_ctx *ctx, uint32_t domid, const char *what,
                  const char *why)
{
    LOGD(ctx, domid, ERROR, "%s: %s by this xl on a Xen host", what, why);
    return ERROR_INVAL;
}

int libxl__xen_dev_check(libxl_ctx *ctx, uint32_t domid,
                         const libxl_domain_config *config)
{
    bool hvm = config->c_info.type == LIBXL_DOMAIN_TYPE_HVM;
    const char *fault = NULL;

    if (hvm && (config->num_disks || config->num_nics))
        return refuse(ctx, domid, "disks and nics",
                      "those of HVM guests are not carried");
    for (int i = 0; i < config->num_disks; i++) {
        fault = disk_fault(&config->disks[i]);
        if (fault)
            return refuse(ctx, domid,
                          config->disks[i].vdev ? config->disks[i].vdev
                                                : "a disk",
                          fault);
    }
    for (int i = 0; i < config->num_nics && !fault; i++)
        fault = nic_fault(&config->nics[i]);
    return fault ? refuse(ctx, domid, "a network interface", fault) : 0;
}

/* An address below Xen's prefix. */
int libxl__xen_dev_decide(libxl_ctx *ctx, libxl_domain_config *config)
{
    static const libxl_mac none, prefix = {0x00, 0x16, 0x3e};

    for (int i = 0; i < config->num_disks; i++)
        config->disks[i].backend = LIBXL_DISK_BACKEND_PHY;
    for (int i = 0; i < config->num_nics; i++) {
        libxl_device_nic *n = &config->nics[i];

        n->devid = i;
        if (memcmp(n->mac, none, sizeof(none)))
            continue;
        memcpy(n->mac, prefix, 3);
        if (getrandom(n->mac + 3, 3, 0) != 3) {
            LOGE(ctx, ERROR, errno, "no random numbers for an address");
            return ERROR_FAIL;
        }
        n->mac[3] &= 0x7f;
    }
    return 0;
}

/* ---- nodes ---- */

struct end {
    const char *front, *back, *libxl;
};

static bool make_end(libxl__gc *gc, uint32_t domid, const char *kind,
                     unsigned id, struct end *e)
{
    e->front = libxl__sprintf(gc, "/local/domain/%" PRIu32 "/device/%s/%u",
                              domid, kind, id);
    e->back = libxl__sprintf(gc, "/local/domain/0/backend/%s/%" PRIu32 "/%u",
                             kind, domid, id);
    e->libxl = libxl__sprintf(gc, "/libxl/%" PRIu32 "/device/%s/%u", domid,
                              kind, id);
    return e->front && e->back && e->libxl;
}

static void put_front(struct libxl__xs_writer *w, const struct end *e)
{
    w->base = e->front;
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "", "%s", "");
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "backend", "%s", e->back);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "backend-id", "%s", "0");
}

static void put_back(struct libxl__xs_writer *w, const struct end *e,
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

/* The state last: who watches it finds all the rest. */
static void put_disk_back(struct libxl__xs_writer *w, const struct end *e,
                          const libxl_device_disk *d, dev_t dev,
                          enum libxl__xs_perms perms)
{
    put_back(w, e, perms);
    libxl__xs_put(w, perms, "removable", "%d", d->removable);
    libxl__xs_put(w, perms, "bootable", "%s", "1");
    libxl__xs_put(w, perms, "dev", "%s", d->vdev);
    libxl__xs_put(w, perms, "type", "%s", "phy");
    libxl__xs_put(w, perms, "mode", "%s", d->readwrite ? "w" : "r");
    libxl__xs_put(w, perms, "device-type", "%s", "disk");
    libxl__xs_put(w, perms, "discard-enable", "%d", d->discard_enable);
    libxl__xs_put(w, perms, "params", "%s", d->pdev_path);
    libxl__xs_put(w, perms, "script", "%s", SCRIPTS "block");
    libxl__xs_put(w, perms, "physical-device-path", "%s", d->pdev_path);
    libxl__xs_put(w, perms, "physical-device", "%x:%x", major(dev), minor(dev));
    libxl__xs_put(w, perms, "hotplug-status", "%s", "connected");
    libxl__xs_put(w, perms, "state", "%s", "1");
}

static void put_disk(struct libxl__xs_writer *w, const libxl_device_disk *d)
{
    unsigned id = number_of(d->vdev);
    struct stat st = {0};
    struct end e;

    if (!make_end(w->gc, w->guest, "vbd", id, &e) || stat(d->pdev_path, &st)) {
        w->rc = ERROR_FAIL;
        return;
    }
    put_front(w, &e);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "virtual-device", "%u", id);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "device-type", "%s", "disk");
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "state", "%s", "1");
    put_disk_back(w, &e, d, st.st_rdev, LIBXL__XS_PRIVATE);
    put_disk_back(w, &e, d, st.st_rdev, LIBXL__XS_GUEST_READS);
}

static void put_nic_back(struct libxl__xs_writer *w, const struct end *e,
                         const libxl_device_nic *n, int id,
                         enum libxl__xs_perms perms)
{
    char mac[LIBXL_MAC_TEXT];

    libxl_mac_to_text(n->mac, mac);
    put_back(w, e, perms);
    libxl__xs_put(w, perms, "script", "%s",
                  n->script ? n->script : SCRIPTS "vif-bridge");
    if (n->ifname)
        libxl__xs_put(w, perms, "vifname", "%s", n->ifname);
    libxl__xs_put(w, perms, "mac", "%s", mac);
    if (n->ip)
        libxl__xs_put(w, perms, "ip", "%s", n->ip);
    libxl__xs_put(w, perms, "bridge", "%s", n->bridge);
    libxl__xs_put(w, perms, "handle", "%d", id);
    libxl__xs_put(w, perms, "type", "%s", "vif");
    libxl__xs_put(w, perms, "hotplug-status", "%s", "");
    libxl__xs_put(w, perms, "state", "%s", "1");
}

static void put_nic(struct libxl__xs_writer *w, const libxl_device_nic *n,
                    int id)
{
    char mac[LIBXL_MAC_TEXT];
    struct end e;

    if (!make_end(w->gc, w->guest, "vif", (unsigned)id, &e)) {
        w->rc = ERROR_NOMEM;
        return;
    }
    libxl_mac_to_text(n->mac, mac);
    put_front(w, &e);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "handle", "%d", id);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "mac", "%s", mac);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "state", "%s", "1");
    put_nic_back(w, &e, n, id, LIBXL__XS_PRIVATE);
    put_nic_back(w, &e, n, id, LIBXL__XS_GUEST_READS);
}

int libxl__xen_dev_lay_out(struct libxl__host_xen *hx, libxl__gc *gc,
                           uint32_t domid, const libxl_domain_config *config)
{
    struct libxl__xs_writer w = {.xs = &hx->xs, .gc = gc, .guest = domid};

    for (int i = 0; i < config->num_disks && !w.rc; i++)
        put_disk(&w, &config->disks[i]);
    for (int i = 0; i < config->num_nics && !w.rc; i++)
        put_nic(&w, &config->nics[i], i);
    return w.rc;
}

void libxl__xen_dev_remove(struct libxl__host_xen *hx, uint32_t domid)
{
    libxl__xs_remove(&hx->xs, "/local/domain/0/backend/vbd/%" PRIu32, domid);
    libxl__xs_remove(&hx->xs, "/local/domain/0/backend/vif/%" PRIu32, domid);
}
