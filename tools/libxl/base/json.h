/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json.h - small JSON records: a checked way in, and a writer that remembers
 * its first failure.
 *
 * Owns:      a parsed tree belongs to the caller (yajl_tree_free); what a
 *            writer holds goes with libxl__json_writer_dispose.
 * Thread:    loop thread only.
 * Errors:    a getter says false or NULL when the key is absent or of another
 *            kind: the caller knows what that means, and says it.
 */
#ifndef LIBXL_JSON_H
#define LIBXL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "base/gc.h"

/* Brackets nested no deeper than max: asked before a text of a peer is made a
 * tree, because yajl frees trees by recursion. */
#define LIBXL__JSON_MAX_DEPTH 64
bool libxl__json_depth_ok(const char *text, size_t bytes, unsigned max);

/* NULL: not JSON, or not an object; logged as a fault of 'what'. */
yajl_val libxl__json_parse(libxl_ctx *ctx, uint32_t domid, const char *what,
                           const char *text);
yajl_val libxl__json_get(yajl_val object, const char *key); /* any kind */
const char *libxl__json_string(yajl_val object, const char *key);
bool libxl__json_u64(yajl_val object, const char *key, uint64_t *out);
bool libxl__json_i64(yajl_val object, const char *key, int64_t *out);
bool libxl__json_bool(yajl_val object, const char *key, bool *out);
/* The value as text again, from gc. NULL: no memory. */
char *libxl__json_text(libxl__gc *gc, yajl_val value);

/* s as a JSON string, with its quotes, from gc. NULL: no memory, or s is not
 * UTF-8. */
char *libxl__json_quote(libxl__gc *gc, const char *s);

struct libxl__json_writer {
    yajl_gen gen; /* NULL: no memory from the start */
    bool failed;
};

void libxl__json_writer_init(struct libxl__json_writer *w);
void libxl__json_writer_one_line(struct libxl__json_writer *w); /* not pretty */
void libxl__json_writer_dispose(struct libxl__json_writer *w);
void libxl__json_open(struct libxl__json_writer *w, const char *key);
void libxl__json_close(struct libxl__json_writer *w);
/* key NULL: an element of an array. A NULL string is left out. */
void libxl__json_open_list(struct libxl__json_writer *w, const char *key);
void libxl__json_close_list(struct libxl__json_writer *w);
void libxl__json_put_string(struct libxl__json_writer *w, const char *key,
                            const char *value);
void libxl__json_put_u64(struct libxl__json_writer *w, const char *key,
                         uint64_t value);
void libxl__json_put_i64(struct libxl__json_writer *w, const char *key,
                         int64_t value);
void libxl__json_put_bool(struct libxl__json_writer *w, const char *key,
                          bool value);
/* text: JSON already; put in as it is. A NULL text is left out. */
void libxl__json_put_raw(struct libxl__json_writer *w, const char *key,
                         const char *text);
/* The whole text with a newline, from gc; NULL if anything failed. */
char *libxl__json_finish(struct libxl__json_writer *w, libxl__gc *gc);

#endif
