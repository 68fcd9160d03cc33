/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_dir.h - the state directory, and files in it that are replaced whole.
 *
 * Owns:      nothing but what a call returns.
 * Thread:    loop thread only.
 * Errors:    rc. ERROR_NOTFOUND is not logged, everything else is.
 * Rule:      a file's readers see the old text or the new one, never a part:
 *            written beside, renamed; a durable one is on the disk when the
 *            call returns (file and directory fsynced).
 */
#ifndef LIBXL_STORE_DIR_H
#define LIBXL_STORE_DIR_H

#include "base/gc.h"

/* XL_STATE_DIR, /run/xl (root) or ${XDG_STATE_HOME:-~/.local/state}/xl. */
char *libxl__state_dir_path(libxl__gc *gc);
/* Made where it is missing, mode 0700. Refused: another user's, or one that
 * others can write to. *fd_out is the caller's. */
int libxl__state_dir_open(libxl_ctx *ctx, const char *path, int *fd_out);

/* For what has to outlive the host: the state directory, or where that is
 * /run/xl, /var/lib/xl. -1 and errno; else the caller's. */
int libxl__lasting_dir_open(const char *state_path);

#define LIBXL__RECORD_MAX_BYTES (16u << 20)
/* domid is for messages alone. text: malloc'ed, NUL-terminated. */
int libxl__file_read(libxl_ctx *ctx, uint32_t domid, int dirfd,
                     const char *name, char **text);
int libxl__file_replace(libxl_ctx *ctx, uint32_t domid, int dirfd,
                        const char *name, const char *text, bool durable);
/* 0 also when it was not there. */
int libxl__file_erase(libxl_ctx *ctx, uint32_t domid, int dirfd,
                      const char *name);

#endif
