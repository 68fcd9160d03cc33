/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_files.h - what store_files.c and domain_lock.c share.
 *
 * Owns:      libxl__store_files owns its directory fd, its path and the locks
 *            of domains it has just made and nobody has taken yet.
 * Thread:    loop thread only.
 */
#ifndef LIBXL_STORE_FILES_H
#define LIBXL_STORE_FILES_H

#include "store/store.h"

struct libxl__domain_lock {
    libxl__store *st;
    uint32_t domid;
    int fd;
    struct libxl__domain_lock *next; /* of the store's made list */
};

struct libxl__store_files {
    libxl__store store; /* first: see libxl__store_files_of */
    int dirfd;
    char *path;
    struct libxl__domain_lock *made;
};

struct libxl__store_files *libxl__store_files_of(libxl__store *st);
/* A real fd of the domain's directory. ERROR_NOTFOUND: none. */
int libxl__store_files_domain_fd(struct libxl__store_files *sf, uint32_t domid,
                                 int *fd_out);
/* A directory for a domain that others made. It may be there already. */
int libxl__store_files_make_dir(struct libxl__store_files *sf, uint32_t domid);
/* Gives back the lock that create left for its caller. */
void libxl__store_files_drop_made(struct libxl__store_files *sf,
                                  uint32_t domid);
/* Without message, and never the lock that create left for its caller:
 * ERROR_LOCK_FAIL busy, ERROR_NOTFOUND no such domain. */
int libxl__domain_lock_try(libxl__store *st, uint32_t domid, const char *verb,
                           libxl__domain_lock **out);

#endif
