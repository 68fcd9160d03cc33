/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_disk.c - one disk: what serves it, and its nodes. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "config/vdev.h"
#include "host/xen_dev.h"

#define IDE_DISKS 4u

bool libxl__xen_disk_is_empty(const libxl_device_disk *d)
{
    return d->format == LIBXL_DISK_FORMAT_EMPTY || !d->pdev_path ||
           !d->pdev_path[0];
}

static bool is_block(const char *path)
{
    struct stat st;

    return !stat(path, &st) && S_ISBLK(st.st_mode);
}

static const char *target_fault(const libxl_device_disk *d, bool hvm)
{
    struct stat st;

    if (libxl__xen_disk_is_empty(d))
        return hvm && d->is_cdrom ? NULL : "it is empty";
    if (stat(d->pdev_path, &st))
        return "its target is not there";
    if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
        return "its target is neither a block device nor a file";
    return NULL;
}

const char *libxl__xen_disk_fault(const libxl_device_disk *d, bool hvm)
{
    struct libxl__vdev vdev;

    if (!d->vdev || !libxl__vdev_parse(d->vdev, &vdev))
        return "its name is not xvda, hda, sda and so on";
    if (d->script)
        return "it has a script of its own";
    if (d->is_cdrom && hvm &&
        (vdev.kind == LIBXL__VDEV_SD || vdev.disk >= IDE_DISKS))
        return "a CD drive is one of the first four disks";
    if (hvm && !d->is_cdrom && !d->readwrite && vdev.kind != LIBXL__VDEV_SD &&
        vdev.disk < IDE_DISKS)
        return "an emulated IDE disk cannot be read-only";
    if (d->backend != LIBXL_DISK_BACKEND_PHY &&
        d->backend != LIBXL_DISK_BACKEND_QDISK &&
        d->backend != LIBXL_DISK_BACKEND_UNKNOWN)
        return "its backend is neither phy nor qdisk";
    if (d->backend == LIBXL_DISK_BACKEND_PHY && !libxl__xen_disk_is_empty(d) &&
        d->format != LIBXL_DISK_FORMAT_RAW)
        return "the backend phy takes the format raw alone";
    return target_fault(d, hvm);
}

/* The kernel serves block devices; files, and what has a format, are QEMU's. */
void libxl__xen_disk_decide(libxl_device_disk *d)
{
    bool kernels = !libxl__xen_disk_is_empty(d) && !d->is_cdrom &&
                   is_block(d->pdev_path) &&
                   d->format == LIBXL_DISK_FORMAT_RAW &&
                   d->backend != LIBXL_DISK_BACKEND_QDISK;

    d->backend = kernels ? LIBXL_DISK_BACKEND_PHY : LIBXL_DISK_BACKEND_QDISK;
}

/* ---- nodes ---- */

static const char *image_kind(libxl_disk_format format)
{
    return format == LIBXL_DISK_FORMAT_RAW || format == LIBXL_DISK_FORMAT_EMPTY
               ? "aio"
               : libxl_disk_format_to_string(format);
}

static const char *type_of(const libxl_device_disk *d)
{
    return d->is_cdrom ? "cdrom" : "disk";
}

static void put_qdisk(struct libxl__xs_writer *w, const libxl_device_disk *d,
                      enum libxl__xs_perms perms)
{
    libxl__xs_put(w, perms, "type", "%s", "qdisk");
    libxl__xs_put(w, perms, "params", "%s:%s", image_kind(d->format),
                  libxl__xen_disk_is_empty(d) ? "" : d->pdev_path);
    if (d->direct_io_safe)
        libxl__xs_put(w, perms, "direct-io-safe", "%s", "1");
}

/* What upstream's script would find out, so that it need not run; who else uses
 * it has been looked at. */
static void put_phy(struct libxl__xs_writer *w, const libxl_device_disk *d,
                    enum libxl__xs_perms perms)
{
    struct stat st;

    if (stat(d->pdev_path, &st)) {
        w->rc = ERROR_FAIL;
        return;
    }
    libxl__xs_put(w, perms, "type", "%s", "phy");
    libxl__xs_put(w, perms, "params", "%s", d->pdev_path);
    libxl__xs_put(w, perms, "script", "%s", LIBXL__XEN_SCRIPTS "block");
    libxl__xs_put(w, perms, "physical-device-path", "%s", d->pdev_path);
    libxl__xs_put(w, perms, "physical-device", "%x:%x", major(st.st_rdev),
                  minor(st.st_rdev));
    libxl__xs_put(w, perms, "hotplug-status", "%s", "connected");
}

/* The state last: who watches it finds all the rest. */
static void put_back(struct libxl__xs_writer *w,
                     const struct libxl__xen_ends *e,
                     const libxl_device_disk *d, enum libxl__xs_perms perms)
{
    libxl__xen_put_back(w, e, perms);
    libxl__xs_put(w, perms, "removable", "%d", d->removable);
    libxl__xs_put(w, perms, "bootable", "%s", "1");
    libxl__xs_put(w, perms, "dev", "%s", d->vdev);
    libxl__xs_put(w, perms, "mode", "%s", d->readwrite ? "w" : "r");
    libxl__xs_put(w, perms, "device-type", "%s", type_of(d));
    libxl__xs_put(w, perms, "discard-enable", "%d",
                  d->discard_enable && d->readwrite);
    libxl__xs_put(w, perms, "specification", "%s", "xen");
    if (d->backend == LIBXL_DISK_BACKEND_QDISK)
        put_qdisk(w, d, perms);
    else
        put_phy(w, d, perms);
    libxl__xs_put(w, perms, "state", "%s", "1");
}

void libxl__xen_disk_put(struct libxl__host_xen *hx, struct libxl__xs_writer *w,
                         const libxl_device_disk *d)
{
    bool qdisk = d->backend == LIBXL_DISK_BACKEND_QDISK;
    struct libxl__xen_ends e;
    struct libxl__vdev vdev;

    if (!libxl__vdev_parse(d->vdev, &vdev)) {
        w->rc = ERROR_INVAL;
        return;
    }
    if (!libxl__xen_ends(w->gc, w->guest, qdisk ? "qdisk" : "vbd", vdev.number,
                         &e)) {
        w->rc = ERROR_NOMEM;
        return;
    }
    w->rc = libxl__xen_disk_check_free(hx, w->gc, w->guest, d);
    if (w->rc)
        return;
    libxl__xen_put_front(w, &e);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "virtual-device", "%u",
                  vdev.number);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "device-type", "%s", type_of(d));
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "state", "%s", "1");
    put_back(w, &e, d, LIBXL__XS_PRIVATE);
    put_back(w, &e, d, LIBXL__XS_GUEST_READS);
}
