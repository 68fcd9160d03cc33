/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_file.c - files, read and written off the loop thread.
 *
 * call -> open, judge -> (piece)* -> answer
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent_sha256.h"
#include "agent/agent_wire.h"
#include "agent/agentd_core.h"
#include "base/container.h"

struct file_call {
    agentd *d;
    libxl__agent_job *job;
    libxl__ev_file ev;
    int fd;
    struct stat st;
    uint64_t offset;
    size_t wanted, done;
    bool hash, view, ended;
    uint8_t *buf;
};

static struct file_call *call_of_ev(libxl__ev_file *ev)
{
    return CONTAINER_OF(ev, struct file_call, ev);
}

static void call_free(struct file_call *fc)
{
    close(fc->fd);
    free(fc->buf);
    free(fc);
}

static struct file_call *call_new(libxl__egc *egc, agentd *d,
                                  libxl__agent_job *job, int fd, size_t wanted)
{
    struct file_call *fc;

    if (fd < 0) {
        libxl__agentd_fail_errno(egc, job, -fd);
        return NULL;
    }
    fc = calloc(1, sizeof(*fc));
    if (fc)
        fc->buf = malloc(wanted ? wanted : 1);
    if (!fc || !fc->buf || fstat(fd, &fc->st)) {
        free(fc ? fc->buf : NULL);
        free(fc);
        close(fd);
        libxl__agentd_fail_errno(egc, job, ENOMEM);
        return NULL;
    }
    fc->d = d;
    fc->job = job;
    fc->fd = fd;
    fc->wanted = wanted;
    libxl__ev_file_init(&fc->ev);
    return fc;
}

/* Changes when the file does: pieces of two files are not taken for one. */
static void tag_of(const struct stat *st, char out[80])
{
    snprintf(out, 80, "%jx-%jx-%jx-%jx.%lx", (uintmax_t)st->st_dev,
             (uintmax_t)st->st_ino, (uintmax_t)st->st_size,
             (uintmax_t)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec);
}

static char *result_text(struct file_call *fc, libxl__gc *gc)
{
    char tag[80], hex[LIBXL__SHA256_HEX + 1] = "";
    struct libxl__sha256 sum;

    if (fc->view)
        return libxl__sprintf(gc, "{\"length\":%zu,\"truncated\":%s}", fc->done,
                              fc->ended ? "false" : "true");
    if (fc->hash) {
        libxl__sha256_init(&sum);
        libxl__sha256_add(&sum, fc->buf, fc->done);
        libxl__sha256_hex(&sum, hex);
    }
    tag_of(&fc->st, tag);
    return libxl__sprintf(
        gc,
        "{\"size\":%jd,\"length\":%zu,\"eof\":%s,"
        "\"tag\":\"%s\"%s%s%s}",
        (intmax_t)fc->st.st_size, fc->done, fc->ended ? "true" : "false", tag,
        fc->hash ? ",\"sha256\":\"" : "", hex, fc->hash ? "\"" : "");
}

static void answer_read(libxl__egc *egc, struct file_call *fc)
{
    char *text = result_text(fc, libxl__egc_gc(egc));

    if (text)
        libxl__agent_job_result(egc, fc->job, text, fc->buf, fc->done);
    else
        libxl__agentd_fail_errno(egc, fc->job, ENOMEM);
    call_free(fc);
}

static void read_piece(libxl__egc *egc, struct file_call *fc);

static void was_read(libxl__egc *egc, libxl__ev_file *ev, ssize_t result)
{
    struct file_call *fc = call_of_ev(ev);

    if (result < 0) {
        libxl__agentd_fail_errno(egc, fc->job, (int)-result);
        call_free(fc);
        return;
    }
    fc->done += (size_t)result;
    fc->ended = !result;
    read_piece(egc, fc);
}

static void read_piece(libxl__egc *egc, struct file_call *fc)
{
    if (fc->ended || fc->done == fc->wanted) {
        answer_read(egc, fc);
        return;
    }
    if (libxl__ev_file_read(fc->d->ctx, &fc->ev, was_read, fc->fd,
                            fc->buf + fc->done, fc->wanted - fc->done,
                            (int64_t)(fc->offset + fc->done))) {
        libxl__agentd_fail_errno(egc, fc->job, ENOMEM);
        call_free(fc);
    }
}

static const char *path_of(libxl__egc *egc, libxl__agent_job *job)
{
    const char *path = libxl__json_string(job->params, "path");

    if (path && libxl__agentd_path_ok(path))
        return path;
    libxl__agent_job_error(egc, job, AGENT_E_PARAMS,
                           "path: absolute, without .. components");
    return NULL;
}

void libxl__agentd_getfile(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    const char *path = path_of(egc, job);
    uint64_t offset, length;
    struct file_call *fc;

    if (!path)
        return;
    if (!libxl__json_u64(job->params, "offset", &offset) ||
        !libxl__json_u64(job->params, "length", &length) ||
        offset > INT64_MAX - LIBXL__AGENT_DATA_MAX || !length) {
        libxl__agent_job_error(egc, job, AGENT_E_PARAMS, "offset and length");
        return;
    }
    if (length > LIBXL__AGENT_DATA_MAX) {
        libxl__agent_job_error(egc, job, AGENT_E_TOO_BIG, NULL);
        return;
    }
    fc = call_new(egc, d, job, libxl__agentd_open_read(&d->conf, path),
                  (size_t)length);
    if (!fc)
        return;
    fc->offset = offset;
    if (!libxl__json_bool(job->params, "sha256", &fc->hash))
        fc->hash = false;
    read_piece(egc, fc);
}

void libxl__agentd_viewfile(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    const char *path = path_of(egc, job);
    struct file_call *fc;

    if (!path)
        return;
    fc = call_new(egc, d, job, libxl__agentd_open_read(&d->conf, path),
                  LIBXL__AGENT_DATA_MAX);
    if (!fc)
        return;
    fc->view = true;
    read_piece(egc, fc);
}

/* ---- writing ---- */

static void write_piece(libxl__egc *egc, struct file_call *fc);

static void was_written(libxl__egc *egc, libxl__ev_file *ev, ssize_t result)
{
    struct file_call *fc = call_of_ev(ev);

    if (result <= 0) {
        libxl__agentd_fail_errno(egc, fc->job, result ? (int)-result : EIO);
        call_free(fc);
        return;
    }
    fc->done += (size_t)result;
    write_piece(egc, fc);
}

/* The job's data stay until it is finished. */
static void write_piece(libxl__egc *egc, struct file_call *fc)
{
    char text[48];

    if (fc->done == fc->wanted) {
        snprintf(text, sizeof(text), "{\"length\":%zu}", fc->done);
        libxl__agent_job_result(egc, fc->job, text, NULL, 0);
        call_free(fc);
        return;
    }
    if (libxl__ev_file_write(fc->d->ctx, &fc->ev, was_written, fc->fd,
                             fc->job->data + fc->done, fc->wanted - fc->done,
                             (int64_t)(fc->offset + fc->done))) {
        libxl__agentd_fail_errno(egc, fc->job, ENOMEM);
        call_free(fc);
    }
}

void libxl__agentd_putfile(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    const char *path = path_of(egc, job);
    struct file_call *fc;
    uint64_t offset;

    if (!path)
        return;
    if (!libxl__json_u64(job->params, "offset", &offset) ||
        offset > INT64_MAX - LIBXL__AGENT_DATA_MAX) {
        libxl__agent_job_error(egc, job, AGENT_E_PARAMS, "offset");
        return;
    }
    fc = call_new(egc, d, job, libxl__agentd_open_write(&d->conf, path), 0);
    if (!fc)
        return;
    fc->offset = offset;
    fc->wanted = job->data_bytes;
    if (!offset && ftruncate(fc->fd, 0)) {
        libxl__agentd_fail_errno(egc, job, errno);
        call_free(fc);
        return;
    }
    write_piece(egc, fc);
}
