/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ev_child.h - start a program and learn of its death.
 *
 * Owns:      the pid until the death callback. The caller never waits for it
 *            itself; it may signal it through libxl__ev_child_kill.
 * Thread:    loop thread only. SIGCHLD of other children is left alone.
 * Errors:    rc; an exec that fails (no such file) is an error of spawn, not
 *            an exit status.
 * Lifetime:  the struct must stay until the death callback, which runs exactly
 *            once, or until libxl__ev_child_forget.
 */
#ifndef LIBXL_EV_CHILD_H
#define LIBXL_EV_CHILD_H

#include <sys/types.h>

#include "engine/egc.h"

typedef struct libxl__ev_child libxl__ev_child;
/* status as from waitpid(2). */
typedef void libxl__ev_child_callback(libxl__egc *egc, libxl__ev_child *ch,
                                      pid_t pid, int status);

#define LIBXL__SPAWN_MAX_FDS 32

struct libxl__spawn_params {
    const char *const *argv; /* argv[0] is the path: no PATH search */
    const char *const *envp; /* NULL: inherited */
    /* fds[i] becomes fd i of the child (-1: /dev/null); the first three are
     * stdin, stdout and stderr. All others are closed in the child. Signals
     * have their defaults there, and none is blocked. */
    const int *fds;
    size_t nr_fds;    /* <= LIBXL__SPAWN_MAX_FDS */
    const char *cwd;  /* NULL: inherited */
    bool new_session; /* setsid(): survives the terminal */
};

struct libxl__ev_child {
    /* private */
    pid_t pid; /* -1 when idle */
    libxl__ev_child_callback *callback;
    struct libxl__child_slot *slot;
};

void libxl__ev_child_init(libxl__ev_child *ch);
int libxl__ev_child_spawn(libxl_ctx *ctx, libxl__ev_child *ch,
                          libxl__ev_child_callback *callback,
                          const struct libxl__spawn_params *params);
/* 0 also when it has died already and is only not reaped yet. */
int libxl__ev_child_kill(libxl__ev_child *ch, int signo);
/* The same, of one with a session of its own and all in its process group. */
int libxl__ev_child_kill_session(libxl__ev_child *ch, int signo);
/* The process goes on without us; the engine reaps it if it dies first. */
void libxl__ev_child_forget(libxl__ev_child *ch);
bool libxl__ev_child_inuse(const libxl__ev_child *ch);

#endif
