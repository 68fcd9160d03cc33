/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/blk_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#define NR_REST (sizeof(((struct blk_job *)0)->rest) / sizeof(struct iovec))

const struct iovec *libxl__blk_job_next(struct blk_job *job, unsigned *nr)
{
    uint64_t skip = job->moved;
    unsigned n = 0;

    if (!job->moved) {
        *nr = job->nr_iov;
        return job->iov;
    }
    for (unsigned i = 0; i < job->nr_iov && n < NR_REST; i++) {
        struct iovec piece = job->iov[i];

        if (skip >= piece.iov_len) {
            skip -= piece.iov_len;
            continue;
        }
        piece.iov_base = (char *)piece.iov_base + skip;
        piece.iov_len -= skip;
        skip = 0;
        job->rest[n++] = piece;
    }
    *nr = n;
    return job->rest;
}

bool libxl__blk_job_moved(struct blk_job *job, ssize_t moved)
{
    if (moved <= 0) {
        /* a file that is shorter than it was: not ours to make up */
        job->result = moved ? (int)moved : -EIO;
        return true;
    }
    job->moved += (uint64_t)moved;
    job->result = 0;
    return job->moved >= job->bytes;
}

int libxl__blk_job_falloc_mode(const struct blk_job *job)
{
    return job->kind == BLK_JOB_PUNCH
               ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
               : FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
}

static ssize_t transfer(libxl__blk_io *io, struct blk_job *job)
{
    unsigned nr;
    const struct iovec *iov = libxl__blk_job_next(job, &nr);
    off_t at = (off_t)(job->offset + job->moved);
    ssize_t r;

    if (nr > IOV_MAX)
        nr = IOV_MAX;
    do
        r = job->kind == BLK_JOB_READ
                ? preadv(io->fd, iov, (int)nr, at)
                : pwritev2(io->fd, iov, (int)nr, at,
                           job->durable ? RWF_DSYNC : 0);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

void libxl__blk_job_transfer(libxl__blk_io *io, struct blk_job *job)
{
    while (!libxl__blk_job_moved(job, transfer(io, job)))
        ;
}
