/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory_end.c - hold (xl-save-helper --hold) -> let_go (its stdin ends) */
#include "host/memory_end.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/gc.h"
#include "base/paths.h"

void libxl__memory_end_init(struct libxl__memory_end *me)
{
    libxl__ev_child_init(&me->child);
    me->lifeline = -1;
}

/* Somebody has ended it: the memory goes with the guest's process, then. */
static void died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status)
{
}

void libxl__memory_end_hold(libxl_ctx *ctx, struct libxl__memory_end *me,
                            int memory_fd)
{
    const char *argv[] = {NULL, "--hold", NULL};
    int lifeline[2];
    libxl__gc gc;

    if (pipe2(lifeline, O_CLOEXEC))
        return;
    libxl__gc_init(&gc, ctx);
    argv[0] = libxl__libexec_path(&gc, "xl-save-helper");
    const int fds[] = {lifeline[0], -1, -1, memory_fd};
    const struct libxl__spawn_params p = {
        .argv = argv,
        .fds = fds,
        .nr_fds = sizeof(fds) / sizeof(fds[0]),
        .cwd = "/",
        .new_session = true,
    };

    if (argv[0] && !libxl__ev_child_spawn(ctx, &me->child, died, &p))
        me->lifeline = lifeline[1];
    else
        close(lifeline[1]);
    close(lifeline[0]);
    libxl__gc_dispose(&gc);
}

void libxl__memory_end_let_go(struct libxl__memory_end *me)
{
    if (libxl__ev_child_inuse(&me->child))
        libxl__ev_child_forget(&me->child);
    if (me->lifeline >= 0)
        close(me->lifeline);
    me->lifeline = -1;
}
