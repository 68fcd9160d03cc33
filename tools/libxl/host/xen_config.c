/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_config.c - what this host can make of a configuration, and carry. */
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "host/xen_dev.h"

#define MIN_KB 4096u
#define VIDEO_STD_KB 16384u
#define VIDEO_CIRRUS_KB 8192u

static int refuse(libxl_ctx *ctx, const char *field, const char *why)
{
    LOG(ctx, ERROR, "%s: %s", field, why);
    return ERROR_INVAL;
}

/* Kinds of devices, by their lists in the configuration, that nobody here makes
 * or moves. */
static const char *const foreign_devices[] = {
    "pcidevs", "rdms",     "dtdevs",  "vfbs",   "vkbs",   "vtpms",
    "p9s",     "p9",       "pvcallsifs", "channels", "usbctrls", "usbdevs",
    "vdispls", "vsnds",    "virtios",
};

/* NULL: none of them. */
static const char *find_foreign(libxl_ctx *ctx, const char *json)
{
    const char *found = NULL;
    yajl_val root, list;

    if (!json)
        return NULL;
    root = libxl__json_parse(ctx, INVALID_DOMID, "the configuration", json);
    for (size_t i = 0;
         root && i < sizeof(foreign_devices) / sizeof(foreign_devices[0]);
         i++) {
        list = libxl__json_get(root, foreign_devices[i]);
        if (YAJL_IS_ARRAY(list) && list->u.array.len)
            found = foreign_devices[i];
    }
    yajl_tree_free(root);
    return found;
}

static int check_devices(libxl_ctx *ctx, uint32_t domid,
                         const libxl_domain_config *config)
{
    const char *foreign = find_foreign(ctx, config->foreign_json);

    if (!foreign)
        return libxl__xen_dev_check(ctx, domid, config);
    LOGD(ctx, domid, ERROR,
         "%s: this xl does not carry such devices on a Xen host", foreign);
    return ERROR_INVAL;
}

static int check_file(libxl_ctx *ctx, const char *field, const char *path)
{
    if (path && access(path, R_OK)) {
        LOG(ctx, ERROR, "%s: %s cannot be read", field, path);
        return ERROR_INVAL;
    }
    return 0;
}

static int check_kernel(libxl_ctx *ctx, const libxl_domain_config *config)
{
    const libxl_domain_build_info *b = &config->b_info;
    int rc;

    if (!b->kernel)
        return refuse(ctx, "kernel", "a PV or PVH guest starts from a kernel");
    rc = check_file(ctx, "kernel", b->kernel);
    return rc ? rc : check_file(ctx, "ramdisk", b->ramdisk);
}

static bool is_one_of(const char *word, const char *const *list)
{
    while (*list && strcmp(word, *list))
        list++;
    return *list;
}

/* What its device model would have to be told, and is not. */
static int check_hvm(libxl_ctx *ctx, libxl_domain_config *config, bool restore)
{
    static const char *const screens[] = {"none", "std", "cirrus", NULL};
    libxl_domain_build_info *b = &config->b_info;

    if (b->vga_kind && !is_one_of(b->vga_kind, screens))
        return refuse(ctx, "vga", "\"none\", \"std\" or \"cirrus\" on a Xen "
                                  "host");
    if (b->bios && strcmp(b->bios, "seabios"))
        return refuse(ctx, "bios", "\"seabios\" alone on a Xen host");
    if (b->vnc.enable && b->vnc.passwd)
        return refuse(ctx, "vncpasswd", "not on a Xen host");
    if (b->usb || b->usbdevice || b->extra)
        return refuse(ctx, b->extra ? "device_model_args" : "usb",
                      "not on a Xen host");
    if (!restore && !b->video_memkb && (!b->vga_kind ||
                                        strcmp(b->vga_kind, "none")))
        b->video_memkb = b->vga_kind && !strcmp(b->vga_kind, "std")
                             ? VIDEO_STD_KB
                             : VIDEO_CIRRUS_KB;
    if (b->video_memkb >= b->target_memkb)
        return refuse(ctx, "videoram", "not less than the guest's memory");
    return 0;
}

int libxl__xen_check_config(libxl__host *h, libxl_domain_config *config,
                            bool restore)
{
    libxl_domain_build_info *b = &config->b_info;
    libxl_ctx *ctx = h->ctx;
    int rc;

    if (config->c_info.type == LIBXL_DOMAIN_TYPE_INVALID)
        config->c_info.type = LIBXL_DOMAIN_TYPE_PV;
    if (b->max_memkb < MIN_KB)
        return refuse(ctx, "memory", "a guest has at least 4 MiB");
    if (b->max_vcpus < 1)
        return refuse(ctx, "vcpus", "a guest has at least one");
    if (!b->target_memkb || b->target_memkb > b->max_memkb)
        b->target_memkb = b->max_memkb;
    rc = check_devices(ctx, INVALID_DOMID, config);
    if (!rc)
        rc = libxl__xen_dev_decide(ctx, config);
    if (!rc && config->c_info.type == LIBXL_DOMAIN_TYPE_HVM)
        return check_hvm(ctx, config, restore);
    if (!rc && !restore)
        rc = check_kernel(ctx, config);
    return rc;
}

int libxl__xen_check_saveable(libxl__host *h, uint32_t domid,
                              const libxl_domain_config *config)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_domain d;
    bool deaf;
    int rc = libxl__xen_domain(hx, domid, &d);

    if (!rc)
        rc = check_devices(h->ctx, domid, config);
    if (!rc)
        rc = libxl__xen_is_deaf(hx, &d, &deaf);
    if (!rc && d.paused && !deaf && !libxl__xen_is_suspended(&d)) {
        LOGD(h->ctx, domid, ERROR,
             "it is paused, and has a part in being saved: `xl unpause %u` "
             "first",
             domid);
        rc = ERROR_INVAL;
    }
    return rc;
}
