/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_xenstore.c - PLUGIN: the calls of xs_calls.h, by libxenstore. The only
 * file that includes <xenstore.h>.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "store/xs_calls.h"

static struct xs_handle *xs_of(struct libxl__xs_handle *h)
{
    return (struct xs_handle *)h;
}

/* libxenstore leaves errno alone here and there. */
static int result(bool ok)
{
    if (ok)
        return 0;
    return errno > 0 ? -errno : -EIO;
}

static int call_open(struct libxl__xs_handle **out)
{
    errno = 0;
    *out = (struct libxl__xs_handle *)xs_open(0);
    return result(*out);
}

static void call_close(struct libxl__xs_handle *h)
{
    xs_close(xs_of(h));
}

static int call_read(struct libxl__xs_handle *h, uint32_t txn,
                     const char *path, char **text)
{
    unsigned bytes;

    errno = 0;
    *text = xs_read(xs_of(h), txn, path, &bytes);
    return result(*text);
}

static int call_write(struct libxl__xs_handle *h, uint32_t txn,
                      const char *path, const char *text)
{
    errno = 0;
    return result(
        xs_write(xs_of(h), txn, path, text, (unsigned)strlen(text)));
}

static int call_remove(struct libxl__xs_handle *h, uint32_t txn,
                       const char *path)
{
    int r;

    errno = 0;
    r = result(xs_rm(xs_of(h), txn, path));
    return r == -ENOENT ? 0 : r;
}

static int call_children(struct libxl__xs_handle *h, uint32_t txn,
                         const char *path, char ***names, unsigned *nr)
{
    *nr = 0;
    errno = 0;
    *names = xs_directory(xs_of(h), txn, path, nr);
    return result(*names);
}

static int call_set_perms(struct libxl__xs_handle *h, uint32_t txn,
                          const char *path, uint32_t guest,
                          enum libxl__xs_perms perms)
{
    /* the first is the owner, and what all others may */
    struct xs_permissions p[2] = {{.id = 0, .perms = XS_PERM_NONE}};
    unsigned nr = 1;

    switch (perms) {
    case LIBXL__XS_PRIVATE:
        break;
    case LIBXL__XS_GUEST_READS:
        p[nr++] = (struct xs_permissions){.id = guest, .perms = XS_PERM_READ};
        break;
    case LIBXL__XS_GUEST_OWNS:
        p[0].id = guest;
        break;
    case LIBXL__XS_GUEST_SHARES:
        p[0].id = guest;
        p[nr++] = (struct xs_permissions){.id = 0, .perms = XS_PERM_READ};
        break;
    }
    errno = 0;
    return result(xs_set_permissions(xs_of(h), txn, path, p, nr));
}

static int call_begin(struct libxl__xs_handle *h, uint32_t *txn)
{
    errno = 0;
    *txn = xs_transaction_start(xs_of(h));
    return result(*txn != XBT_NULL);
}

static int call_end(struct libxl__xs_handle *h, uint32_t txn, bool commit)
{
    errno = 0;
    return result(xs_transaction_end(xs_of(h), txn, !commit));
}

static int call_introduce(struct libxl__xs_handle *h, uint32_t domid,
                          uint64_t store_gfn, uint32_t port)
{
    errno = 0;
    return result(
        xs_introduce_domain(xs_of(h), domid, (unsigned long)store_gfn, port));
}

static int call_resumed(struct libxl__xs_handle *h, uint32_t domid)
{
    errno = 0;
    return result(xs_resume_domain(xs_of(h), domid));
}

extern const struct libxl__xs_calls libxl__xs_calls;
__attribute__((visibility("default")))
const struct libxl__xs_calls libxl__xs_calls = {
    .version = LIBXL__XS_CALLS_VERSION,
    .open = call_open,
    .close = call_close,
    .read = call_read,
    .write = call_write,
    .remove = call_remove,
    .children = call_children,
    .set_perms = call_set_perms,
    .begin = call_begin,
    .end = call_end,
    .introduce = call_introduce,
    .resumed = call_resumed,
};
