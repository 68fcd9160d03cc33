/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * child_sandbox.h - the save helper gives up what it will not need, before it
 * touches the first byte of a stream.
 *
 * no_new_privs; a seccomp list of what may be called, which opens, connects
 * and forks nothing (EPERM; death for what nobody calls by mistake); memory of
 * its own limited by RLIMIT_DATA.
 */
#ifndef CHILD_SANDBOX_H
#define CHILD_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* 0, or negative errno: then nothing may be read. data_bytes 0: no limit. xen:
 * the hypervisor may be asked, on the handle that is open. */
int child_sandbox_enter(uint64_t data_bytes, bool xen);
/* Prints, for each forbidden thing, what became of trying it; returns the
 * number of those that were not refused. */
int child_sandbox_try(void);

#endif
