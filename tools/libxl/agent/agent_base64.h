/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_base64.h - base64 (RFC 4648) in, for what qemu-ga sends.
 *
 * Thread:    any. Pure.
 * Errors:    -1: not base64, or more than room bytes.
 */
#ifndef LIBXL_AGENT_BASE64_H
#define LIBXL_AGENT_BASE64_H

#include <stddef.h>
#include <sys/types.h>

ssize_t libxl__base64_decode(const char *text, void *out, size_t room);

#endif
