/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stream_read.c - read one libxl v2 stream (operation). In order of time:
 *
 *   start -> header_read -> { record_header_read -> act by type }... -> END
 *         -> finish
 *
 *   LIBXC_CONTEXT            (run_libxc) -> libxc_done
 *   EMULATOR_XENSTORE_DATA   xenstore_read
 *   EMULATOR_CONTEXT         context_header_read [-> emulator_ready]
 *                            -> context_copied
 *                            -> rest_skipped (the padding)
 *   unknown and optional     rest_skipped
 *
 * Each read is of exactly the bytes that the stream has announced: the fd
 * belongs to another process while libxc runs, and to the handshake after END.
 */
#include "stream/stream_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "io/bufreader.h"
#include "io/datacopier.h"
#include "stream/sr_record.h"
#include "stream/sr_xenstore.h"

#define CHUNK 4096u /* of what is skipped */

struct libxl__srd_state {
    libxl__stream_read *sr;
    libxl__bufreader br;
    libxl__datacopier dc;
    struct libxl__sr_order order;
    struct libxl__sr_record rec; /* the one being read */
    unsigned index;              /* its number in the stream, from 0 */
    uint64_t offset, rec_offset; /* in the stream; in the file, if it is one */
    bool offset_known;           /* false behind libxc's part of a pipe */
    uint64_t rest;               /* to be skipped before the next record */
    uint8_t small[CHUNK];
    uint8_t *body; /* EMULATOR_XENSTORE_DATA's */
    bool in_libxc; /* it has the fd */
    char what[96]; /* names what is being read */
};

static struct libxl__srd_state *st_of_br(libxl__bufreader *br)
{
    return CONTAINER_OF(br, struct libxl__srd_state, br);
}

static struct libxl__srd_state *st_of_dc(libxl__datacopier *dc)
{
    return CONTAINER_OF(dc, struct libxl__srd_state, dc);
}

static libxl__bufreader_callback header_read, record_header_read, xenstore_read,
    context_header_read, rest_skipped;
static libxl__datacopier_callback context_copied;

/* ---- helpers ---- */

static void finish(libxl__egc *egc, struct libxl__srd_state *st, int rc)
{
    libxl__stream_read *sr = st->sr;

    sr->state = NULL;
    free(st->body);
    free(st);
    sr->callback(egc, sr, rc);
}

/* Where the record lies, for people. */
static void name_record(struct libxl__srd_state *st)
{
    snprintf(st->what, sizeof(st->what),
             "libxl stream: record %u (%s) at %s %" PRIu64, st->index,
             libxl__sr_type_name(st->rec.type),
             st->offset_known ? "offset" : "offset behind libxc's END +",
             st->rec_offset);
}

static void refuse(libxl__egc *egc, struct libxl__srd_state *st,
                   const char *reason)
{
    LOGD(libxl__ao_ctx(st->sr->ao), st->sr->domid, ERROR, "%s: %s", st->what,
         reason);
    finish(egc, st, ERROR_FAIL);
}

/* First in each callback of a reader: true, the stream has ended with an
 * error. */
static bool failed(libxl__egc *egc, struct libxl__srd_state *st,
                   const struct libxl__dc_result *res)
{
    int rc = libxl__dc_rc(res);

    st->offset += res->bytes;
    if (rc)
        finish(egc, st, rc);
    return rc;
}

static void read_bytes(libxl__egc *egc, struct libxl__srd_state *st, void *buf,
                       size_t n, libxl__bufreader_callback *done)
{
    int rc;

    st->br.callback = done;
    rc = libxl__bufreader_start(&st->br, buf, n);
    if (rc)
        finish(egc, st, rc);
}

static void find_offset(struct libxl__srd_state *st)
{
    off_t at = lseek(st->sr->fd, 0, SEEK_CUR);

    st->offset = at < 0 ? 0 : (uint64_t)at;
    st->offset_known = at >= 0;
}

/* ---- the chain ---- */

void libxl__stream_read_init(libxl__stream_read *sr)
{
    memset(sr, 0, sizeof(*sr));
    sr->fd = -1;
}

int libxl__stream_read_start(libxl__egc *egc, libxl__stream_read *sr)
{
    struct libxl__srd_state *st = calloc(1, sizeof(*st));
    int rc;

    if (!st)
        return ERROR_NOMEM;
    st->sr = sr;
    st->order.hvm = sr->hvm;
    st->order.nr_devices = sr->nr_devices;
    libxl__bufreader_init(&st->br);
    libxl__datacopier_init(&st->dc);
    st->br.ao = st->dc.ao = sr->ao;
    st->br.fd = st->dc.readfd = sr->fd;
    st->br.what = st->dc.readwhat = st->dc.copywhat = st->what;
    st->dc.writewhat = "the device model's state";
    st->dc.callback = context_copied;
    find_offset(st);
    st->offset_known = true; /* from the stream's begin, at least */
    snprintf(st->what, sizeof(st->what),
             "libxl stream: header at offset %" PRIu64, st->offset);
    st->br.callback = header_read;
    rc = libxl__bufreader_start(&st->br, st->small, LIBXL__SR_HEADER_BYTES);
    if (rc) {
        free(st);
        return rc;
    }
    sr->state = st;
    return 0;
}

static void read_record(libxl__egc *egc, struct libxl__srd_state *st)
{
    st->rec_offset = st->offset;
    snprintf(st->what, sizeof(st->what), "libxl stream: header of record %u",
             st->index);
    read_bytes(egc, st, st->small, LIBXL__SR_RECORD_HEADER_BYTES,
               record_header_read);
}

static void header_read(libxl__egc *egc, libxl__bufreader *br,
                        const struct libxl__dc_result *res)
{
    struct libxl__srd_state *st = st_of_br(br);
    const char *broken;
    uint32_t options;

    if (failed(egc, st, res))
        return;
    broken = libxl__sr_decode_header(st->small, &options);
    if (broken) {
        refuse(egc, st, broken);
        return;
    }
    st->order.legacy = options & LIBXL__SR_OPTION_LEGACY;
    read_record(egc, st);
}

static void next_record(libxl__egc *egc, struct libxl__srd_state *st)
{
    st->index++;
    read_record(egc, st);
}

/* Reads on until 'rest' is behind us. */
static void skip_rest(libxl__egc *egc, struct libxl__srd_state *st)
{
    size_t n = st->rest < CHUNK ? (size_t)st->rest : CHUNK;

    if (!n) {
        next_record(egc, st);
        return;
    }
    st->rest -= n;
    read_bytes(egc, st, st->small, n, rest_skipped);
}

static void rest_skipped(libxl__egc *egc, libxl__bufreader *br,
                         const struct libxl__dc_result *res)
{
    struct libxl__srd_state *st = st_of_br(br);

    if (!failed(egc, st, res))
        skip_rest(egc, st);
}

static void read_xenstore_body(libxl__egc *egc, struct libxl__srd_state *st)
{
    size_t n = st->rec.bytes + libxl__sr_padding(st->rec.bytes);

    free(st->body);
    st->body = malloc(n); /* the length was checked: at most 1 MiB */
    if (!st->body)
        finish(egc, st, ERROR_NOMEM);
    else
        read_bytes(egc, st, st->body, n, xenstore_read);
}

static void end_seen(libxl__egc *egc, struct libxl__srd_state *st)
{
    if (st->sr->need_emulator && !st->order.contexts)
        refuse(egc, st,
               "no EMULATOR_CONTEXT came before it "
               "[libxl.order.emulator_missing]");
    else
        finish(egc, st, 0);
}

static void record_header_read(libxl__egc *egc, libxl__bufreader *br,
                               const struct libxl__dc_result *res)
{
    struct libxl__srd_state *st = st_of_br(br);
    const char *broken;

    if (failed(egc, st, res))
        return;
    libxl__sr_decode_record(st->small, &st->rec);
    name_record(st);
    broken = libxl__sr_order_record(&st->order, &st->rec);
    if (broken) {
        refuse(egc, st, broken);
        return;
    }
    st->rest = (uint64_t)st->rec.bytes + libxl__sr_padding(st->rec.bytes);
    switch (st->rec.type) {
    case REC_TYPE_END:
        end_seen(egc, st);
        break;
    case REC_TYPE_LIBXC_CONTEXT:
        st->in_libxc = true;
        st->sr->run_libxc(egc, st->sr);
        break;
    case REC_TYPE_EMULATOR_XENSTORE_DATA:
        read_xenstore_body(egc, st);
        break;
    case REC_TYPE_EMULATOR_CONTEXT:
        read_bytes(egc, st, st->small, LIBXL__SR_EMULATOR_HEADER_BYTES,
                   context_header_read);
        break;
    default: /* optional: order_record lets no other pass */
        skip_rest(egc, st);
    }
}

void libxl__stream_read_stop(libxl__egc *egc, libxl__stream_read *sr, int rc)
{
    struct libxl__srd_state *st = sr->state;

    if (!st || st->in_libxc)
        return;
    libxl__bufreader_kill(&st->br);
    libxl__datacopier_kill(&st->dc);
    finish(egc, st, rc);
}

void libxl__stream_read_libxc_done(libxl__egc *egc, libxl__stream_read *sr,
                                   int rc)
{
    struct libxl__srd_state *st = sr->state;

    st->in_libxc = false;
    if (rc) {
        finish(egc, st, rc);
        return;
    }
    find_offset(st); /* libxc read in another process */
    next_record(egc, st);
}

/* The pairs of a whole EMULATOR_XENSTORE_DATA, to the owner. */
static const char *hand_over_pairs(libxl__egc *egc, struct libxl__srd_state *st,
                                   int *rc)
{
    struct libxl__rspan s =
        libxl__rspan_over(st->body + LIBXL__SR_EMULATOR_HEADER_BYTES,
                          st->rec.bytes - LIBXL__SR_EMULATOR_HEADER_BYTES);
    const char *key, *value, *broken;

    for (*rc = 0; !*rc;) {
        broken = libxl__sr_xenstore_next(&s, &key, &value);
        if (broken || !key)
            return broken;
        if (st->sr->emulator_xenstore)
            *rc = st->sr->emulator_xenstore(egc, st->sr, key, value);
    }
    return NULL;
}

static void xenstore_read(libxl__egc *egc, libxl__bufreader *br,
                          const struct libxl__dc_result *res)
{
    struct libxl__srd_state *st = st_of_br(br);
    struct libxl__sr_emulator emu;
    const char *broken;
    int rc = 0;

    if (failed(egc, st, res))
        return;
    broken = libxl__sr_order_emulator(&st->order, st->rec.type, st->body, &emu);
    if (!broken)
        broken = hand_over_pairs(egc, st, &rc);
    if (broken)
        refuse(egc, st, broken);
    else if (rc)
        finish(egc, st, rc);
    else
        next_record(egc, st);
}

static void context_header_read(libxl__egc *egc, libxl__bufreader *br,
                                const struct libxl__dc_result *res)
{
    struct libxl__srd_state *st = st_of_br(br);
    struct libxl__sr_emulator emu;
    const char *broken;
    int rc;

    if (failed(egc, st, res))
        return;
    broken =
        libxl__sr_order_emulator(&st->order, st->rec.type, st->small, &emu);
    if (broken) {
        refuse(egc, st, broken);
        return;
    }
    st->dc.bytes_to_read = st->rec.bytes - LIBXL__SR_EMULATOR_HEADER_BYTES;
    st->rest = libxl__sr_padding(st->rec.bytes);
    rc = st->sr->open_emulator(egc, st->sr, emu.id, emu.index,
                               st->dc.bytes_to_read);
    if (rc != LIBXL__SR_LATER)
        libxl__stream_read_emulator_ready(egc, st->sr, rc);
}

void libxl__stream_read_emulator_ready(libxl__egc *egc, libxl__stream_read *sr,
                                       int fd)
{
    struct libxl__srd_state *st = sr->state;
    int rc = fd < 0 ? fd : 0;

    st->dc.writefd = fd;
    if (!rc)
        rc = libxl__datacopier_start(&st->dc);
    if (rc)
        finish(egc, st, rc);
}

static void context_copied(libxl__egc *egc, libxl__datacopier *dc,
                           const struct libxl__dc_result *res)
{
    struct libxl__srd_state *st = st_of_dc(dc);

    if (!failed(egc, st, res))
        skip_rest(egc, st);
}
