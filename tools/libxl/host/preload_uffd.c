/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * preload_uffd.c - loaded into QEMU at its start: leaves a userfaultfd of
 * QEMU's address space open, for the toolstack to fetch with pidfd_getfd.
 *
 * A userfaultfd belongs to the address space that opened it, and this is the
 * one way to get QEMU's without ptrace. USER_MODE_ONLY needs no right; the
 * kernel's own writes into protected pages go through all the same, because
 * write protection is asynchronous. Failure is not an error here: the
 * toolstack then finds no such fd and tracks writes another way.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

__attribute__((constructor)) static void open_uffd(void)
{
    /* Where Yama restricts ptrace (kernel.yama.ptrace_scope = 1), pidfd_getfd
     * from a sibling of the same user needs this. */
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
    unsetenv("LD_PRELOAD");
}
