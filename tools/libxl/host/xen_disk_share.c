/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_disk_share.c - who else uses what a disk is on. Two may read; one that
 * writes is alone. These are the rules of upstream's script for block devices,
 * and here they hold for files too: nothing else locks them on a Xen host.
 *
 * It has to be done in the transaction that the disk's nodes are written in:
 * of two guests that start at once, one finds the other's.
 */
#include <inttypes.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/log.h"
#include "host/xen_dev.h"
#include "host/xen_dm_start.h"

#define BACKENDS "/local/domain/0/backend"
#define MOUNTS "/proc/mounts"
#define LINE 4096

/* A block device by its number, whatever its names; a file by its inode. */
struct image {
    dev_t dev;
    ino_t ino; /* 0: a block device */
};

struct search {
    struct libxl__host_xen *hx;
    libxl__gc *gc;
    uint32_t domid;
    const libxl_device_disk *disk;
    struct image image;
};

static bool image_of(const char *path, struct image *out)
{
    struct stat st;

    if (path[0] != '/' || stat(path, &st))
        return false;
    if (S_ISREG(st.st_mode))
        *out = (struct image){st.st_dev, st.st_ino};
    else
        *out = (struct image){st.st_rdev, 0};
    return true;
}

static bool is_same(const struct image *a, const struct image *b)
{
    return a->dev == b->dev && a->ino == b->ino;
}

/* ---- this host itself ---- */

bool libxl__xen_is_mounted(FILE *mounts, dev_t dev, bool write, char *where,
                           size_t size)
{
    char line[LINE];
    struct mntent m;
    struct image i;

    while (getmntent_r(mounts, &m, line, sizeof(line)))
        if (image_of(m.mnt_fsname, &i) && !i.ino && i.dev == dev &&
            (write || !hasmntopt(&m, "ro"))) {
            snprintf(where, size, "%s", m.mnt_dir);
            return true;
        }
    return false;
}

static int check_mounts(const struct search *s)
{
    FILE *mounts = s->image.ino ? NULL : setmntent(MOUNTS, "re");
    const libxl_device_disk *d = s->disk;
    char where[256];
    bool found;

    if (!mounts)
        return 0;
    found = libxl__xen_is_mounted(mounts, s->image.dev, d->readwrite, where,
                                  sizeof(where));
    endmntent(mounts);
    if (!found)
        return 0;
    LOGD(s->hx->host.ctx, s->domid, ERROR,
         "disk %s: this host has %s mounted on %s, and two that use it, where "
         "one writes, destroy what is on it: unmount it first%s",
         d->vdev, d->pdev_path, where,
         d->readwrite ? "" : ", or mount it read-only");
    return ERROR_FAIL;
}

/* ---- other guests ---- */

static bool parse_device(const char *text, struct image *out)
{
    char *colon;
    unsigned long major = strtoul(text, &colon, 16);

    if (*colon != ':')
        return false;
    *out = (struct image){
        makedev((unsigned)major, (unsigned)strtoul(colon + 1, NULL, 16)), 0};
    return true;
}

/* QEMU's have the format before the name. */
static bool has_image(const struct search *s, const char *back)
{
    struct libxl__xs *xs = &s->hx->xs;
    const char *device = libxl__xs_read(xs, s->gc, "%s/physical-device", back);
    const char *params = libxl__xs_read(xs, s->gc, "%s/params", back);
    struct image i;

    if (device && parse_device(device, &i) && is_same(&i, &s->image))
        return true;
    if (params && params[0] != '/' && strchr(params, ':'))
        params = strchr(params, ':') + 1;
    return params && image_of(params, &i) && is_same(&i, &s->image);
}

static bool writes(const struct search *s, const char *back)
{
    const char *mode = libxl__xs_read(&s->hx->xs, s->gc, "%s/mode", back);

    return mode && strchr(mode, 'w');
}

/* The same guest, coming from this host to itself, has the same disks. Of one
 * that is gone the nodes may be left, but its QEMU may still have something to
 * write; so may that of one that has ended and is kept. */
static bool is_no_rival(const struct search *s, uint32_t other)
{
    struct libxl__xen_domain own, d;
    int rc = libxl__xen_domain(s->hx, other, &d);

    if (rc == ERROR_DOMAIN_NOTFOUND || (!rc && d.dying))
        return !libxl__xen_dm_is_there(s->hx, s->gc, other);
    return !rc && !libxl__xen_domain(s->hx, s->domid, &own) &&
           !memcmp(own.uuid, d.uuid, sizeof(d.uuid));
}

static int check_disk(const struct search *s, uint32_t other, const char *back)
{
    const libxl_device_disk *d = s->disk;
    const char *name;

    if (!has_image(s, back) || (!d->readwrite && !writes(s, back)) ||
        is_no_rival(s, other))
        return 0;
    name = libxl__xs_read(&s->hx->xs, s->gc, "/local/domain/%" PRIu32 "/name",
                          other);
    LOGD(s->hx->host.ctx, s->domid, ERROR,
         "disk %s: domain %" PRIu32 " (%s) uses %s as well, and two that use "
         "it, where one writes, destroy what is on it: end that one first, or "
         "give both access=ro",
         d->vdev, other, name ? name : "without a name", d->pdev_path);
    return ERROR_FAIL;
}

static char **children(const struct search *s, const char *kind,
                       const char *domid)
{
    static char *none[] = {NULL};
    char **names =
        libxl__xs_children(&s->hx->xs, s->gc, BACKENDS "/%s%s%s", kind,
                           domid ? "/" : "", domid ? domid : "");

    return names ? names : none;
}

static int check_domain(const struct search *s, const char *kind,
                        const char *domid)
{
    uint32_t other = (uint32_t)strtoul(domid, NULL, 10);
    int rc = 0;

    if (other == s->domid)
        return 0;
    for (char **id = children(s, kind, domid); *id && !rc; id++) {
        const char *back =
            libxl__sprintf(s->gc, BACKENDS "/%s/%s/%s", kind, domid, *id);

        rc = back ? check_disk(s, other, back) : ERROR_NOMEM;
    }
    return rc;
}

int libxl__xen_disk_check_free(struct libxl__host_xen *hx, libxl__gc *gc,
                               uint32_t domid, const libxl_device_disk *d)
{
    static const char *const kinds[] = {"vbd", "qdisk"};
    struct search s = {.hx = hx, .gc = gc, .domid = domid, .disk = d};
    int rc;

    if (!d->pdev_path || !image_of(d->pdev_path, &s.image))
        return 0;
    rc = check_mounts(&s);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        for (char **id = children(&s, kinds[i], NULL); *id && !rc; id++)
            rc = check_domain(&s, kinds[i], *id);
    return rc;
}
