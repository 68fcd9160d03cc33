/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plugin.h - a shared object of ours that is loaded where it is needed.
 *
 * Looked for in ../lib beside the directory of our own programs (paths.h), then
 * where the loader looks. It stays loaded until the process ends.
 *
 * Errors:    NULL, with a sentence in why.
 */
#ifndef LIBXL_PLUGIN_H
#define LIBXL_PLUGIN_H

#include "base/gc.h"

const void *libxl__plugin_symbol(libxl__gc *gc, const char *so,
                                 const char *symbol, const char **why);

#endif
