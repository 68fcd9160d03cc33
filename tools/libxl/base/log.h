/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * log.h - messages of the library, to the logger that the ctx was made with.
 *
 * Rule: a message is logged once, where its cause is known, and names the
 * object (domain, file, fd), the cause, and what to do if the user can do
 * something. Callers add context by returning, never by logging it again.
 *
 * Thread:    loop thread only.
 * Errors:    none: a message that cannot be made is not made. Control
 *            characters in it arrive as '?'; it is cut at 2 KiB.
 */
#ifndef LIBXL_LOG_H
#define LIBXL_LOG_H

#include "libxl.h"

/* domid INVALID_DOMID: not about one domain. errnoval 0: no errno text. */
void libxl__log(libxl_ctx *ctx, libxl_loglevel level, int errnoval,
                uint32_t domid, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* To the logger's progress hook, where it has one. */
void libxl__progress(libxl_ctx *ctx, uint32_t domid, const libxl_progress *p);

/* Never NULL. Defined by the engine, which owns the ctx. */
libxl_logger *libxl__ctx_logger(libxl_ctx *ctx);

#define LOGD(ctx, domid, level, ...) \
    libxl__log(ctx, LIBXL_LOG_##level, 0, domid, __VA_ARGS__)
#define LOGED(ctx, domid, level, errnoval, ...) \
    libxl__log(ctx, LIBXL_LOG_##level, errnoval, domid, __VA_ARGS__)
#define LOG(ctx, level, ...) LOGD(ctx, INVALID_DOMID, level, __VA_ARGS__)
#define LOGE(ctx, level, errnoval, ...) \
    LOGED(ctx, INVALID_DOMID, level, errnoval, __VA_ARGS__)

#endif
