/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_files_create.c - who gets which domid.
 *
 * No lock covers the whole directory. A create makes a directory under a name
 * of its own, locks it, and renames it to its domid: whoever is first has that
 * domid, and no domid names a directory that its maker has not locked. What has
 * no record "domain" and a free lock is what a killed create left, and the next
 * create removes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/store_dir.h"
#include "store/store_files.h"

#define DOMID_LAST LIBXL__STORE_DOMID_LAST
#define LAST_DOMID_NAME "last-domid"
#define UNNAMED_PREFIX ".create."
#define TRIES 1000

static bool is_domain(int dirfd)
{
    return !faccessat(dirfd, "domain", F_OK, AT_SYMLINK_NOFOLLOW);
}

/* What a killed create left: not even the record "domain", without which no
 * guest was begun, and nobody who holds the lock. */
static int sweep_leftover(struct libxl__store_files *sf, const char *name,
                          void *user)
{
    libxl__domain_lock *lock;
    uint32_t domid;
    int dirfd;

    if (!libxl__store_files_parse_domid(name, &domid) &&
        strncmp(name, UNNAMED_PREFIX, strlen(UNNAMED_PREFIX)))
        return 0;
    if (libxl__store_files_open_dir(sf, name, &dirfd))
        return 0;
    if (is_domain(dirfd)) {
        close(dirfd);
        return 0;
    }
    if (libxl__domain_lock_dir(&sf->store, INVALID_DOMID, dirfd, "sweep",
                               &lock))
        return 0;
    /* Once: a lock that is in it after that is of a create, which has just made
     * it and could not lock it before. */
    if (!is_domain(lock->dirfd))
        libxl__store_files_remove_dir(sf, name, lock->dirfd, 1);
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
        if (!libxl__store_files_parse_domid(text, &last))
            last = 0;
        free(text);
    }
    return last;
}

/* A locked directory that has no domid yet. ERROR_DEVICE_EXISTS: another
 * create's, or swept away by one before it was locked. */
static int make_unnamed(struct libxl__store_files *sf, const char *name,
                        libxl__domain_lock **out)
{
    int rc, dirfd;

    *out = NULL;
    if (mkdirat(sf->dirfd, name, 0700)) {
        if (errno == EEXIST)
            return ERROR_DEVICE_EXISTS;
        LOGE(sf->store.ctx, ERROR, errno, "cannot make %s/%s", sf->path, name);
        return ERROR_FAIL;
    }
    if (!libxl__store_files_open_dir(sf, name, &dirfd))
        rc = libxl__domain_lock_dir(&sf->store, INVALID_DOMID, dirfd, "create",
                                    out);
    else
        rc = errno == ENOENT ? ERROR_NOTFOUND : ERROR_FAIL;
    if (rc == ERROR_LOCK_FAIL || rc == ERROR_NOTFOUND)
        return ERROR_DEVICE_EXISTS;
    if (rc) {
        LOGE(sf->store.ctx, ERROR, errno, "cannot lock %s/%s", sf->path, name);
        unlinkat(sf->dirfd, name, AT_REMOVEDIR);
    }
    return rc;
}

/* ERROR_DEVICE_EXISTS: the domid is another domain's. An empty directory of
 * this name is one that is being removed: rename takes its place. */
static int give_domid(struct libxl__store_files *sf, const char *unnamed,
                      uint32_t domid)
{
    char name[16];

    snprintf(name, sizeof(name), "%u", domid);
    if (!renameat(sf->dirfd, unnamed, sf->dirfd, name))
        return 0;
    if (errno == ENOTEMPTY || errno == EEXIST)
        return ERROR_DEVICE_EXISTS;
    LOGED(sf->store.ctx, domid, ERROR, errno, "cannot make %s/%u", sf->path,
          domid);
    return ERROR_FAIL;
}

static int give_any_domid(struct libxl__store_files *sf, const char *unnamed,
                          uint32_t *domid_out)
{
    uint32_t domid = read_last_domid(sf), tries;
    char text[16];
    int rc = ERROR_DEVICE_EXISTS;

    for (tries = 0; tries < DOMID_LAST && rc == ERROR_DEVICE_EXISTS; tries++) {
        domid = domid >= DOMID_LAST ? 1 : domid + 1;
        rc = give_domid(sf, unnamed, domid);
    }
    if (rc == ERROR_DEVICE_EXISTS) {
        LOG(sf->store.ctx, ERROR, "all %u domids are taken", DOMID_LAST);
        return ERROR_FAIL;
    }
    if (rc)
        return rc;
    *domid_out = domid;
    snprintf(text, sizeof(text), "%u\n", domid);
    /* A hint: without it the next create looks from an older number on. */
    (void)libxl__file_replace(sf->store.ctx, domid, sf->dirfd, LAST_DOMID_NAME,
                              text, false);
    return 0;
}

static int give_wanted_domid(struct libxl__store_files *sf, const char *unnamed,
                             uint32_t domid)
{
    int rc = give_domid(sf, unnamed, domid);

    if (rc != ERROR_DEVICE_EXISTS)
        return rc;
    LOG(sf->store.ctx, ERROR, "domid %u is taken by another domain", domid);
    return ERROR_INVAL;
}

int libxl__store_files_create(libxl__store *st, uint32_t want,
                              uint32_t *domid_out)
{
    struct libxl__store_files *sf = libxl__store_files_of(st);
    libxl__domain_lock *lock;
    char unnamed[64];
    unsigned n;
    int rc;

    *domid_out = INVALID_DOMID;
    if (want != INVALID_DOMID && (want < 1 || want > DOMID_LAST)) {
        LOG(st->ctx, ERROR, "domid %u is not in 1..%u", want, DOMID_LAST);
        return ERROR_INVAL;
    }
    rc = libxl__store_files_each_name(sf, sweep_leftover, NULL);
    if (rc)
        return rc;
    rc = ERROR_DEVICE_EXISTS;
    for (n = 0; n < TRIES && rc == ERROR_DEVICE_EXISTS; n++) {
        snprintf(unnamed, sizeof(unnamed), UNNAMED_PREFIX "%ld.%u",
                 (long)getpid(), n);
        rc = make_unnamed(sf, unnamed, &lock);
    }
    if (rc == ERROR_DEVICE_EXISTS)
        LOG(st->ctx, ERROR,
            "cannot lock a new directory in %s: does its file "
            "system have locks?",
            sf->path);
    if (rc)
        return rc;
    if (want == INVALID_DOMID)
        rc = give_any_domid(sf, unnamed, &want);
    else
        rc = give_wanted_domid(sf, unnamed, want);
    if (rc) {
        libxl__store_files_remove_dir(sf, unnamed, lock->dirfd, 1);
        libxl__domain_lock_release(lock);
        return rc;
    }
    lock->domid = *domid_out = want;
    lock->next = sf->made;
    sf->made = lock;
    return 0;
}
