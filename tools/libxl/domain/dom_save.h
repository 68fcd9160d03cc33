/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dom_save.h - one guest as one libxl stream on an fd: what save, the fd-level
 * suspend and migration have in common.
 *
 * Owns:      the helper's fds of the guest and the device model's state, while
 *            it runs. The fd, the lock and the journal are the caller's.
 * Thread:    loop thread only.
 * Abort:     through the ao; the callback still runs.
 * Errors:    rc, logged. The guest then is as it was before (running or
 *            paused), unless guest_lost says that it could not be put back, or
 *            guest_late that it was told to suspend and may still do so.
 * Lifetime:  the struct stays until the callback, which runs exactly once,
 *            never from inside start. Success leaves the guest suspended.
 */
#ifndef LIBXL_DOM_SAVE_H
#define LIBXL_DOM_SAVE_H

#include "dev/dev_save.h"
#include "domain/dom_op.h"
#include "helper/save_helper.h"
#include "host/host.h"
#include "stream/stream_write.h"

/* Of the device model, which may be asked for it before the stream wants it. */
enum libxl__dom_save_state {
    DOM_SAVE_STATE_NONE,
    DOM_SAVE_STATE_TAKING,
    DOM_SAVE_STATE_TAKEN,
};

typedef struct libxl__dom_save libxl__dom_save;
struct libxl__dom_save {
    /* caller fills; stays valid until the callback */
    libxl__ao *ao;
    libxl__host *host;
    uint32_t domid;
    int fd;
    unsigned flags;      /* LIBXL_SUSPEND_* */
    bool reader_answers; /* when it has all, before the guest runs anywhere */
    bool guest_goes; /* once all went well, the guest is not to run on here */
    const libxl_precopy_how *precopy;
    const char *what;    /* for progress; NULL: "Saving" */
    bool zero_as_xalloc; /* the reader is known to be ours */
    uint32_t rest_ms;    /* how long a stop takes besides its memory */
    bool was_late;       /* guest_late, of a save before */
    void *user;
    void (*callback)(libxl__egc *egc, libxl__dom_save *ds, int rc);
    /* results, valid in callback */
    struct libxl__helper_results results;
    uint64_t suspended_at_ms; /* 0: never suspended */
    uint64_t stood_at_ms, memory_sent_at_ms;
    bool guest_lost;
    bool guest_late;
    /* private */
    struct libxl__helper_guest guest;
    bool guest_open;
    bool helper_running;
    bool memory_out, stream_over;
    int helper_rc, rc;
    enum libxl__dom_save_state state;
    bool state_wanted;
    int state_rc;
    int emulator_fd;
    int dirfd;           /* of the domain */
    libxl__dev_save dev; /* devices in processes of their own */
    bool dev_open;
    struct libxl__emulator_state emulator;
    libxl__stream_write sw;
    libxl__save_helper sh;
    libxl__host_call call, dm_call;
};

/* Non-zero: nothing was started, and no callback comes. */
int libxl__dom_save_start(libxl__egc *egc, libxl__dom_save *ds);
/* The reader has turned out to be ours; also before start, and behind the end.
 */
void libxl__dom_save_takes_xalloc(libxl__dom_save *ds);
/* After a failure, the caller's journal, which was written: it has served, or
 * whoever finds it once the guest has suspended resumes it. */
int libxl__dom_save_end_journal(const libxl__dom_save *ds, libxl__dom_op *op,
                                struct libxl__journal *j);

#endif
