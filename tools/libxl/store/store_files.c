/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_files.c - SEAM 3 on files: STATE_DIR/DOMID/RECORD.
 *
 * No lock covers the whole directory. mkdir decides who gets a domid; a
 * directory without records whose lock is free is what a killed create left,
 * and the next create removes it.
 */
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

#define DOMID_LAST 32751u /* Xen's first reserved domid is 32752 */
#define LAST_DOMID_NAME "last-domid"

static const struct libxl__store_ops store_files_ops;

struct libxl__store_files *libxl__store_files_of(libxl__store *st)
{
    assert(st->files->ops == &store_files_ops);
    return (struct libxl__store_files *)st->files;
}

static bool parse_domid(const char *name, uint32_t *out)
{
    unsigned long n;
    char *end;

    if (*name < '1' || *name > '9')
        return false;
    n = strtoul(name, &end, 10);
    if (*end || n > DOMID_LAST)
        return false;
    *out = (uint32_t)n;
    return true;
}

int libxl__store_files_domain_fd(struct libxl__store_files *sf, uint32_t domid,
                                 int *fd_out)
{
    char name[16];

    snprintf(name, sizeof(name), "%u", domid);
    *fd_out = openat(sf->dirfd, name,
                     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return *fd_out < 0 ? ERROR_NOTFOUND : 0;
}

/* ---- list ---- */

static int by_domid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static bool has_record(struct libxl__store_files *sf, uint32_t domid,
                       const char *record)
{
    char name[64];

    snprintf(name, sizeof(name), "%u/%s", domid, record);
    return !faccessat(sf->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* fn for each domid that has a directory; non-zero ends the walk. */
static int each_domid(struct libxl__store_files *sf,
                      int (*fn)(struct libxl__store_files *sf, uint32_t domid,
                                void *user),
                      void *user)
{
    struct dirent *de;
    uint32_t domid;
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
        if (parse_domid(de->d_name, &domid))
            rc = fn(sf, domid, user);
    closedir(d);
    return rc;
}

struct listing {
    uint32_t *domids;
    int nr, room;
};

static int add_listed(struct libxl__store_files *sf, uint32_t domid, void *user)
{
    struct listing *l = user;
    uint32_t *more;

    if (!has_record(sf, domid, "domain"))
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
    int rc = each_domid(libxl__store_files_of(st), add_listed, &l);

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

static int remove_dir(struct libxl__store_files *sf, uint32_t domid, int tries)
{
    int dirfd, rc = ERROR_FAIL;
    char name[16];

    if (libxl__store_files_domain_fd(sf, domid, &dirfd))
        return 0;
    snprintf(name, sizeof(name), "%u", domid);
    for (; rc && tries; tries--) {
        empty_dir(dirfd);
        if (!has_name(sf, dirfd, name) ||
            !unlinkat(sf->dirfd, name, AT_REMOVEDIR) || errno == ENOENT)
            rc = 0;
        else if (errno != ENOTEMPTY && errno != EEXIST)
            break;
    }
    close(dirfd);
    return rc;
}

static int files_remove(libxl__store *st, uint32_t domid)
{
    struct libxl__store_files *sf = libxl__store_files_of(st);
    /* More than once: the keeper may write its last record meanwhile. */
    int rc = remove_dir(sf, domid, 16);

    if (rc)
        LOGED(st->ctx, domid, ERROR, errno, "cannot remove %s/%u", sf->path,
              domid);
    return rc;
}

/* ---- create ---- */

/* What a killed create left: not even the record "domain", without which no
 * guest was begun, and nobody who holds the lock. */
static int sweep_leftover(struct libxl__store_files *sf, uint32_t domid,
                          void *user)
{
    libxl__domain_lock *lock;

    if (has_record(sf, domid, "domain"))
        return 0;
    if (libxl__domain_lock_try(&sf->store, domid, "sweep", &lock))
        return 0;
    /* Once: what is in it after that belongs to another create, which has just
     * made it and could not lock it before. */
    if (!has_record(sf, domid, "domain"))
        remove_dir(sf, domid, 1);
    libxl__domain_lock_release(lock);
    return 0;
}

static uint32_t read_last_domid(struct libxl__store_files *sf)
{
    uint32_t last = 0;
    char *text;

    if (!libxl__file_read(sf->store.ctx, INVALID_DOMID, sf->dirfd,
                          LAST_DOMID_NAME, &text)) {
        text[strcspn(text, "\n")] = '\0';
        if (!parse_domid(text, &last))
            last = 0;
        free(text);
    }
    return last;
}

/* ERROR_DEVICE_EXISTS: somebody else's. */
static int make_domain(struct libxl__store_files *sf, uint32_t domid)
{
    libxl__domain_lock *lock;
    char name[16];
    int rc;

    snprintf(name, sizeof(name), "%u", domid);
    if (mkdirat(sf->dirfd, name, 0700)) {
        if (errno == EEXIST)
            return ERROR_DEVICE_EXISTS;
        LOGED(sf->store.ctx, domid, ERROR, errno, "cannot make %s/%u", sf->path,
              domid);
        return ERROR_FAIL;
    }
    rc = libxl__domain_lock_try(&sf->store, domid, "create", &lock);
    if (rc == ERROR_LOCK_FAIL || rc == ERROR_NOTFOUND)
        return ERROR_DEVICE_EXISTS; /* swept away by another create */
    if (rc) {
        LOGD(sf->store.ctx, domid, ERROR, "cannot lock the new domain");
        files_remove(&sf->store, domid);
        return rc;
    }
    lock->next = sf->made;
    sf->made = lock;
    return 0;
}

static int make_any_domain(struct libxl__store_files *sf, uint32_t *domid_out)
{
    uint32_t domid = read_last_domid(sf), tries;
    char text[16];
    int rc = ERROR_DEVICE_EXISTS;

    for (tries = 0; tries < DOMID_LAST && rc == ERROR_DEVICE_EXISTS; tries++) {
        domid = domid >= DOMID_LAST ? 1 : domid + 1;
        rc = make_domain(sf, domid);
    }
    if (rc == ERROR_DEVICE_EXISTS) {
        LOG(sf->store.ctx, ERROR, "all %u domids are taken", DOMID_LAST);
        return ERROR_FAIL;
    }
    if (rc)
        return rc;
    snprintf(text, sizeof(text), "%u\n", domid);
    *domid_out = domid;
    return libxl__file_replace(sf->store.ctx, domid, sf->dirfd, LAST_DOMID_NAME,
                               text, false);
}

static int files_create(libxl__store *st, uint32_t want, uint32_t *domid_out)
{
    struct libxl__store_files *sf = libxl__store_files_of(st);
    int rc;

    *domid_out = INVALID_DOMID;
    rc = each_domid(sf, sweep_leftover, NULL);
    if (rc)
        return rc;
    if (want == INVALID_DOMID)
        return make_any_domain(sf, domid_out);
    if (want < 1 || want > DOMID_LAST) {
        LOG(st->ctx, ERROR, "domid %u is not in 1..%u", want, DOMID_LAST);
        return ERROR_INVAL;
    }
    rc = make_domain(sf, want);
    if (rc == ERROR_DEVICE_EXISTS) {
        LOG(st->ctx, ERROR, "domid %u is taken by another domain", want);
        return ERROR_INVAL;
    }
    if (!rc)
        *domid_out = want;
    return rc;
}

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
    .create = files_create,
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
