/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ev_child_private.h - inside of ev_child. PRIVATE to engine/.
 */
#ifndef LIBXL_EV_CHILD_PRIVATE_H
#define LIBXL_EV_CHILD_PRIVATE_H

#include "engine/ev_child.h"

/* When the ctx dies: children that were forgotten and still run are not waited
 * for any more. */
void libxl__children_forget_all(libxl_ctx *ctx);

/* In the forked child: never returns. An exec that fails writes its errno to
 * error_fd. Only async-signal-safe calls. */
struct libxl__exec_plan {
    const struct libxl__spawn_params *params;
    int error_fd;
    int null_fd; /* -1: params names no fd -1 */
};
_Noreturn void libxl__child_exec(const struct libxl__exec_plan *plan);

#endif
