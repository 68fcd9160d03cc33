/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent_utf8.c - one sequence after the other, by its lead byte's row. */
#include "agent/agent_utf8.h"

#include <stdint.h>

/* Which second bytes a lead byte allows, and how many bytes follow in all. */
static const struct {
    uint8_t first, last, low, high, followers;
} rows[] = {
    {0x00, 0x7f, 0x00, 0x00, 0}, {0xc2, 0xdf, 0x80, 0xbf, 1},
    {0xe0, 0xe0, 0xa0, 0xbf, 2}, {0xe1, 0xec, 0x80, 0xbf, 2},
    {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2},
    {0xf0, 0xf0, 0x90, 0xbf, 3}, {0xf1, 0xf3, 0x80, 0xbf, 3},
    {0xf4, 0xf4, 0x80, 0x8f, 3},
};

/* Length of the sequence at p, 0 if it is none. */
static size_t sequence(const uint8_t *p, size_t left)
{
    size_t i, k;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (*p >= rows[i].first && *p <= rows[i].last)
            break;
    if (i == sizeof(rows) / sizeof(rows[0]) || rows[i].followers >= left)
        return 0;
    for (k = 1; k <= rows[i].followers; k++)
        if (p[k] < (k == 1 ? rows[i].low : 0x80) ||
            p[k] > (k == 1 ? rows[i].high : 0xbf))
            return 0;
    return rows[i].followers + 1u;
}

bool libxl__agent_utf8_ok(const char *text, size_t bytes)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + bytes;
    size_t n;

    for (; p < end; p += n) {
        n = sequence(p, (size_t)(end - p));
        if (!n)
            return false;
    }
    return true;
}
