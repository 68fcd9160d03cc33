/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * child_cancel.h - SIGTERM to the save helper: the stream dies, the process
 * does not.
 *
 * The handler puts a descriptor that can be neither read nor written over the
 * stream's: whatever blocks on the stream is interrupted and then fails, and
 * libxc goes through its own cleanup (dirty log off) instead of being killed
 * half way.
 */
#ifndef CHILD_CANCEL_H
#define CHILD_CANCEL_H

#include <stdbool.h>
#include <sys/types.h>

/* 0 or negative errno. Uses fd LIBXL__HW_NR_FDS. A parent that is dead, or dies
 * later, counts as a SIGTERM. */
int child_cancel_arm(pid_t parent);
bool child_cancel_asked(void);

#endif
