/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel argument stuck=1: a child sits in a system call that nothing but its
 * end interrupts, so that the guest cannot freeze its tasks: it takes note of a
 * wish to suspend and, two seconds later, gives it up and goes on.
 *
 * Errors: said on the console.
 */
#ifndef GUEST_STUCK_H
#define GUEST_STUCK_H

void guest_stuck_start(void);

#endif
