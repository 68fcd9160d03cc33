/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/fake_xs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES 256
#define TEXT 256

static struct node {
    char path[TEXT], text[TEXT];
    enum libxl__xs_perms perms;
} nodes[NODES];

bool (*fake_xs_on_commit)(void);

static struct node *find(const char *path)
{
    for (int i = 0; i < NODES; i++)
        if (!strcmp(nodes[i].path, path))
            return &nodes[i];
    return NULL;
}

void fake_xs_empty(void)
{
    memset(nodes, 0, sizeof(nodes));
    fake_xs_on_commit = NULL;
}

/* As xenstored does: a new node has those of the one above it. */
static enum libxl__xs_perms inherited(const char *path)
{
    char above[TEXT];
    struct node *n;

    snprintf(above, TEXT, "%s", path);
    while (strrchr(above, '/')) {
        *strrchr(above, '/') = '\0';
        n = above[0] ? find(above) : NULL;
        if (n)
            return n->perms;
    }
    return LIBXL__XS_PRIVATE;
}

void fake_xs_put(const char *path, const char *text)
{
    struct node *n = find(path);

    if (!n) {
        n = find("");
        if (!n)
            abort();
        n->perms = inherited(path);
    }
    snprintf(n->path, TEXT, "%s", path);
    snprintf(n->text, TEXT, "%s", text);
}

enum libxl__xs_perms fake_xs_perms(const char *path)
{
    struct node *n = find(path);

    return n ? n->perms : inherited(path);
}

const char *fake_xs_get(const char *path)
{
    struct node *n = find(path);

    return n ? n->text : NULL;
}

static int fake_open(struct libxl__xs_handle **out)
{
    *out = (struct libxl__xs_handle *)nodes;
    return 0;
}

static void fake_close(struct libxl__xs_handle *h)
{
}

static int fake_read(struct libxl__xs_handle *h, uint32_t txn, const char *path,
                     char **text)
{
    const char *found = fake_xs_get(path);

    *text = found ? strdup(found) : NULL;
    return found ? 0 : -ENOENT;
}

static int fake_write(struct libxl__xs_handle *h, uint32_t txn,
                      const char *path, const char *text)
{
    fake_xs_put(path, text);
    return 0;
}

static bool is_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return !strncmp(path, dir, n) && (path[n] == '/' || !path[n]);
}

static int fake_remove(struct libxl__xs_handle *h, uint32_t txn,
                       const char *path)
{
    for (int i = 0; i < NODES; i++)
        if (nodes[i].path[0] && is_below(nodes[i].path, path))
            nodes[i].path[0] = '\0';
    return 0;
}

/* The pointers and all names in one block, as libxenstore gives them. */
static int fake_children(struct libxl__xs_handle *h, uint32_t txn,
                         const char *path, char ***names, unsigned *nr)
{
    char **out = calloc(1, NODES * (sizeof(char *) + TEXT));
    char *at = (char *)(out + NODES);
    size_t n = strlen(path);

    *nr = 0;
    for (int i = 0; i < NODES; i++) {
        const char *name = nodes[i].path + n + 1;
        size_t len;
        unsigned k;

        if (!is_below(nodes[i].path, path) || !nodes[i].path[n])
            continue;
        len = strcspn(name, "/");
        for (k = 0; k < *nr; k++)
            if (strlen(out[k]) == len && !strncmp(out[k], name, len))
                break;
        if (k < *nr)
            continue;
        memcpy(at, name, len);
        out[(*nr)++] = at;
        at += len + 1;
    }
    if (!*nr && !find(path)) {
        free(out);
        return -ENOENT;
    }
    *names = out;
    return 0;
}

static int fake_set_perms(struct libxl__xs_handle *h, uint32_t txn,
                          const char *path, uint32_t guest,
                          enum libxl__xs_perms perms)
{
    struct node *n = find(path);

    if (!n)
        return -ENOENT;
    n->perms = perms;
    return 0;
}

static int fake_begin(struct libxl__xs_handle *h, uint32_t *txn)
{
    *txn = 1;
    return 0;
}

static int fake_end(struct libxl__xs_handle *h, uint32_t txn, bool commit)
{
    return commit && fake_xs_on_commit && fake_xs_on_commit() ? -EAGAIN : 0;
}

static int fake_introduce(struct libxl__xs_handle *h, uint32_t domid,
                          uint64_t store_gfn, uint32_t port)
{
    return 0;
}

static int fake_resumed(struct libxl__xs_handle *h, uint32_t domid)
{
    return 0;
}

const struct libxl__xs_calls fake_xs_calls = {
    .version = LIBXL__XS_CALLS_VERSION,
    .open = fake_open,
    .close = fake_close,
    .read = fake_read,
    .write = fake_write,
    .remove = fake_remove,
    .children = fake_children,
    .set_perms = fake_set_perms,
    .begin = fake_begin,
    .end = fake_end,
    .introduce = fake_introduce,
    .resumed = fake_resumed,
};
