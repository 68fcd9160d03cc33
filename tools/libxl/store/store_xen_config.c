/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_xen_config.c - a domain's configuration on a Xen host: the userdata,
 * and what xenstore says now. */
#include "store/store_xen_config.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/fields.h"
#include "config/vdev.h"

static libxl_domain_type read_type(struct libxl__xs *xs, libxl__gc *gc,
                                   uint32_t domid)
{
    libxl_domain_type type = LIBXL_DOMAIN_TYPE_PV;
    char *text = libxl__xs_read(xs, gc, "/libxl/%u/type", domid);

    if (text)
        libxl_domain_type_from_string(text, &type);
    return type;
}

static int set_text(char **at, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return ERROR_NOMEM;
    free(*at);
    *at = copy;
    return 0;
}

static bool has_device(struct libxl__xs *xs, libxl__gc *gc, uint32_t domid,
                       const char *kind, unsigned id)
{
    return libxl__xs_read(xs, gc, "/libxl/%u/device/%s/%u/backend", domid, kind,
                          id);
}

/* Upstream's xl leaves in its userdata what it has detached, and takes no
 * notice of it: xenstore says which devices there are. */
static void leave_out_absent(struct libxl__xs *xs, libxl__gc *gc,
                             uint32_t domid, libxl_domain_config *c)
{
    struct libxl__vdev vdev;
    int n = 0;

    if (!libxl__xs_children(xs, gc, "/libxl/%u/device", domid))
        return;
    for (int i = 0; i < c->num_disks; i++) {
        libxl_device_disk *d = &c->disks[i];

        if (d->vdev && libxl__vdev_parse(d->vdev, &vdev) &&
            !has_device(xs, gc, domid, "vbd", vdev.number))
            libxl__config_free(&libxl__fields_disk, d);
        else
            c->disks[n++] = *d;
    }
    c->num_disks = n;
    n = 0;
    for (int i = 0; i < c->num_nics; i++) {
        libxl_device_nic *nic = &c->nics[i];

        if (nic->devid >= 0 &&
            !has_device(xs, gc, domid, "vif", (unsigned)nic->devid))
            libxl__config_free(&libxl__fields_nic, nic);
        else
            c->nics[n++] = *nic;
    }
    c->num_nics = n;
}

/* The guest is told of its memory without that of its screen. */
static void read_target(struct libxl__xs *xs, libxl__gc *gc, uint32_t domid,
                        libxl_domain_build_info *b)
{
    uint64_t target = libxl__xs_memory_kb(xs, gc, domid, "target"),
             video = libxl__xs_memory_kb(xs, gc, domid, "videoram");

    if (target && target < b->max_memkb && video <= b->max_memkb - target)
        b->target_memkb = target + video;
}

int libxl__store_xen_refresh(struct libxl__xs *xs, libxl__gc *gc,
                             struct libxl__domain_record *rec)
{
    libxl_ctx *ctx = xs->ctx;
    struct libxl__config_error err;
    libxl_domain_config config;
    char *json;
    int rc;

    /* A dom0 has next to none, nor has a domain of other tools. */
    if (libxl__config_parse(rec->config_json, strlen(rec->config_json), &config,
                            &err)) {
        libxl_domain_config_init(&config);
        config.c_info.type = read_type(xs, gc, rec->domid);
    }
    config.c_info.uuid = rec->uuid;
    config.c_info.domid = 0;
    leave_out_absent(xs, gc, rec->domid, &config);
    rc = set_text(&config.c_info.name, rec->name);
    read_target(xs, gc, rec->domid, &config.b_info);
    json = rc ? NULL : libxl_domain_config_to_json(ctx, &config);
    rec->config_json = json ? libxl__gc_take(gc, json) : NULL;
    libxl_domain_config_dispose(&config);
    return rec->config_json ? 0 : ERROR_NOMEM;
}
