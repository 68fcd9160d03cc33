// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guest_demo.h - a process of the test guest that uses the demo PCI device
 * (tools/libxl/ring/demo_pci.h) without a driver: its registers by sysfs, its
 * copy engine on two pages of its own.
 *
 * Every 64 copies it prints "DEMO <copies> <ticks>". What is not as it left it
 * (a scratch register, a page, the counters) gives "DEMO BAD ...", and the
 * process ends.
 */
#ifndef GUEST_DEMO_H
#define GUEST_DEMO_H

/* Starts it when the kernel's argument demo=1 asks for it. */
void guest_demo_start(void);

#endif
