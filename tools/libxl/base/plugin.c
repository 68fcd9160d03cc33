/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plugin.c - load a shared object of ours. */
#include "base/plugin.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"

static void *load(libxl__gc *gc, const char *so)
{
    const char *program = libxl__libexec_path(gc, "xl-save-helper");
    const char *slash = program ? strrchr(program, '/') : NULL;
    const char *path =
        slash ? libxl__sprintf(gc, "%.*s/../lib/%s", (int)(slash - program),
                               program, so)
              : NULL;

    if (path && access(path, R_OK))
        path = so;
    return path ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;
}

const void *libxl__plugin_symbol(libxl__gc *gc, const char *so,
                                 const char *symbol, const char **why)
{
    void *handle = load(gc, so);
    void *at = handle ? dlsym(handle, symbol) : NULL;
    const char *error;

    if (at)
        return at;
    error = dlerror();
    *why = error ? libxl__strdup(gc, error) : NULL;
    if (!*why)
        *why = "it cannot be loaded";
    return NULL;
}
