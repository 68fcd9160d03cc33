/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * write_quiet.h - write(2) that never raises SIGPIPE, whatever the application
 * does with that signal.
 *
 * Thread:    any.
 * Errors:    as write(2): -1 and errno.
 */
#ifndef LIBXL_WRITE_QUIET_H
#define LIBXL_WRITE_QUIET_H

#include <sys/types.h>

ssize_t libxl__write_quiet(int fd, const void *buf, size_t bytes);

#endif
