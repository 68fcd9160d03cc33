/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json_value.h - one JSON value to one member of a configuration.
 *
 * Owns:      what a member points to is malloc'ed and the configuration's,
 *            also when an error is returned.
 * Thread:    any.
 * Errors:    rc; the reader's err says which field, by its path, and why.
 */
#ifndef LIBXL_CONFIG_JSON_VALUE_H
#define LIBXL_CONFIG_JSON_VALUE_H

#include "config/fields.h"
#include "config/json_tree.h"

/* Where a value stands: "disks[0].vdev". On the stack of the reader. */
struct libxl__json_path {
    const struct libxl__json_path *up;
    const char *name; /* NULL: an index */
    size_t index;
};

struct libxl__json_reader {
    struct libxl__config_error *err;
    libxl_domain_config *config;
};

int libxl__json_refuse(struct libxl__json_reader *r,
                       const struct libxl__json_path *p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int libxl__json_no_memory(struct libxl__json_reader *r);
/* Any kind but objects and arrays. */
int libxl__json_read_value(struct libxl__json_reader *r,
                           const struct libxl__json_path *p,
                           const struct libxl__field *f, yajl_val v, void *at);

#endif
