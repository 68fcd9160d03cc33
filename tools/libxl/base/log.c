/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log.c - one message, made into one clean line, for the ctx's logger. */
#include "base/log.h"

#include <stdio.h>
#include <string.h>

enum { LOG_LINE_MAX = 2048 };

/* Text from guests, peers and files gets into messages: it must not be able
 * to start a new line or to talk to the terminal. */
static void make_printable(char *text)
{
    unsigned char *p;

    for (p = (unsigned char *)text; *p; p++)
        if (*p < ' ' || *p == 0x7f)
            *p = '?';
        else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
            p[0] = p[1] = '?'; /* C1, in UTF-8 */
}

void libxl__log(libxl_ctx *ctx, libxl_loglevel level, int errnoval,
                uint32_t domid, const char *fmt, ...)
{
    libxl_logger *lg = libxl__ctx_logger(ctx);
    char text[LOG_LINE_MAX], why[128];
    va_list ap;
    int n;

    if (!lg->message)
        return;
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if (errnoval && (size_t)n < sizeof(text))
        snprintf(text + n, sizeof(text) - n, ": %s",
                 strerror_r(errnoval, why, sizeof(why)));
    make_printable(text);
    lg->message(lg, level, domid, text);
}

void libxl__progress(libxl_ctx *ctx, uint32_t domid, const libxl_progress *p)
{
    libxl_logger *lg = libxl__ctx_logger(ctx);

    if (lg->progress)
        lg->progress(lg, domid, p);
}
