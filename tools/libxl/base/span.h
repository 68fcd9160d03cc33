/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * span.h - checked cursors: the only way a codec of libxl touches bytes.
 *
 * Owns:      nothing: the bytes are the caller's and outlive the cursor.
 * Errors:    sticky. A read beyond the end gives 0 (bytes: NULL) and sets bad;
 *            a write beyond the end writes nothing and sets bad. Look once,
 *            when all fields are through.
 * Units:     bytes. le, be: byte order on the wire; ne: this machine's.
 */
#ifndef LIBXL_SPAN_H
#define LIBXL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct libxl__rspan {
    const uint8_t *p;
    size_t left;
    bool bad;
};

struct libxl__rspan libxl__rspan_over(const void *bytes, size_t n);
/* The next n bytes, or NULL. */
const void *libxl__rspan_bytes(struct libxl__rspan *s, size_t n);
uint16_t libxl__rspan_u16le(struct libxl__rspan *s);
uint32_t libxl__rspan_u32le(struct libxl__rspan *s);
uint64_t libxl__rspan_u64le(struct libxl__rspan *s);
uint32_t libxl__rspan_u32be(struct libxl__rspan *s);
uint64_t libxl__rspan_u64be(struct libxl__rspan *s);
uint32_t libxl__rspan_u32ne(struct libxl__rspan *s);
/* The string up to the next NUL, which is consumed too; NULL and bad when
 * there is no NUL left. */
const char *libxl__rspan_cstr(struct libxl__rspan *s);

struct libxl__wspan {
    uint8_t *p;
    size_t left, used;
    bool bad;
};

struct libxl__wspan libxl__wspan_over(void *bytes, size_t n);
void libxl__wspan_bytes(struct libxl__wspan *s, const void *bytes, size_t n);
void libxl__wspan_zeros(struct libxl__wspan *s, size_t n);
void libxl__wspan_u16le(struct libxl__wspan *s, uint16_t v);
void libxl__wspan_u32le(struct libxl__wspan *s, uint32_t v);
void libxl__wspan_u64le(struct libxl__wspan *s, uint64_t v);
void libxl__wspan_u32be(struct libxl__wspan *s, uint32_t v);
void libxl__wspan_u64be(struct libxl__wspan *s, uint64_t v);
void libxl__wspan_u32ne(struct libxl__wspan *s, uint32_t v);

#endif
