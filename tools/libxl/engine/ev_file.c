/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ev_file.c - one blocking call on a file, made by the worker.
 *
 * start -> (worker: run_*) -> finished -> callback, or nothing if forgotten
 */
#include "engine/ev_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "engine/worker.h"

struct libxl__file_req {
    libxl__job job;
    libxl__ev_file *ev; /* NULL: forgotten */
    int fd;
    void *buf;
    size_t bytes;
    int64_t offset;
    ssize_t result;
    void *owned; /* freed at the end: the forgetter's buffer */
};

static struct libxl__file_req *req_of_job(libxl__job *job)
{
    return CONTAINER_OF(job, struct libxl__file_req, job);
}

static void set_result(struct libxl__file_req *req, ssize_t n)
{
    req->result = n < 0 ? -errno : n;
}

static void run_read(libxl__job *job)
{
    struct libxl__file_req *req = req_of_job(job);
    ssize_t n;

    do
        n = req->offset < 0 ? read(req->fd, req->buf, req->bytes)
                            : pread(req->fd, req->buf, req->bytes, req->offset);
    while (n < 0 && errno == EINTR);
    set_result(req, n);
}

static void run_write(libxl__job *job)
{
    struct libxl__file_req *req = req_of_job(job);
    ssize_t n;

    do
        n = req->offset < 0
                ? write(req->fd, req->buf, req->bytes)
                : pwrite(req->fd, req->buf, req->bytes, req->offset);
    while (n < 0 && errno == EINTR);
    set_result(req, n);
}

static void run_fsync(libxl__job *job)
{
    struct libxl__file_req *req = req_of_job(job);

    set_result(req, fsync(req->fd));
}

static void req_free(struct libxl__file_req *req)
{
    close(req->fd);
    free(req->owned);
    free(req);
}

static void finished(libxl__egc *egc, libxl__job *job)
{
    struct libxl__file_req *req = req_of_job(job);
    libxl__ev_file *ev = req->ev;
    ssize_t result = req->result;

    req_free(req);
    if (!ev)
        return;
    ev->req = NULL;
    ev->callback(egc, ev, result);
}

void libxl__ev_file_init(libxl__ev_file *ev)
{
    ev->req = NULL;
}

static int start(libxl_ctx *ctx, libxl__ev_file *ev,
                 libxl__ev_file_callback *callback,
                 const struct libxl__file_req *call)
{
    struct libxl__file_req *req;
    int rc;

    assert(!libxl__ev_file_busy(ev));
    req = malloc(sizeof(*req));
    if (!req)
        return ERROR_NOMEM;
    *req = *call;
    /* a descriptor of its own: the caller may forget the call and close his */
    req->fd = fcntl(call->fd, F_DUPFD_CLOEXEC, 3);
    if (req->fd < 0) {
        LOGE(ctx, ERROR, errno, "cannot duplicate fd %d", call->fd);
        free(req);
        return ERROR_FAIL;
    }
    req->ev = ev;
    req->job.done = finished;
    rc = libxl__worker_submit(ctx, &req->job);
    if (rc) {
        req_free(req);
        return rc;
    }
    ev->callback = callback;
    ev->req = req;
    return 0;
}

int libxl__ev_file_read(libxl_ctx *ctx, libxl__ev_file *ev,
                        libxl__ev_file_callback *callback, int fd, void *buf,
                        size_t bytes, int64_t offset)
{
    const struct libxl__file_req call = {
        .job.run = run_read,
        .fd = fd,
        .buf = buf,
        .bytes = bytes,
        .offset = offset,
    };

    return start(ctx, ev, callback, &call);
}

int libxl__ev_file_write(libxl_ctx *ctx, libxl__ev_file *ev,
                         libxl__ev_file_callback *callback, int fd,
                         const void *buf, size_t bytes, int64_t offset)
{
    const struct libxl__file_req call = {
        .job.run = run_write,
        .fd = fd,
        .buf = (void *)buf,
        .bytes = bytes,
        .offset = offset,
    };

    return start(ctx, ev, callback, &call);
}

int libxl__ev_file_fsync(libxl_ctx *ctx, libxl__ev_file *ev,
                         libxl__ev_file_callback *callback, int fd)
{
    const struct libxl__file_req call = {.job.run = run_fsync, .fd = fd};

    return start(ctx, ev, callback, &call);
}

void libxl__ev_file_forget(libxl__ev_file *ev, void *owned_buf)
{
    assert(libxl__ev_file_busy(ev));
    ev->req->ev = NULL;
    ev->req->owned = owned_buf;
    ev->req = NULL;
}

bool libxl__ev_file_busy(const libxl__ev_file *ev)
{
    return ev->req;
}
