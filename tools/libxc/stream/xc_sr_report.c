/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 512

static void say(const struct xc_sr_callbacks *cb, enum xc_log_level level,
                int errnoval, const char *fmt, va_list ap)
{
    static const char prefix[] = "libxc: ";
    char text[TEXT_MAX];

    if (!cb->log)
        return;
    memcpy(text, prefix, sizeof(prefix));
    vsnprintf(text + sizeof(prefix) - 1, sizeof(text) - sizeof(prefix) + 1, fmt,
              ap);
    cb->log(cb->data, level, errnoval, text);
}

int xc_sr_fail(const struct xc_sr_callbacks *cb, int rc, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(cb, XC_LOG_ERROR, -rc, fmt, ap);
    va_end(ap);
    return rc;
}

void xc_sr_note(const struct xc_sr_callbacks *cb, enum xc_log_level level,
                const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(cb, level, 0, fmt, ap);
    va_end(ap);
}

bool xc_sr_cancelled(const struct xc_sr_callbacks *cb)
{
    return cb->cancelled && cb->cancelled(cb->data);
}
