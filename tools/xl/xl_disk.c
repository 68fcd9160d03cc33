/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_disk.c - one disk of xl.cfg, as xl-disk-configuration(5) has it:
 *
 *   [target, [format, [vdev, [access]]]] and key=value and flags, in any
 *   order; target= takes the rest of the text
 *
 * and the older  [format:]target,vdev[:devtype],access
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xl_spec.h"

struct disk_text {
    libxl_device_disk *disk;
    struct xl_cfg_error *err;
    const char *spec;
    bool has_target, has_format, has_vdev, has_access;
    bool old_prefix; /* there is no positional format then */
    bool read_only_given;
};

static bool refuse(struct disk_text *t, const char *what, const char *value)
{
    xl_cfg_error_set(t->err, "disk '%.100s': %s%s%.80s%s", t->spec, what,
                     value ? " '" : "", value ? value : "", value ? "'" : "");
    return false;
}

static bool set_text(struct disk_text *t, char **at, const char *value)
{
    free(*at);
    *at = strdup(value);
    return *at ? true : refuse(t, "no memory", NULL);
}

static bool once(struct disk_text *t, bool *has, const char *name)
{
    if (*has)
        return refuse(t, "given twice:", name);
    *has = true;
    return true;
}

/* ---- parts ---- */

static bool set_target(struct disk_text *t, const char *value)
{
    if (value[0] && !once(t, &t->has_target, "target"))
        return false;
    t->has_target = true;
    return value[0] ? set_text(t, &t->disk->pdev_path, value) : true;
}

static bool set_format(struct disk_text *t, const char *value)
{
    if (!once(t, &t->has_format, "format"))
        return false;
    if (!value[0])
        return true;
    if (!strcmp(value, "unknown") || !strcmp(value, "empty") ||
        !libxl_disk_format_from_string(value, &t->disk->format))
        return refuse(t, "unknown format", value);
    return true;
}

static bool vdev_ok(const char *v)
{
    static const char *const prefix[] = {"xvd", "hd", "sd", "vd", NULL};
    const char *rest = NULL;

    for (int i = 0; prefix[i]; i++) {
        if (!strncmp(v, prefix[i], strlen(prefix[i]))) {
            rest = v + strlen(prefix[i]);
            break;
        }
    }
    if (!rest) /* d0p1 */
        return v[0] == 'd' && v[1] >= '0' && v[1] <= '9' &&
               strlen(v) == strspn(v, "dp0123456789");
    if (*rest < 'a' || *rest > 'z')
        return false;
    while (*rest >= 'a' && *rest <= 'z')
        rest++;
    return strspn(rest, "0123456789") == strlen(rest);
}

static bool set_devtype(struct disk_text *t, const char *value)
{
    if (strcmp(value, "cdrom"))
        return refuse(t, "unknown devtype", value);
    t->disk->is_cdrom = true;
    t->disk->removable = true;
    return true;
}

/* xvda, and in the older form hdc:cdrom */
static bool set_vdev(struct disk_text *t, char *value)
{
    char *colon = strchr(value, ':');

    if (!once(t, &t->has_vdev, "vdev"))
        return false;
    if (colon) {
        *colon = '\0';
        if (!set_devtype(t, colon + 1))
            return false;
    }
    if (!vdev_ok(value))
        return refuse(t, "not a device name (such as xvda, hda, sda):", value);
    return set_text(t, &t->disk->vdev, value);
}

static bool set_access(struct disk_text *t, const char *value)
{
    if (!once(t, &t->has_access, "access"))
        return false;
    if (!strcmp(value, "ro") || !strcmp(value, "r"))
        t->read_only_given = true;
    else if (!strcmp(value, "rw") || !strcmp(value, "w"))
        t->disk->readwrite = true;
    else if (value[0])
        return refuse(t, "unknown access (r, ro, w or rw):", value);
    return true;
}

static bool set_backendtype(struct disk_text *t, const char *value)
{
    if (!strcmp(value, "vhost-user"))
        value = "vhost_user";
    if (!strcmp(value, "vfio-user"))
        value = "vfio_user";
    if (!strcmp(value, "unknown") ||
        !libxl_disk_backend_from_string(value, &t->disk->backend))
        return refuse(t, "unknown backendtype", value);
    return true;
}

static bool set_key(struct disk_text *t, const char *key, char *value)
{
    if (!strcmp(key, "format"))
        return set_format(t, value);
    if (!strcmp(key, "vdev"))
        return set_vdev(t, value);
    if (!strcmp(key, "access"))
        return set_access(t, value);
    if (!strcmp(key, "devtype"))
        return set_devtype(t, value);
    if (!strcmp(key, "backendtype"))
        return set_backendtype(t, value);
    if (!strcmp(key, "script"))
        return set_text(t, &t->disk->script, value);
    if (!strcmp(key, "backend"))
        return !strcmp(value, "0") || !strcmp(value, "Domain-0")
                   ? true
                   : refuse(t, "driver domains are not offered: backend",
                            value);
    if (!strcmp(key, "specification"))
        return !strcmp(value, "virtio") || !strcmp(value, "xen")
                   ? true
                   : refuse(t, "unknown specification", value);
    if (!strncmp(key, "colo-", 5) || !strcmp(key, "active-disk") ||
        !strcmp(key, "hidden-disk"))
        return refuse(t, "COLO is not offered:", key);
    return refuse(t, "unknown parameter", key);
}

/* 1: it was one; 0: it is none; -1: error */
static int set_flag(struct disk_text *t, const char *word)
{
    if (!strcmp(word, "cdrom"))
        return set_devtype(t, word) ? 1 : -1;
    if (!strcmp(word, "discard"))
        t->disk->discard_enable = true;
    else if (!strcmp(word, "no-discard"))
        t->disk->discard_enable = false;
    else if (!strcmp(word, "direct-io-safe"))
        t->disk->direct_io_safe = true;
    else if (!strcmp(word, "untrusted"))
        return refuse(t, "not offered:", word) ? 1 : -1;
    else if (!strcmp(word, "colo"))
        return refuse(t, "COLO is not offered:", word) ? 1 : -1;
    else
        return !strcmp(word, "trusted");
    return 1;
}

static bool set_positional(struct disk_text *t, char *word)
{
    if (!t->has_target)
        return set_target(t, word);
    if (strchr(word, ':'))
        t->old_prefix = true;
    if (!t->has_format && !t->old_prefix)
        return set_format(t, word);
    if (!t->has_vdev)
        return set_vdev(t, word);
    if (!t->has_access)
        return set_access(t, word);
    return word[0] ? refuse(t, "one parameter too many:", word) : true;
}

/* raw:/dev/x, tap:aio:/x, file:/x: behind the prefixes, and *at moved there */
static bool old_prefixes(struct disk_text *t, const char **at)
{
    static const char *const ignored[] = {
        "tapdisk:", "tap2:", "tap:", "aio:", "ioemu:", "file:", "phy:", NULL};
    static const char *const formats[] = {
        "raw:", "qcow2:", "qcow:", "vhd:", NULL};
    char name[8];

again:
    for (int i = 0; ignored[i]; i++) {
        if (!strncmp(*at, ignored[i], strlen(ignored[i]))) {
            *at += strlen(ignored[i]);
            t->old_prefix = true;
            goto again;
        }
    }
    for (int i = 0; formats[i]; i++) {
        size_t n = strlen(formats[i]);

        if (!strncmp(*at, formats[i], n)) {
            memcpy(name, *at, n - 1);
            name[n - 1] = '\0';
            *at += n;
            t->old_prefix = true;
            return set_format(t, name);
        }
    }
    return true;
}

/* ---- the whole ---- */

static bool one_parameter(struct disk_text *t, char *word)
{
    char *equals = strchr(word, '=');
    int flag;

    if (equals) {
        *equals = '\0';
        return set_key(t, word, equals + 1);
    }
    flag = set_flag(t, word);
    return flag ? flag > 0 : set_positional(t, word);
}

static bool parameters(struct disk_text *t, const char *at)
{
    if (!old_prefixes(t, &at))
        return false;
    for (;;) {
        size_t n;
        char *word;
        bool ok;

        at += strspn(at, " \t\n");
        if (!strncmp(at, "target=", 7))
            return set_target(t, at + 7);
        n = strcspn(at, ",");
        word = strndup(at, n);
        if (!word)
            return refuse(t, "no memory", NULL);
        ok = one_parameter(t, word);
        free(word);
        if (!ok || !at[n])
            return ok;
        at += n + 1;
        if (!at[strspn(at, " \t\n")])
            return true;
    }
}

static bool absolute_target(struct disk_text *t)
{
    char *path = t->disk->pdev_path, *with_dev;

    if (!path || path[0] == '/' || t->disk->script)
        return true;
    if (asprintf(&with_dev, "/dev/%s", path) < 0)
        return refuse(t, "no memory", NULL);
    free(path);
    t->disk->pdev_path = with_dev;
    return true;
}

bool xl_disk_parse(const char *spec, libxl_device_disk *disk,
                   struct xl_cfg_error *err)
{
    struct disk_text t = {.disk = disk, .err = err, .spec = spec};

    disk->discard_enable = true;
    if (!parameters(&t, spec))
        return false;
    if (!disk->vdev)
        return refuse(&t, "the device name (vdev, such as xvda) is missing",
                      NULL);
    if (disk->is_cdrom && disk->readwrite)
        return refuse(&t, "a cdrom cannot be writable", NULL);
    if (!disk->is_cdrom && !disk->pdev_path)
        return refuse(&t, "the target is missing (only a cdrom can be empty)",
                      NULL);
    if (!t.read_only_given && !disk->is_cdrom)
        disk->readwrite = true;
    if (!disk->pdev_path)
        disk->format = LIBXL_DISK_FORMAT_EMPTY;
    else if (disk->format == LIBXL_DISK_FORMAT_UNKNOWN)
        disk->format = LIBXL_DISK_FORMAT_RAW;
    return absolute_target(&t);
}
