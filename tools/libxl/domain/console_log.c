/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console_log.c - a bounded log file and its tail.
 */
#include "domain/console_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_NAME "console-log"
#define OLD_NAME "console-log.old"

static void put_tail(struct libxl__console_log *log, const char *data,
                     size_t bytes)
{
    size_t at, n;

    while (bytes) {
        at = log->total % CONSOLE_TAIL_BYTES;
        n = CONSOLE_TAIL_BYTES - at;
        if (n > bytes)
            n = bytes;
        memcpy(log->tail + at, data, n);
        log->total += n;
        data += n;
        bytes -= n;
    }
}

static void open_file(struct libxl__console_log *log)
{
    struct stat st;

    log->bytes = 0;
    log->fd =
        openat(log->dirfd, LOG_NAME,
               O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd >= 0 && !fstat(log->fd, &st))
        log->bytes = (uint64_t)st.st_size;
}

/* The tail of what is there already. */
static void load_tail(struct libxl__console_log *log)
{
    char buf[4096];
    uint64_t at =
        log->bytes > CONSOLE_TAIL_BYTES ? log->bytes - CONSOLE_TAIL_BYTES : 0;
    ssize_t n;

    while (log->fd >= 0 &&
           (n = pread(log->fd, buf, sizeof(buf), (off_t)at)) > 0) {
        put_tail(log, buf, (size_t)n);
        at += (uint64_t)n;
    }
}

void libxl__console_log_open(struct libxl__console_log *log, int dirfd)
{
    memset(log, 0, sizeof(*log));
    log->dirfd = dirfd;
    open_file(log);
    load_tail(log);
}

static void rotate(struct libxl__console_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    renameat(log->dirfd, LOG_NAME, log->dirfd, OLD_NAME);
    open_file(log);
}

void libxl__console_log_write(struct libxl__console_log *log, const char *data,
                              size_t bytes)
{
    ssize_t n;

    put_tail(log, data, bytes);
    if (log->fd < 0 || log->bytes + bytes > CONSOLE_LOG_BYTES)
        rotate(log);
    while (log->fd >= 0 && bytes) {
        n = write(log->fd, data, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        log->bytes += (uint64_t)n;
        data += n;
        bytes -= (size_t)n;
    }
}

size_t libxl__console_log_tail(const struct libxl__console_log *log, char *out)
{
    size_t n = log->total < CONSOLE_TAIL_BYTES ? (size_t)log->total
                                               : CONSOLE_TAIL_BYTES;
    size_t at = (log->total - n) % CONSOLE_TAIL_BYTES;
    size_t first = CONSOLE_TAIL_BYTES - at;

    if (first > n)
        first = n;
    memcpy(out, log->tail + at, first);
    memcpy(out + first, log->tail, n - first);
    return n;
}

void libxl__console_log_close(struct libxl__console_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}
