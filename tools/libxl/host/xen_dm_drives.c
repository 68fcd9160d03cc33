/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dm_drives.c - the emulated twins of an HVM guest's disks and interfaces,
 * in QEMU's argument vector (codec). A guest with drivers for Xen unplugs them
 * when it starts. The words are upstream's: see xen_dm_args.c.
 */
#include <string.h>

#include "config/vdev.h"
#include "host/xen_dev.h"
#include "host/xen_dm_args.h"

#define IDE_DISKS 4u

static const char *image_format(libxl_disk_format format)
{
    switch (format) {
    case LIBXL_DISK_FORMAT_QCOW:
        return "qcow";
    case LIBXL_DISK_FORMAT_QCOW2:
        return "qcow2";
    case LIBXL_DISK_FORMAT_VHD:
        return "vpc";
    case LIBXL_DISK_FORMAT_QED:
        return "qed";
    default:
        return "raw";
    }
}

void libxl__xen_args_scsi(struct libxl__arglist *al,
                          const libxl_domain_config *config)
{
    struct libxl__vdev v;

    for (int i = 0; i < config->num_disks; i++)
        if (libxl__vdev_parse(config->disks[i].vdev, &v) &&
            v.kind == LIBXL__VDEV_SD) {
            libxl__arglist_opt(al, "-device", "lsi53c895a");
            return;
        }
}

bool libxl__xen_args_nics(struct libxl__arglist *al, uint32_t domid,
                          const libxl_domain_config *config)
{
    bool any = false;

    for (int i = 0; i < config->num_nics; i++) {
        const libxl_device_nic *n = &config->nics[i];
        const char *tap = libxl__xen_nic_tap(al->gc, domid, n);
        char mac[LIBXL_MAC_TEXT];

        if (n->nictype != LIBXL_NIC_TYPE_VIF_IOEMU)
            continue;
        any = true;
        libxl_mac_to_text(n->mac, mac);
        libxl__arglist_optf(al, "-device", "%s,id=nic%d,netdev=net%d,mac=%s",
                            n->model ? n->model : "rtl8139", n->devid, n->devid,
                            mac);
        libxl__arglist_optf(al, "-netdev",
                            "type=tap,id=net%d,ifname=%s,br=%s,script=no,"
                            "downscript=no",
                            n->devid, tap ? tap : "", n->bridge);
    }
    return any;
}

/* NULL: no memory, and the list says so. */
static const char *path_of(struct libxl__arglist *al,
                           const libxl_device_disk *d)
{
    const char *path = libxl__qemu_escape(al->gc, d->pdev_path);

    if (!path)
        al->rc = ERROR_NOMEM;
    return path ? path : "";
}

static void add_cd(struct libxl__arglist *al, const libxl_device_disk *d,
                   const struct libxl__vdev *v)
{
    const char *drive =
        libxl__sprintf(al->gc, "if=none,readonly=on,id=ide-%u", v->number);

    if (drive && d->format != LIBXL_DISK_FORMAT_EMPTY && d->pdev_path &&
        d->pdev_path[0])
        drive = libxl__sprintf(al->gc, "%s,file=%s,format=%s", drive,
                               path_of(al, d), image_format(d->format));
    libxl__arglist_opt(al, "-drive", drive);
    libxl__arglist_optf(al, "-device",
                        "ide-cd,id=ide-%u,drive=ide-%u,bus=ide.%u,unit=%u",
                        v->number, v->number, v->disk / 2, v->disk % 2);
}

static void add_scsi(struct libxl__arglist *al, const libxl_device_disk *d,
                     const struct libxl__vdev *v)
{
    libxl__arglist_optf(al, "-drive",
                        "file=%s,id=scsi0-hd%u,format=%s,if=none,readonly=%s,"
                        "cache=writeback",
                        path_of(al, d), v->disk, image_format(d->format),
                        d->readwrite ? "off" : "on");
    libxl__arglist_optf(al, "-device", "scsi-hd,drive=scsi0-hd%u,scsi-id=%u",
                        v->disk, v->disk);
}

static void add_ide(struct libxl__arglist *al, const libxl_device_disk *d,
                    const struct libxl__vdev *v)
{
    libxl__arglist_optf(al, "-drive",
                        "file=%s,if=ide,index=%u,media=disk,format=%s,"
                        "cache=writeback",
                        path_of(al, d), v->disk, image_format(d->format));
}

void libxl__xen_args_drives(struct libxl__arglist *al,
                            const libxl_domain_config *config)
{
    for (int i = 0; i < config->num_disks; i++) {
        const libxl_device_disk *d = &config->disks[i];
        struct libxl__vdev v;

        if (!libxl__vdev_parse(d->vdev, &v) || v.part)
            continue;
        if (d->is_cdrom)
            add_cd(al, d, &v);
        else if (v.kind == LIBXL__VDEV_SD)
            add_scsi(al, d, &v);
        else if (v.disk < IDE_DISKS)
            add_ide(al, d, &v);
    }
}
