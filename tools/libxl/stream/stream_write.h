/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stream_write.h - write one libxl v2 stream (docs/specs/libxl-stream.md).
 *
 * start -> header -> LIBXC_CONTEXT -> (run_libxc) -> [emulator_xenstore_data]
 *       -> emulator_context ... [-> (get_piece) -> emulator_context]...
 *       -> END -> callback
 *
 * Owns:      nothing of the caller's. fd stays the caller's.
 * Seams:     libxc and the emulator's state arrive as functions in params, so
 *            that this file knows neither helper nor device model.
 */
#ifndef LIBXL_STREAM_WRITE_H
#define LIBXL_STREAM_WRITE_H

#include "engine/engine.h"

typedef struct libxl__stream_write libxl__stream_write;

/* One EMULATOR_CONTEXT: bytes from fd's position 0, exactly 'bytes' of them. */
struct libxl__emulator_state {
    uint32_t id, index;
    int fd; /* owned by who provides it */
    uint64_t bytes;
    bool from_here; /* from where fd stands: it may be a socket */
};

struct libxl__stream_write {
    /* caller fills; stays valid until the callback */
    libxl__ao *ao;
    uint32_t domid;
    int fd;
    void *user;
    /* Write the libxc stream to fd; answer with libxl__stream_write_libxc_done.
     */
    void (*run_libxc)(libxl__egc *egc, libxl__stream_write *sw);
    /* Called when memory is out: fill *states (valid until the callback of the
     * stream) and answer with libxl__stream_write_emulator_done. NULL: none. */
    void (*get_emulator)(libxl__egc *egc, libxl__stream_write *sw);
    /* Called when those are out, and again when a piece is: answer with
     * libxl__stream_write_piece. NULL: there are none. */
    void (*get_piece)(libxl__egc *egc, libxl__stream_write *sw);
    void (*callback)(libxl__egc *egc, libxl__stream_write *sw, int rc);
    /* private */
    struct libxl__sw_state *state;
};

void libxl__stream_write_init(libxl__stream_write *sw);
int libxl__stream_write_start(libxl__egc *egc, libxl__stream_write *sw);
void libxl__stream_write_libxc_done(libxl__egc *egc, libxl__stream_write *sw,
                                    int rc);
/* xs_data: EMULATOR_XENSTORE_DATA's strings, NULL when there are none. */
void libxl__stream_write_emulator_done(libxl__egc *egc, libxl__stream_write *sw,
                                       int rc,
                                       const struct libxl__emulator_state *st,
                                       unsigned nr, const void *xs_data,
                                       size_t xs_bytes);

/* The next piece of a device's state, copied from; NULL: that was all. */
void libxl__stream_write_piece(libxl__egc *egc, libxl__stream_write *sw,
                               int rc,
                               const struct libxl__emulator_state *piece);

#endif
