/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * proc_id.h - a process, told apart from a later one with the same pid.
 *
 * A process is its boot id, its pid and its start time (field 22 of
 * /proc/PID/stat, in clock ticks since boot).
 *
 * Owns:      nothing; a pidfd that is handed out is the caller's.
 * Thread:    any.
 * Errors:    rc, nothing logged: the caller knows what the process was for.
 * Rule:      a signal goes through a pidfd from libxl__proc_id_open alone: it
 *            is opened first and the identity compared afterwards, so that a
 *            reused pid is never hit. A zombie counts as gone.
 */
#ifndef LIBXL_PROC_ID_H
#define LIBXL_PROC_ID_H

#include <yajl/yajl_tree.h>

#include "base/gc.h"

#define LIBXL__BOOT_ID_BYTES 37 /* a uuid's text and its NUL */

struct libxl__proc_id {
    char boot_id[LIBXL__BOOT_ID_BYTES];
    pid_t pid;
    uint64_t start_time;
};

enum libxl__proc_state {
    LIBXL__PROC_ALIVE,
    LIBXL__PROC_GONE,
    LIBXL__PROC_OTHER_BOOT, /* ended with the host, at the latest */
};

/* ERROR_NOTFOUND: no such process (or a zombie). */
int libxl__proc_id_of(pid_t pid, struct libxl__proc_id *out);
int libxl__proc_id_self(struct libxl__proc_id *out);
enum libxl__proc_state libxl__proc_id_state(const struct libxl__proc_id *id);
/* A pidfd of exactly this process. ERROR_NOTFOUND: it has gone. */
int libxl__proc_id_open(const struct libxl__proc_id *id, int *pidfd_out);
/* signo to exactly this process; ERROR_NOTFOUND: it has gone. */
int libxl__proc_id_signal(const struct libxl__proc_id *id, int signo);

/* {"boot_id": .., "pid": .., "start_time": ..}; NULL: no memory. */
char *libxl__proc_id_to_json(libxl__gc *gc, const struct libxl__proc_id *id);
/* ERROR_INVAL: not such an object. */
int libxl__proc_id_from_json(yajl_val v, struct libxl__proc_id *out);

#endif
