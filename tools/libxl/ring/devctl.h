/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devctl.h - the toolstack's socket of a device process
 * (docs/specs/device-control.md): one line a request, one line an answer; and
 * the device's state, as frames behind "save" and "load".
 *
 * Owns:      the listening socket given to it, and a few connections.
 * Thread:    loop thread only.
 * Errors:    told to the asker, in its answer.
 * Lifetime:  nothing of it is called after devctl_stop. A connection that ends
 *            while its device is in pre-copy lets the device run on as before.
 */
#ifndef LIBXL_DEVCTL_H
#define LIBXL_DEVCTL_H

#include "engine/ev_fd.h"
#include "io/acceptor.h"
#include "ring/vfu.h"

#define DEVCTL_LINE_BYTES 64u
#define DEVCTL_CONNS 4u
#define DEVCTL_FRAME_BYTES (256u << 10) /* as written; 1 MiB is taken */
#define DEVCTL_FRAME_MAX (1u << 20)
#define DEVCTL_END_BYTES 16u /* u32 0, u32 errno, u64 all bytes */

struct devctl;

enum devctl_mode { DEVCTL_LINES, DEVCTL_SAVE, DEVCTL_LOAD };

struct devctl_conn {
    struct devctl *c;
    int fd; /* -1: free */
    libxl__ev_fd ev;
    enum devctl_mode mode;
    bool asked; /* a request waits until the device is idle */
    bool watches; /* asks no more: its end tells of ours */
    char line[DEVCTL_LINE_BYTES];
    size_t got;
    /* state as frames */
    uint8_t *frame; /* header and bytes; NULL: no state goes here */
    size_t out_bytes, out_done;
    uint8_t head[DEVCTL_END_BYTES];
    size_t head_got;
    uint32_t left;     /* of the frame being read */
    uint64_t total;    /* all bytes so far */
    uint64_t promised; /* by the device, when it had stopped */
    bool counted, last;
    int error; /* the first one; negative errno */
};

struct devctl {
    /* caller fills */
    libxl_ctx *ctx;
    void *user;
    /* NULL: done; else why not (a string constant) */
    const char *(*set_active)(void *user, bool active);
    bool (*is_active)(void *user);
    libxl__vfu_device *pci; /* NULL: it has no state but QEMU's */
    /* private */
    int listen_fd;
    libxl__acceptor acceptor;
    struct devctl_conn conns[DEVCTL_CONNS];
    unsigned next; /* the one that makes room */
    struct devctl_conn *mover; /* waits for the device; NULL: gone, or none */
    const struct devctl_request *moving;
    bool move_on; /* to stop-and-copy or running, when that is over */
};

/* rc */
int devctl_start(struct devctl *c, int listen_fd);
void devctl_stop(struct devctl *c);

/* ---- for devctl_stream.c ---- */
void devctl_hang_up(libxl__egc *egc, struct devctl_conn *conn);
void devctl_say(struct devctl_conn *conn, const char *wrong);
/* false: no memory */
bool devctl_stream_begin(struct devctl_conn *conn, enum devctl_mode mode);
/* The device's state has changed: there may be more to read. */
void devctl_stream_wake(struct devctl_conn *conn);
/* The connection can be written, or read. */
void devctl_stream_out(libxl__egc *egc, struct devctl_conn *conn);
void devctl_stream_in(libxl__egc *egc, struct devctl_conn *conn);

#endif
