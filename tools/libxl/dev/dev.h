/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev.h - SEAM 5: a device that is served by a process of its own
 * (docs/specs/device-control.md).
 *
 * start     with QEMU, before it; ends by itself when QEMU does
 * again     vhost-user: QEMU listens for it as long as it lives: one that has died is
 *           started again, and goes on with the requests under way (QEMU keeps
 *           their table)
 * watch     who keeps the domain learns of its death
 * log       always on: a bit for each page of the guest's memory file that a
 *           device has written to, in the file dev-log of the domain's
 *           directory; the save helper merges it each round
 * activate, inactivate    the image's lock is taken, given up: around the
 *           moment when a guest's disks go to another host process; activated,
 *           a device that was stopped runs on
 * stop      with the guest, when its requests are done
 * save, load    its state: dev_save.h, dev_load.h
 *
 * A vhost-user disk's ring state needs no save of its own: QEMU asks the
 * process for it when the guest stops, and carries it in its device state.
 *
 * Thread:    loop thread only.
 * Errors:    rc, logged.
 */
#ifndef LIBXL_DEV_H
#define LIBXL_DEV_H

#include "config/own_process.h"
#include "dev/dev_line.h"
#include "engine/engine.h"

#define LIBXL__DEV_MAX 16
#define LIBXL__DEV_LOG_NAME "dev-log"
#define LIBXL__DEV_RING_NAME "dev-%u-ring" /* where QEMU listens, by index */
#define LIBXL__DEV_VFIO_NAME "vfio-%u" /* where QEMU connects, by pci */

struct libxl__dev_start {
    int dirfd;      /* the domain's directory */
    unsigned index; /* 0, 1, ...: names the control socket dev-INDEX */
    int log_fd;     /* becomes its stderr */
    uint64_t memory_bytes;
    bool incoming; /* the image is another's until "activate" */
};

/* Starts the device's process. *qemu_fd is for QEMU, and the caller's: the
 * socket that it listens on (the process is connected to it already), or
 * (vfio-user) what tells the process of QEMU's end. What the process finds
 * wrong stands in log_fd. */
int libxl__dev_start(libxl_ctx *ctx, uint32_t domid,
                     const struct libxl__dev_start *start,
                     const struct libxl__own_process *dev, int *qemu_fd);
/* After its death, for the same QEMU. ERROR_NOT_READY: that has ended (not
 * logged). ERROR_NI: a vfio-user device, QEMU does not connect to it again. */
int libxl__dev_start_again(libxl_ctx *ctx, uint32_t domid,
                           const struct libxl__dev_start *start,
                           const struct libxl__own_process *dev);

/* Has the domain any such device? */
bool libxl__dev_any(int dirfd);

/* One request to all devices of a domain, one after the other. The callback
 * runs once, never from inside start; the first refusal ends it, logged. */
typedef struct libxl__dev_ask libxl__dev_ask;
struct libxl__dev_ask {
    /* caller fills */
    libxl_ctx *ctx;
    uint32_t domid;
    int dirfd;
    const char *request; /* "activate", "stop", ... */
    /* NULL, or: starts a process that has ended again, for this request; rc */
    int (*revive)(libxl__dev_ask *ask, unsigned index);
    /* A process that has ended or hangs is told of, and left out: what it did
     * for the guest is lost anyway, and the rest of the guest need not be. */
    bool without_dead;
    /* NULL: it has to be "ok"; else looks at each answer, and returns rc */
    int (*answer)(libxl__dev_ask *ask, unsigned index, const char *text);
    void (*callback)(libxl__egc *egc, libxl__dev_ask *ask, int rc);
    void *user;
    /* private */
    libxl__dev_line line;
};
void libxl__dev_ask_init(libxl__dev_ask *ask);
/* ERROR_NOTFOUND: the domain has no devices that answer. */
int libxl__dev_ask_start(libxl__dev_ask *ask);
void libxl__dev_ask_stop(libxl__dev_ask *ask); /* no callback; idempotent */

/* A connection that says, by its end, that the process has died (or that
 * somebody else watches now). One watcher a device. */
typedef struct libxl__dev_watch libxl__dev_watch;
struct libxl__dev_watch {
    /* caller fills */
    libxl_ctx *ctx;
    int dirfd;
    unsigned index;
    /* once, never from inside start; may start the watch again */
    void (*lost)(libxl__egc *egc, libxl__dev_watch *watch);
    /* private */
    int fd;
    libxl__ev_fd ev;
};
void libxl__dev_watch_init(libxl__dev_watch *watch);
/* ERROR_NOTFOUND: the domain has no such device; ERROR_NI: not over vhost-user;
 * ERROR_NOT_READY: its process has ended. None is logged. */
int libxl__dev_watch_start(libxl__dev_watch *watch);
void libxl__dev_watch_stop(libxl__dev_watch *watch); /* idempotent */

#endif
