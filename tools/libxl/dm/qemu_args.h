/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_args.h - a domain's configuration as QEMU's argument vector. Pure: opens
 * nothing, asks nobody.
 *
 * Units:     bytes where the name says so; fds are numbers in the child.
 * Errors:    rc; what a configuration asks for in vain is logged, by its key.
 * Rule:      what comes from a configuration reaches QEMU only through escaped
 *            option values or JSON (-device/-blockdev with JSON), never as raw
 *            text that could add an option. (device_model_args is raw text:
 *            that is what it is for.) The same configuration gives the same
 *            devices in the same order: a restore depends on it.
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
    int qga_fd;                   /* the same, for a stock qemu-ga */
    const int *tap_fds;           /* one a nic, -1: user-mode; NULL: all -1 */
    const bool *disk_is_blockdev; /* one a disk; NULL: none is */
    const int *disk_fds;          /* one a disk: its device process's
                                     connection, -1: none; NULL: all -1 */
    int vfio_dir_fd;              /* directory of vfio-user sockets, -1: none */
    const char *bios_path;        /* -bios, NULL: QEMU's own SeaBIOS */
    int64_t rtc_seconds;          /* clock at start, since 1970; 0: now */
    bool incoming;                /* -S -incoming defer */
    bool no_sandbox;              /* QEMU lacks -sandbox: said in xl info */
};

/* NULL-terminated, from gc. NULL: a configuration that this host cannot run
 * (logged, naming the key) or no memory; *rc_out says which. */
char **libxl__qemu_args(libxl__gc *gc, const libxl_domain_config *config,
                        uint32_t domid, const struct libxl__qemu_runtime *rt,
                        int *rc_out);

/* The size of the RAM file: max_memkb, in whole MiB. */
uint64_t libxl__qemu_memory_bytes(const libxl_domain_config *config);

/* The check of libxl__qemu_args alone: 0, or ERROR_INVAL (logged). */
int libxl__qemu_args_check(libxl__gc *gc, const libxl_domain_config *config,
                           uint32_t domid);

#endif
