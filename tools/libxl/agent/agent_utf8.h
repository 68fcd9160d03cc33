/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_utf8.h - is it UTF-8?
 *
 * Thread:    any. Pure.
 * Rule:      as RFC 3629: no overlong forms, no surrogates, nothing beyond
 *            U+10FFFF. yajl's own check lets a lead byte without its followers
 *            pass.
 */
#ifndef LIBXL_AGENT_UTF8_H
#define LIBXL_AGENT_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool libxl__agent_utf8_ok(const char *text, size_t bytes);

#endif
