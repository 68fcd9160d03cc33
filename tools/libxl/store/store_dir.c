/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store_dir.c - see store_dir.h. */
#include "store/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static const char *home_dir(void)
{
    const char *home = getenv("HOME");
    struct passwd *pw;

    if (home && home[0] == '/')
        return home;
    pw = getpwuid(geteuid());
    return pw ? pw->pw_dir : "/";
}

char *libxl__state_dir_path(libxl__gc *gc)
{
    const char *dir = getenv("XL_STATE_DIR");
    const char *base = getenv("XDG_STATE_HOME");

    if (dir && dir[0])
        return libxl__strdup(gc, dir);
    if (geteuid() == 0)
        return libxl__strdup(gc, "/run/xl");
    if (base && base[0] == '/')
        return libxl__sprintf(gc, "%s/xl", base);
    return libxl__sprintf(gc, "%s/.local/state/xl", home_dir());
}

/* mkdir -p; an existing part is not an error here, the open tells. */
static void make_path(const char *path)
{
    char *copy = strdup(path), *p;

    if (!copy)
        return;
    for (p = copy + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        mkdir(copy, 0700);
        *p = '/';
    }
    mkdir(copy, 0700);
    free(copy);
}

int libxl__state_dir_open(libxl_ctx *ctx, const char *path, int *fd_out)
{
    struct stat st;
    int fd;

    *fd_out = -1;
    make_path(path);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        LOGE(ctx, ERROR, errno,
             "cannot open the state directory %s (XL_STATE_DIR chooses another)",
             path);
        if (fd >= 0)
            close(fd);
        return ERROR_FAIL;
    }
    if (st.st_uid != geteuid() || (st.st_mode & 022)) {
        LOG(ctx, ERROR,
            "state directory %s is not safe: it must belong to uid %u and be "
            "writable by nobody else (it belongs to uid %u, mode %04o)",
            path, (unsigned)geteuid(), (unsigned)st.st_uid,
            (unsigned)(st.st_mode & 07777));
        close(fd);
        return ERROR_FAIL;
    }
    *fd_out = fd;
    return 0;
}

/* NULL: errno says why. */
static char *read_whole(int fd, size_t size)
{
    char *text = malloc(size + 1);
    size_t have = 0;
    ssize_t got;

    while (text && have < size) {
        got = read(fd, text + have, size - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(text);
            return NULL;
        }
        if (!got)
            break;
        have += (size_t)got;
    }
    if (text)
        text[have] = '\0';
    return text;
}

int libxl__file_read(libxl_ctx *ctx, uint32_t domid, int dirfd,
                     const char *name, char **text)
{
    struct stat st;
    int fd, rc = 0;

    *text = NULL;
    fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return ERROR_NOTFOUND;
    if (fd < 0 || fstat(fd, &st)) {
        LOGED(ctx, domid, ERROR, errno, "cannot read the record \"%s\"", name);
        rc = ERROR_FAIL;
    } else if (!S_ISREG(st.st_mode) || st.st_size > LIBXL__RECORD_MAX_BYTES) {
        LOGD(ctx, domid, ERROR, "the record \"%s\" is not a file of at most "
             "%u bytes", name, LIBXL__RECORD_MAX_BYTES);
        rc = ERROR_FAIL;
    } else {
        *text = read_whole(fd, (size_t)st.st_size);
        if (!*text) {
            LOGED(ctx, domid, ERROR, errno, "cannot read the record \"%s\"",
                  name);
            rc = ERROR_FAIL;
        }
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

static bool write_whole(int fd, const char *text)
{
    size_t left = strlen(text);
    ssize_t put;

    while (left) {
        put = write(fd, text, left);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        text += put;
        left -= (size_t)put;
    }
    return true;
}

int libxl__file_replace(libxl_ctx *ctx, uint32_t domid, int dirfd,
                        const char *name, const char *text, bool durable)
{
    char temp[80];
    bool ok;
    int fd, e;

    /* The pid keeps two writers (an operation, the keeper) apart. */
    snprintf(temp, sizeof(temp), ".%.48s.%ld", name, (long)getpid());
    fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok = fd >= 0 && write_whole(fd, text) && (!durable || !fsync(fd));
    e = errno;
    if (fd >= 0 && close(fd) && ok) {
        ok = false;
        e = errno;
    }
    if (ok && renameat(dirfd, temp, dirfd, name)) {
        ok = false;
        e = errno;
    }
    if (!ok) {
        unlinkat(dirfd, temp, 0);
        LOGED(ctx, domid, ERROR, e, "cannot write the record \"%s\"", name);
        return ERROR_FAIL;
    }
    /* EINVAL: a file system that does not do it for directories */
    if (durable && fsync(dirfd) && errno != EINVAL) {
        LOGED(ctx, domid, ERROR, errno,
              "cannot bring to the disk the record \"%s\"", name);
        return ERROR_FAIL;
    }
    return 0;
}

int libxl__file_erase(libxl_ctx *ctx, uint32_t domid, int dirfd,
                      const char *name)
{
    if (!unlinkat(dirfd, name, 0) || errno == ENOENT)
        return 0;
    LOGED(ctx, domid, ERROR, errno, "cannot remove the record \"%s\"", name);
    return ERROR_FAIL;
}

/* root's state directory ends with the host's boot. */
#define VOLATILE_DIR "/run/xl"
#define LASTING_DIR "/var/lib/xl"

int libxl__lasting_dir_open(const char *state_path)
{
    int fd = -1;

    if (!strcmp(state_path, VOLATILE_DIR) &&
        (!mkdir(LASTING_DIR, 0700) || errno == EEXIST))
        fd = open(LASTING_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* a host that has nothing but /run to write to */
    return fd >= 0 ? fd : open(state_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
