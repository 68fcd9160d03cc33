/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_args.h - a domain's configuration as QEMU's argument vector. Pure: opens
 * nothing, asks nobody.
 *
 * Rule: what comes from a configuration reaches QEMU only through escaped
 * option values or JSON (-device/-blockdev with JSON), never as raw text that
 * could add an option.
 */
#ifndef LIBXL_QEMU_ARGS_H
#define LIBXL_QEMU_ARGS_H

#include "base/gc.h"

struct libxl__qemu_runtime {
    const char *qemu_path;
    int memory_fd;                /* the memfd's number in the child */
    int qmp_cmd_fd, qmp_event_fd; /* listening sockets' numbers in the child */
    int console_fd;               /* listening socket's number in the child */
    int agent_fd;                 /* listening socket's number, -1: no port */
    int *tap_fds;                 /* one a nic, -1: user-mode */
    bool incoming;                /* -S -incoming defer */
    bool no_sandbox;              /* QEMU lacks -sandbox: said in xl info */
};

/* NULL-terminated, from gc. NULL: a configuration that this host cannot run
 * (logged, naming the key) or no memory; *rc_out says which. */
char **libxl__qemu_args(libxl__gc *gc, const libxl_domain_config *config,
                        uint32_t domid, const struct libxl__qemu_runtime *rt,
                        int *rc_out);

#endif
