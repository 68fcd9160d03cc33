/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * datacopier.c - start -> (got some | wrote some)* -> finish
 *
 * Four pieces in a ring: the reader fills the next free one while the writer
 * empties the oldest. No free piece: nothing is read.
 */
#include "io/datacopier.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/container.h"
#include "io/dc_log.h"
#include "io/io_end.h"

enum { PIECES = 4, PIECE_BYTES = 64 * 1024 };

struct dc_piece {
    char *buf; /* malloc'ed at first use */
    size_t start, end;
};

struct libxl__dc_state {
    libxl__datacopier *dc;
    libxl__io_end in, out;
    libxl__ao_abortable abrt;
    libxl__ev_time at_once; /* for 0 bytes */
    struct dc_piece pieces[PIECES];
    unsigned oldest, full; /* full pieces, from the oldest on */
    uint64_t to_read, written;
    bool ended; /* nothing more will be read */
    bool too_early;
};

static struct libxl__dc_state *state_of_in(libxl__io_end *end)
{
    return CONTAINER_OF(end, struct libxl__dc_state, in);
}

static struct libxl__dc_state *state_of_out(libxl__io_end *end)
{
    return CONTAINER_OF(end, struct libxl__dc_state, out);
}

static struct libxl__dc_state *state_of_abrt(libxl__ao_abortable *abrt)
{
    return CONTAINER_OF(abrt, struct libxl__dc_state, abrt);
}

static struct libxl__dc_state *state_of_time(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__dc_state, at_once);
}

static struct dc_piece *oldest_piece(struct libxl__dc_state *st)
{
    return &st->pieces[st->oldest];
}

static struct dc_piece *free_piece(struct libxl__dc_state *st)
{
    return &st->pieces[(st->oldest + st->full) % PIECES];
}

static void finish(libxl__egc *egc, struct libxl__dc_state *st,
                   enum libxl__dc_how how, int errnoval)
{
    libxl__datacopier *dc = st->dc;
    const struct libxl__dc_result res = {
        .how = how, .errnoval = errnoval, .bytes = st->written};

    libxl__datacopier_kill(dc);
    libxl__dc_log(dc->ao, &res, dc->readwhat, dc->writewhat);
    dc->callback(egc, dc, &res);
}

static int read_more(struct libxl__dc_state *st)
{
    struct dc_piece *piece = free_piece(st);
    size_t bytes = PIECE_BYTES;

    if (st->to_read < bytes)
        bytes = (size_t)st->to_read;
    if (!piece->buf)
        piece->buf = malloc(PIECE_BYTES);
    if (!piece->buf)
        return ERROR_NOMEM;
    return libxl__io_end_transfer(&st->in, piece->buf, bytes);
}

static int write_more(struct libxl__dc_state *st)
{
    struct dc_piece *piece = oldest_piece(st);

    return libxl__io_end_transfer(&st->out, piece->buf + piece->start,
                                  piece->end - piece->start);
}

static int keep_going(struct libxl__dc_state *st)
{
    int rc = 0;

    if (!st->ended && !st->in.wanted && st->full < PIECES)
        rc = read_more(st);
    if (!rc && st->full && !st->out.wanted)
        rc = write_more(st);
    return rc;
}

static void go_on_or_finish(libxl__egc *egc, struct libxl__dc_state *st)
{
    if (st->ended && !st->full)
        finish(egc, st, st->too_early ? DC_SHORT : DC_DONE, 0);
    else if (keep_going(st))
        finish(egc, st, DC_ENGINE, 0);
}

static void got_some(libxl__egc *egc, libxl__io_end *end, ssize_t result)
{
    struct libxl__dc_state *st = state_of_in(end);
    struct dc_piece *piece = free_piece(st);

    if (result < 0) {
        finish(egc, st, DC_READ_ERR, (int)-result);
        return;
    }
    if (!result) {
        st->ended = true;
        st->too_early = st->dc->bytes_to_read != LIBXL__DC_TO_EOF;
    } else {
        piece->start = 0;
        piece->end = (size_t)result;
        st->full++;
        if (st->dc->bytes_to_read != LIBXL__DC_TO_EOF)
            st->to_read -= (size_t)result;
        st->ended = !st->to_read;
    }
    go_on_or_finish(egc, st);
}

static void wrote_some(libxl__egc *egc, libxl__io_end *end, ssize_t result)
{
    struct libxl__dc_state *st = state_of_out(end);
    struct dc_piece *piece = oldest_piece(st);

    if (result <= 0) {
        finish(egc, st, DC_WRITE_ERR, result ? (int)-result : EIO);
        return;
    }
    st->written += (size_t)result;
    piece->start += (size_t)result;
    if (piece->start == piece->end) {
        st->oldest = (st->oldest + 1) % PIECES;
        st->full--;
    }
    go_on_or_finish(egc, st);
}

static void nothing_to_copy(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    finish(egc, state_of_time(ev), DC_DONE, 0);
}

static void aborted(libxl__egc *egc, libxl__ao_abortable *abrt, int rc)
{
    finish(egc, state_of_abrt(abrt), DC_ABORTED, 0);
}

void libxl__datacopier_init(libxl__datacopier *dc)
{
    dc->state = NULL;
}

static int begin(struct libxl__dc_state *st)
{
    libxl__datacopier *dc = st->dc;
    libxl_ctx *ctx = libxl__ao_ctx(dc->ao);
    int rc;

    st->abrt.ao = dc->ao;
    st->abrt.callback = aborted;
    rc = libxl__ao_abortable_register(&st->abrt);
    if (rc)
        return rc;
    if (!st->to_read)
        return libxl__ev_time_register_rel(ctx, NULL, &st->at_once,
                                           nothing_to_copy, 0);
    rc = libxl__io_end_open(&st->in, dc->readfd, false, got_some);
    if (rc)
        return rc;
    rc = libxl__io_end_open(&st->out, dc->writefd, true, wrote_some);
    if (rc)
        return rc;
    return keep_going(st);
}

int libxl__datacopier_start(libxl__datacopier *dc)
{
    libxl_ctx *ctx = libxl__ao_ctx(dc->ao);
    struct libxl__dc_state *st;
    int rc;

    assert(!dc->state);
    st = calloc(1, sizeof(*st));
    if (!st)
        return ERROR_NOMEM;
    dc->state = st;
    st->dc = dc;
    st->to_read = dc->bytes_to_read;
    libxl__io_end_init(ctx, &st->in);
    libxl__io_end_init(ctx, &st->out);
    libxl__ao_abortable_init(&st->abrt);
    libxl__ev_time_init(&st->at_once);
    rc = begin(st);
    if (rc)
        libxl__datacopier_kill(dc);
    return rc;
}

/* A file call in flight keeps the piece that it works on. */
static void close_end(libxl__io_end *end, struct dc_piece *piece)
{
    if (libxl__io_end_close(end, piece->buf))
        piece->buf = NULL;
}

void libxl__datacopier_kill(libxl__datacopier *dc)
{
    struct libxl__dc_state *st = dc->state;
    unsigned i;

    if (!st)
        return;
    dc->state = NULL;
    libxl__ao_abortable_deregister(&st->abrt);
    libxl__ev_time_deregister(libxl__ao_ctx(dc->ao), &st->at_once);
    close_end(&st->in, free_piece(st));
    close_end(&st->out, oldest_piece(st));
    for (i = 0; i < PIECES; i++)
        free(st->pieces[i].buf);
    free(st);
}
