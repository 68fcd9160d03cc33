/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * helper_wire.c - messages between toolstack and save helper (codec).
 *
 * A message's body is described by a table of fields; one walk over the table
 * encodes it and one decodes it.
 */
#include "helper/helper_wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/span.h"

enum field_kind { END, U32, U64, TEXT };

struct field {
    enum field_kind kind;
    size_t offset; /* in struct libxl__hw_msg */
};

#define F(kind, member)                                                        \
    {                                                                          \
        kind, offsetof(struct libxl__hw_msg, u.member)                         \
    }

static const struct field setup_fields[] = {
    F(U32, setup.version),       F(U32, setup.hv),
    F(U32, setup.restore),       F(U32, setup.domid),
    F(U32, setup.fds),           F(U64, setup.memory_bytes),
    F(U64, setup.qemu_va),       F(U32, setup.qemu_pid),
    F(U32, setup.parent_pid),    F(U32, setup.live),
    F(U32, setup.verify),        F(U32, setup.zero_as_xalloc),
    F(U32, setup.by_reference),  F(U32, setup.leave_log),
    F(U32, setup.rest_ms),
    F(U32, setup.max_downtime_ms),
    F(U32, setup.max_iters),     F(U32, setup.min_remaining_pages),
    F(U32, setup.abort_if_busy), F(U32, setup.timeout_ms),
    F(U64, setup.bandwidth_bps), F(U32, setup.store_port),
    F(U32, setup.console_port),  {END, 0},
};
static const struct field reply_fields[] = {F(U32, reply.r), {END, 0}};
static const struct field takes_xalloc_fields[] = {{END, 0}};
static const struct field log_fields[] = {
    F(U32, log.level),
    F(U32, log.errnoval),
    F(TEXT, log.text),
    {END, 0},
};
static const struct field progress_fields[] = {
    F(U32, progress.pass),
    F(U32, progress.finished),
    F(U32, progress.downtime_estimate_ms),
    F(U64, progress.done_pages),
    F(U64, progress.total_pages),
    F(U64, progress.bytes),
    F(U64, progress.rate_bps),
    F(U64, progress.dirty_pages_per_s),
    {END, 0},
};
static const struct field suspend_fields[] = {{END, 0}};
static const struct field logdirty_fields[] = {
    F(U32, logdirty.enable),
    {END, 0},
};
static const struct field static_data_fields[] = {
    F(U32, static_data.missing),
    {END, 0},
};
static const struct field results_fields[] = {
    F(U64, results.store_pfn),
    F(U64, results.console_pfn),
    F(U64, results.bytes),
    F(U64, results.data_pages),
    F(U64, results.zero_pages),
    F(U64, results.passes),
    {END, 0},
};
static const struct field complete_fields[] = {F(U32, complete.r), {END, 0}};

struct message {
    unsigned number;
    const char *name;
    enum libxl__hw_speaker speaker;
    bool answered;
    const struct field *fields; /* up to END */
};

#define NR(a) (sizeof(a) / sizeof((a)[0]))
#define ROW(number, NAME, member, speaker, answered)                           \
    {number, #NAME, LIBXL__HW_##speaker, answered, member##_fields},
static const struct message messages[] = {LIBXL__HW_MESSAGES(ROW)};

static const struct message *find(unsigned number)
{
    for (size_t i = 0; i < NR(messages); i++)
        if (messages[i].number == number)
            return &messages[i];
    return NULL;
}

const char *libxl__hw_name(unsigned number)
{
    const struct message *m = find(number);

    return m ? m->name : "?";
}

bool libxl__hw_answered(enum libxl__hw_number number)
{
    const struct message *m = find(number);

    return m && m->answered;
}

int libxl__hw_decode_header(const uint8_t raw[LIBXL__HW_HEADER_BYTES],
                            uint32_t *body_bytes, uint16_t *number)
{
    struct libxl__rspan s = libxl__rspan_over(raw, LIBXL__HW_HEADER_BYTES);
    uint16_t zero;

    *body_bytes = libxl__rspan_u32le(&s);
    *number = libxl__rspan_u16le(&s);
    zero = libxl__rspan_u16le(&s);
    if (*body_bytes > LIBXL__HW_BODY_MAX)
        return -EMSGSIZE;
    return zero ? -EPROTO : 0;
}

/* What is left of the body is the text. */
static void decode_text(struct libxl__rspan *s, struct libxl__hw_text *t)
{
    size_t n = s->left;
    const char *text;

    if (n > LIBXL__HW_TEXT_MAX || memchr(s->p, '\0', n)) {
        s->bad = true;
        return;
    }
    text = libxl__rspan_bytes(s, n);
    memcpy(t->s, text, n);
    t->s[n] = '\0';
    t->bytes = (uint32_t)n;
}

static void decode_field(struct libxl__rspan *s, const struct field *f,
                         struct libxl__hw_msg *msg)
{
    char *at = (char *)msg + f->offset;
    uint32_t v32;
    uint64_t v64;

    switch (f->kind) {
    case END:
        break;
    case U32:
        v32 = libxl__rspan_u32le(s);
        memcpy(at, &v32, sizeof(v32));
        break;
    case U64:
        v64 = libxl__rspan_u64le(s);
        memcpy(at, &v64, sizeof(v64));
        break;
    case TEXT:
        if (!s->bad)
            decode_text(s, (struct libxl__hw_text *)at);
        break;
    }
}

int libxl__hw_decode(enum libxl__hw_speaker speaker, uint16_t number,
                     const void *body, size_t bytes, struct libxl__hw_msg *out)
{
    struct libxl__rspan s = libxl__rspan_over(body, bytes);
    const struct message *m = find(number);

    memset(out, 0, sizeof(*out));
    if (!m || m->speaker != speaker)
        return -EPROTO;
    out->number = (enum libxl__hw_number)number;
    for (const struct field *f = m->fields; f->kind != END; f++)
        decode_field(&s, f, out);
    return s.bad || s.left ? -EPROTO : 0;
}

static void encode_field(struct libxl__wspan *s, const struct field *f,
                         const struct libxl__hw_msg *msg)
{
    const char *at = (const char *)msg + f->offset;
    const struct libxl__hw_text *t;
    uint32_t v32;
    uint64_t v64;

    switch (f->kind) {
    case END:
        break;
    case U32:
        memcpy(&v32, at, sizeof(v32));
        libxl__wspan_u32le(s, v32);
        break;
    case U64:
        memcpy(&v64, at, sizeof(v64));
        libxl__wspan_u64le(s, v64);
        break;
    case TEXT:
        t = (const struct libxl__hw_text *)at;
        libxl__wspan_bytes(s, t->s, t->bytes);
        break;
    }
}

size_t libxl__hw_encode(const struct libxl__hw_msg *msg,
                        uint8_t frame[LIBXL__HW_FRAME_MAX])
{
    struct libxl__wspan body =
        libxl__wspan_over(frame + LIBXL__HW_HEADER_BYTES, LIBXL__HW_BODY_MAX);
    struct libxl__wspan head = libxl__wspan_over(frame, LIBXL__HW_HEADER_BYTES);
    const struct message *m = find(msg->number);

    assert(m);
    for (const struct field *f = m->fields; f->kind != END; f++)
        encode_field(&body, f, msg);
    assert(!body.bad);
    libxl__wspan_u32le(&head, (uint32_t)body.used);
    libxl__wspan_u16le(&head, (uint16_t)m->number);
    libxl__wspan_u16le(&head, 0);
    return head.used + body.used;
}

void libxl__hw_set_text(struct libxl__hw_text *t, const char *s)
{
    size_t n = strnlen(s, LIBXL__HW_TEXT_MAX);

    memcpy(t->s, s, n);
    t->s[n] = '\0';
    t->bytes = (uint32_t)n;
}
