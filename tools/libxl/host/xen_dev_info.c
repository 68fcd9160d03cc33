/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_dev_info.c - a device of a domain, found again by its nodes. */
#include <inttypes.h>
#include <stdlib.h>

#include "config/vdev.h"
#include "host/xen_dev.h"

const char *libxl__xen_dev_name(libxl__gc *gc, const struct libxl__dev *dev,
                                const char **kind, unsigned *id)
{
    struct libxl__vdev vdev = {0};

    if (dev->disk) {
        *kind = "vbd";
        if (!dev->disk->vdev || !libxl__vdev_parse(dev->disk->vdev, &vdev))
            return NULL;
        *id = vdev.number;
        return libxl__sprintf(gc, "disk %s", dev->disk->vdev);
    }
    *kind = "vif";
    *id = (unsigned)dev->nic->devid;
    return libxl__sprintf(gc, "network interface %d", dev->nic->devid);
}

int libxl__xen_dev_find(struct libxl__host_xen *hx, libxl__gc *gc,
                        uint32_t domid, const char *kind, unsigned id,
                        struct libxl__xen_ends *out)
{
    out->libxl =
        libxl__sprintf(gc, "/libxl/%" PRIu32 "/device/%s/%u", domid, kind, id);
    if (!out->libxl)
        return ERROR_NOMEM;
    out->back = libxl__xs_read(&hx->xs, gc, "%s/backend", out->libxl);
    out->front = libxl__xs_read(&hx->xs, gc, "%s/frontend", out->libxl);
    return out->back && out->front ? 0 : ERROR_NOTFOUND;
}

static int read_number(struct libxl__host_xen *hx, libxl__gc *gc,
                       const char *dir, const char *key)
{
    const char *text = libxl__xs_read(&hx->xs, gc, "%s/%s", dir, key);

    return text ? (int)strtol(text, NULL, 10) : -1;
}

int libxl__xen_dev_info(libxl__host *h, libxl__gc *gc, uint32_t domid,
                        const struct libxl__dev *dev,
                        struct libxl__dev_info *out)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_ends e;
    const char *kind;
    unsigned id;
    int rc;

    if (!libxl__xen_dev_name(gc, dev, &kind, &id))
        return ERROR_NOTFOUND;
    rc = libxl__xen_dev_find(hx, gc, domid, kind, id, &e);
    if (rc)
        return rc;
    *out = (struct libxl__dev_info){
        .backend = e.back,
        .frontend = e.front,
        .backend_id = 0,
        .frontend_id = domid,
        .devid = (int)id,
        .state = read_number(hx, gc, e.front, "state"),
        .evtch = read_number(hx, gc, e.front, "event-channel"),
        .rref = {read_number(hx, gc, e.front,
                             dev->disk ? "ring-ref" : "tx-ring-ref"),
                 read_number(hx, gc, e.front, "rx-ring-ref")},
    };
    return 0;
}
