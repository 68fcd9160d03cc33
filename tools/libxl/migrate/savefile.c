/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* savefile.c - xl's header in front of a libxl stream (codec). */
#include "migrate/savefile.h"

#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "libxl.h"

#define MAGIC_BYTES 32
#define BYTEORDER 0x01020304u
#define PAGE_BYTES 4096u

/* LF, space, NUL, space, CR at the end: a text-mode transfer shows. */
static const char magic[MAGIC_BYTES] = "Xen saved domain, xl format\n \0 \r";

int libxl__savefile_decode(const uint8_t raw[LIBXL__SAVEFILE_HEADER_BYTES],
                           struct libxl__savefile_header *out,
                           const char **reason)
{
    struct libxl__rspan s =
        libxl__rspan_over(raw, LIBXL__SAVEFILE_HEADER_BYTES);
    const char *got = libxl__rspan_bytes(&s, MAGIC_BYTES);
    uint32_t byteorder = libxl__rspan_u32ne(&s);

    out->mandatory = libxl__rspan_u32ne(&s);
    out->optional = libxl__rspan_u32ne(&s);
    out->optional_bytes = libxl__rspan_u32ne(&s);
    *reason = NULL;
    if (memcmp(got, magic, MAGIC_BYTES))
        *reason = "wrong magic: this is not an xl save file "
                  "[xl.header.magic]";
    else if (byteorder != BYTEORDER)
        *reason = "wrong byte order: written by another kind of machine "
                  "[xl.header.byteorder]";
    else if (out->mandatory & ~LIBXL__SAVEFILE_KNOWN)
        *reason = "unknown mandatory flags: a newer xl is needed "
                  "[xl.header.mandatory_flags]";
    else if (out->optional_bytes && out->optional_bytes < 4)
        *reason = "optional data too short for a configuration "
                  "[xl.optional.length]";
    else if (out->optional_bytes > LIBXL__SAVEFILE_OPTIONAL_MAX)
        *reason = "optional data longer than 16 MiB "
                  "[xl.optional.length]";
    return *reason ? ERROR_INVAL : 0;
}

void libxl__savefile_encode(const struct libxl__savefile_header *h,
                            uint8_t raw[LIBXL__SAVEFILE_HEADER_BYTES])
{
    struct libxl__wspan s =
        libxl__wspan_over(raw, LIBXL__SAVEFILE_HEADER_BYTES);

    libxl__wspan_bytes(&s, magic, MAGIC_BYTES);
    libxl__wspan_u32ne(&s, BYTEORDER);
    libxl__wspan_u32ne(&s, h->mandatory);
    libxl__wspan_u32ne(&s, h->optional);
    libxl__wspan_u32ne(&s, h->optional_bytes);
}

int libxl__savefile_config(const void *data, size_t bytes, bool json,
                           const char **config, size_t *config_bytes,
                           const char **reason)
{
    struct libxl__rspan s = libxl__rspan_over(data, bytes);
    const char *text, *nul = NULL;
    uint32_t n;

    *config = NULL;
    *config_bytes = 0;
    *reason = NULL;
    if (!bytes)
        return 0;
    n = libxl__rspan_u32ne(&s);
    text = libxl__rspan_bytes(&s, n);
    if (!s.bad && n)
        nul = memchr(text, '\0', n);
    if (s.bad)
        *reason = "configuration longer than the optional data "
                  "[xl.config.length]";
    else if (!n || (nul ? nul != text + n - 1 : json))
        *reason = "configuration does not end with its only NUL "
                  "[xl.config.nul]";
    if (*reason)
        return ERROR_INVAL;
    *config = text;
    *config_bytes = nul ? n - 1 : n;
    return 0;
}

void libxl__savefile_facts(const void *data, size_t bytes, const char **facts)
{
    struct libxl__rspan s = libxl__rspan_over(data, bytes);
    uint32_t n = libxl__rspan_u32ne(&s);

    libxl__rspan_bytes(&s, n);
    *facts = NULL;
    if (!s.bad && s.left && *s.p == '{')
        *facts = libxl__rspan_cstr(&s);
}

/* Bytes of the optional data: length, texts with their NULs, padding. */
static size_t optional_bytes(size_t text_bytes, size_t lead)
{
    size_t plain = LIBXL__SAVEFILE_HEADER_BYTES + 4 + text_bytes;
    size_t over = (plain + lead) % PAGE_BYTES;

    return plain + (over ? PAGE_BYTES - over : 0) -
           LIBXL__SAVEFILE_HEADER_BYTES;
}

int libxl__savefile_build(const struct libxl__savefile_parts *parts, void **out,
                          size_t *out_bytes, const char **reason)
{
    struct libxl__savefile_header h = {
        .mandatory = parts->mandatory,
        .optional = parts->optional,
    };
    size_t json_bytes = strlen(parts->json) + 1, total;
    size_t facts_bytes = parts->facts ? strlen(parts->facts) + 1 : 0;
    struct libxl__wspan s;
    uint8_t *buf;

    *reason = NULL;
    if (json_bytes + facts_bytes >
        LIBXL__SAVEFILE_OPTIONAL_MAX - 2 * PAGE_BYTES) {
        *reason = "configuration longer than 16 MiB";
        return ERROR_INVAL;
    }
    h.optional_bytes =
        (uint32_t)optional_bytes(json_bytes + facts_bytes, parts->lead);
    total = LIBXL__SAVEFILE_HEADER_BYTES + h.optional_bytes;
    buf = calloc(1, total);
    if (!buf) {
        *reason = "no memory";
        return ERROR_NOMEM;
    }
    libxl__savefile_encode(&h, buf);
    s = libxl__wspan_over(buf + LIBXL__SAVEFILE_HEADER_BYTES, h.optional_bytes);
    libxl__wspan_u32ne(&s, (uint32_t)json_bytes);
    libxl__wspan_bytes(&s, parts->json, json_bytes);
    libxl__wspan_bytes(&s, parts->facts, facts_bytes);
    *out = buf;
    *out_bytes = total;
    return 0;
}
