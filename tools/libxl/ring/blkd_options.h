/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blkd_options.h - xl-blkd's command line. */
#ifndef BLKD_OPTIONS_H
#define BLKD_OPTIONS_H

#include <stdbool.h>

struct blkd_options {
    const char *image, *socket_path, *serial;
    /* inherited fds; -1: not given */
    int socket_fd;    /* a listening socket */
    int connected_fd; /* one frontend's connection */
    int control_fd;   /* a listening socket, for the toolstack */
    int log_fd;       /* a file: one bit a page of the guest's memory file */
    int lifeline_fd;  /* a pipe: its end is ours */
    unsigned queues;
    bool vfio_user; /* else vhost-user */
    bool inactive;  /* do not lock the image before "activate" */
    bool again;     /* the frontend has had an earlier process */
    bool read_only, no_uring, no_sandbox;
};

/* 0: go on; else exit with *status (help, version or a usage error, told). */
int blkd_options_parse(int argc, char **argv, struct blkd_options *o,
                       int *status);

#endif
