/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_span.h - the checked cursors: the only way a codec touches bytes.
 *
 * Owns:      nothing; the bytes belong to the caller and must outlive it.
 * Units:     bytes.
 * Errors:    sticky: a step beyond the end yields 0 (or does nothing) and sets
 *            'failed'; ask once, behind the last step.
 */
#ifndef XC_SPAN_H
#define XC_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads. */
struct xc_span {
    const uint8_t *at;
    size_t left;
    bool failed;
};

/* inline: the bytes may still have to be read in */
static inline struct xc_span xc_span_of(const void *bytes, size_t n)
{
    return (struct xc_span){.at = bytes, .left = n};
}

uint16_t xc_span_le16(struct xc_span *s);
uint32_t xc_span_le32(struct xc_span *s);
uint64_t xc_span_le64(struct xc_span *s);
uint16_t xc_span_be16(struct xc_span *s);
uint32_t xc_span_be32(struct xc_span *s);
uint64_t xc_span_be64(struct xc_span *s);
void xc_span_skip(struct xc_span *s, size_t n);
/* n bytes, in place; NULL when there are fewer. */
const uint8_t *xc_span_bytes(struct xc_span *s, size_t n);
/* Nothing failed and nothing is left. */
bool xc_span_all_read(const struct xc_span *s);

/* Writes. */
struct xc_build {
    uint8_t *start;
    size_t used, room;
    bool failed;
};

struct xc_build xc_build_in(void *bytes, size_t room);
void xc_build_le16(struct xc_build *b, uint16_t v);
void xc_build_le32(struct xc_build *b, uint32_t v);
void xc_build_le64(struct xc_build *b, uint64_t v);
void xc_build_be16(struct xc_build *b, uint16_t v);
void xc_build_be32(struct xc_build *b, uint32_t v);
void xc_build_be64(struct xc_build *b, uint64_t v);
void xc_build_zeros(struct xc_build *b, size_t n);
void xc_build_bytes(struct xc_build *b, const void *bytes, size_t n);

#endif
