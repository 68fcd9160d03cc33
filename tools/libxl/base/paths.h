/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * paths.h - where the library's own programs lie.
 *
 * $XL_LIBEXEC_DIR, when it is set; else ../libexec beside the directory of the
 * running program, when the program looked for is there (a build tree, or a
 * whole tree that was moved); else the directory that was compiled in.
 *
 * Errors:    NULL: no memory. That the program exists is found out by exec.
 */
#ifndef LIBXL_PATHS_H
#define LIBXL_PATHS_H

#include "base/gc.h"

const char *libxl__libexec_path(libxl__gc *gc, const char *name);

#endif
