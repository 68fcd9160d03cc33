/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unfinished.h - files that a save has begun, on record where it outlives the
 * host: journals need not, and a domain's own goes with its records.
 *
 * The directory unfinished/ beside received/ (received.h) has a file for each,
 * by the number in the temporary file's name: "1 BOOT-ID INODE PATH".
 *
 * Owns:      nothing.
 * Thread:    loop thread only.
 * Errors:    logged, and no more: a save does not fail for want of its note.
 */
#ifndef LIBXL_UNFINISHED_H
#define LIBXL_UNFINISHED_H

#include "host/host.h"

/* Before the first byte; on the disk when it returns. */
void libxl__unfinished_note(libxl__store *st, libxl__gc *gc,
                            const char *temp_path, uint64_t ino);
/* Once it is whole, or gone. */
void libxl__unfinished_forget(libxl__store *st, const char *temp_path);
/* Removes what a host that went down has left. Never a file that merely has the
 * name, and none of this boot, which is its journal's business. */
void libxl__unfinished_sweep(libxl__store *st, libxl__gc *gc);

#endif
