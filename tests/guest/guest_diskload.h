// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guest_diskload.h - a process of the test guest that writes to /dev/vda and
 * reads back what it wrote, without a cache in between.
 *
 * Write n (from 1) fills block n % 4096 (of 4 KiB) with words that follow from
 * n; each is on the disk when the next begins. Every 64 writes it prints
 * "IO <n>": all up to n are acknowledged. A block that does not hold what was
 * written last gives "IO BAD block <b>", and the process ends.
 */
#ifndef GUEST_DISKLOAD_H
#define GUEST_DISKLOAD_H

/* Starts it when the kernel's argument diskload=1 asks for it. */
void guest_diskload_start(void);

#endif
