/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devmig.h - the state machine of a device's migration: which states there
 * are, which arcs a device makes, and by which arcs any state is reached from
 * any other. Pure: const tables (docs/specs/device-state.md).
 *
 * Numbers are those of vfio's migration v2 (and of vfio-user).
 */
#ifndef LIBXL_DEVMIG_H
#define LIBXL_DEVMIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum devmig_state {
    DEVMIG_ERROR = 0,
    DEVMIG_STOP = 1,
    DEVMIG_RUNNING = 2,
    DEVMIG_STOP_COPY = 3,
    DEVMIG_RESUMING = 4,
    DEVMIG_RUNNING_P2P = 5, /* not used: no device here talks to another */
    DEVMIG_PRE_COPY = 6,
    DEVMIG_NR_STATES = 7,
};

const char *libxl__devmig_name(enum devmig_state s);
/* One arc that a device makes in one step. */
bool libxl__devmig_is_arc(enum devmig_state from, enum devmig_state to);
/* The first arc of the shortest way from one state to another that passes
 * through no saving or loading state; DEVMIG_ERROR: there is no way. */
enum devmig_state libxl__devmig_next(enum devmig_state from,
                                     enum devmig_state to);

/* What a device does for its migration; the same six callbacks serve the
 * current protocol and the one of 2021. State has any size and is streamed.
 * All return 0 (or a count), or negative errno; -EPROTO: the state that came
 * breaks a rule of the device. */
struct devmig_ops {
    /* One arc. RESUMING -> STOP checks what was loaded. A failed one leaves
     * the device in 'from', or in ERROR when that cannot be. */
    int (*transition)(void *dev, enum devmig_state from, enum devmig_state to);
    /* How much is there to be prepared yet: an estimate while it runs, exact in
     * stop-and-copy. 0: none. */
    uint64_t (*get_pending_bytes)(void *dev);
    /* A piece of state is ready to be read: its size. 0: none. One that was
     * readied in pre-copy can still be read in stop-and-copy. */
    ssize_t (*prepare_data)(void *dev);
    /* The bytes at offset of the prepared piece. */
    ssize_t (*read_data)(void *dev, void *buf, uint64_t bytes, uint64_t offset);
    /* Bytes at offset of a piece that data_written will close. */
    ssize_t (*write_data)(void *dev, const void *buf, uint64_t bytes,
                          uint64_t offset);
    int (*data_written)(void *dev, uint64_t bytes);
};

/* Of a device that has no state beyond its rings, which the transport moves:
 * an empty stream, and nothing else can be loaded. */
extern const struct devmig_ops libxl__devmig_stateless;

/* A device's place in the machine. */
struct devmig {
    const struct devmig_ops *ops; /* NULL: cannot be migrated */
    void *dev;
    enum devmig_state state;
    uint64_t piece_bytes, piece_done; /* being read */
};

/* By the shortest way; stops in the state where a step failed. */
int libxl__devmig_set_state(struct devmig *m, enum devmig_state to);
/* The state as one stream: up to bytes of it; 0: the end. */
ssize_t libxl__devmig_read(struct devmig *m, void *buf, uint64_t bytes);
/* How much of the stream is still to be read: exact in stop-and-copy. */
uint64_t libxl__devmig_left(struct devmig *m);
/* The other way: each call is one piece of the stream. */
int libxl__devmig_write(struct devmig *m, const void *buf, uint64_t bytes);

#endif
