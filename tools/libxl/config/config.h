/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config.h - a domain's configuration: walks over its tables, and the pure
 * reader and writer behind libxl_domain_config_from_json and _to_json.
 *
 * Owns:      nothing; what a configuration holds is malloc'ed and the
 *            configuration's.
 * Thread:    any: no globals, no I/O, no log.
 * Errors:    rc, and a sentence in libxl__config_error that names the field.
 */
#ifndef LIBXL_CONFIG_CONFIG_H
#define LIBXL_CONFIG_CONFIG_H

#include "libxl.h"

struct libxl__fields;

struct libxl__config_error {
    char text[512]; /* "b_info.max_memkb: wants a number, has a string" */
};

void libxl__config_error_set(struct libxl__config_error *err, const char *fmt,
                             ...) __attribute__((format(printf, 2, 3)));

/* json: bytes without a NUL, as found in a file. *c is initialised here and
 * disposed again on error. */
int libxl__config_parse(const char *json, size_t bytes, libxl_domain_config *c,
                        struct libxl__config_error *err);
/* malloc'ed, ends with a newline. */
int libxl__config_generate(const libxl_domain_config *c, char **text,
                           struct libxl__config_error *err);
int libxl__config_check(const libxl_domain_config *c,
                        struct libxl__config_error *err);

void libxl__config_defaults(const struct libxl__fields *t, void *base);
void libxl__config_free(const struct libxl__fields *t, void *base);
void libxl__strings_free(char **list); /* NULL accepted */

#endif
