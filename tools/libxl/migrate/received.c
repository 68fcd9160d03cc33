/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* received.c - marks of guests that were taken over (mover). */
#include "migrate/received.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static int fail(libxl__store *st, const char *uuid, const char *what)
{
    LOGE(st->ctx, ERROR, errno, "cannot %s that guest %s was taken over", what,
         uuid);
    return ERROR_FAIL;
}

/* root's state directory ends with the host's boot, and a guest that ran here
 * until then must not be taken for one that never did. */
#define VOLATILE_DIR "/run/xl"
#define LASTING_DIR "/var/lib/xl"

static int open_base(libxl__store *st)
{
    const char *path = libxl__store_files_path(st);
    int fd = -1;

    if (!strcmp(path, VOLATILE_DIR) &&
        (!mkdir(LASTING_DIR, 0700) || errno == EEXIST))
        fd = open(LASTING_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* a host that has nothing but /run to write to */
    return fd >= 0 ? fd : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The directory received/, made when it is not there. */
static int open_marks(libxl__store *st)
{
    int state = open_base(st);
    int marks = -1, saved;

    if (state < 0)
        return -1;
    if (!mkdirat(state, "received", 0700) && fsync(state))
        goto out;
    marks = openat(state, "received",
                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
out:
    saved = errno;
    close(state);
    errno = saved;
    return marks;
}

int libxl__received_set(libxl__store *st, const char *uuid)
{
    int marks = open_marks(st), fd = -1, rc = 0;

    if (marks >= 0)
        fd = openat(marks, uuid, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    if (fd < 0 || fsync(fd) || fsync(marks))
        rc = fail(st, uuid, "record");
    if (fd >= 0)
        close(fd);
    if (marks >= 0)
        close(marks);
    return rc;
}

int libxl__received_clear(libxl__store *st, const char *uuid)
{
    int marks = open_marks(st), rc = 0;

    if (marks < 0)
        return fail(st, uuid, "forget");
    if ((unlinkat(marks, uuid, 0) && errno != ENOENT) || fsync(marks))
        rc = fail(st, uuid, "forget");
    close(marks);
    return rc;
}

int libxl__received_is_set(libxl__store *st, const char *uuid, bool *set)
{
    int marks = open_marks(st), rc = 0;

    if (marks < 0)
        return fail(st, uuid, "find out");
    *set = !faccessat(marks, uuid, F_OK, AT_SYMLINK_NOFOLLOW);
    if (!*set && errno != ENOENT)
        rc = fail(st, uuid, "find out");
    close(marks);
    return rc;
}
