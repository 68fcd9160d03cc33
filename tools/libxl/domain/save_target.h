/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save_target.h - where a save goes: a temporary file beside its place, or a
 * FIFO, a device or an fd that are written directly. Mover: knows no format.
 *
 * open -> (bytes by others) -> sync -> publish -> close, or abandon at any time
 *
 * Owns:      fd (but for a given one) and the temporary file, until published.
 * Thread:    loop thread only; opening a FIFO waits for its reader, and can be
 *            aborted.
 * Errors:    rc, logged with the path and the cause.
 * Lifetime:  abandon is idempotent, and nothing after close.
 */
#ifndef LIBXL_SAVE_TARGET_H
#define LIBXL_SAVE_TARGET_H

#include "engine/engine.h"

/* The temporary file's name: these, and a random number between them. */
#define LIBXL__SAVE_TEMP_BEFORE ".xl-save-"
#define LIBXL__SAVE_TEMP_DIGITS 16u
#define LIBXL__SAVE_TEMP_BEHIND ".part"

typedef struct libxl__save_target libxl__save_target;
typedef void libxl__save_target_callback(libxl__egc *egc, libxl__save_target *t,
                                         int rc);
struct libxl__save_target {
    /* caller fills */
    libxl__ao *ao;
    uint32_t domid;
    const char *path; /* "-": given_fd */
    int given_fd;
    libxl__save_target_callback *callback;
    void *user;
    /* valid after open */
    int fd;
    bool regular;                 /* a temporary file, renamed at the end */
    char *final_path, *temp_path; /* NULL unless regular */
    uint64_t dev, ino;
    /* private */
    int dirfd;
    libxl__ev_time retry;
    libxl__ev_file sync;
};

void libxl__save_target_init(libxl__save_target *t);
/* Non-zero: nothing was started, and no callback comes. */
int libxl__save_target_open(libxl__egc *egc, libxl__save_target *t);
int libxl__save_target_sync(libxl__egc *egc, libxl__save_target *t);
/* The file gets its name, and that is on the disk. */
int libxl__save_target_publish(libxl__save_target *t);
int libxl__save_target_close(libxl__save_target *t);
void libxl__save_target_abandon(libxl__save_target *t);

#endif
