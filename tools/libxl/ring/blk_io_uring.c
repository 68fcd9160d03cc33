/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blk_io_uring.c - io_uring: a batch of requests is one system call. What would
 * not wait for the disk is done at once, on the loop thread.
 *
 * submit -> do_here -> done ; or (queue)
 * flush -> read_cached -> done ; or io_uring_submit -> reap what is done
 * on_completion (eventfd) -> reap -> done, or the rest of a short transfer
 *
 * The kernel may hold more completions than the ring: jobs under way are
 * bounded by the queues of the device, and what finds no submission entry
 * submits the batch first.
 */
#include <errno.h>
#include <limits.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "engine/ev_fd.h"
#include "ring/blk_io.h"
#include "ring/blk_pace.h"

#define ENTRIES 256u

struct uring_io {
    libxl__blk_io io;
    struct io_uring ring;
    int event_fd;
    libxl__ev_fd ev;
    unsigned nr_queued;   /* not submitted yet */
    struct blk_job *lone; /* a read, the only one of its batch until now */
    bool no_nowait;       /* the file system cannot say what lies in memory */
    struct blk_pace flushes, reads;
};

static struct uring_io *uring_of(libxl__blk_io *io)
{
    return CONTAINER_OF(io, struct uring_io, io);
}

static struct uring_io *uring_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct uring_io, ev);
}

static void prepare(struct uring_io *u, struct io_uring_sqe *sqe,
                    struct blk_job *job)
{
    unsigned nr;
    const struct iovec *iov;

    switch (job->kind) {
    case BLK_JOB_READ:
    case BLK_JOB_WRITE:
        iov = libxl__blk_job_next(job, &nr);
        if (nr > IOV_MAX)
            nr = IOV_MAX;
        if (job->kind == BLK_JOB_READ)
            io_uring_prep_readv(sqe, u->io.fd, iov, nr,
                                job->offset + job->moved);
        else
            io_uring_prep_writev2(sqe, u->io.fd, iov, nr,
                                  job->offset + job->moved,
                                  job->durable ? RWF_DSYNC : 0);
        break;
    case BLK_JOB_FLUSH:
        io_uring_prep_fsync(sqe, u->io.fd, IORING_FSYNC_DATASYNC);
        break;
    case BLK_JOB_PUNCH:
    case BLK_JOB_ZERO:
        io_uring_prep_fallocate(sqe, u->io.fd, libxl__blk_job_falloc_mode(job),
                                (off_t)job->offset, (off_t)job->bytes);
        break;
    }
    io_uring_sqe_set_data(sqe, job);
}

static void submit_queued(struct uring_io *u)
{
    u->nr_queued = 0;
    io_uring_submit(&u->ring);
}

static void queue(libxl__egc *egc, struct uring_io *u, struct blk_job *job)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

    if (!sqe) {
        submit_queued(u);
        sqe = io_uring_get_sqe(&u->ring);
    }
    if (!sqe) {
        job->result = -EAGAIN;
        u->io.done(egc, u->io.user, job);
        return;
    }
    prepare(u, sqe, job);
    u->nr_queued++;
}

/* True: the job is over. */
static bool ended(struct blk_job *job, int result)
{
    if (result == -EINTR || result == -EAGAIN)
        return false;
    if (job->kind == BLK_JOB_READ || job->kind == BLK_JOB_WRITE)
        return libxl__blk_job_moved(job, result);
    job->result = result;
    return true;
}

static void reap(libxl__egc *egc, struct uring_io *u)
{
    struct io_uring_cqe *cqe;
    bool more = true;

    while (more) {
        more = false;
        while (!io_uring_peek_cqe(&u->ring, &cqe)) {
            struct blk_job *job = io_uring_cqe_get_data(cqe);
            int result = cqe->res;

            io_uring_cqe_seen(&u->ring, cqe);
            if (ended(job, result)) {
                u->io.done(egc, u->io.user, job);
            } else {
                queue(egc, u, job);
                more = true;
            }
        }
        if (more)
            submit_queued(u);
    }
}

/* ---- on the loop thread ---- */

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Is it done here? *pace: if it may wait, what tells how long they do. */
static bool here(struct uring_io *u, const struct blk_job *job,
                 struct blk_pace **pace)
{
    bool write = job->kind == BLK_JOB_WRITE;

    *pace = NULL;
    /* To the page cache it is a copy. io_uring would hand it to one worker
     * thread a file (file systems lock the file, and say so), at a third of
     * the speed. */
    if (write && !job->durable)
        return true;
    if (write || job->kind == BLK_JOB_FLUSH)
        *pace = &u->flushes;
    else if (job->kind == BLK_JOB_READ && u->no_nowait)
        *pace = &u->reads;
    return *pace && blk_pace_here(*pace);
}

/* True: the job is over. */
static bool do_here(struct uring_io *u, struct blk_job *job)
{
    struct blk_pace *pace;
    uint64_t start;

    if (!here(u, job, &pace))
        return false;
    start = pace ? now_ns() : 0;
    if (job->kind == BLK_JOB_FLUSH)
        job->result = fdatasync(u->io.fd) ? -errno : 0;
    else
        libxl__blk_job_transfer(&u->io, job);
    if (pace)
        blk_pace_took(pace, now_ns() - start);
    return true;
}

/* A read that waits for nothing: true, it is over. */
static bool read_cached(struct uring_io *u, struct blk_job *job)
{
    unsigned nr;
    const struct iovec *iov = libxl__blk_job_next(job, &nr);
    ssize_t r = preadv2(u->io.fd, iov, (int)(nr < IOV_MAX ? nr : IOV_MAX),
                        (off_t)job->offset, RWF_NOWAIT);

    if (r < 0 && errno == EOPNOTSUPP)
        u->no_nowait = true;
    return r > 0 && libxl__blk_job_moved(job, r);
}

static void submit(libxl__egc *egc, libxl__blk_io *io, struct blk_job *job)
{
    struct uring_io *u = uring_of(io);

    if (do_here(u, job)) {
        io->done(egc, io->user, job);
        return;
    }
    if (job->kind == BLK_JOB_READ && !u->lone && !u->nr_queued) {
        u->lone = job;
        return;
    }
    if (u->lone)
        queue(egc, u, u->lone);
    u->lone = NULL;
    queue(egc, u, job);
}

static void flush(libxl__egc *egc, libxl__blk_io *io)
{
    struct uring_io *u = uring_of(io);
    struct blk_job *lone = u->lone;

    u->lone = NULL;
    if (lone && read_cached(u, lone))
        io->done(egc, io->user, lone);
    else if (lone)
        queue(egc, u, lone);
    if (!u->nr_queued)
        return;
    submit_queued(u);
    /* what lies in the page cache is done already */
    reap(egc, u);
}

static void on_completion(libxl__egc *egc, libxl__ev_fd *ev, int fd,
                          short events, short revents)
{
    struct uring_io *u = uring_of_ev(ev);
    uint64_t count;

    /* nothing to read is a wake-up whose completions were reaped before */
    if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        LOGE(u->io.ctx, WARN, errno, "io_uring's eventfd");
    reap(egc, u);
}

static void close_uring(libxl__blk_io *io)
{
    struct uring_io *u = uring_of(io);

    libxl__ev_fd_deregister(io->ctx, &u->ev);
    io_uring_queue_exit(&u->ring);
    close(u->event_fd);
    free(u);
}

static const struct libxl__blk_io_ops uring_ops = {
    .name = "io_uring",
    .submit = submit,
    .flush = flush,
    .close = close_uring,
};

libxl__blk_io *libxl__blk_io_uring_open(libxl_ctx *ctx, int fd,
                                        libxl__blk_done *done, void *user,
                                        const char **why)
{
    struct uring_io *u = calloc(1, sizeof(*u));

    *why = "no memory";
    if (!u)
        return NULL;
    u->io = (libxl__blk_io){&uring_ops, ctx, fd, done, user};
    libxl__ev_fd_init(&u->ev);
    *why = "the kernel does not allow io_uring";
    if (io_uring_queue_init(ENTRIES, &u->ring, 0))
        goto out_free;
    *why = "no eventfd";
    u->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (u->event_fd < 0)
        goto out_ring;
    *why = "the kernel's io_uring tells no eventfd";
    if (io_uring_register_eventfd(&u->ring, u->event_fd))
        goto out_fd;
    *why = "the eventfd cannot be watched";
    if (libxl__ev_fd_register(ctx, &u->ev, on_completion, u->event_fd, POLLIN))
        goto out_fd;
    return &u->io;

out_fd:
    close(u->event_fd);
out_ring:
    io_uring_queue_exit(&u->ring);
out_free:
    free(u);
    return NULL;
}
