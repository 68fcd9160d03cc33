/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl.h - the public interface of the toolstack.
 *
 * Names and promises are those of upstream's libxl for what is offered here;
 * docs/specs/engine.md states the promises.
 *
 * Thread:    one thread a ctx: the one that made it. A call from another
 *            thread gets ERROR_INVAL and does nothing.
 * Errors:    0 or a negative ERROR_*. The cause has been logged when a
 *            function returns an error.
 */
#ifndef LIBXL_H
#define LIBXL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The library is built with hidden visibility: what is declared from here to
 * the end of this header is its interface. */
#pragma GCC visibility push(default)

typedef struct libxl__ctx libxl_ctx;

#define LIBXL_VERSION 0
#define INVALID_DOMID ((uint32_t)~0u)

enum {
    ERROR_NONSPECIFIC = -1,
    ERROR_VERSION = -2,
    ERROR_FAIL = -3,
    ERROR_NI = -4, /* not offered on this host, or by this kind of fd */
    ERROR_NOMEM = -5,
    ERROR_INVAL = -6,
    ERROR_BADFAIL = -7, /* failed, and the state could not be put back */
    ERROR_GUEST_TIMEDOUT = -8,
    ERROR_TIMEDOUT = -9,
    ERROR_NOPARAVIRT = -10,
    ERROR_NOT_READY = -11,
    ERROR_OSEVENT_REG_FAIL = -12,
    ERROR_BUFFERFULL = -13,
    ERROR_UNKNOWN_CHILD = -14,
    ERROR_LOCK_FAIL = -15, /* busy: another operation has this domain */
    ERROR_JSON_CONFIG_EMPTY = -16,
    ERROR_DEVICE_EXISTS = -17,
    ERROR_DOMAIN_NOTFOUND = -21,
    ERROR_ABORTED = -22,
    ERROR_NOTFOUND = -23,
    ERROR_DOMAIN_DESTROYED = -24,
    ERROR_FEATURE_REMOVED = -25,
    ERROR_PROTOCOL_ERROR_QMP = -26,
    ERROR_UNKNOWN_QMP_ERROR = -27,
    ERROR_QMP_GENERIC_ERROR = -28,
    ERROR_QMP_COMMAND_NOT_FOUND = -29,
    ERROR_QMP_DEVICE_NOT_ACTIVE = -30,
    ERROR_QMP_DEVICE_NOT_FOUND = -31,
    ERROR_QEMU_API = -32,
};

/* "ERROR_FAIL" and so on; never NULL. */
const char *libxl_error_to_string(int rc);

/* ---- logger ---- */

typedef enum {
    LIBXL_LOG_DEBUG,
    LIBXL_LOG_VERBOSE,
    LIBXL_LOG_DETAIL,
    LIBXL_LOG_PROGRESS,
    LIBXL_LOG_INFO,
    LIBXL_LOG_NOTICE,
    LIBXL_LOG_WARN,
    LIBXL_LOG_ERROR,
    LIBXL_LOG_CRITICAL,
} libxl_loglevel;

/* What a long operation says of itself, through the logger's progress hook.
 * Units: bytes unless named; rates in bytes a second; 0 when not known. */
typedef struct libxl_progress {
    const char *what;  /* "Saving", "Restoring", "Sending" */
    unsigned pass;     /* over memory; the first, or only, one is 1 */
    uint64_t done_pages, total_pages; /* of this pass */
    uint64_t bytes;                   /* on the stream so far */
    uint64_t rate_bps;
    uint64_t dirty_pages_per_s;
    uint32_t downtime_estimate_ms;
    bool finished;
} libxl_progress;

/* The application's; must outlive the ctx. Called on the loop thread. text is
 * one line without a newline, already with errno's text in it. progress may be
 * NULL; total 0 means unknown. */
typedef struct libxl_logger {
    void (*message)(struct libxl_logger *lg, libxl_loglevel level,
                    uint32_t domid, const char *text);
    void (*progress)(struct libxl_logger *lg, uint32_t domid,
                     const libxl_progress *p);
} libxl_logger;

/* ---- ctx ---- */

/* flags must be 0. On error *pctx is NULL. */
int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                    libxl_logger *lg);
/* Every operation must have completed. NULL is accepted. */
int libxl_ctx_free(libxl_ctx *ctx);

#include "libxl_event.h"
#include "libxl_types.h"
#include "libxl_domain.h"
#include "libxl_device.h"
#include "libxl_agent.h"

#pragma GCC visibility pop

#endif
