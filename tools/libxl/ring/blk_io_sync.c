/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blk_io_sync.c - plain calls on the loop thread. A device process has nothing
 * else to do than its one device; while the disk is slow, only it waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "ring/blk_io.h"

static void submit(libxl__egc *egc, libxl__blk_io *io, struct blk_job *job)
{
    switch (job->kind) {
    case BLK_JOB_READ:
    case BLK_JOB_WRITE:
        libxl__blk_job_transfer(io, job);
        break;
    case BLK_JOB_FLUSH:
        job->result = fdatasync(io->fd) ? -errno : 0;
        break;
    case BLK_JOB_PUNCH:
    case BLK_JOB_ZERO:
        job->result = fallocate(io->fd, libxl__blk_job_falloc_mode(job),
                                (off_t)job->offset, (off_t)job->bytes)
                          ? -errno
                          : 0;
        break;
    }
    io->done(egc, io->user, job);
}

static void flush(libxl__egc *egc, libxl__blk_io *io)
{
}

static void close_sync(libxl__blk_io *io)
{
    free(io);
}

static const struct libxl__blk_io_ops sync_ops = {
    .name = "plain calls",
    .submit = submit,
    .flush = flush,
    .close = close_sync,
};

libxl__blk_io *libxl__blk_io_sync_open(libxl_ctx *ctx, int fd,
                                       libxl__blk_done *done, void *user)
{
    libxl__blk_io *io = calloc(1, sizeof(*io));

    if (io)
        *io = (libxl__blk_io){&sync_ops, ctx, fd, done, user};
    return io;
}
