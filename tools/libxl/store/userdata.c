/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* userdata.c - libxl's userdata of a domain (mover). */
#include "store/userdata.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/domain_record.h"

#define USERDATA_MAX_BYTES (1u << 20)

static char *path_of(libxl__gc *gc, const char *dir, char kind, uint32_t domid,
                     const libxl_uuid *uuid, const char *what)
{
    const char *text = libxl__uuid_text(gc, uuid);

    return text ? libxl__sprintf(gc, "%s/userdata-%c.%u.%s.%s", dir, kind,
                                 domid, text, what)
                : NULL;
}

static int failed(libxl_ctx *ctx, uint32_t domid, const char *what,
                  const char *path)
{
    LOGED(ctx, domid, ERROR, errno, "cannot %s its configuration, %s", what,
          path);
    return ERROR_FAIL;
}

static int read_all(libxl_ctx *ctx, libxl__gc *gc, uint32_t domid, int fd,
                    const char *path, char **json)
{
    struct stat st;
    ssize_t got;
    char *text;

    if (fstat(fd, &st))
        return failed(ctx, domid, "read", path);
    if (st.st_size > USERDATA_MAX_BYTES) {
        LOGD(ctx, domid, ERROR, "%s is no configuration: it is too long", path);
        return ERROR_FAIL;
    }
    text = libxl__zalloc(gc, (size_t)st.st_size + 1);
    if (!text)
        return ERROR_NOMEM;
    got = read(fd, text, (size_t)st.st_size);
    if (got < 0)
        return failed(ctx, domid, "read", path);
    *json = text;
    return 0;
}

int libxl__userdata_read(libxl_ctx *ctx, libxl__gc *gc, const char *dir,
                         uint32_t domid, const libxl_uuid *uuid, char **json)
{
    const char *path = path_of(gc, dir, 'd', domid, uuid, "libxl-json");
    int fd, rc;

    if (!path)
        return ERROR_NOMEM;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERROR_NOTFOUND
                               : failed(ctx, domid, "read", path);
    rc = read_all(ctx, gc, domid, fd, path, json);
    close(fd);
    return rc;
}

int libxl__userdata_write(libxl_ctx *ctx, libxl__gc *gc, const char *dir,
                          uint32_t domid, const libxl_uuid *uuid,
                          const char *json)
{
    const char *path = path_of(gc, dir, 'd', domid, uuid, "libxl-json");
    const char *temp = path_of(gc, dir, 'n', domid, uuid, "libxl-json");
    size_t bytes = strlen(json) + 1; /* upstream's reader relies on the NUL */
    int fd;

    if (!path || !temp)
        return ERROR_NOMEM;
    fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
              0600);
    if (fd < 0)
        return failed(ctx, domid, "write", temp);
    if (write(fd, json, bytes) != (ssize_t)bytes) {
        close(fd);
        unlink(temp);
        return failed(ctx, domid, "write", temp);
    }
    if (close(fd) || rename(temp, path))
        return failed(ctx, domid, "write", path);
    return 0;
}

void libxl__userdata_remove(libxl__gc *gc, const char *dir, uint32_t domid,
                            const libxl_uuid *uuid)
{
    const char *text = libxl__uuid_text(gc, uuid);
    const char *pattern = text ? libxl__sprintf(gc, "%s/userdata-?.%u.%s.*",
                                                dir, domid, text)
                               : NULL;
    glob_t found;

    if (!pattern || glob(pattern, GLOB_NOSORT, NULL, &found))
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        unlink(found.gl_pathv[i]);
    globfree(&found);
}
