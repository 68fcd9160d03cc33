/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * handshake.h - the words of a migration (docs/specs/migration.md). Codec.
 *
 * Owns:      nothing.
 * Units:     bytes, as they lie on the wire; see the trailing NULs.
 *
 * word          who        when                           bytes
 * BANNER        receiver   first, before anything is sent 54
 * READY         receiver   all is loaded, waiting         34, NUL
 * GO            sender     the guest is the receiver's    44, NUL
 * REPORT        receiver   a status byte follows          39, NUL
 * GIVEN_BACK    receiver   after a bad status: GO's words 44, NUL
 */
#ifndef LIBXL_HANDSHAKE_H
#define LIBXL_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum libxl__hs_word {
    LIBXL__HS_BANNER,
    LIBXL__HS_READY,
    LIBXL__HS_GO,
    LIBXL__HS_REPORT,
    LIBXL__HS_GIVEN_BACK,
    LIBXL__HS_NR_WORDS,
};
#define LIBXL__HS_WORD_MAX 54u

struct libxl__hs_text {
    const char *bytes;
    size_t n;
    const char *name; /* for messages: "ready message" */
};
const struct libxl__hs_text *libxl__hs_text(enum libxl__hs_word word);

/* What came so far, against a word. */
enum libxl__hs_match {
    LIBXL__HS_MORE,  /* right so far */
    LIBXL__HS_MATCH, /* the word, and perhaps more behind it */
    LIBXL__HS_WRONG,
};
enum libxl__hs_match libxl__hs_match(enum libxl__hs_word word,
                                     const void *bytes, size_t n);

/* The first bytes of what was not the word, fit to be printed. */
#define LIBXL__HS_QUOTE_MAX 64u
void libxl__hs_quote(const void *bytes, size_t n,
                     char out[LIBXL__HS_QUOTE_MAX + 1]);

/* Which migration it is: a number that the sender draws. As text: hexadecimal
 * digits, in lower case. */
#define LIBXL__HS_ID_BYTES 16u
#define LIBXL__HS_ID_CHARS (2 * LIBXL__HS_ID_BYTES)
void libxl__hs_id_format(const uint8_t id[LIBXL__HS_ID_BYTES],
                         char text[LIBXL__HS_ID_CHARS + 1]);
/* false: not such a text */
bool libxl__hs_id_parse(const char *text, uint8_t id[LIBXL__HS_ID_BYTES]);

/* In place of xl's header a sender may ask what became of a migration: as long
 * as the header, so that a receiver reads one or the other at once. */
struct libxl__hs_query {
    uint8_t uuid[16]; /* the guest's */
    uint8_t id[LIBXL__HS_ID_BYTES];
};
#define LIBXL__HS_QUERY_BYTES 48u
void libxl__hs_encode_query(const struct libxl__hs_query *query,
                            uint8_t raw[LIBXL__HS_QUERY_BYTES]);
/* false: not a query */
bool libxl__hs_decode_query(const uint8_t raw[LIBXL__HS_QUERY_BYTES],
                            struct libxl__hs_query *query);

#endif
