/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_files.c - SEAM 3 on files: STATE_DIR/DOMID/RECORD. */
#include "store/store_files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/domain_record.h"
#include "store/store_dir.h"

static const struct libxl__store_ops store_files_ops;

struct libxl__store_files *libxl__store_files_of(libxl__store *st)
{
    assert(st->files->ops == &store_files_ops);
    return (struct libxl__store_files *)st->files;
}

bool libxl__store_files_parse_domid(const char *name, uint32_t *out)
{
    unsigned long n;
    char *end;

    if (*name < '1' || *name > '9')
        return false;
    n = strtoul(name, &end, 10);
    if (*end || n > LIBXL__STORE_DOMID_LAST)
        return false;
    *out = (uint32_t)n;
    return true;
}

int libxl__store_files_open_dir(struct libxl__store_files *sf, const char *name,
                                int *fd_out)
{
    *fd_out = openat(sf->dirfd, name,
                     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return *fd_out < 0 ? ERROR_NOTFOUND : 0;
}

int libxl__store_files_domain_fd(struct libxl__store_files *sf, uint32_t domid,
                                 int *fd_out)
{
    char name[16];

    snprintf(name, sizeof(name), "%u", domid);
    return libxl__store_files_open_dir(sf, name, fd_out);
}

/* ---- list ---- */

static int by_domid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

int libxl__store_files_each_name(struct libxl__store_files *sf,
                                 int (*fn)(struct libxl__store_files *sf,
                                           const char *name, void *user),
                                 void *user)
{
    struct dirent *de;
    int fd, rc = 0;
    DIR *d = NULL;

    fd = openat(sf->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        d = fdopendir(fd);
    if (!d) {
        LOGE(sf->store.ctx, ERROR, errno, "cannot list %s", sf->path);
        if (fd >= 0)
            close(fd);
        return ERROR_FAIL;
    }
    while (!rc && (de = readdir(d)))
        rc = fn(sf, de->d_name, user);
    closedir(d);
    return rc;
}

struct listing {
    uint32_t *domids;
    int nr, room;
};

static int add_listed(struct libxl__store_files *sf, const char *name,
                      void *user)
{
    struct listing *l = user;
    uint32_t domid, *more;
    char record[64];

    if (!libxl__store_files_parse_domid(name, &domid))
        return 0;
    snprintf(record, sizeof(record), "%u/domain", domid);
    if (faccessat(sf->dirfd, record, F_OK, AT_SYMLINK_NOFOLLOW))
        return 0;
    if (l->nr == l->room) {
        more = realloc(l->domids, sizeof(*more) * (size_t)(l->room + 64));
        if (!more)
            return ERROR_NOMEM;
        l->domids = more;
        l->room += 64;
    }
    l->domids[l->nr++] = domid;
    return 0;
}

static int files_list(libxl__store *st, libxl__gc *gc, uint32_t **domids,
                      int *nr)
{
    struct listing l = {0};
    int rc =
        libxl__store_files_each_name(libxl__store_files_of(st), add_listed, &l);

    *domids = NULL;
    *nr = 0;
    if (rc) {
        free(l.domids);
        return rc;
    }
    if (!l.nr)
        return 0;
    qsort(l.domids, (size_t)l.nr, sizeof(*l.domids), by_domid);
    *domids = libxl__gc_take(gc, l.domids);
    if (!*domids)
        return ERROR_NOMEM;
    *nr = l.nr;
    return 0;
}

/* ---- remove ---- */

/* The record "domain" goes first, so that nobody lists half a domain, and the
 * lock last. */
static void empty_dir(int dirfd)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *de;

    unlinkat(dirfd, "domain", 0);
    while (d && (de = readdir(d)))
        if (strcmp(de->d_name, ".") && strcmp(de->d_name, "..") &&
            strcmp(de->d_name, "lock"))
            unlinkat(dirfd, de->d_name, 0);
    unlinkat(dirfd, "lock", 0);
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
}

/* The number may be another domain's already. */
static bool has_name(struct libxl__store_files *sf, int dirfd, const char *name)
{
    struct stat mine, now;

    return !fstat(dirfd, &mine) &&
           !fstatat(sf->dirfd, name, &now, AT_SYMLINK_NOFOLLOW) &&
           mine.st_dev == now.st_dev && mine.st_ino == now.st_ino;
}

int libxl__store_files_remove_dir(struct libxl__store_files *sf,
                                  const char *name, int dirfd, int tries)
{
    int rc = ERROR_FAIL;

    for (; rc && tries; tries--) {
        empty_dir(dirfd);
        if (!has_name(sf, dirfd, name) ||
            !unlinkat(sf->dirfd, name, AT_REMOVEDIR) || errno == ENOENT)
            rc = 0;
        else if (errno != ENOTEMPTY && errno != EEXIST)
            break;
    }
    return rc;
}

static int remove_named(struct libxl__store_files *sf, uint32_t domid,
                        int dirfd)
{
    char name[16];
    int rc;

    snprintf(name, sizeof(name), "%u", domid);
    /* More than once: the keeper may write its last record meanwhile. */
    rc = libxl__store_files_remove_dir(sf, name, dirfd, 16);
    if (rc)
        LOGED(sf->store.ctx, domid, ERROR, errno, "cannot remove %s/%u",
              sf->path, domid);
    return rc;
}

int libxl__store_files_remove_locked(libxl__domain_lock *lock)
{
    return remove_named(libxl__store_files_of(lock->st), lock->domid,
                        lock->dirfd);
}

static int files_remove(libxl__store *st, uint32_t domid)
{
    struct libxl__store_files *sf = libxl__store_files_of(st);
    int rc, dirfd;

    if (libxl__store_files_domain_fd(sf, domid, &dirfd))
        return 0;
    rc = remove_named(sf, domid, dirfd);
    close(dirfd);
    return rc;
}

/* ---- prepare ---- */

int libxl__store_files_make_dir(struct libxl__store_files *sf, uint32_t domid)
{
    char name[16];

    snprintf(name, sizeof(name), "%u", domid);
    if (!mkdirat(sf->dirfd, name, 0700) || errno == EEXIST)
        return 0;
    LOGED(sf->store.ctx, domid, ERROR, errno, "cannot make %s/%u", sf->path,
          domid);
    return ERROR_FAIL;
}

static int files_prepare(libxl__store *st, uint32_t domid)
{
    return 0;
}

/* ---- records ---- */

static int files_read(libxl__store *st, uint32_t domid, const char *record,
                      char **text)
{
    int fd, rc;

    *text = NULL;
    rc = libxl__store_files_domain_fd(libxl__store_files_of(st), domid, &fd);
    if (rc)
        return rc;
    rc = libxl__file_read(st->ctx, domid, fd, record, text);
    close(fd);
    return rc;
}

static int files_write(libxl__store *st, uint32_t domid, const char *record,
                       const char *text)
{
    /* What a guest does ends with the host: on the disk it is of no use, and
     * it is written while the guest stands still. */
    bool durable = strcmp(record, "run") && strcmp(record, "wish");
    int fd, rc;

    rc = libxl__store_files_domain_fd(libxl__store_files_of(st), domid, &fd);
    if (rc)
        return rc;
    rc = libxl__file_replace(st->ctx, domid, fd, record, text, durable);
    close(fd);
    return rc;
}

static int files_erase(libxl__store *st, uint32_t domid, const char *record)
{
    int fd, rc;

    rc = libxl__store_files_domain_fd(libxl__store_files_of(st), domid, &fd);
    if (rc)
        return 0;
    rc = libxl__file_erase(st->ctx, domid, fd, record);
    close(fd);
    return rc;
}

static int files_open_dir(libxl__store *st, uint32_t domid, int *fd_out)
{
    struct libxl__store_files *sf = libxl__store_files_of(st);
    char name[16];

    snprintf(name, sizeof(name), "%u", domid);
    *fd_out =
        openat(sf->dirfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return *fd_out < 0 ? ERROR_NOTFOUND : 0;
}

/* ---- open and close ---- */

static void files_close(libxl__store *st)
{
    struct libxl__store_files *sf = libxl__store_files_of(st);
    libxl__domain_lock *lock;

    while ((lock = sf->made)) {
        sf->made = lock->next;
        libxl__domain_lock_release(lock);
    }
    if (sf->dirfd >= 0)
        close(sf->dirfd);
    free(sf->path);
    free(sf);
}

static const struct libxl__store_ops store_files_ops = {
    .name = "files",
    .prepare = files_prepare,
    .list = files_list,
    .create = libxl__store_files_create,
    .remove = files_remove,
    .read = files_read,
    .write = files_write,
    .erase = files_erase,
    .identity = libxl__domain_record_read,
    .open_dir = files_open_dir,
    .close = files_close,
};

libxl__store *libxl__store_files_open(libxl_ctx *ctx)
{
    struct libxl__store_files *sf = calloc(1, sizeof(*sf));
    libxl__gc gc;
    char *path;

    if (!sf)
        return NULL;
    sf->store.ops = &store_files_ops;
    sf->store.ctx = ctx;
    sf->store.files = &sf->store;
    sf->dirfd = -1;
    libxl__gc_init(&gc, ctx);
    path = libxl__state_dir_path(&gc);
    sf->path = path ? strdup(path) : NULL;
    libxl__gc_dispose(&gc);
    if (!sf->path || libxl__state_dir_open(ctx, sf->path, &sf->dirfd)) {
        files_close(&sf->store);
        return NULL;
    }
    return &sf->store;
}

const char *libxl__store_files_path(libxl__store *st)
{
    return libxl__store_files_of(st)->path;
}
