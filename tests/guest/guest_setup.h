/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the test guest does once, before its loop: file systems, console,
 * kernel arguments, modules.
 *
 * Thread: one. Errors: said on the console; the guest goes on without.
 */
#ifndef GUEST_SETUP_H
#define GUEST_SETUP_H

#include <stddef.h>
#include <stdint.h>

/* Mount what is needed and make the console fd 0, 1 and 2, lines unechoed. */
void guest_setup_console(void);

/* The kernel argument NAME=number, or `otherwise`. */
uint64_t guest_arg_number(const char *name, uint64_t otherwise);

/* The kernel argument NAME=text copied into buf, or "". */
void guest_arg_text(const char *name, char *buf, size_t size);

/* Load the modules of a comma-separated list of groups (see ./modules). */
void guest_load_modules(const char *groups);

/* Start PATH and go on, if the initramfs has such a program. */
void guest_start_program(const char *path);

/* Path of the first disk, as virtio or Xen name it. */
const char *guest_disk(void);

/* Bring up every network interface. */
void guest_net_up(void);

#endif
