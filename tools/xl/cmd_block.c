/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_block.c - xl block-attach, block-detach, block-list: disks of a domain
 * that runs. */
#include <stdlib.h>
#include <string.h>

#include "xl_device.h"
#include "xl_spec.h"

static int attach(struct xl *xl, uint32_t domid, const char *spec)
{
    struct xl_cfg_error err;
    libxl_device_disk disk;
    int rc = ERROR_INVAL;

    libxl_device_disk_init(&disk);
    if (!xl_disk_parse(spec, &disk, &err))
        xl_error(xl, "%s", err.text);
    else
        rc = xl->dry_run ? 0
                         : libxl_device_disk_add(xl->ctx, domid, &disk, NULL);
    libxl_device_disk_dispose(&disk);
    return rc ? XL_FAILED : XL_OK;
}

int xl_cmd_block_attach(struct xl *xl, int argc, char **argv)
{
    return xl_device_attach(xl, argc, argv, 2, attach);
}

/* By its name in the guest, or by its number there. */
static bool is_meant(struct xl *xl, uint32_t domid,
                     const libxl_device_disk *disk, const char *text)
{
    libxl_diskinfo info;
    char number[16] = "";

    if (!strcmp(disk->vdev, text))
        return true;
    if (!libxl_device_disk_getinfo(xl->ctx, domid, disk, &info))
        snprintf(number, sizeof(number), "%d", info.devid);
    libxl_diskinfo_dispose(&info);
    return !strcmp(number, text);
}

static int detach(struct xl *xl, uint32_t domid, const char *vdev, bool force)
{
    int n, at = 0, rc = ERROR_NOTFOUND;
    libxl_device_disk *disks = libxl_device_disk_list(xl->ctx, domid, &n);

    while (at < n && !is_meant(xl, domid, &disks[at], vdev))
        at++;
    if (n >= 0 && at >= n)
        xl_error(xl, "%s: the domain has no such disk (see xl block-list)",
                 vdev);
    else if (n >= 0 && disks[at].is_cdrom)
        xl_error(xl, "%s: a CD drive cannot be detached", vdev);
    else if (n >= 0)
        rc = force ? libxl_device_disk_destroy(xl->ctx, domid, &disks[at], NULL)
                   : libxl_device_disk_safe_remove(xl->ctx, domid, &disks[at],
                                                   NULL);
    libxl_device_disk_list_free(disks, n);
    return rc ? XL_FAILED : XL_OK;
}

int xl_cmd_block_detach(struct xl *xl, int argc, char **argv)
{
    return xl_device_detach(xl, argc, argv, detach);
}

/* ---- list ---- */

static void show_json(struct xl_device_list *l, uint32_t domid,
                      const libxl_device_disk *disk, const libxl_diskinfo *i)
{
    xl_device_json_open(l);
    xl_device_json_int(l, "domid", (int)domid);
    xl_device_json_text(l, "vdev", disk->vdev);
    xl_device_json_int(l, "devid", i->devid);
    xl_device_json_text(l, "format", libxl_disk_format_to_string(disk->format));
    xl_device_json_text(l, "pdev_path", disk->pdev_path);
    xl_device_json_int(l, "backend_id", (int)i->backend_id);
    xl_device_json_text(l, "backend", i->backend);
    xl_device_json_text(l, "frontend", i->frontend);
    xl_device_json_int(l, "state", i->state);
    xl_device_json_int(l, "evtch", i->evtch);
    xl_device_json_int(l, "rref", i->rref);
    xl_device_json_close(l);
}

static bool show(struct xl *xl, uint32_t domid, struct xl_device_list *l)
{
    int n;
    libxl_device_disk *disks = libxl_device_disk_list(xl->ctx, domid, &n);
    bool ok = n >= 0;

    for (int i = 0; i < n; i++) {
        libxl_diskinfo info;

        if (libxl_device_disk_getinfo(xl->ctx, domid, &disks[i], &info))
            ok = false;
        else if (l->gen)
            show_json(l, domid, &disks[i], &info);
        else
            printf("%-5d %-3u %-6u %-5d %-6d %-8d %-30s\n", info.devid,
                   info.backend_id, info.frontend_id, info.state, info.evtch,
                   info.rref, info.backend);
        libxl_diskinfo_dispose(&info);
    }
    libxl_device_disk_list_free(disks, n);
    return ok;
}

int xl_cmd_block_list(struct xl *xl, int argc, char **argv)
{
    char header[96];

    snprintf(header, sizeof(header), "%-5s %-3s %-6s %-5s %-6s %-8s %-30s",
             "Vdev", "BE", "handle", "state", "evt-ch", "ring-ref", "BE-path");
    return xl_device_lists(xl, argc, argv, header, show);
}
