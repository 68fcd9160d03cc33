/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* span.c - checked cursors over bytes (codec). */
#include "base/span.h"

#include <endian.h>
#include <string.h>

struct libxl__rspan libxl__rspan_over(const void *bytes, size_t n)
{
    return (struct libxl__rspan){.p = bytes, .left = n};
}

const void *libxl__rspan_bytes(struct libxl__rspan *s, size_t n)
{
    const uint8_t *here = s->p;

    if (s->bad || n > s->left) {
        s->bad = true;
        return NULL;
    }
    if (n) {
        s->p += n;
        s->left -= n;
    }
    return here;
}

static void rspan_copy(struct libxl__rspan *s, void *to, size_t n)
{
    const void *from = libxl__rspan_bytes(s, n);

    if (from)
        memcpy(to, from, n);
}

uint16_t libxl__rspan_u16le(struct libxl__rspan *s)
{
    uint16_t v = 0;

    rspan_copy(s, &v, sizeof(v));
    return le16toh(v);
}

uint32_t libxl__rspan_u32le(struct libxl__rspan *s)
{
    return le32toh(libxl__rspan_u32ne(s));
}

uint64_t libxl__rspan_u64le(struct libxl__rspan *s)
{
    uint64_t v = 0;

    rspan_copy(s, &v, sizeof(v));
    return le64toh(v);
}

uint32_t libxl__rspan_u32be(struct libxl__rspan *s)
{
    return be32toh(libxl__rspan_u32ne(s));
}

uint64_t libxl__rspan_u64be(struct libxl__rspan *s)
{
    uint64_t v = 0;

    rspan_copy(s, &v, sizeof(v));
    return be64toh(v);
}

uint32_t libxl__rspan_u32ne(struct libxl__rspan *s)
{
    uint32_t v = 0;

    rspan_copy(s, &v, sizeof(v));
    return v;
}

const char *libxl__rspan_cstr(struct libxl__rspan *s)
{
    const uint8_t *end = s->left ? memchr(s->p, '\0', s->left) : NULL;

    if (!end) {
        s->bad = true;
        return NULL;
    }
    return libxl__rspan_bytes(s, (size_t)(end - s->p) + 1);
}

struct libxl__wspan libxl__wspan_over(void *bytes, size_t n)
{
    return (struct libxl__wspan){.p = bytes, .left = n};
}

static uint8_t *wspan_take(struct libxl__wspan *s, size_t n)
{
    uint8_t *here = s->p;

    if (s->bad || n > s->left) {
        s->bad = true;
        return NULL;
    }
    s->p += n;
    s->left -= n;
    s->used += n;
    return here;
}

void libxl__wspan_bytes(struct libxl__wspan *s, const void *bytes, size_t n)
{
    uint8_t *to = wspan_take(s, n);

    if (to && n)
        memcpy(to, bytes, n);
}

void libxl__wspan_zeros(struct libxl__wspan *s, size_t n)
{
    uint8_t *to = wspan_take(s, n);

    if (to)
        memset(to, 0, n);
}

void libxl__wspan_u16le(struct libxl__wspan *s, uint16_t v)
{
    v = htole16(v);
    libxl__wspan_bytes(s, &v, sizeof(v));
}

void libxl__wspan_u32le(struct libxl__wspan *s, uint32_t v)
{
    libxl__wspan_u32ne(s, htole32(v));
}

void libxl__wspan_u64le(struct libxl__wspan *s, uint64_t v)
{
    v = htole64(v);
    libxl__wspan_bytes(s, &v, sizeof(v));
}

void libxl__wspan_u32be(struct libxl__wspan *s, uint32_t v)
{
    libxl__wspan_u32ne(s, htobe32(v));
}

void libxl__wspan_u64be(struct libxl__wspan *s, uint64_t v)
{
    v = htobe64(v);
    libxl__wspan_bytes(s, &v, sizeof(v));
}

void libxl__wspan_u32ne(struct libxl__wspan *s, uint32_t v)
{
    libxl__wspan_bytes(s, &v, sizeof(v));
}
