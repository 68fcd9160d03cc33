/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault_wrap.h - the k-th allocation, read or write of the code under test goes
 * wrong. The programs of tests/fault are linked with --wrap for these calls
 * (Makefile); elsewhere this does nothing.
 *
 * Thread:    one.
 */
#ifndef FAULT_WRAP_H
#define FAULT_WRAP_H

#include <stdbool.h>

enum fault_call {
    FAULT_ALLOC, /* malloc, calloc, realloc */
    FAULT_READ,  /* read */
    FAULT_WRITE, /* writev */
    FAULT_PWRITE,
    FAULT_SEEK,
    FAULT_MAP, /* mmap */
    FAULT_POLL,
    FAULT_NR
};

enum fault_how {
    FAULT_ERROR, /* fails with errnoval */
    FAULT_SHORT, /* does one byte */
    FAULT_EOF,   /* reads nothing */
};

void fault_arm(enum fault_call call, unsigned k, enum fault_how how,
               int errnoval);
/* true: the k-th call came. */
bool fault_disarm(void);
/* Ends the counting: allocations since it began that are still there. */
void fault_count_allocs(void);
long fault_unfreed(void);
int fault_open_fds(void);

#endif
