/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bufreader.c - start -> (got some)* -> finish
 *
 * A file is read into a piece of our own and copied: a call that was killed
 * may still write there, when the caller's buffer is long gone.
 */
#include "io/bufreader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "io/dc_log.h"
#include "io/io_end.h"

enum { PIECE = 256 * 1024 };

struct libxl__br_state {
    libxl__bufreader *br;
    libxl__io_end end;
    libxl__ao_abortable abrt;
    libxl__ev_time at_once; /* for 0 bytes */
    char *buf, *piece;      /* piece: NULL unless a file */
    size_t wanted, got;
};

static struct libxl__br_state *state_of_end(libxl__io_end *end)
{
    return CONTAINER_OF(end, struct libxl__br_state, end);
}

static struct libxl__br_state *state_of_abrt(libxl__ao_abortable *abrt)
{
    return CONTAINER_OF(abrt, struct libxl__br_state, abrt);
}

static struct libxl__br_state *state_of_time(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__br_state, at_once);
}

static void finish(libxl__egc *egc, struct libxl__br_state *st,
                   enum libxl__dc_how how, int errnoval)
{
    libxl__bufreader *br = st->br;
    const struct libxl__dc_result res = {
        .how = how, .errnoval = errnoval, .bytes = st->got};

    libxl__bufreader_kill(br);
    libxl__dc_log(br->ao, &res, br->what, NULL);
    br->callback(egc, br, &res);
}

static int read_more(struct libxl__br_state *st)
{
    size_t rest = st->wanted - st->got;

    if (st->piece)
        return libxl__io_end_transfer(&st->end, st->piece,
                                      rest < PIECE ? rest : PIECE);
    return libxl__io_end_transfer(&st->end, st->buf + st->got, rest);
}

static void got_some(libxl__egc *egc, libxl__io_end *end, ssize_t result)
{
    struct libxl__br_state *st = state_of_end(end);

    if (result < 0) {
        finish(egc, st, DC_READ_ERR, (int)-result);
        return;
    }
    if (!result) {
        finish(egc, st, DC_SHORT, 0);
        return;
    }
    if (st->piece)
        memcpy(st->buf + st->got, st->piece, (size_t)result);
    st->got += (size_t)result;
    if (st->got == st->wanted)
        finish(egc, st, DC_DONE, 0);
    else if (read_more(st))
        finish(egc, st, DC_ENGINE, 0);
}

static void got_nothing(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    finish(egc, state_of_time(ev), DC_DONE, 0);
}

static void aborted(libxl__egc *egc, libxl__ao_abortable *abrt, int rc)
{
    finish(egc, state_of_abrt(abrt), DC_ABORTED, 0);
}

void libxl__bufreader_init(libxl__bufreader *br)
{
    br->state = NULL;
}

static int begin(struct libxl__br_state *st)
{
    libxl__bufreader *br = st->br;
    libxl_ctx *ctx = libxl__ao_ctx(br->ao);
    int rc;

    st->abrt.ao = br->ao;
    st->abrt.callback = aborted;
    rc = libxl__ao_abortable_register(&st->abrt);
    if (rc)
        return rc;
    if (!st->wanted)
        return libxl__ev_time_register_rel(ctx, NULL, &st->at_once, got_nothing,
                                           0);
    rc = libxl__io_end_open(&st->end, br->fd, false, got_some);
    if (rc)
        return rc;
    if (st->end.is_file) {
        st->piece = malloc(st->wanted < PIECE ? st->wanted : PIECE);
        if (!st->piece)
            return ERROR_NOMEM;
    }
    return read_more(st);
}

int libxl__bufreader_start(libxl__bufreader *br, void *buf, size_t bytes)
{
    struct libxl__br_state *st;
    int rc;

    assert(!br->state);
    st = calloc(1, sizeof(*st));
    if (!st)
        return ERROR_NOMEM;
    br->state = st;
    st->br = br;
    st->buf = buf;
    st->wanted = bytes;
    libxl__io_end_init(libxl__ao_ctx(br->ao), &st->end);
    libxl__ao_abortable_init(&st->abrt);
    libxl__ev_time_init(&st->at_once);
    rc = begin(st);
    if (rc)
        libxl__bufreader_kill(br);
    return rc;
}

void libxl__bufreader_kill(libxl__bufreader *br)
{
    struct libxl__br_state *st = br->state;

    if (!st)
        return;
    br->state = NULL;
    libxl__ao_abortable_deregister(&st->abrt);
    libxl__ev_time_deregister(libxl__ao_ctx(br->ao), &st->at_once);
    if (!libxl__io_end_close(&st->end, st->piece))
        free(st->piece);
    free(st);
}
