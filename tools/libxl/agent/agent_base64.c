/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent_base64.c - strict: whole groups of four, padding only at the end. */
#include "agent/agent_base64.h"

#include <stdint.h>
#include <string.h>

static int value_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Bytes in the group of four, or -1. */
static int decode_group(const char *p, uint8_t out[3])
{
    int v[4], i, bytes = 3;
    uint32_t bits;

    if (p[3] == '=')
        bytes = p[2] == '=' ? 1 : 2;
    for (i = 0; i < 4; i++) {
        v[i] = i > bytes ? 0 : value_of(p[i]);
        if (v[i] < 0)
            return -1;
    }
    bits = (uint32_t)v[0] << 18 | (uint32_t)v[1] << 12 | (uint32_t)v[2] << 6 |
           (uint32_t)v[3];
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return bytes;
}

ssize_t libxl__base64_decode(const char *text, void *out, size_t room)
{
    size_t n = strlen(text), i, have = 0;
    uint8_t group[3];
    int bytes;

    if (n % 4)
        return -1;
    for (i = 0; i < n; i += 4) {
        bytes = decode_group(text + i, group);
        if (bytes < 0 || (bytes < 3 && i + 4 != n) ||
            room - have < (size_t)bytes)
            return -1;
        memcpy((uint8_t *)out + have, group, (size_t)bytes);
        have += (size_t)bytes;
    }
    return (ssize_t)have;
}
