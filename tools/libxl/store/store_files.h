/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_files.h - what store_files*.c and domain_lock.c share.
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
    int dirfd; /* of the directory that the lock was taken in */
    struct libxl__domain_lock *next; /* of the store's made list */
};

struct libxl__store_files {
    libxl__store store; /* first: see libxl__store_files_of */
    int dirfd;
    char *path;
    struct libxl__domain_lock *made;
};

#define LIBXL__STORE_DOMID_LAST 32751u /* Xen reserves those from 32752 on */

struct libxl__store_files *libxl__store_files_of(libxl__store *st);
/* A real fd of the domain's directory. ERROR_NOTFOUND: none. */
int libxl__store_files_domain_fd(struct libxl__store_files *sf, uint32_t domid,
                                 int *fd_out);
bool libxl__store_files_parse_domid(const char *name, uint32_t *out);
/* ERROR_NOTFOUND: none of this name. */
int libxl__store_files_open_dir(struct libxl__store_files *sf, const char *name,
                                int *fd_out);
/* fn for each name in the state directory; non-zero ends the walk. */
int libxl__store_files_each_name(struct libxl__store_files *sf,
                                 int (*fn)(struct libxl__store_files *sf,
                                           const char *name, void *user),
                                 void *user);
/* Removes a directory of records that is open as dirfd, if it still has this
 * name. Each try empties it again. Without message; errno. */
int libxl__store_files_remove_dir(struct libxl__store_files *sf,
                                  const char *name, int dirfd, int tries);
int libxl__store_files_create(libxl__store *st, uint32_t want,
                              uint32_t *domid_out);
/* A directory for a domain that others made. It may be there already. */
int libxl__store_files_make_dir(struct libxl__store_files *sf, uint32_t domid);
/* Removes the directory that the lock was taken in: its number may name another
 * domain's by now, which stays. */
int libxl__store_files_remove_locked(libxl__domain_lock *lock);
/* Gives back the lock that create left for its caller. */
void libxl__store_files_drop_made(struct libxl__store_files *sf,
                                  uint32_t domid);
/* Without message, and never the lock that create left for its caller:
 * ERROR_LOCK_FAIL busy, ERROR_NOTFOUND no such domain. */
int libxl__domain_lock_try(libxl__store *st, uint32_t domid, const char *verb,
                           libxl__domain_lock **out);
/* The same of an open directory. Takes dirfd, also when it fails. */
int libxl__domain_lock_dir(libxl__store *st, uint32_t domid, int dirfd,
                           const char *verb, libxl__domain_lock **out);

#endif
