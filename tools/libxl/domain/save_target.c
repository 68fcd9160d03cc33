/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save_target.c - chain of open: open -> [retry_fifo ...] -> callback
 *                 chain of sync: sync -> synced -> callback
 */
#include "domain/save_target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"

#define FIFO_RETRY_MS 50
#define LINKS_MAX 40

static void retry_fifo(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void synced(libxl__egc *egc, libxl__ev_file *ev, ssize_t result);

static libxl__save_target *target_of_retry(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__save_target, retry);
}

static libxl__save_target *target_of_sync(libxl__ev_file *ev)
{
    return CONTAINER_OF(ev, libxl__save_target, sync);
}

static int failed(libxl__save_target *t, int errnoval, const char *what)
{
    LOGED(libxl__ao_ctx(t->ao), t->domid, ERROR, errnoval, "cannot %s %s", what,
          t->final_path ? t->final_path : t->path);
    return errnoval == ENOMEM ? ERROR_NOMEM : ERROR_FAIL;
}

static int refused(libxl__save_target *t, const char *why)
{
    LOGD(libxl__ao_ctx(t->ao), t->domid, ERROR, "cannot save to %s: %s",
         t->final_path, why);
    return ERROR_INVAL;
}

void libxl__save_target_init(libxl__save_target *t)
{
    memset(t, 0, sizeof(*t));
    t->fd = t->dirfd = t->given_fd = -1;
    libxl__ev_time_init(&t->retry);
    libxl__ev_file_init(&t->sync);
}

/* ---- the place, with symbolic links followed also when they dangle ---- */

static char *dir_of(libxl__gc *gc, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return libxl__strdup(gc, ".");
    if (slash == path)
        return libxl__strdup(gc, "/");
    return libxl__strndup(gc, path, (size_t)(slash - path));
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int follow_links(libxl__save_target *t)
{
    libxl__gc *gc = libxl__ao_gc(t->ao);
    char link[PATH_MAX];
    ssize_t bytes;
    int n;

    t->final_path = libxl__strdup(gc, t->path);
    for (n = 0; t->final_path && n < LINKS_MAX; n++) {
        bytes = readlink(t->final_path, link, sizeof(link) - 1);
        if (bytes < 0)
            return 0; /* no link, or nothing there yet */
        link[bytes] = '\0';
        if (link[0] == '/')
            t->final_path = libxl__strdup(gc, link);
        else
            t->final_path =
                libxl__sprintf(gc, "%s/%s", dir_of(gc, t->final_path), link);
    }
    return t->final_path ? failed(t, ELOOP, "follow") : ERROR_NOMEM;
}

/* Absolute: the journal is read by processes with another directory. */
static int resolve(libxl__save_target *t)
{
    libxl__gc *gc = libxl__ao_gc(t->ao);
    char *dir, *real;
    int rc = follow_links(t);

    if (rc)
        return rc;
    if (!base_of(t->final_path)[0])
        return refused(t, "it is a directory");
    dir = dir_of(gc, t->final_path);
    if (!dir)
        return ERROR_NOMEM;
    real = realpath(dir, NULL);
    if (!real)
        return failed(t, errno, "find the directory of");
    t->final_path = libxl__sprintf(gc, "%s/%s", strcmp(real, "/") ? real : "",
                                   base_of(t->final_path));
    free(real);
    return t->final_path ? 0 : ERROR_NOMEM;
}

/* ---- a regular file ---- */

static int open_temporary(libxl__save_target *t)
{
    libxl__gc *gc = libxl__ao_gc(t->ao);
    uint64_t nonce;
    struct stat st;

    t->dirfd =
        open(dir_of(gc, t->final_path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->dirfd < 0)
        return failed(t, errno, "open the directory of");
    if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
        return failed(t, errno, "name a temporary file for");
    t->temp_path = libxl__sprintf(
        gc, "%s/" LIBXL__SAVE_TEMP_BEFORE "%016" PRIx64 LIBXL__SAVE_TEMP_BEHIND,
        strcmp(dir_of(gc, t->final_path), "/") ? dir_of(gc, t->final_path) : "",
        nonce);
    if (!t->temp_path)
        return ERROR_NOMEM;
    t->fd = openat(t->dirfd, base_of(t->temp_path),
                   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (t->fd < 0) {
        t->temp_path = NULL;
        return failed(t, errno, "make a temporary file beside");
    }
    t->regular = true;
    if (fstat(t->fd, &st))
        return failed(t, errno, "stat the temporary file of");
    t->dev = st.st_dev;
    t->ino = st.st_ino;
    return 0;
}

static int open_regular(libxl__save_target *t, bool exists)
{
    int rc;

    if (exists && access(t->final_path, W_OK))
        return failed(t, errno, "write");
    rc = open_temporary(t);
    if (rc)
        libxl__save_target_abandon(t);
    return rc;
}

/* ---- a FIFO, a device, an fd ---- */

/* ERROR_NOT_READY: a FIFO that nobody reads yet. */
static int open_direct(libxl__save_target *t)
{
    int flags;

    t->fd = open(t->final_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0)
        return errno == ENXIO ? ERROR_NOT_READY : failed(t, errno, "open");
    flags = fcntl(t->fd, F_GETFL);
    if (flags < 0 || fcntl(t->fd, F_SETFL, flags & ~O_NONBLOCK))
        return failed(t, errno, "prepare");
    return 0;
}

static void opened(libxl__egc *egc, libxl__save_target *t, int rc)
{
    if (rc)
        libxl__save_target_abandon(t);
    t->callback(egc, t, rc);
}

static void retry_fifo(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__save_target *t = target_of_retry(ev);

    if (rc == ERROR_TIMEDOUT)
        rc = t->fd >= 0 ? 0 : open_direct(t);
    if (rc == ERROR_NOT_READY) {
        rc = libxl__ev_time_register_rel(libxl__ao_ctx(t->ao), t->ao, &t->retry,
                                         retry_fifo, FIFO_RETRY_MS);
        if (!rc)
            return;
    }
    opened(egc, t, rc);
}

static int open_given(libxl__save_target *t)
{
    if (fcntl(t->given_fd, F_GETFL) < 0)
        return failed(t, errno, "write to the fd given for");
    t->fd = t->given_fd;
    return 0;
}

int libxl__save_target_open(libxl__egc *egc, libxl__save_target *t)
{
    struct stat st = {0};
    bool exists;
    int rc = 0;

    if (!strcmp(t->path, "-")) {
        rc = open_given(t);
    } else {
        rc = resolve(t);
        if (rc)
            return rc;
        exists = !stat(t->final_path, &st);
        if (exists && S_ISDIR(st.st_mode))
            return refused(t, "it is a directory");
        if (exists && S_ISSOCK(st.st_mode))
            return refused(t, "it is a socket");
        if (!exists || S_ISREG(st.st_mode))
            rc = open_regular(t, exists);
    }
    if (rc)
        return rc;
    /* All the rest from a fresh event: at once when there is nothing to wait
     * for, and again and again for a FIFO without a reader. */
    return libxl__ev_time_register_rel(libxl__ao_ctx(t->ao), t->ao, &t->retry,
                                       retry_fifo, 0);
}

/* ---- the end ---- */

int libxl__save_target_sync(libxl__egc *egc, libxl__save_target *t)
{
    return libxl__ev_file_fsync(libxl__ao_ctx(t->ao), &t->sync, synced, t->fd);
}

static void synced(libxl__egc *egc, libxl__ev_file *ev, ssize_t result)
{
    libxl__save_target *t = target_of_sync(ev);
    int rc = 0;

    /* pipes, sockets and terminals have nothing to be synchronised */
    if (result < 0 && (t->regular || (result != -EINVAL && result != -EROFS &&
                                      result != -ENOTSUP)))
        rc = failed(t, (int)-result, "bring to the disk");
    t->callback(egc, t, rc);
}

int libxl__save_target_publish(libxl__save_target *t)
{
    int r;

    if (!t->regular)
        return 0;
    if (renameat(t->dirfd, base_of(t->temp_path), t->dirfd,
                 base_of(t->final_path)))
        return failed(t, errno, "rename the finished file to");
    t->temp_path = NULL;
    /* EINVAL: a file system that does not do it for directories */
    if (!fsync(t->dirfd) || errno == EINVAL)
        return 0;
    /* The guest goes on: a whole image of it must not stay behind. */
    r = errno;
    unlinkat(t->dirfd, base_of(t->final_path), 0);
    return failed(t, r, "bring to the disk the directory of");
}

int libxl__save_target_close(libxl__save_target *t)
{
    bool ours = t->fd >= 0 && t->fd != t->given_fd;
    int fd = t->fd;

    t->fd = -1;
    if (t->dirfd >= 0)
        close(t->dirfd);
    t->dirfd = -1;
    if (ours && close(fd))
        return failed(t, errno, "close");
    return 0;
}

void libxl__save_target_abandon(libxl__save_target *t)
{
    libxl__ev_time_deregister(libxl__ao_ctx(t->ao), &t->retry);
    if (t->temp_path && unlinkat(t->dirfd, base_of(t->temp_path), 0))
        LOGED(libxl__ao_ctx(t->ao), t->domid, WARN, errno,
              "cannot remove the unfinished file %s: remove it yourself",
              t->temp_path);
    t->temp_path = NULL;
    if (t->fd >= 0 && t->fd != t->given_fd)
        close(t->fd);
    if (t->dirfd >= 0)
        close(t->dirfd);
    t->fd = t->dirfd = -1;
}
