/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * demo_run.h - the demo device as a process: options, sockets, sandbox, serve.
 */
#ifndef DEMO_RUN_H
#define DEMO_RUN_H

#include "ring/demo_pci.h"

struct demo_hooks {
    /* An option that only a test's program has; false: not known. */
    bool (*option)(const char *text);
    /* The device is made, and not served yet. */
    void (*made)(struct libxl__demo *d);
};

/* The process's exit status. hooks NULL: none. */
int demo_run(int argc, char **argv, const struct demo_hooks *hooks);

#endif
