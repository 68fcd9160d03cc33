/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sender_facts.c - what a sender tells of itself and of the guest's disks
 * (codec); disk_facts.c looks at the disks and compares them.
 */
#include "migrate/sender_facts.h"

#include <string.h>

#include "base/json.h"
#include "base/proc_id.h"
#include "migrate/block_ident.h"
#include "migrate/disk_facts.h"
#include "migrate/handshake.h"

#define VERSION_KEY "xl-migrate"
#define VERSION 1
#define DISKS_MAX 256

/* Not those without a medium, and those that another process serves. */
static bool is_compared(const libxl_device_disk *d)
{
    return d->vdev && d->pdev_path && d->pdev_path[0] &&
           d->format != LIBXL_DISK_FORMAT_EMPTY &&
           d->backend != LIBXL_DISK_BACKEND_VHOST_USER;
}

/* ---- the sender ---- */

static void put_disk(struct libxl__json_writer *w, const libxl_device_disk *d,
                     const struct libxl__disk_facts *seen)
{
    libxl__json_open(w, NULL);
    libxl__json_put_string(w, "vdev", d->vdev);
    libxl__json_put_string(w, "kind", seen->block ? "block" : "file");
    libxl__json_put_u64(w, "dev", seen->dev);
    libxl__json_put_u64(w, "ino", seen->ino);
    libxl__json_put_u64(w, "bytes", seen->bytes);
    libxl__json_put_string(w, "ident", seen->ident);
    libxl__json_close(w);
}

char *libxl__sender_facts_encode(libxl__gc *gc,
                                 const libxl_domain_config *config,
                                 const char *id, bool assume_same)
{
    struct libxl__proc_id self = {.boot_id = ""};
    struct libxl__json_writer w;
    struct libxl__disk_facts seen;
    char *text;

    (void)libxl__proc_id_self(&self); /* unknown: compared as another host */
    libxl__json_writer_init(&w);
    libxl__json_writer_one_line(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_u64(&w, VERSION_KEY, VERSION);
    libxl__json_put_string(&w, "id", id);
    libxl__json_put_string(&w, "boot_id", self.boot_id);
    if (assume_same)
        libxl__json_put_bool(&w, "assume_same_disks", true);
    libxl__json_open_list(&w, "disks");
    for (int i = 0; i < config->num_disks; i++)
        if (is_compared(&config->disks[i]) &&
            !libxl__disk_facts_look(gc, &config->disks[i], &seen))
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

static bool get_disk(yajl_val v, struct libxl__disk_facts *out)
{
    const char *kind = libxl__json_string(v, "kind");

    out->block = !strcmp(kind, "block");
    out->ident = libxl__json_string(v, "ident");
    if (out->ident && strlen(out->ident) > LIBXL__BLOCK_IDENT_MAX)
        return false;
    return libxl__json_u64(v, "dev", &out->dev) &&
           libxl__json_u64(v, "ino", &out->ino) &&
           libxl__json_u64(v, "bytes", &out->bytes);
}

static const char *compare(libxl__gc *gc, struct libxl__disk_question *q)
{
    int r = libxl__disk_facts_look(gc, q->disk, &q->here);

    if (r)
        return libxl__sprintf(gc, "%s cannot be reached here: %s",
                              q->disk->pdev_path, strerror(r));
    return libxl__disk_facts_differ(gc, q);
}

/* One entry of "disks". NULL: right, or nothing that we know. */
static const char *check_disk(libxl__gc *gc, yajl_val v,
                              const libxl_domain_config *config,
                              struct libxl__disk_question q)
{
    const char *vdev = libxl__json_string(v, "vdev");
    const char *kind = libxl__json_string(v, "kind"), *wrong;

    q.disk = vdev ? disk_named(config, vdev) : NULL;
    if (!q.disk || !kind || (strcmp(kind, "block") && strcmp(kind, "file")))
        return NULL;
    if (!get_disk(v, &q.there))
        return "the sender describes a disk in a way that is not understood";
    wrong = compare(gc, &q);
    return wrong ? libxl__sprintf(gc, "disk %s: %s", q.disk->vdev, wrong)
                 : NULL;
}

static const char *check_tree(libxl__gc *gc, yajl_val tree,
                              const libxl_domain_config *config)
{
    yajl_val disks = libxl__json_get(tree, "disks");
    const char *boot = libxl__json_string(tree, "boot_id"), *wrong = NULL;
    struct libxl__proc_id self = {.boot_id = ""};
    struct libxl__disk_question q = {.disk = NULL};
    uint64_t version;

    if (!libxl__json_u64(tree, VERSION_KEY, &version) || version != VERSION ||
        !YAJL_IS_ARRAY(disks) || disks->u.array.len > DISKS_MAX)
        return "what the sender tells of itself is not understood";
    (void)libxl__json_bool(tree, "assume_same_disks", &q.assume_same);
    q.same_host = !libxl__proc_id_self(&self) && boot && self.boot_id[0] &&
                  !strcmp(boot, self.boot_id);
    for (size_t i = 0; !wrong && i < disks->u.array.len; i++)
        wrong = check_disk(gc, disks->u.array.values[i], config, q);
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
