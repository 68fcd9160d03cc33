/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dom_restore.h - a guest out of one libxl stream on an fd: what restore and
 * the receiving side of a migration have in common.
 *
 * Owns:      the helper's fds of the guest and the device model's state, while
 *            it runs. The fd, the new domain's records, lock and journal are
 *            the caller's.
 * Thread:    loop thread only.
 * Abort:     through the ao; the callback still runs.
 * Errors:    rc, logged. What there is of the guest is left: the caller undoes
 *            the new domain.
 * Lifetime:  the struct stays until the callback, which runs exactly once,
 *            never from inside start. Success leaves the guest paused.
 */
#ifndef LIBXL_DOM_RESTORE_H
#define LIBXL_DOM_RESTORE_H

#include "dev/dev_load.h"
#include "helper/save_helper.h"
#include "host/host.h"
#include "stream/stream_read.h"

typedef struct libxl__dom_restore libxl__dom_restore;
struct libxl__dom_restore {
    /* caller fills; stays valid until the callback */
    libxl__ao *ao;
    libxl__host *host;
    uint32_t domid; /* exists in the store; the host has nothing of it yet */
    const libxl_domain_config *config;
    int fd;
    const char *what; /* "Restoring": for progress */
    bool whole_file;  /* nothing may follow END in a regular file */
    void *user;
    /* NULL, or: the host has the guest, empty, its memory being filled */
    void (*made)(libxl__egc *egc, libxl__dom_restore *dr);
    void (*callback)(libxl__egc *egc, libxl__dom_restore *dr, int rc);
    /* results, valid in callback */
    struct libxl__helper_results results;
    /* private */
    struct libxl__helper_guest guest;
    bool guest_open;
    bool creating, streaming; /* what has not ended yet */
    bool helping;             /* the save helper runs */
    libxl__ev_fd death;       /* of the guest's process, while it streams */
    int pidfd;
    bool has_dm;              /* its state has to come */
    int create_rc, stream_rc;
    int emulator_fd; /* the state's memory; -1: not made yet */
    bool emulator_came;
    unsigned nr_keys;    /* of its device model, that came beside the state */
    int dirfd;           /* of the domain */
    libxl__dev_load dev; /* devices in processes of their own */
    unsigned piece_process;
    uint32_t piece_bytes;
    bool piece_waits; /* for the guest's creation */
    libxl__stream_read stream;
    libxl__save_helper sh;
    libxl__host_call call, load;
};

/* Non-zero: nothing was started, and no callback comes. */
int libxl__dom_restore_start(libxl__egc *egc, libxl__dom_restore *dr);

#endif
