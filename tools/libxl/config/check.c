/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check.c - what must hold of any configuration, whatever the host. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "config/fields.h"
#include "config/own_process.h"

void libxl__config_error_set(struct libxl__config_error *err, const char *fmt,
                             ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
}

/* A name becomes a QEMU option, a line of `xl list` and a file's name, and must
 * not be taken for an option or a domid. */
static int check_name(const char *name, struct libxl__config_error *err)
{
    size_t n = name ? strlen(name) : 0;

    if (n == 0) {
        libxl__config_error_set(err, "c_info.name: missing");
        return ERROR_INVAL;
    }
    if (n > LIBXL__CONFIG_NAME_MAX) {
        libxl__config_error_set(err, "c_info.name: longer than %d bytes",
                                LIBXL__CONFIG_NAME_MAX);
        return ERROR_INVAL;
    }
    if (strspn(name, "0123456789") == n) {
        libxl__config_error_set(
            err, "c_info.name: '%s' would be taken for a domain id", name);
        return ERROR_INVAL;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char ch = (unsigned char)name[i];

        if (ch <= ' ' || ch == 0x7f || ch == '/') {
            libxl__config_error_set(
                err, "c_info.name: blanks, '/' and control bytes are not "
                     "allowed in it");
            return ERROR_INVAL;
        }
    }
    if (name[0] == '-') {
        libxl__config_error_set(err, "c_info.name: '%s' begins with '-'", name);
        return ERROR_INVAL;
    }
    return 0;
}

static int check_sizes(const libxl_domain_build_info *b,
                       struct libxl__config_error *err)
{
    if (b->max_memkb < 1024 || b->max_memkb > LIBXL__CONFIG_MEMKB_MAX) {
        libxl__config_error_set(err,
                                "b_info.max_memkb: %llu KiB is not within 1 "
                                "MiB to 16 TiB",
                                (unsigned long long)b->max_memkb);
        return ERROR_INVAL;
    }
    if (b->target_memkb > b->max_memkb) {
        libxl__config_error_set(err,
                                "b_info.target_memkb: %llu KiB is more than "
                                "max_memkb, %llu",
                                (unsigned long long)b->target_memkb,
                                (unsigned long long)b->max_memkb);
        return ERROR_INVAL;
    }
    if (b->max_vcpus < 1 || b->max_vcpus > LIBXL__CONFIG_VCPUS_MAX) {
        libxl__config_error_set(err,
                                "b_info.max_vcpus: %d is not within 1 to %d",
                                b->max_vcpus, LIBXL__CONFIG_VCPUS_MAX);
        return ERROR_INVAL;
    }
    if (b->avail_vcpus < 1 || b->avail_vcpus > b->max_vcpus) {
        libxl__config_error_set(err,
                                "b_info.avail_vcpus: %d of %d vcpus cannot be "
                                "online",
                                b->avail_vcpus, b->max_vcpus);
        return ERROR_INVAL;
    }
    if (b->boot && strspn(b->boot, "acdn") != strlen(b->boot)) {
        libxl__config_error_set(
            err, "b_info.boot: '%.16s': letters are a, c, d and n", b->boot);
        return ERROR_INVAL;
    }
    return 0;
}

static int check_disk(const libxl_domain_config *c, int i,
                      struct libxl__config_error *err)
{
    const libxl_device_disk *d = &c->disks[i];

    if (!d->vdev || !d->vdev[0]) {
        libxl__config_error_set(err, "disks[%d].vdev: missing", i);
        return ERROR_INVAL;
    }
    for (int k = 0; k < i; k++) {
        if (!strcmp(c->disks[k].vdev, d->vdev)) {
            libxl__config_error_set(err,
                                    "disks[%d].vdev: '%.32s' is used by "
                                    "disks[%d] already",
                                    i, d->vdev, k);
            return ERROR_INVAL;
        }
    }
    if (!d->is_cdrom && (!d->pdev_path || !d->pdev_path[0])) {
        libxl__config_error_set(err,
                                "disks[%d].pdev_path: missing; only a cdrom "
                                "can be empty",
                                i);
        return ERROR_INVAL;
    }
    if (d->is_cdrom && d->readwrite) {
        libxl__config_error_set(
            err, "disks[%d].readwrite: a cdrom cannot be written", i);
        return ERROR_INVAL;
    }
    return 0;
}

static int check_nic(const libxl_domain_config *c, int i,
                     struct libxl__config_error *err)
{
    const libxl_device_nic *n = &c->nics[i];

    if (n->mac[0] & 1) {
        libxl__config_error_set(err, "nics[%d].mac: is a multicast address", i);
        return ERROR_INVAL;
    }
    for (int k = 0; k < i; k++) {
        if (n->devid >= 0 && c->nics[k].devid == n->devid) {
            libxl__config_error_set(
                err, "nics[%d].devid: %d is used by nics[%d] already", i,
                n->devid, k);
            return ERROR_INVAL;
        }
    }
    return 0;
}

static int check_vfio_user(const libxl_domain_config *c, int i,
                           struct libxl__config_error *err)
{
    const libxl_device_vfio_user *d = &c->vfio_users[i];

    if (!d->name || !d->name[0] || strlen(d->name) > 32 ||
        strspn(d->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789-_.") != strlen(d->name)) {
        libxl__config_error_set(err, "vfio_user[%d].name: wants 1 to 32 "
                                "letters, digits, '-', '_' and '.'", i);
        return ERROR_INVAL;
    }
    if (!d->program || d->program[0] != '/') {
        libxl__config_error_set(err, "vfio_user[%d].program: wants an absolute "
                                "path", i);
        return ERROR_INVAL;
    }
    for (int k = 0; k < i; k++) {
        if (!strcmp(c->vfio_users[k].name, d->name)) {
            libxl__config_error_set(err, "vfio_user[%d].name: '%s' is used by "
                                    "vfio_user[%d] already", i, d->name, k);
            return ERROR_INVAL;
        }
    }
    return 0;
}

int libxl__config_check(const libxl_domain_config *c,
                        struct libxl__config_error *err)
{
    int rc = check_name(c->c_info.name, err);

    if (!rc)
        rc = check_sizes(&c->b_info, err);
    for (int i = 0; !rc && i < c->num_disks; i++)
        rc = check_disk(c, i, err);
    for (int i = 0; !rc && i < c->num_nics; i++)
        rc = check_nic(c, i, err);
    for (int i = 0; !rc && i < c->num_vfio_users; i++)
        rc = check_vfio_user(c, i, err);
    if (!rc && libxl__vfio_user_count(c) > LIBXL__VFIO_MAX) {
        libxl__config_error_set(err, "vfio_user: more than %u devices, disks "
                                "with this backend among them",
                                LIBXL__VFIO_MAX);
        rc = ERROR_INVAL;
    }
    return rc;
}

int libxl_domain_config_check(libxl_ctx *ctx, const libxl_domain_config *c)
{
    struct libxl__config_error err;
    int rc = libxl__config_check(c, &err);

    if (rc)
        LOG(ctx, ERROR, "domain configuration: %s", err.text);
    return rc;
}
