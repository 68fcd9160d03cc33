/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_save.h - state of a domain's devices, read from their processes while it
 * is written elsewhere (docs/specs/device-state.md).
 *
 *   begin -> begun;  the guest stops, "stop" is asked of the devices;
 *   { next -> piece }... -> piece with end set;  stop
 *
 * Owns:      a connection to each device that has state, from begin to stop.
 * Thread:    loop thread only.
 * Errors:    rc, logged with the device's name. begin touches no guest: a
 *            device that cannot be saved is refused there.
 * Lifetime:  callbacks never run from inside the function that asks for them.
 */
#ifndef LIBXL_DEV_SAVE_H
#define LIBXL_DEV_SAVE_H

#include "dev/dev.h"
#include "io/bufreader.h"

typedef struct libxl__dev_save libxl__dev_save;
typedef void libxl__dev_save_callback(libxl__egc *egc, libxl__dev_save *ds,
                                      int rc);

struct libxl__dev_save {
    /* caller fills */
    libxl__ao *ao;
    uint32_t domid;
    int dirfd;
    bool live; /* the devices may go to pre-copy */
    libxl__dev_save_callback *begun, *piece;
    void *user;
    /* of a piece: so many bytes are to be read from fd, all of them, before
     * the next is asked for */
    bool end; /* there is none: all devices are read */
    uint32_t index; /* of the state in the stream: 1, 2, ... */
    int fd;
    uint32_t bytes;
    /* private */
    struct {
        int fd;
        unsigned process;
        uint64_t total;
    } devs[LIBXL__DEV_MAX];
    unsigned nr, at;
    libxl__dev_line line;
    libxl__bufreader br;
    libxl__ev_time deadline;
    uint8_t head[16];
    bool late; /* told */
};

void libxl__dev_save_init(libxl__dev_save *ds);
/* ERROR_NOTFOUND: there are no devices; nothing was begun. */
int libxl__dev_save_begin(libxl__dev_save *ds);
int libxl__dev_save_next(libxl__dev_save *ds);
/* No callback; idempotent. A device that was in pre-copy runs on. */
void libxl__dev_save_stop(libxl__dev_save *ds);

#endif
