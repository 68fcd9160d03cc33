/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bufwriter.c - start -> (wrote some)* -> finish */
#include "io/bufwriter.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "io/dc_log.h"
#include "io/io_end.h"

struct libxl__bw_state {
    libxl__bufwriter *bw;
    libxl__io_end end;
    libxl__ao_abortable abrt;
    libxl__ev_time at_once; /* for 0 bytes */
    char *buf;              /* malloc'ed, ours */
    size_t wanted, put;
};

static struct libxl__bw_state *state_of_end(libxl__io_end *end)
{
    return CONTAINER_OF(end, struct libxl__bw_state, end);
}

static struct libxl__bw_state *state_of_abrt(libxl__ao_abortable *abrt)
{
    return CONTAINER_OF(abrt, struct libxl__bw_state, abrt);
}

static struct libxl__bw_state *state_of_time(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__bw_state, at_once);
}

static void finish(libxl__egc *egc, struct libxl__bw_state *st,
                   enum libxl__dc_how how, int errnoval)
{
    libxl__bufwriter *bw = st->bw;
    const struct libxl__dc_result res = {
        .how = how, .errnoval = errnoval, .bytes = st->put};

    libxl__bufwriter_kill(bw);
    libxl__dc_log(bw->ao, &res, NULL, bw->what);
    bw->callback(egc, bw, &res);
}

static int write_more(struct libxl__bw_state *st)
{
    return libxl__io_end_transfer(&st->end, st->buf + st->put,
                                  st->wanted - st->put);
}

static void wrote_some(libxl__egc *egc, libxl__io_end *end, ssize_t result)
{
    struct libxl__bw_state *st = state_of_end(end);

    if (result <= 0) {
        finish(egc, st, DC_WRITE_ERR, result ? (int)-result : EIO);
        return;
    }
    st->put += (size_t)result;
    if (st->put == st->wanted)
        finish(egc, st, DC_DONE, 0);
    else if (write_more(st))
        finish(egc, st, DC_ENGINE, 0);
}

static void wrote_nothing(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    finish(egc, state_of_time(ev), DC_DONE, 0);
}

static void aborted(libxl__egc *egc, libxl__ao_abortable *abrt, int rc)
{
    finish(egc, state_of_abrt(abrt), DC_ABORTED, 0);
}

void libxl__bufwriter_init(libxl__bufwriter *bw)
{
    bw->state = NULL;
}

static int begin(struct libxl__bw_state *st)
{
    libxl__bufwriter *bw = st->bw;
    libxl_ctx *ctx = libxl__ao_ctx(bw->ao);
    int rc;

    st->abrt.ao = bw->ao;
    st->abrt.callback = aborted;
    rc = libxl__ao_abortable_register(&st->abrt);
    if (rc)
        return rc;
    if (!st->wanted)
        return libxl__ev_time_register_rel(ctx, NULL, &st->at_once,
                                           wrote_nothing, 0);
    rc = libxl__io_end_open(&st->end, bw->fd, true, wrote_some);
    if (rc)
        return rc;
    return write_more(st);
}

int libxl__bufwriter_start_owned(libxl__bufwriter *bw, void *buf, size_t bytes)
{
    struct libxl__bw_state *st;
    int rc;

    assert(!bw->state);
    st = calloc(1, sizeof(*st));
    if (!st) {
        free(buf);
        return ERROR_NOMEM;
    }
    bw->state = st;
    st->bw = bw;
    st->buf = buf;
    st->wanted = bytes;
    libxl__io_end_init(libxl__ao_ctx(bw->ao), &st->end);
    libxl__ao_abortable_init(&st->abrt);
    libxl__ev_time_init(&st->at_once);
    rc = begin(st);
    if (rc)
        libxl__bufwriter_kill(bw);
    return rc;
}

int libxl__bufwriter_start(libxl__bufwriter *bw, const void *buf, size_t bytes)
{
    void *copy = malloc(bytes ? bytes : 1);

    if (!copy)
        return ERROR_NOMEM;
    if (bytes)
        memcpy(copy, buf, bytes);
    return libxl__bufwriter_start_owned(bw, copy, bytes);
}

void libxl__bufwriter_kill(libxl__bufwriter *bw)
{
    struct libxl__bw_state *st = bw->state;

    if (!st)
        return;
    bw->state = NULL;
    libxl__ao_abortable_deregister(&st->abrt);
    libxl__ev_time_deregister(libxl__ao_ctx(bw->ao), &st->at_once);
    if (!libxl__io_end_close(&st->end, st->buf))
        free(st->buf);
    free(st);
}
