/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* handshake.c - the words of a migration (codec). */
#include "migrate/handshake.h"

#include <assert.h>
#include <string.h>

#define QUERY_MAGIC_BYTES 16

#define BANNER "xl migration receiver ready, send binary domain data.\n"
#define READY "domain received, ready to unpause"
#define GO "domain is yours, you are cleared to unpause"
#define REPORT "my copy unpause results are as follows"

/* Without its NUL, and with it. */
#define BARE(s) s, sizeof(s) - 1
#define WHOLE(s) s, sizeof(s)

static const struct libxl__hs_text words[LIBXL__HS_NR_WORDS] = {
    [LIBXL__HS_BANNER] = {BARE(BANNER), "banner"},
    [LIBXL__HS_READY] = {WHOLE(READY), "ready message"},
    [LIBXL__HS_GO] = {WHOLE(GO), "permission to run the guest"},
    [LIBXL__HS_REPORT] = {WHOLE(REPORT), "report"},
    [LIBXL__HS_GIVEN_BACK] = {WHOLE(GO), "permission given back"},
};

static const char query_magic[QUERY_MAGIC_BYTES] =
    "xl outcome?\n \0 \r";

static const char hex_digits[] = "0123456789abcdef";

const struct libxl__hs_text *libxl__hs_text(enum libxl__hs_word word)
{
    assert(word < LIBXL__HS_NR_WORDS);
    return &words[word];
}

enum libxl__hs_match libxl__hs_match(enum libxl__hs_word word,
                                     const void *bytes, size_t n)
{
    const struct libxl__hs_text *t = libxl__hs_text(word);
    size_t common = n < t->n ? n : t->n;

    if (memcmp(bytes, t->bytes, common))
        return LIBXL__HS_WRONG;
    return common == t->n ? LIBXL__HS_MATCH : LIBXL__HS_MORE;
}

void libxl__hs_quote(const void *bytes, size_t n,
                     char out[LIBXL__HS_QUOTE_MAX + 1])
{
    const unsigned char *p = bytes;
    size_t i;

    for (i = 0; i < n && i < LIBXL__HS_QUOTE_MAX; i++)
        out[i] = p[i] >= ' ' && p[i] < 127 ? (char)p[i] : '.';
    out[i] = '\0';
}

void libxl__hs_id_format(const uint8_t id[LIBXL__HS_ID_BYTES],
                         char text[LIBXL__HS_ID_CHARS + 1])
{
    for (size_t i = 0; i < LIBXL__HS_ID_BYTES; i++) {
        text[2 * i] = hex_digits[id[i] >> 4];
        text[2 * i + 1] = hex_digits[id[i] & 15];
    }
    text[LIBXL__HS_ID_CHARS] = '\0';
}

bool libxl__hs_id_parse(const char *text, uint8_t id[LIBXL__HS_ID_BYTES])
{
    if (strlen(text) != LIBXL__HS_ID_CHARS ||
        strspn(text, hex_digits) != LIBXL__HS_ID_CHARS)
        return false;
    for (size_t i = 0; i < LIBXL__HS_ID_CHARS; i++) {
        uint8_t digit = (uint8_t)(strchr(hex_digits, text[i]) - hex_digits);

        id[i / 2] = (uint8_t)(i % 2 ? id[i / 2] | digit : digit << 4);
    }
    return true;
}

void libxl__hs_encode_query(const struct libxl__hs_query *query,
                            uint8_t raw[LIBXL__HS_QUERY_BYTES])
{
    memcpy(raw, query_magic, QUERY_MAGIC_BYTES);
    memcpy(raw + QUERY_MAGIC_BYTES, query->uuid, 16);
    memcpy(raw + QUERY_MAGIC_BYTES + 16, query->id, LIBXL__HS_ID_BYTES);
}

bool libxl__hs_decode_query(const uint8_t raw[LIBXL__HS_QUERY_BYTES],
                            struct libxl__hs_query *query)
{
    if (memcmp(raw, query_magic, QUERY_MAGIC_BYTES))
        return false;
    memcpy(query->uuid, raw + QUERY_MAGIC_BYTES, 16);
    memcpy(query->id, raw + QUERY_MAGIC_BYTES + 16, LIBXL__HS_ID_BYTES);
    return true;
}
