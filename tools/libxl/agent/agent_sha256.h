/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_sha256.h - SHA-256 (FIPS 180-4), for files that come over the channel.
 *
 * Thread:    any. Pure.
 */
#ifndef LIBXL_AGENT_SHA256_H
#define LIBXL_AGENT_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define LIBXL__SHA256_HEX 64

struct libxl__sha256 {
    uint32_t h[8];
    uint64_t bytes;
    uint8_t block[64];
};

void libxl__sha256_init(struct libxl__sha256 *s);
void libxl__sha256_add(struct libxl__sha256 *s, const void *p, size_t bytes);
/* Lower-case, with a final NUL. */
void libxl__sha256_hex(struct libxl__sha256 *s,
                       char out[LIBXL__SHA256_HEX + 1]);

#endif
