/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save_helper.h - toolstack side of the save helper: one process that runs one
 * xc_sr_save or xc_sr_restore (docs/specs/save-helper.md).
 *
 * Owns:      the child and its socket. The stream fd and the guest's fds
 *            are lent: blocking and without a watcher meanwhile, and put back.
 * Thread:    loop thread only.
 * Abort:     SIGTERM to the child; the callback still runs, with
 *            ERROR_ABORTED, when the child is gone. A child that does not obey
 *            within 10 s is killed.
 * Lifetime:  dead when the callback runs: the child has been reaped, and no
 *            request of its is open: one that is holds the callback back.
 */
#ifndef LIBXL_SAVE_HELPER_H
#define LIBXL_SAVE_HELPER_H

#include "engine/engine.h"

typedef struct libxl__save_helper libxl__save_helper;

/* How the child reaches the guest: filled by the host backend, which also
 * closes the fds after the helper has ended. */
#define LIBXL__HELPER_MAX_FDS 8
struct libxl__helper_guest {
    const char *hv; /* "qemu", "xen", "fake" */
    uint32_t domid;
    uint64_t memory_bytes;
    int32_t qemu_pid;
    uint64_t qemu_va;
    /* -1: absent */
    int memory_fd, pagemap_fd, uffd, clear_refs_fd;
    int dev_log_fd; /* a bit a page, set by the guest's device processes */
    /* Xen, restore: the new domain's ends of its channels to the host */
    uint32_t store_port, console_port;
};

struct libxl__helper_results {
    uint64_t store_pfn, console_pfn;
    uint64_t bytes, data_pages, zero_pages, passes;
};

struct libxl__save_helper {
    /* caller fills; stays valid until the callback */
    libxl__ao *ao;
    uint32_t domid;
    bool restore;
    int stream_fd;
    const struct libxl__helper_guest *guest;
    unsigned flags;                   /* LIBXL_SUSPEND_* */
    const libxl_precopy_how *precopy; /* NULL: defaults */
    bool by_reference; /* save: the reader says when it has all of the stream */
    bool leave_log; /* save: behind success the dirty log may stay on */
    const char *what;                 /* "Saving", "Restoring": for progress */
    bool zero_as_xalloc; /* save: the stream's reader is known to be ours */
    uint32_t rest_ms;    /* save: how long a stop takes besides its memory */
    /* Requests of the child. Each is answered, once, later or at once, with
     * libxl__save_helper_reply. NULL: answered 0 by itself. */
    void (*suspend)(libxl__egc *egc, libxl__save_helper *sh);
    void (*switch_dm_logdirty)(libxl__egc *egc, libxl__save_helper *sh,
                               bool enable);
    void (*static_data_done)(libxl__egc *egc, libxl__save_helper *sh,
                             unsigned missing);
    /* NULL, or: a save's stream is whole, and stream_fd the caller's again;
     * the child only tidies up, and the callback will say how that went. */
    void (*written)(libxl__egc *egc, libxl__save_helper *sh);
    void (*callback)(libxl__egc *egc, libxl__save_helper *sh, int rc);
    /* results, valid in written and in callback */
    struct libxl__helper_results results;
    /* private */
    struct libxl__sh_state *state;
};

void libxl__save_helper_init(libxl__save_helper *sh);
int libxl__save_helper_start(libxl__egc *egc, libxl__save_helper *sh);
/* 0, or a negative errno: the child's operation then fails with it. */
void libxl__save_helper_reply(libxl__egc *egc, libxl__save_helper *sh,
                              int reply);
/* Save: its reader has turned out to be ours: from the next batch on zero pages
 * travel without data. Also fit for one that has not been started, or ended. */
void libxl__save_helper_takes_xalloc(libxl__save_helper *sh);
/* As an abort, but the callback gets rc. Idempotent. */
void libxl__save_helper_stop(libxl__egc *egc, libxl__save_helper *sh, int rc);
/* The child, for the journal. 0 when not running. */
pid_t libxl__save_helper_pid(const libxl__save_helper *sh);

#endif
