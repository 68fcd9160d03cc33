/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* paths.c - where the library's own programs lie. */
#include "base/paths.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef LIBEXECDIR
#define LIBEXECDIR "/usr/local/libexec/xl"
#endif

/* DIR/../libexec/name for the running program's DIR; NULL: not there. */
static const char *beside_exe(libxl__gc *gc, const char *name)
{
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    const char *path;
    char *slash;

    if (n <= 0)
        return NULL;
    exe[n] = '\0';
    slash = strrchr(exe, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    path = libxl__sprintf(gc, "%s/../libexec/%s", exe, name);
    if (!path || access(path, X_OK))
        return NULL;
    return path;
}

const char *libxl__libexec_path(libxl__gc *gc, const char *name)
{
    const char *dir = getenv("XL_LIBEXEC_DIR");
    const char *path;

    if (dir && *dir)
        return libxl__sprintf(gc, "%s/%s", dir, name);
    path = beside_exe(gc, name);
    if (path)
        return path;
    return libxl__sprintf(gc, "%s/%s", LIBEXECDIR, name);
}
