/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blkd_options.h - xl-blkd's command line. */
#ifndef BLKD_OPTIONS_H
#define BLKD_OPTIONS_H

#include <stdbool.h>

struct blkd_options {
    const char *image, *socket_path, *serial;
    int socket_fd; /* a listening socket that was inherited, or -1 */
    unsigned queues;
    bool vfio_user; /* else vhost-user */
    bool read_only, no_uring, no_sandbox;
};

/* 0: go on; else exit with *status (help, version or a usage error, told). */
int blkd_options_parse(int argc, char **argv, struct blkd_options *o,
                       int *status);

#endif
