/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * arglist.h - an argument vector that grows and remembers its first failure.
 *
 * Owns:      nothing: all memory is the gc's.
 * Thread:    any one.
 * Errors:    'rc' keeps the first; the calls after it do nothing.
 */
#ifndef LIBXL_ARGLIST_H
#define LIBXL_ARGLIST_H

#include "base/gc.h"
#include "base/json.h"

struct libxl__arglist {
    libxl__gc *gc;
    char **argv; /* NULL-terminated after each call */
    size_t nr, room;
    int rc;
};

void libxl__arglist_init(struct libxl__arglist *al, libxl__gc *gc);
void libxl__arglist_add(struct libxl__arglist *al, const char *arg);
/* option and its value, as two arguments */
void libxl__arglist_opt(struct libxl__arglist *al, const char *option,
                        const char *value);
void libxl__arglist_optf(struct libxl__arglist *al, const char *option,
                         const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* option and the writer's text; the writer is disposed of. */
void libxl__arglist_json(struct libxl__arglist *al, const char *option,
                         struct libxl__json_writer *w);
/* text as one value of QEMU's option syntax: commas doubled. */
char *libxl__qemu_escape(libxl__gc *gc, const char *text);

#endif
