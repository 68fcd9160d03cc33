/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * worker.h - one thread a ctx that makes calls which block: those of files
 * (ev_file.h), and a Xen host's builder.
 *
 * libuv's own pool is not used: it starts four threads with 8 MiB stacks, more
 * than a save may take as a whole, and ends the process when it cannot.
 *
 * Owns:      the thread, made at the first job. Jobs are the caller's.
 * Thread:    run is called on the worker's thread and touches nothing but its
 *            job; all else is on the loop thread.
 * Lifetime:  a job stays until done was called; jobs are made in order, so a
 *            long one holds up those behind it. None can be taken back.
 */
#ifndef LIBXL_WORKER_H
#define LIBXL_WORKER_H

#include <sys/queue.h>

#include "engine/egc.h"

typedef struct libxl__job libxl__job;
struct libxl__job {
    void (*run)(libxl__job *job);
    void (*done)(libxl__egc *egc, libxl__job *job);
    STAILQ_ENTRY(libxl__job) entry; /* private */
};

int libxl__worker_submit(libxl_ctx *ctx, libxl__job *job);
/* Waits for the call that runs; done is called for it and for all that wait
 * (which were not run). */
void libxl__worker_close(libxl_ctx *ctx);

#endif
