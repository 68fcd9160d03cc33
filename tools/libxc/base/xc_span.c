/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xc_span.h"

#include <endian.h>
#include <string.h>

const uint8_t *xc_span_bytes(struct xc_span *s, size_t n)
{
    const uint8_t *at = s->at;

    if (s->failed || n > s->left) {
        s->failed = true;
        return NULL;
    }
    s->at += n;
    s->left -= n;
    return at;
}

void xc_span_skip(struct xc_span *s, size_t n)
{
    xc_span_bytes(s, n);
}

static void take(struct xc_span *s, void *into, size_t n)
{
    const uint8_t *at = xc_span_bytes(s, n);

    if (at)
        memcpy(into, at, n);
    else
        memset(into, 0, n);
}

uint16_t xc_span_le16(struct xc_span *s)
{
    uint16_t v;

    take(s, &v, sizeof(v));
    return le16toh(v);
}

uint32_t xc_span_le32(struct xc_span *s)
{
    uint32_t v;

    take(s, &v, sizeof(v));
    return le32toh(v);
}

uint64_t xc_span_le64(struct xc_span *s)
{
    uint64_t v;

    take(s, &v, sizeof(v));
    return le64toh(v);
}

uint16_t xc_span_be16(struct xc_span *s)
{
    uint16_t v;

    take(s, &v, sizeof(v));
    return be16toh(v);
}

uint32_t xc_span_be32(struct xc_span *s)
{
    uint32_t v;

    take(s, &v, sizeof(v));
    return be32toh(v);
}

uint64_t xc_span_be64(struct xc_span *s)
{
    uint64_t v;

    take(s, &v, sizeof(v));
    return be64toh(v);
}

bool xc_span_all_read(const struct xc_span *s)
{
    return !s->failed && s->left == 0;
}

struct xc_build xc_build_in(void *bytes, size_t room)
{
    return (struct xc_build){.start = bytes, .room = room};
}

/* n bytes to fill in, or NULL. */
static uint8_t *extend(struct xc_build *b, size_t n)
{
    uint8_t *at = b->start + b->used;

    if (b->failed || n > b->room - b->used) {
        b->failed = true;
        return NULL;
    }
    b->used += n;
    return at;
}

void xc_build_bytes(struct xc_build *b, const void *bytes, size_t n)
{
    uint8_t *at = extend(b, n);

    if (at && n)
        memcpy(at, bytes, n);
}

void xc_build_zeros(struct xc_build *b, size_t n)
{
    uint8_t *at = extend(b, n);

    if (at)
        memset(at, 0, n);
}

void xc_build_le16(struct xc_build *b, uint16_t v)
{
    v = htole16(v);
    xc_build_bytes(b, &v, sizeof(v));
}

void xc_build_le32(struct xc_build *b, uint32_t v)
{
    v = htole32(v);
    xc_build_bytes(b, &v, sizeof(v));
}

void xc_build_le64(struct xc_build *b, uint64_t v)
{
    v = htole64(v);
    xc_build_bytes(b, &v, sizeof(v));
}

void xc_build_be16(struct xc_build *b, uint16_t v)
{
    v = htobe16(v);
    xc_build_bytes(b, &v, sizeof(v));
}

void xc_build_be32(struct xc_build *b, uint32_t v)
{
    v = htobe32(v);
    xc_build_bytes(b, &v, sizeof(v));
}

void xc_build_be64(struct xc_build *b, uint64_t v)
{
    v = htobe64(v);
    xc_build_bytes(b, &v, sizeof(v));
}
