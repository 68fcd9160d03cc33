/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_getfile.c - start -> ready -> (piece came | piece written)* -> complete
 *
 * The first piece tells size and tag; then WINDOW pieces are on the way at a
 * time, and are written in order. A file without a size (of /proc) is read one
 * piece after the other, until the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_sha256.h"
#include "agent/agent_wire.h"
#include "base/container.h"
#include "base/log.h"
#include "domain/agent_client.h"
#include "domain/agent_ops.h"
#include "io/bufwriter.h"

enum { WINDOW = 8, PIECE = LIBXL__AGENT_DATA_MAX, TIMEOUT_MS = 60000 };

struct getfile_op;
struct piece {
    struct getfile_op *op;
    libxl__agent_call call;
    uint64_t offset;
    bool on_the_way;
    void *data; /* came, waits to be written */
    size_t bytes;
};

struct getfile_op {
    libxl__agent_client ac;
    libxl__bufwriter writer;
    struct libxl__agent_getfile_params p;
    char tag[96];
    bool sized;        /* size is known, and what counts */
    bool all_asked;    /* nothing more to ask for */
    uint64_t size, next_ask, next_write;
    bool writing;
    size_t writing_bytes;
    struct piece pieces[WINDOW];
};

static struct getfile_op *op_of_client(libxl__agent_client *ac)
{
    return CONTAINER_OF(ac, struct getfile_op, ac);
}

static struct getfile_op *op_of_writer(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct getfile_op, writer);
}

static struct piece *piece_of_call(libxl__agent_call *call)
{
    return CONTAINER_OF(call, struct piece, call);
}

static void free_pieces(struct getfile_op *op)
{
    int i;

    for (i = 0; i < WINDOW; i++) {
        free(op->pieces[i].data);
        op->pieces[i].data = NULL;
    }
}

static void complete(libxl__egc *egc, struct getfile_op *op, int rc)
{
    libxl__agent_client_close(egc, &op->ac);
    libxl__bufwriter_kill(&op->writer);
    free_pieces(op);
    if (op->p.bytes_out)
        *op->p.bytes_out = op->next_write;
    libxl__ao_complete(egc, op->ac.ao, rc);
}

static void ended(libxl__egc *egc, libxl__agent_client *ac, int rc)
{
    complete(egc, op_of_client(ac), rc);
}

static int fault(struct getfile_op *op, const char *what)
{
    LOGD(libxl__ao_ctx(op->ac.ao), op->ac.domid, ERROR, "getting %s: %s",
         op->p.path, what);
    return ERROR_FAIL;
}

/* ---- asking ---- */

static void came(libxl__egc *egc, libxl__agent_call *call,
                 const struct libxl__agent_answer *answer);

static char *ask_text(libxl__gc *gc, struct getfile_op *op, uint64_t offset)
{
    struct libxl__json_writer w;
    char *text;

    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "path", op->p.path);
    libxl__json_put_u64(&w, "offset", offset);
    libxl__json_put_u64(&w, "length", PIECE);
    if (op->p.verify)
        libxl__json_put_bool(&w, "sha256", true);
    libxl__json_close(&w);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    return text;
}

static int ask(libxl__egc *egc, struct getfile_op *op, struct piece *piece)
{
    char *params = ask_text(libxl__egc_gc(egc), op, op->next_ask);
    int rc;

    if (!params)
        return ERROR_NOMEM;
    piece->offset = op->next_ask;
    piece->call.done = came;
    rc = libxl__agent_call_start(&op->ac.peer, &piece->call, "guest.getfile",
                                 params, NULL, 0, TIMEOUT_MS);
    if (rc)
        return rc;
    piece->on_the_way = true;
    op->next_ask += PIECE;
    return 0;
}

static bool any_on_the_way(const struct getfile_op *op)
{
    int i;

    for (i = 0; i < WINDOW; i++)
        if (op->pieces[i].on_the_way)
            return true;
    return false;
}

static int ask_for_more(libxl__egc *egc, struct getfile_op *op)
{
    int i, rc = 0;

    if (op->sized && op->next_ask >= op->size)
        op->all_asked = true;
    for (i = 0; i < WINDOW && !op->all_asked && !rc; i++) {
        if (op->pieces[i].on_the_way || op->pieces[i].data)
            continue;
        if (!op->sized && any_on_the_way(op))
            break;
        rc = ask(egc, op, &op->pieces[i]);
        if (op->sized && op->next_ask >= op->size)
            op->all_asked = true;
    }
    return rc;
}

/* ---- writing ---- */

static struct piece *next_piece(struct getfile_op *op)
{
    int i;

    for (i = 0; i < WINDOW; i++)
        if (op->pieces[i].data && op->pieces[i].offset == op->next_write)
            return &op->pieces[i];
    return NULL;
}

static int write_next(struct getfile_op *op)
{
    struct piece *piece = op->writing ? NULL : next_piece(op);
    void *data;
    int rc;

    if (!piece)
        return 0;
    data = piece->data;
    piece->data = NULL;
    op->writing_bytes = piece->bytes;
    rc = libxl__bufwriter_start_owned(&op->writer, data, piece->bytes);
    op->writing = !rc;
    return rc;
}

static void go_on(libxl__egc *egc, struct getfile_op *op)
{
    int rc = write_next(op);

    if (!rc)
        rc = ask_for_more(egc, op);
    if (rc)
        complete(egc, op, rc);
    else if (op->all_asked && !op->writing && !any_on_the_way(op))
        complete(egc, op, next_piece(op) ? fault(op, "pieces are missing") : 0);
}

static void written(libxl__egc *egc, libxl__bufwriter *bw,
                    const struct libxl__dc_result *res)
{
    struct getfile_op *op = op_of_writer(bw);
    int rc = libxl__dc_rc(res);

    op->writing = false;
    if (rc) {
        complete(egc, op, rc);
        return;
    }
    op->next_write += op->writing_bytes;
    go_on(egc, op);
}

/* ---- a piece ---- */

static int check_sum(struct getfile_op *op,
                     const struct libxl__agent_answer *answer)
{
    const char *theirs = libxl__json_string(answer->result, "sha256");
    char ours[LIBXL__SHA256_HEX + 1];
    struct libxl__sha256 sum;

    if (!op->p.verify)
        return 0;
    libxl__sha256_init(&sum);
    libxl__sha256_add(&sum, answer->data, answer->data_bytes);
    libxl__sha256_hex(&sum, ours);
    return theirs && !strcmp(ours, theirs)
               ? 0
               : fault(op, "a piece does not have the checksum it came with");
}

static int first_piece(struct getfile_op *op, uint64_t size, const char *tag)
{
    if (strlen(tag) >= sizeof(op->tag))
        return fault(op, "the agent's answer is not understood");
    snprintf(op->tag, sizeof(op->tag), "%s", tag);
    op->size = size;
    op->sized = size > 0;
    return 0;
}

/* The guest is hostile: what it says of a piece must fit what was asked. */
static int check_piece(struct getfile_op *op, struct piece *piece,
                       const struct libxl__agent_answer *answer)
{
    const char *tag = libxl__json_string(answer->result, "tag");
    uint64_t size, length, want;
    bool eof;
    int rc = 0;

    if (!tag || !libxl__json_u64(answer->result, "size", &size) ||
        !libxl__json_u64(answer->result, "length", &length) ||
        !libxl__json_bool(answer->result, "eof", &eof) ||
        length != answer->data_bytes || length > PIECE)
        return fault(op, "the agent's answer is not understood");
    if (!*op->tag)
        rc = first_piece(op, size, tag);
    if (rc)
        return rc;
    if (op->sized && strcmp(tag, op->tag))
        return fault(op, "the file changed meanwhile");
    if (!op->sized) {
        op->all_asked = length < PIECE;
        op->next_ask = piece->offset + length;
        return 0;
    }
    want = op->size - piece->offset < PIECE ? op->size - piece->offset : PIECE;
    return piece->offset < op->size && length == want
               ? 0
               : fault(op, "a piece is shorter or longer than the file says");
}

static int keep_piece(struct piece *piece,
                      const struct libxl__agent_answer *answer)
{
    if (!answer->data_bytes)
        return 0;
    piece->data = malloc(answer->data_bytes);
    if (!piece->data)
        return ERROR_NOMEM;
    memcpy(piece->data, answer->data, answer->data_bytes);
    piece->bytes = answer->data_bytes;
    return 0;
}

static void came(libxl__egc *egc, libxl__agent_call *call,
                 const struct libxl__agent_answer *answer)
{
    struct piece *piece = piece_of_call(call);
    struct getfile_op *op = piece->op;
    int rc;

    piece->on_the_way = false;
    if (!op->ac.open)
        return;
    rc = libxl__agent_client_rc(&op->ac, answer);
    if (!rc)
        rc = check_piece(op, piece, answer);
    if (!rc)
        rc = check_sum(op, answer);
    if (!rc)
        rc = keep_piece(piece, answer);
    if (rc)
        complete(egc, op, rc);
    else
        go_on(egc, op);
}

static void ready(libxl__egc *egc, libxl__agent_client *ac)
{
    go_on(egc, op_of_client(ac));
}

int libxl__agent_getfile_start(libxl__egc *egc, libxl__ao *ao,
                               const void *params)
{
    struct getfile_op *op = libxl__zalloc(libxl__ao_gc(ao), sizeof(*op));
    int i;

    if (!op)
        return ERROR_NOMEM;
    op->p = *(const struct libxl__agent_getfile_params *)params;
    op->ac.ao = ao;
    op->ac.domid = libxl__ao_domid(ao);
    op->ac.wait_ms = op->p.wait_ms;
    op->ac.ready = ready;
    op->ac.ended = ended;
    libxl__bufwriter_init(&op->writer);
    op->writer.ao = ao;
    op->writer.fd = op->p.fd;
    op->writer.what = "the copy of the guest's file";
    op->writer.callback = written;
    for (i = 0; i < WINDOW; i++) {
        op->pieces[i].op = op;
        libxl__agent_call_init(&op->pieces[i].call);
    }
    return libxl__agent_client_start(egc, &op->ac);
}
