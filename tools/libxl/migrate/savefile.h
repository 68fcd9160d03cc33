/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * savefile.h - xl's header in front of a libxl stream: 48 bytes, then optional
 * data that hold the configuration (docs/specs/xl-savefile.md). Codec.
 *
 * Owns:      nothing; libxl__savefile_build gives a malloc'ed buffer.
 * Errors:    0, or a libxl error with *reason (a constant text) saying which
 *            rule was broken; nothing is logged here.
 * Units:     bytes. Integers are in the writer's byte order.
 */
#ifndef LIBXL_SAVEFILE_H
#define LIBXL_SAVEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBXL__SAVEFILE_HEADER_BYTES 48u
#define LIBXL__SAVEFILE_OPTIONAL_MAX (16u << 20)

/* mandatory flags: a reader refuses what it does not know */
#define LIBXL__SAVEFILE_JSON (1u << 0)      /* the configuration is JSON */
#define LIBXL__SAVEFILE_STREAM_V2 (1u << 1) /* clear: a legacy stream */
#define LIBXL__SAVEFILE_QEMU_HOST                                              \
    (1u << 30)                                /* image of a QEMU host's guest  \
                                               */
#define LIBXL__SAVEFILE_ZERO_PAGES (1u << 31) /* zero pages as XALLOC (Xen) */
#define LIBXL__SAVEFILE_KNOWN                                                  \
    (LIBXL__SAVEFILE_JSON | LIBXL__SAVEFILE_STREAM_V2 |                        \
     LIBXL__SAVEFILE_QEMU_HOST | LIBXL__SAVEFILE_ZERO_PAGES)
/* optional flags: a reader that does not know one goes on */
#define LIBXL__SAVEFILE_BACK_CHANNEL (1u << 31) /* sender hears answers */

struct libxl__savefile_header {
    uint32_t mandatory, optional;
    uint32_t optional_bytes; /* that follow the 48 */
};

int libxl__savefile_decode(const uint8_t raw[LIBXL__SAVEFILE_HEADER_BYTES],
                           struct libxl__savefile_header *out,
                           const char **reason);
void libxl__savefile_encode(const struct libxl__savefile_header *h,
                            uint8_t raw[LIBXL__SAVEFILE_HEADER_BYTES]);

/* The configuration in the optional data: *config points into data and is
 * *config_bytes long; NULL: there is none. A NUL follows if it is json. If it
 * is text (flag JSON clear) there may be none: xl up to 4.4 wrote none. */
int libxl__savefile_config(const void *data, size_t bytes, bool json,
                           const char **config, size_t *config_bytes,
                           const char **reason);

/* What a sender tells of itself behind the configuration: *facts points into
 * data and is NUL-terminated; NULL: nothing, or nothing that we know. Only for
 * data in which libxl__savefile_config found a configuration. */
void libxl__savefile_facts(const void *data, size_t bytes, const char **facts);

struct libxl__savefile_parts {
    uint32_t mandatory, optional; /* flags */
    const char *json;
    const char *facts; /* a JSON object; NULL: none */
    size_t lead;
};
/* Header and optional data in one buffer, the optional data padded so that
 * what lies 'lead' bytes behind them is on a 4 KiB boundary. ERROR_NOMEM, or
 * ERROR_INVAL: the configuration is too long. */
int libxl__savefile_build(const struct libxl__savefile_parts *parts, void **out,
                          size_t *out_bytes, const char **reason);

/* From the end of the xl header to the first PAGE_DATA record of a QEMU
 * host's image: libxl's header and LIBXC_CONTEXT, libxc's two headers and
 * STATIC_DATA_END. A full batch's record header and PFNs take two pages. */
#define LIBXL__SAVEFILE_LEAD (16u + 8u + 24u + 16u + 8u)

#endif
