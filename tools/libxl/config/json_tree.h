/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json_tree.h - JSON text to a tree, with bounds that yajl does not set: size,
 * depth (its tree is freed by recursion) and no NUL inside a string.
 *
 * Owns:      the tree is the caller's, freed with yajl_tree_free.
 * Thread:    any.
 */
#ifndef LIBXL_CONFIG_JSON_TREE_H
#define LIBXL_CONFIG_JSON_TREE_H

#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "config/config.h"

int libxl__config_tree(const char *json, size_t bytes, yajl_val *tree,
                       struct libxl__config_error *err);
/* The value as it was read. */
int libxl__json_gen_verbatim(yajl_gen g, yajl_val v);
/* The kind of a value, for messages: "a string", "an object" ... */
const char *libxl__json_kind(yajl_val v);
/* NULL: not there. *twice: there more than once. */
yajl_val libxl__json_member(yajl_val object, const char *name, bool *twice);

#endif
