/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blk_io.h - how a block device reaches its file: io_uring where the kernel
 * allows it (blk_io_uring.c), plain calls where not (blk_io_sync.c).
 *
 * Thread:    loop thread only.
 * Lifetime:  a job, and the memory of its pieces, stay until done was called
 *            with it. done may be called from inside submit or flush.
 * Errors:    job->result: 0, or negative errno; short transfers are finished
 *            or become errors here.
 */
#ifndef LIBXL_BLK_IO_H
#define LIBXL_BLK_IO_H

#include <sys/uio.h>

#include "engine/egc.h"

typedef struct libxl__blk_io libxl__blk_io;

struct blk_job {
    enum { BLK_JOB_READ, BLK_JOB_WRITE, BLK_JOB_FLUSH, BLK_JOB_PUNCH,
           BLK_JOB_ZERO } kind;
    bool durable; /* of a write: on disk when done */
    uint64_t offset, bytes;
    const struct iovec *iov;
    unsigned nr_iov;
    int result;
    /* private */
    uint64_t moved;
    struct iovec rest[8]; /* the next pieces behind a short transfer */
};

typedef void libxl__blk_done(libxl__egc *egc, void *user, struct blk_job *job);

struct libxl__blk_io_ops {
    const char *name;
    void (*submit)(libxl__egc *egc, libxl__blk_io *io, struct blk_job *job);
    /* a batch of submits is over */
    void (*flush)(libxl__egc *egc, libxl__blk_io *io);
    void (*close)(libxl__blk_io *io); /* no job is under way */
};

struct libxl__blk_io {
    const struct libxl__blk_io_ops *ops;
    libxl_ctx *ctx;
    int fd;
    libxl__blk_done *done;
    void *user;
};

/* fd stays the caller's. NULL with *why (a string constant): not to be had. */
libxl__blk_io *libxl__blk_io_uring_open(libxl_ctx *ctx, int fd,
                                        libxl__blk_done *done, void *user,
                                        const char **why);
libxl__blk_io *libxl__blk_io_sync_open(libxl_ctx *ctx, int fd,
                                       libxl__blk_done *done, void *user);

/* What a job has to move next: its pieces behind job->moved. */
const struct iovec *libxl__blk_job_next(struct blk_job *job, unsigned *nr);
/* The transfer moved so many bytes, or failed: true when the job is over
 * (result set). */
bool libxl__blk_job_moved(struct blk_job *job, ssize_t moved);
/* A read or write by plain calls, to its end: result is set. */
void libxl__blk_job_transfer(libxl__blk_io *io, struct blk_job *job);
/* fallocate's mode for a job. */
int libxl__blk_job_falloc_mode(const struct blk_job *job);

#endif
