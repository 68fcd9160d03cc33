/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream_rig.h - one stream written or read whole, with libxc's part played by
 * the rig (LIBXC bytes) or by a real save helper on the fake host.
 *
 * rig_write and rig_read are synchronous and return the operation's rc.
 */
#ifndef STREAM_RIG_H
#define STREAM_RIG_H

#include "engine/engine_fixture.h"
#include "helper/save_helper.h"
#include "stream/stream_read.h"
#include "stream/stream_write.h"

#define RIG_DOMID 7
#define RIG_LIBXC "libxc!!!" /* the rig's part of libxc: 8 bytes */

struct rig {
    struct fixture *f;
    /* set by the test */
    bool use_helper;
    uint64_t memory_bytes; /* of the helper's guest */
    const char *hv;        /* of it; NULL: "fake" */
    int fd;
    unsigned flags; /* LIBXL_SUSPEND_* */
    bool hvm, need_emulator;
    unsigned nr_devices;
    const struct libxl__emulator_state *states;
    unsigned nr_states;
    const void *xs_data;
    size_t xs_bytes;
    int libxc_rc, emulator_rc; /* what the parts answer */
    int suspend_reply;
    /* called when the helper asks for the suspension; NULL: answered */
    void (*on_suspend)(libxl__egc *egc, struct rig *r);
    /* called when the helper runs */
    void (*on_started)(libxl__egc *egc, struct rig *r);
    bool wants_written; /* to be told when the helper's stream is whole */
    /* what was seen */
    unsigned written;
    unsigned suspends, logdirties, libxc_runs, callbacks;
    int emulator_fd[4]; /* memfds, by index; -1: none came */
    uint32_t emulator_id[4];
    char keys[512]; /* "key=value;" ... */
    struct libxl__helper_results results;
    /* private */
    libxl__ao *ao;
    libxl__stream_write sw;
    libxl__stream_read sr;
    libxl__save_helper sh;
    struct libxl__helper_guest guest;
};

void rig_init(struct rig *r, struct fixture *f, int fd);
void rig_dispose(struct rig *r);
int rig_write(struct rig *r, const libxl_asyncop_how *how);
int rig_read(struct rig *r, const libxl_asyncop_how *how);
/* A memfd that holds these bytes, at its position 0. */
int rig_memfd(const void *bytes, size_t n);
/* The whole file, malloc'ed. */
uint8_t *rig_slurp(int fd, size_t *n);

#endif
