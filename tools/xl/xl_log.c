/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_log.c - messages: xl's own and the library's, in one form, on stderr. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "xl.h"

static struct xl *xl_of_logger(libxl_logger *lg)
{
    return (struct xl *)lg; /* its first member */
}

static bool shown(const struct xl *xl, libxl_loglevel level)
{
    libxl_loglevel least = xl->verbose <= 0   ? LIBXL_LOG_NOTICE
                           : xl->verbose == 1 ? LIBXL_LOG_INFO
                           : xl->verbose == 2 ? LIBXL_LOG_DETAIL
                                              : LIBXL_LOG_DEBUG;

    return level >= least;
}

static const char *level_name(libxl_loglevel level)
{
    if (level >= LIBXL_LOG_ERROR)
        return "error";
    if (level == LIBXL_LOG_WARN)
        return "warning";
    if (level >= LIBXL_LOG_INFO)
        return "info";
    return "debug";
}

static void stamp(const struct xl *xl)
{
    char text[40];
    time_t now;
    struct tm tm;

    if (!xl->timestamps)
        return;
    now = time(NULL);
    localtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &tm);
    fprintf(stderr, "%s [%ld] ", text, (long)getpid());
}

static void write_json(struct xl *xl, libxl_loglevel level, const char *text)
{
    fprintf(
        xl->progress.to,
        "{\"event\":\"message\",\"level\":\"%s\",\"text\":", level_name(level));
    xl_json_string(xl->progress.to, text);
    fputs("}\n", xl->progress.to);
    fflush(xl->progress.to);
}

static void write_message(struct xl *xl, libxl_loglevel level, const char *text)
{
    xl_progress_break(&xl->progress);
    if (xl->progress.style == XL_PROGRESS_JSON) {
        write_json(xl, level, text);
        if (xl->progress.to == stderr)
            return;
    }
    stamp(xl);
    fprintf(stderr, "xl: %s%s%s\n",
            level == LIBXL_LOG_NOTICE || level == LIBXL_LOG_INFO
                ? ""
                : level_name(level),
            level == LIBXL_LOG_NOTICE || level == LIBXL_LOG_INFO ? "" : ": ",
            text);
    fflush(stderr);
}

static void library_message(libxl_logger *lg, libxl_loglevel level,
                            uint32_t domid, const char *text)
{
    struct xl *xl = xl_of_logger(lg);
    char whole[1200];

    if (!shown(xl, level))
        return;
    if (domid != INVALID_DOMID)
        snprintf(whole, sizeof(whole), "domain %u: %s", domid, text);
    else
        snprintf(whole, sizeof(whole), "%s", text);
    write_message(xl, level, whole);
}

static void library_progress(libxl_logger *lg, uint32_t domid,
                             const libxl_progress *p)
{
    struct xl *xl = xl_of_logger(lg);
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    xl_progress_show(&xl->progress, domid, p,
                     (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec);
}

void xl_log_init(struct xl *xl)
{
    xl->logger.message = library_message;
    xl->logger.progress = library_progress;
}

static void own_message(struct xl *xl, libxl_loglevel level, const char *fmt,
                        va_list ap)
{
    char text[1200];

    vsnprintf(text, sizeof(text), fmt, ap);
    write_message(xl, level, text);
}

void xl_error(struct xl *xl, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    own_message(xl, LIBXL_LOG_ERROR, fmt, ap);
    va_end(ap);
}

void xl_warn(struct xl *xl, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    own_message(xl, LIBXL_LOG_WARN, fmt, ap);
    va_end(ap);
}

void xl_say(struct xl *xl, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    own_message(xl, LIBXL_LOG_NOTICE, fmt, ap);
    va_end(ap);
}

bool xl_stdout_ok(struct xl *xl)
{
    if (!fflush(stdout) && !ferror(stdout))
        return true;
    if (errno != EPIPE)
        xl_error(xl, "standard output could not be written: %s",
                 strerror(errno));
    return false;
}
