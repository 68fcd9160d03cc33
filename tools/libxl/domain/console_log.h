/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console_log.h - what a guest wrote on its console, in a bounded file, and the
 * end of it in memory. Mover.
 *
 * "console-log" grows to CONSOLE_LOG_BYTES; then it becomes "console-log.old"
 * (what was there before goes), and a new one begins.
 *
 * Owns:      its fd and the tail. dirfd is the caller's.
 * Thread:    loop thread only.
 * Errors:    a log that cannot be written (full disk) loses lines and never
 *            stops the console.
 */
#ifndef LIBXL_CONSOLE_LOG_H
#define LIBXL_CONSOLE_LOG_H

#include <stddef.h>
#include <stdint.h>

#define CONSOLE_LOG_BYTES (1u << 20)
#define CONSOLE_TAIL_BYTES (16u << 10)

struct libxl__console_log {
    int dirfd;
    int fd; /* -1: cannot be opened; tried again at the next rotation */
    uint64_t bytes;
    char tail[CONSOLE_TAIL_BYTES]; /* a ring */
    uint64_t total;                /* bytes ever put into it */
};

/* Goes on behind what an earlier keeper wrote. */
void libxl__console_log_open(struct libxl__console_log *log, int dirfd);
void libxl__console_log_write(struct libxl__console_log *log, const char *data,
                              size_t bytes);
/* Copies the last bytes (at most CONSOLE_TAIL_BYTES) in order. */
size_t libxl__console_log_tail(const struct libxl__console_log *log, char *out);
void libxl__console_log_close(struct libxl__console_log *log);

#endif
