/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_sr_report.h - one message, where its cause is known. */
#ifndef XC_SR_REPORT_H
#define XC_SR_REPORT_H

#include "stream/xc_sr.h"

/* Logs "libxc: ..." as an error and returns rc (a negative errno). */
int xc_sr_fail(const struct xc_sr_callbacks *cb, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void xc_sr_note(const struct xc_sr_callbacks *cb, enum xc_log_level level,
                const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool xc_sr_cancelled(const struct xc_sr_callbacks *cb);

#endif
