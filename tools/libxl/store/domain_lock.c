/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * domain_lock.c - one operation at a time for a domain.
 *
 * The file "lock" in the domain's directory, locked by an open-file-description
 * lock: it ends with the last holder of the description, so it is close-on-exec
 * and never lent to a child. The text in it, "VERB PID START_TIME", is for the
 * message of those who come too late, and for nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc_id.h"
#include "store/store_files.h"

#define LOCK_NAME "lock"

static bool lock_fd(int fd)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return !fcntl(fd, F_OFD_SETLK, &fl);
}

/* A lock on a file that has been removed meanwhile excludes nobody. */
static bool still_there(int dirfd, int fd)
{
    struct stat mine, now;

    return !fstat(fd, &mine) &&
           !fstatat(dirfd, LOCK_NAME, &now, AT_SYMLINK_NOFOLLOW) &&
           mine.st_dev == now.st_dev && mine.st_ino == now.st_ino;
}

static void write_holder(int fd, const char *verb)
{
    struct libxl__proc_id self;
    char text[128];
    int n;

    libxl__proc_id_self(&self);
    n = snprintf(text, sizeof(text), "%.32s %ld %" PRIu64 "\n", verb,
                 (long)self.pid, self.start_time);
    /* Only a message depends on it. Never empty: somebody may read it now. */
    if (pwrite(fd, text, (size_t)n, 0) != n || ftruncate(fd, n))
        return;
}

/* What the holder wrote: its verb, and its pid (0: not known). */
static long read_holder(int dirfd, char verb[33])
{
    char buf[128], *space = NULL;
    ssize_t got = -1;
    int fd = openat(dirfd, LOCK_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0) {
        got = read(fd, buf, sizeof(buf) - 1);
        close(fd);
    }
    if (got > 0) {
        buf[got] = '\0';
        space = strchr(buf, ' ');
    }
    if (!space) {
        snprintf(verb, 33, "an operation");
        return 0;
    }
    snprintf(verb, 33, "%.*s", (int)(space - buf), buf);
    return strtol(space + 1, NULL, 10);
}

static void log_busy(libxl_ctx *ctx, uint32_t domid, int dirfd)
{
    char verb[33];
    long pid = read_holder(dirfd, verb);

    if (pid > 0)
        LOGD(ctx, domid, ERROR, "busy: %s by pid %ld", verb, pid);
    else
        LOGD(ctx, domid, ERROR, "busy: %s", verb);
}

bool libxl__domain_lock_is_for(libxl__store *st, uint32_t domid,
                               const char *verb)
{
    char held_for[33];
    int dirfd;

    if (libxl__store_files_domain_fd(libxl__store_files_of(st), domid, &dirfd))
        return false;
    read_holder(dirfd, held_for);
    close(dirfd);
    return !strcmp(held_for, verb);
}

/* The lock that libxl__store_ops.create left for its caller. */
static libxl__domain_lock *adopt_made(struct libxl__store_files *sf,
                                      uint32_t domid)
{
    libxl__domain_lock **link, *lock;

    for (link = &sf->made; *link; link = &(*link)->next) {
        if ((*link)->domid != domid)
            continue;
        lock = *link;
        *link = lock->next;
        lock->next = NULL;
        return lock;
    }
    return NULL;
}

static int open_locked(int dirfd, int *fd_out)
{
    int fd = openat(dirfd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                    0600);

    if (fd < 0)
        return errno == ENOENT ? ERROR_NOTFOUND : ERROR_FAIL;
    if (!lock_fd(fd)) {
        close(fd);
        return ERROR_LOCK_FAIL;
    }
    if (!still_there(dirfd, fd)) {
        close(fd);
        return ERROR_NOTFOUND;
    }
    *fd_out = fd;
    return 0;
}

int libxl__domain_lock_dir(libxl__store *st, uint32_t domid, int dirfd,
                           const char *verb, libxl__domain_lock **out)
{
    libxl__domain_lock *lock;
    int rc, fd = -1;

    *out = NULL;
    rc = open_locked(dirfd, &fd);
    if (rc) {
        close(dirfd);
        return rc;
    }
    lock = calloc(1, sizeof(*lock));
    if (!lock) {
        close(fd);
        close(dirfd);
        return ERROR_NOMEM;
    }
    lock->fd = fd;
    lock->dirfd = dirfd;
    lock->st = st;
    lock->domid = domid;
    write_holder(fd, verb);
    *out = lock;
    return 0;
}

int libxl__domain_lock_try(libxl__store *st, uint32_t domid, const char *verb,
                           libxl__domain_lock **out)
{
    int rc, dirfd;

    *out = NULL;
    rc = libxl__store_files_domain_fd(libxl__store_files_of(st), domid, &dirfd);
    return rc ? rc : libxl__domain_lock_dir(st, domid, dirfd, verb, out);
}

static int take_failed(libxl__store *st, uint32_t domid, const char *verb,
                       int rc)
{
    int dirfd;

    if (rc == ERROR_NOTFOUND)
        LOGD(st->ctx, domid, ERROR, "there is no domain with this id");
    else if (rc != ERROR_LOCK_FAIL)
        LOGD(st->ctx, domid, ERROR, "cannot lock the domain for %s", verb);
    else if (!libxl__store_files_domain_fd(libxl__store_files_of(st), domid,
                                           &dirfd)) {
        log_busy(st->ctx, domid, dirfd);
        close(dirfd);
    }
    return rc == ERROR_NOTFOUND ? ERROR_DOMAIN_NOTFOUND : rc;
}

int libxl__domain_lock_take(libxl__store *st, uint32_t domid, const char *verb,
                            bool quiet, libxl__domain_lock **out)
{
    int rc;

    *out = adopt_made(libxl__store_files_of(st), domid);
    if (*out) {
        write_holder((*out)->fd, verb);
        return 0;
    }
    rc = st->ops->prepare(st, domid);
    if (!rc)
        rc = libxl__domain_lock_try(st, domid, verb, out);
    if (rc && !quiet)
        return take_failed(st, domid, verb, rc);
    return rc == ERROR_NOTFOUND ? ERROR_DOMAIN_NOTFOUND : rc;
}

void libxl__store_files_drop_made(struct libxl__store_files *sf, uint32_t domid)
{
    libxl__domain_lock_release(adopt_made(sf, domid));
}

void libxl__domain_lock_release(libxl__domain_lock *lock)
{
    if (!lock)
        return;
    close(lock->fd);
    close(lock->dirfd);
    free(lock);
}
