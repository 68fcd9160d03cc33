/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sender_facts.c - are the guest's disks the same ones at the receiver?
 *
 * A file is the same when its inode number is (a network file system shows one
 * number to all its clients, a copy has another), a read-only one when its
 * length is. A block device has no such name that both hosts know: its length
 * is compared. On one and the same host the device numbers are compared too.
 */
#include "migrate/sender_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/proc_id.h"
#include "migrate/handshake.h"

#define VERSION_KEY "xl-migrate"
#define VERSION 1
#define DISKS_MAX 256

struct disk {
    bool block;
    uint64_t dev, ino, bytes; /* dev: of the file system, or the device's own */
};

/* Not those without a medium, and those that another process serves. */
static bool is_compared(const libxl_device_disk *d)
{
    return d->vdev && d->pdev_path && d->pdev_path[0] &&
           d->format != LIBXL_DISK_FORMAT_EMPTY &&
           d->backend != LIBXL_DISK_BACKEND_VHOST_USER;
}

static uint64_t block_bytes(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

    if (fd >= 0)
        close(fd);
    return end < 0 ? 0 : (uint64_t)end;
}

/* 0, or the errno of why it is not there; EINVAL: no file and no device. */
static int look_at(const libxl_device_disk *d, struct disk *out)
{
    struct stat st;

    if (stat(d->pdev_path, &st))
        return errno;
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return EINVAL;
    out->block = S_ISBLK(st.st_mode);
    out->dev = out->block ? st.st_rdev : st.st_dev;
    out->ino = out->block ? 0 : st.st_ino;
    out->bytes = out->block ? block_bytes(d->pdev_path) : (uint64_t)st.st_size;
    return 0;
}

/* ---- the sender ---- */

static void put_disk(struct libxl__json_writer *w, const libxl_device_disk *d,
                     const struct disk *seen)
{
    libxl__json_open(w, NULL);
    libxl__json_put_string(w, "vdev", d->vdev);
    libxl__json_put_string(w, "kind", seen->block ? "block" : "file");
    libxl__json_put_u64(w, "dev", seen->dev);
    libxl__json_put_u64(w, "ino", seen->ino);
    libxl__json_put_u64(w, "bytes", seen->bytes);
    libxl__json_close(w);
}

char *libxl__sender_facts_encode(libxl__gc *gc,
                                 const libxl_domain_config *config,
                                 const char *id)
{
    struct libxl__proc_id self = {.boot_id = ""};
    struct libxl__json_writer w;
    struct disk seen;
    char *text;

    (void)libxl__proc_id_self(&self); /* unknown: compared as another host */
    libxl__json_writer_init(&w);
    libxl__json_writer_one_line(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_u64(&w, VERSION_KEY, VERSION);
    libxl__json_put_string(&w, "id", id);
    libxl__json_put_string(&w, "boot_id", self.boot_id);
    libxl__json_open_list(&w, "disks");
    for (int i = 0; i < config->num_disks; i++)
        if (is_compared(&config->disks[i]) &&
            !look_at(&config->disks[i], &seen))
            put_disk(&w, &config->disks[i], &seen);
    libxl__json_close_list(&w);
    libxl__json_close(&w);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    return text;
}

/* ---- the receiver ---- */

static const libxl_device_disk *disk_named(const libxl_domain_config *config,
                                           const char *vdev)
{
    for (int i = 0; i < config->num_disks; i++)
        if (is_compared(&config->disks[i]) &&
            !strcmp(config->disks[i].vdev, vdev))
            return &config->disks[i];
    return NULL;
}

static const char *compare(libxl__gc *gc, const libxl_device_disk *d,
                           const struct disk *there, bool same_host)
{
    struct disk here;
    int r = look_at(d, &here);

    if (r)
        return libxl__sprintf(gc, "%s cannot be reached here: %s", d->pdev_path,
                              strerror(r));
    if (here.block != there->block)
        return libxl__sprintf(gc, "%s is a %s here and a %s there",
                              d->pdev_path, here.block ? "device" : "file",
                              there->block ? "device" : "file");
    if (same_host && here.dev != there->dev)
        return libxl__sprintf(gc, "%s is another one here", d->pdev_path);
    if ((here.block || !d->readwrite) && here.bytes != there->bytes)
        return libxl__sprintf(
            gc, "%s has %" PRIu64 " bytes here and %" PRIu64 " there",
            d->pdev_path, here.bytes, there->bytes);
    if (!here.block && d->readwrite && here.ino != there->ino)
        return libxl__sprintf(gc,
                              "%s is another file here (inode %" PRIu64
                              ", there %" PRIu64 "): a copy will not do, the "
                              "hosts must share it",
                              d->pdev_path, here.ino, there->ino);
    return NULL;
}

/* One entry of "disks". NULL: right, or nothing that we know. */
static const char *check_disk(libxl__gc *gc, yajl_val v,
                              const libxl_domain_config *config, bool same_host)
{
    const char *vdev = libxl__json_string(v, "vdev");
    const char *kind = libxl__json_string(v, "kind"), *wrong;
    const libxl_device_disk *d = vdev ? disk_named(config, vdev) : NULL;
    struct disk there = {.block = kind && !strcmp(kind, "block")};

    if (!d || !kind || (!there.block && strcmp(kind, "file")))
        return NULL;
    if (!libxl__json_u64(v, "dev", &there.dev) ||
        !libxl__json_u64(v, "ino", &there.ino) ||
        !libxl__json_u64(v, "bytes", &there.bytes))
        return "the sender describes a disk in a way that is not understood";
    wrong = compare(gc, d, &there, same_host);
    return wrong ? libxl__sprintf(gc, "disk %s: %s", d->vdev, wrong) : NULL;
}

static const char *check_tree(libxl__gc *gc, yajl_val tree,
                              const libxl_domain_config *config)
{
    yajl_val disks = libxl__json_get(tree, "disks");
    const char *boot = libxl__json_string(tree, "boot_id"), *wrong = NULL;
    struct libxl__proc_id self = {.boot_id = ""};
    uint64_t version;
    bool same_host;

    if (!libxl__json_u64(tree, VERSION_KEY, &version) || version != VERSION ||
        !YAJL_IS_ARRAY(disks) || disks->u.array.len > DISKS_MAX)
        return "what the sender tells of itself is not understood";
    same_host = !libxl__proc_id_self(&self) && boot && self.boot_id[0] &&
                !strcmp(boot, self.boot_id);
    for (size_t i = 0; !wrong && i < disks->u.array.len; i++)
        wrong = check_disk(gc, disks->u.array.values[i], config, same_host);
    return wrong;
}

/* An object, which is the caller's, or NULL. */
static yajl_val parse(const char *text)
{
    char error[64];
    yajl_val tree = NULL;

    if (libxl__json_depth_ok(text, strlen(text), 8))
        tree = yajl_tree_parse(text, error, sizeof(error));
    if (tree && YAJL_IS_OBJECT(tree))
        return tree;
    yajl_tree_free(tree);
    return NULL;
}

const char *libxl__sender_facts_id(libxl__gc *gc, const char *text)
{
    const char *id = NULL;
    uint8_t raw[LIBXL__HS_ID_BYTES];
    yajl_val tree = parse(text);

    if (tree)
        id = libxl__json_string(tree, "id");
    if (id)
        id = libxl__hs_id_parse(id, raw) ? libxl__strdup(gc, id) : NULL;
    yajl_tree_free(tree);
    return id;
}

int libxl__sender_facts_check(libxl__gc *gc, const char *text,
                              const libxl_domain_config *config,
                              const char **reason)
{
    yajl_val tree = parse(text);

    *reason = "what the sender tells of itself is not understood";
    if (tree)
        *reason = check_tree(gc, tree, config);
    yajl_tree_free(tree);
    return *reason ? ERROR_INVAL : 0;
}
