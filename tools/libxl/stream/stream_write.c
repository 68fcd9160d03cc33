/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stream_write.c - write one libxl v2 stream (operation). In order of time:
 *
 *   start -> opening_done -> (run_libxc) -> libxc_done -> (get_emulator)
 *         -> emulator_done -> [xenstore_done]
 *         -> { context_header_done -> context_copied -> padding_done }...
 *         -> { (get_piece) -> write_piece -> the same three }...
 *         -> end_done                                       (any) -> finish
 */
#include "stream/stream_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "io/bufwriter.h"
#include "io/datacopier.h"
#include "stream/sr_record.h"

#define EMULATOR LIBXL__SR_EMULATOR_HEADER_BYTES

struct libxl__sw_state {
    libxl__stream_write *sw;
    libxl__bufwriter bw;
    libxl__datacopier dc;
    const struct libxl__emulator_state *states; /* the owner's */
    unsigned nr, next;
    struct libxl__emulator_state piece; /* behind them */
};

static struct libxl__sw_state *st_of_bw(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct libxl__sw_state, bw);
}

static struct libxl__sw_state *st_of_dc(libxl__datacopier *dc)
{
    return CONTAINER_OF(dc, struct libxl__sw_state, dc);
}

static libxl__bufwriter_callback opening_done, xenstore_done,
    context_header_done, padding_done, end_done;
static libxl__datacopier_callback context_copied;
static void write_next_context(libxl__egc *egc, struct libxl__sw_state *st);

/* ---- helpers ---- */

static void finish(libxl__egc *egc, struct libxl__sw_state *st, int rc)
{
    libxl__stream_write *sw = st->sw;

    sw->state = NULL;
    free(st);
    sw->callback(egc, sw, rc);
}

/* What to do first in each callback of the writer: true, it went wrong and the
 * stream has ended. */
static bool failed(libxl__egc *egc, struct libxl__sw_state *st,
                   const struct libxl__dc_result *res)
{
    int rc = libxl__dc_rc(res);

    if (rc)
        finish(egc, st, rc);
    return rc;
}

static void write_bytes(libxl__egc *egc, struct libxl__sw_state *st,
                        const void *bytes, size_t n,
                        libxl__bufwriter_callback *done)
{
    int rc;

    st->bw.callback = done;
    rc = libxl__bufwriter_start(&st->bw, bytes, n);
    if (rc)
        finish(egc, st, rc);
}

static void encode_emulator_record(uint32_t type, uint64_t payload, uint32_t id,
                                   uint32_t index, uint8_t raw[16])
{
    struct libxl__sr_record rec = {
        .type = type,
        .bytes = EMULATOR + (uint32_t)payload,
    };
    struct libxl__sr_emulator emu = {.id = id, .index = index};

    libxl__sr_encode_record(&rec, raw);
    libxl__sr_encode_emulator(&emu, raw + LIBXL__SR_RECORD_HEADER_BYTES);
}

/* ---- the chain ---- */

void libxl__stream_write_init(libxl__stream_write *sw)
{
    memset(sw, 0, sizeof(*sw));
    sw->fd = -1;
}

int libxl__stream_write_start(libxl__egc *egc, libxl__stream_write *sw)
{
    static const struct libxl__sr_record context = {
        .type = REC_TYPE_LIBXC_CONTEXT,
    };
    uint8_t opening[LIBXL__SR_HEADER_BYTES + LIBXL__SR_RECORD_HEADER_BYTES];
    struct libxl__sw_state *st = calloc(1, sizeof(*st));
    int rc;

    if (!st)
        return ERROR_NOMEM;
    st->sw = sw;
    libxl__bufwriter_init(&st->bw);
    libxl__datacopier_init(&st->dc);
    st->bw.ao = st->dc.ao = sw->ao;
    st->bw.fd = st->dc.writefd = sw->fd;
    st->bw.what = "the stream";
    st->bw.callback = opening_done;

    libxl__sr_encode_header(0, opening);
    libxl__sr_encode_record(&context, opening + LIBXL__SR_HEADER_BYTES);
    rc = libxl__bufwriter_start(&st->bw, opening, sizeof(opening));
    if (rc) {
        free(st);
        return rc;
    }
    sw->state = st;
    return 0;
}

static void opening_done(libxl__egc *egc, libxl__bufwriter *bw,
                         const struct libxl__dc_result *res)
{
    struct libxl__sw_state *st = st_of_bw(bw);

    if (failed(egc, st, res))
        return;
    st->sw->run_libxc(egc, st->sw);
}

void libxl__stream_write_libxc_done(libxl__egc *egc, libxl__stream_write *sw,
                                    int rc)
{
    struct libxl__sw_state *st = sw->state;

    if (rc)
        finish(egc, st, rc);
    else if (sw->get_emulator)
        sw->get_emulator(egc, sw);
    else
        write_next_context(egc, st);
}

/* What no reader would take is not written. */
static int check_sizes(libxl__stream_write *sw,
                       const struct libxl__emulator_state *states, unsigned nr,
                       size_t xs_bytes)
{
    libxl_ctx *ctx = libxl__ao_ctx(sw->ao);

    if (xs_bytes > LIBXL__SR_XENSTORE_MAX - EMULATOR) {
        LOGD(ctx, sw->domid, ERROR,
             "device model's keys: %zu bytes, more "
             "than a stream can hold",
             xs_bytes);
        return ERROR_FAIL;
    }
    for (unsigned i = 0; i < nr; i++)
        if (states[i].bytes > LIBXL__SR_BODY_MAX - EMULATOR) {
            LOGD(ctx, sw->domid, ERROR,
                 "state of device model %u: %llu "
                 "bytes, more than a stream can hold",
                 states[i].index, (unsigned long long)states[i].bytes);
            return ERROR_FAIL;
        }
    return 0;
}

/* Header, strings and padding in one buffer: it is small. */
static void write_xenstore(libxl__egc *egc, struct libxl__sw_state *st,
                           const void *data, size_t n)
{
    size_t total = 16 + n + libxl__sr_padding(n);
    uint8_t *raw = calloc(1, total);
    int rc;

    if (!raw) {
        finish(egc, st, ERROR_NOMEM);
        return;
    }
    encode_emulator_record(REC_TYPE_EMULATOR_XENSTORE_DATA, n,
                           LIBXL__SR_EMULATOR_QEMU, 0, raw);
    memcpy(raw + 16, data, n);
    st->bw.callback = xenstore_done;
    rc = libxl__bufwriter_start_owned(&st->bw, raw, total);
    if (rc)
        finish(egc, st, rc);
}

void libxl__stream_write_emulator_done(
    libxl__egc *egc, libxl__stream_write *sw, int rc,
    const struct libxl__emulator_state *st_in, unsigned nr, const void *xs_data,
    size_t xs_bytes)
{
    struct libxl__sw_state *st = sw->state;

    if (!rc)
        rc = check_sizes(sw, st_in, nr, xs_bytes);
    if (rc) {
        finish(egc, st, rc);
        return;
    }
    st->states = st_in;
    st->nr = nr;
    if (xs_data && xs_bytes)
        write_xenstore(egc, st, xs_data, xs_bytes);
    else
        write_next_context(egc, st);
}

static void xenstore_done(libxl__egc *egc, libxl__bufwriter *bw,
                          const struct libxl__dc_result *res)
{
    struct libxl__sw_state *st = st_of_bw(bw);

    if (!failed(egc, st, res))
        write_next_context(egc, st);
}

static void write_end(libxl__egc *egc, struct libxl__sw_state *st)
{
    static const struct libxl__sr_record end = { .type = REC_TYPE_END };
    uint8_t raw[LIBXL__SR_RECORD_HEADER_BYTES];

    libxl__sr_encode_record(&end, raw);
    write_bytes(egc, st, raw, sizeof(raw), end_done);
}

/* The next EMULATOR_CONTEXT, or what follows the last. */
static void write_next_context(libxl__egc *egc, struct libxl__sw_state *st)
{
    const struct libxl__emulator_state *from = st->states + st->next;
    uint8_t raw[16];

    if (st->next == st->nr && st->sw->get_piece) {
        st->sw->get_piece(egc, st->sw);
        return;
    }
    if (st->next == st->nr) {
        write_end(egc, st);
        return;
    }
    encode_emulator_record(REC_TYPE_EMULATOR_CONTEXT, from->bytes, from->id,
                           from->index, raw);
    write_bytes(egc, st, raw, sizeof(raw), context_header_done);
}

void libxl__stream_write_piece(libxl__egc *egc, libxl__stream_write *sw, int rc,
                               const struct libxl__emulator_state *piece)
{
    struct libxl__sw_state *st = sw->state;

    if (!rc && piece)
        rc = check_sizes(sw, piece, 1, 0);
    if (rc) {
        finish(egc, st, rc);
        return;
    }
    if (!piece) {
        write_end(egc, st);
        return;
    }
    st->piece = *piece;
    st->states = &st->piece;
    st->nr = 1;
    st->next = 0;
    write_next_context(egc, st);
}

static void context_header_done(libxl__egc *egc, libxl__bufwriter *bw,
                                const struct libxl__dc_result *res)
{
    struct libxl__sw_state *st = st_of_bw(bw);
    const struct libxl__emulator_state *from;
    int rc;

    if (failed(egc, st, res))
        return;
    from = st->states + st->next;
    st->dc.readfd = from->fd;
    st->dc.bytes_to_read = from->bytes;
    st->dc.copywhat = "device model's state";
    st->dc.readwhat = "the device model's state";
    st->dc.writewhat = "the stream";
    st->dc.callback = context_copied;
    if (!from->from_here && lseek(from->fd, 0, SEEK_SET)) {
        LOGED(libxl__ao_ctx(st->sw->ao), st->sw->domid, ERROR, errno,
              "cannot read the state of device model %u", from->index);
        finish(egc, st, ERROR_FAIL);
        return;
    }
    rc = libxl__datacopier_start(&st->dc);
    if (rc)
        finish(egc, st, rc);
}

static void context_copied(libxl__egc *egc, libxl__datacopier *dc,
                           const struct libxl__dc_result *res)
{
    static const uint8_t zeros[8];
    struct libxl__sw_state *st = st_of_dc(dc);
    unsigned padding;

    if (failed(egc, st, res))
        return;
    padding = libxl__sr_padding(st->states[st->next].bytes);
    st->next++;
    if (padding)
        write_bytes(egc, st, zeros, padding, padding_done);
    else
        write_next_context(egc, st);
}

static void padding_done(libxl__egc *egc, libxl__bufwriter *bw,
                         const struct libxl__dc_result *res)
{
    struct libxl__sw_state *st = st_of_bw(bw);

    if (!failed(egc, st, res))
        write_next_context(egc, st);
}

static void end_done(libxl__egc *egc, libxl__bufwriter *bw,
                     const struct libxl__dc_result *res)
{
    finish(egc, st_of_bw(bw), libxl__dc_rc(res));
}
