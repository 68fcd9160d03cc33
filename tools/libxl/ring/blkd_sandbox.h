/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blkd_sandbox.h - the block device process gives up what it does not need,
 * before it serves the first frontend: no new files, no new sockets but
 * accepted ones, no new processes.
 */
#ifndef BLKD_SANDBOX_H
#define BLKD_SANDBOX_H

/* 0, or negative errno. */
int blkd_sandbox_enter(void);

#endif
