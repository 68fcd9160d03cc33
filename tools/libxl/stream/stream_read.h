/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stream_read.h - read one libxl v2 stream (docs/specs/libxl-stream.md).
 *
 * start -> header -> LIBXC_CONTEXT -> (run_libxc) -> records ... -> END
 *       -> callback. Never reads beyond END: the handshake may follow.
 *
 * Owns:      nothing of the caller's. An emulator blob is streamed to the fd
 *            that open_emulator gives: memory does not grow with it.
 * Errors:    ERROR_FAIL with one message naming layer, record, offset, reason.
 */
#ifndef LIBXL_STREAM_READ_H
#define LIBXL_STREAM_READ_H

#include <limits.h>

#include "engine/engine.h"

typedef struct libxl__stream_read libxl__stream_read;

struct libxl__stream_read {
    /* caller fills; stays valid until the callback */
    libxl__ao *ao;
    uint32_t domid;
    int fd;
    bool hvm;            /* emulator records are allowed */
    unsigned nr_devices; /* EMULATOR_CONTEXT index 0..nr_devices */
    bool need_emulator;  /* a stream without index 0 is refused (QEMU host) */
    void *user;
    /* Read the libxc stream from fd; answer with libxl__stream_read_libxc_done.
     */
    void (*run_libxc)(libxl__egc *egc, libxl__stream_read *sr);
    /* Where emulator state (id, index) of so many bytes goes: an fd, owned by
     * the callee, or a negative libxl error (already logged); or
     * LIBXL__SR_LATER, and libxl__stream_read_emulator_ready says it. A device
     * (index above 0) is asked again for each piece of its state. */
    int (*open_emulator)(libxl__egc *egc, libxl__stream_read *sr, uint32_t id,
                         uint32_t index, uint64_t bytes);
    /* One whitelisted physmap key and value. */
    int (*emulator_xenstore)(libxl__egc *egc, libxl__stream_read *sr,
                             const char *key, const char *value);
    void (*callback)(libxl__egc *egc, libxl__stream_read *sr, int rc);
    /* private */
    struct libxl__srd_state *state;
};

void libxl__stream_read_init(libxl__stream_read *sr);
int libxl__stream_read_start(libxl__egc *egc, libxl__stream_read *sr);
/* Ends it with rc, unless libxc has the fd: then the answer does. callback runs
 * from inside. Idempotent. */
void libxl__stream_read_stop(libxl__egc *egc, libxl__stream_read *sr, int rc);
void libxl__stream_read_libxc_done(libxl__egc *egc, libxl__stream_read *sr,
                                   int rc);
#define LIBXL__SR_LATER INT_MIN
/* fd: as open_emulator returns it. */
void libxl__stream_read_emulator_ready(libxl__egc *egc, libxl__stream_read *sr,
                                       int fd);

#endif
