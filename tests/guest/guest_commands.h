/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that the test guest answers on its console, and its power button.
 *
 * Thread: one. Errors: answered as a line that begins with the command's name
 * in capitals and "ERROR".
 */
#ifndef GUEST_COMMANDS_H
#define GUEST_COMMANDS_H

#include "guest_pattern.h"

/* Do one line: check, disk, disk-write TEXT, net, crash, poweroff, reboot. */
void guest_command(struct guest_pattern *pattern, char *line);

/* The input device of the power button, or -1 (module group "button"). */
int guest_button_open(void);

/* Read the button's events; powers the guest off when it was pressed. */
void guest_button_read(int fd);

#endif
