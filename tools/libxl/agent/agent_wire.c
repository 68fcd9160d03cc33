/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent_wire.c - one message or control line at a time out of a buffer. */
#include "agent/agent_wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARK = 0xff, READ_AHEAD = 16 * 1024, DIGITS_MAX = 8 };

static const char line_want[] = "\xffXA1 want ";
static const char line_here[] = "\xffXA1 here ";
static const char key_length[] = "Content-Length: ";
static const char key_data[] = "Data-Length: ";

struct frame {
    size_t header_bytes, json_bytes, data_bytes;
};

void libxl__agent_reader_init(struct libxl__agent_reader *r, uint64_t token)
{
    memset(r, 0, sizeof(*r));
    r->lost = true;
    r->token = token;
}

void libxl__agent_reader_dispose(struct libxl__agent_reader *r)
{
    free(r->buf);
    memset(r, 0, sizeof(*r));
}

static void drop_taken(struct libxl__agent_reader *r)
{
    if (!r->taken)
        return;
    memmove(r->buf, r->buf + r->taken, r->have - r->taken);
    r->have -= r->taken;
    r->taken = 0;
}

static bool grow(struct libxl__agent_reader *r, size_t room)
{
    uint8_t *buf;

    if (room <= r->room)
        return true;
    buf = realloc(r->buf, room);
    if (!buf)
        return false;
    r->buf = buf;
    r->room = room;
    return true;
}

void *libxl__agent_reader_room(struct libxl__agent_reader *r, size_t *bytes)
{
    drop_taken(r);
    /* next() made room for the message that is being read; this is for the
     * header, and for what follows */
    if (r->room == r->have && !grow(r, r->have + READ_AHEAD))
        return NULL;
    *bytes = r->room - r->have;
    return r->buf + r->have;
}

void libxl__agent_reader_got(struct libxl__agent_reader *r, size_t bytes)
{
    r->have += bytes;
}

bool libxl__agent_reader_partial(const struct libxl__agent_reader *r)
{
    return r->have > r->taken;
}

void libxl__agent_reader_lose(struct libxl__agent_reader *r, uint64_t token)
{
    r->lost = true;
    r->token = token;
    r->scanned = 0;
}

static void lost(struct libxl__agent_reader *r, struct libxl__agent_item *item,
                 const char *why)
{
    libxl__agent_reader_lose(r, r->token);
    item->kind = AGENT_ITEM_LOST;
    item->why = why;
}

/* ---- control lines ---- */

static bool hex_u64(const uint8_t *p, uint64_t *out)
{
    uint64_t v = 0;
    int i;

    for (i = 0; i < 16; i++) {
        if (p[i] >= '0' && p[i] <= '9')
            v = v << 4 | (uint64_t)(p[i] - '0');
        else if (p[i] >= 'a' && p[i] <= 'f')
            v = v << 4 | (uint64_t)(p[i] - 'a' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

/* NONE with *more: could still become a line. NONE without: it is none. */
static enum libxl__agent_item_kind parse_line(const uint8_t *p, size_t n,
                                              uint64_t *token, bool *more)
{
    const size_t prefix = sizeof(line_want) - 1;
    size_t known = n < prefix ? n : prefix;
    bool want = !memcmp(p, line_want, known);
    bool here = !memcmp(p, line_here, known);

    *more = n < LIBXL__AGENT_LINE_BYTES && (want || here);
    if (*more || (!want && !here))
        return AGENT_ITEM_NONE;
    if (p[LIBXL__AGENT_LINE_BYTES - 1] != '\n' || !hex_u64(p + prefix, token))
        return AGENT_ITEM_NONE;
    return want ? AGENT_ITEM_WANT : AGENT_ITEM_HERE;
}

/* Lost: only control lines count, wherever they begin. */
static void search_line(struct libxl__agent_reader *r,
                        struct libxl__agent_item *item)
{
    enum libxl__agent_item_kind kind;
    const uint8_t *mark;
    uint64_t token;
    bool more;

    for (;;) {
        mark = memchr(r->buf + r->taken, MARK, r->have - r->taken);
        if (!mark) {
            r->taken = r->have;
            return;
        }
        r->taken = (size_t)(mark - r->buf);
        kind = parse_line(mark, r->have - r->taken, &token, &more);
        if (more)
            return;
        if (kind == AGENT_ITEM_NONE) {
            r->taken++;
            continue;
        }
        r->taken += LIBXL__AGENT_LINE_BYTES;
        if (kind == AGENT_ITEM_HERE && token != r->token)
            continue; /* an answer to an earlier question */
        if (kind == AGENT_ITEM_HERE)
            r->lost = false;
        item->kind = kind;
        item->token = token;
        return;
    }
}

/* In step: a line between two messages. */
static void take_line(struct libxl__agent_reader *r,
                      struct libxl__agent_item *item)
{
    bool more;

    item->kind =
        parse_line(r->buf + r->taken, r->have - r->taken, &item->token, &more);
    if (item->kind != AGENT_ITEM_NONE)
        r->taken += LIBXL__AGENT_LINE_BYTES;
    else if (!more)
        lost(r, item, "a control line is none");
}

/* ---- messages ---- */

/* "KEY: number CR LF" at *p; moves *p behind it. */
static bool header_field(const char **p, const char *end, const char *key,
                         size_t *value)
{
    size_t key_bytes = strlen(key), digits = 0, v = 0;
    const char *q = *p;

    if ((size_t)(end - q) < key_bytes || memcmp(q, key, key_bytes))
        return false;
    q += key_bytes;
    while (q < end && *q >= '0' && *q <= '9' && digits < DIGITS_MAX) {
        v = v * 10 + (size_t)(*q++ - '0');
        digits++;
    }
    if (!digits || end - q < 2 || q[0] != '\r' || q[1] != '\n')
        return false;
    *p = q + 2;
    *value = v;
    return true;
}

static const char *parse_header(const char *p, const char *end, struct frame *f)
{
    const char *begin = p;
    size_t total;

    f->data_bytes = 0;
    if (!header_field(&p, end, key_length, &total))
        return "a header does not begin with Content-Length";
    if (p < end - 2 && !header_field(&p, end, key_data, &f->data_bytes))
        return "a header has a field that is not Data-Length";
    if (p != end - 2)
        return "a header has more fields than there are";
    if (f->data_bytes > LIBXL__AGENT_DATA_MAX)
        return "a message has too much data";
    if (total <= f->data_bytes)
        return "a message has no JSON";
    f->json_bytes = total - f->data_bytes;
    if (f->json_bytes > LIBXL__AGENT_JSON_MAX)
        return "a message is too long";
    f->header_bytes = (size_t)(end - begin);
    return NULL;
}

/* The end of the header, if it is there. A header that is no prefix of a right
 * one is found out at its first wrong byte, not when it is full. */
static const char *find_header_end(const char *p, size_t n, const char **why)
{
    size_t known = sizeof(key_length) - 1;
    size_t max = n < LIBXL__AGENT_HEADER_MAX ? n : LIBXL__AGENT_HEADER_MAX;
    const char *end;

    *why = NULL;
    if (memcmp(p, key_length, n < known ? n : known))
        *why = "a header does not begin with Content-Length";
    end = *why ? NULL : memmem(p, max, "\r\n\r\n", 4);
    if (end)
        return end + 4;
    if (memchr(p, MARK, max) && !*why)
        *why = "a header was left half";
    if (n >= LIBXL__AGENT_HEADER_MAX && !*why)
        *why = "a header is too long";
    return NULL;
}

/* UTF-8 has no such byte: a new beginning of the peer, inside of a message that
 * its former self left half. */
static bool mark_in_json(struct libxl__agent_reader *r, const struct frame *f)
{
    const uint8_t *body = r->buf + r->taken + f->header_bytes;
    size_t got = r->have - r->taken - f->header_bytes;
    const uint8_t *mark;

    if (got > f->json_bytes)
        got = f->json_bytes;
    mark = memchr(body + r->scanned, MARK, got - r->scanned);
    r->scanned = got;
    if (!mark)
        return false;
    r->taken = (size_t)(mark - r->buf);
    return true;
}

static void take_message(struct libxl__agent_reader *r,
                         struct libxl__agent_item *item)
{
    const char *begin = (const char *)r->buf + r->taken, *end, *why;
    size_t whole;
    struct frame f;

    end = find_header_end(begin, r->have - r->taken, &why);
    if (end)
        why = parse_header(begin, end, &f);
    if (why) {
        lost(r, item, why);
        return;
    }
    if (!end)
        return;
    if (mark_in_json(r, &f)) {
        lost(r, item, "a message was left half");
        return;
    }
    whole = f.header_bytes + f.json_bytes + f.data_bytes;
    if (r->have - r->taken < whole) {
        drop_taken(r);
        if (!grow(r, whole))
            lost(r, item, "no memory for a message");
        return;
    }
    item->kind = AGENT_ITEM_MESSAGE;
    item->json = begin + f.header_bytes;
    item->json_bytes = f.json_bytes;
    item->data = (const uint8_t *)item->json + f.json_bytes;
    item->data_bytes = f.data_bytes;
    r->taken += whole;
    r->scanned = 0;
}

void libxl__agent_reader_next(struct libxl__agent_reader *r,
                              struct libxl__agent_item *item)
{
    memset(item, 0, sizeof(*item));
    if (r->have == r->taken)
        return;
    if (r->lost)
        search_line(r, item);
    else if (r->buf[r->taken] == MARK)
        take_line(r, item);
    else
        take_message(r, item);
}

/* ---- the other way ---- */

size_t libxl__agent_put_header(char out[LIBXL__AGENT_HEADER_MAX],
                               size_t json_bytes, size_t data_bytes)
{
    int n;

    if (data_bytes)
        n = snprintf(out, LIBXL__AGENT_HEADER_MAX, "%s%zu\r\n%s%zu\r\n\r\n",
                     key_length, json_bytes + data_bytes, key_data, data_bytes);
    else
        n = snprintf(out, LIBXL__AGENT_HEADER_MAX, "%s%zu\r\n\r\n", key_length,
                     json_bytes);
    return (size_t)n;
}

size_t libxl__agent_put_line(char out[LIBXL__AGENT_LINE_BYTES],
                             enum libxl__agent_item_kind want_or_here,
                             uint64_t token)
{
    char line[LIBXL__AGENT_LINE_BYTES + 1];

    snprintf(line, sizeof(line), "%s%016" PRIx64 "\n",
             want_or_here == AGENT_ITEM_WANT ? line_want : line_here, token);
    memcpy(out, line, LIBXL__AGENT_LINE_BYTES);
    return LIBXL__AGENT_LINE_BYTES;
}
