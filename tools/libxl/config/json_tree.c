/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json_tree.c - bounded JSON trees; json_tree.h has the contract. */
#include "config/json_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "config/fields.h"

/* A NUL would end a C string before the text's end. */
static bool has_nul(const char *json, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (json[i] == '\0')
            return true;
        if (json[i] != '\\')
            continue;
        if (bytes - i >= 6 && !memcmp(json + i, "\\u0000", 6))
            return true;
        i++; /* the escaped byte */
    }
    return false;
}

/* What must hold before the parser may see the text. */
static int check_text(const char *json, size_t bytes,
                      struct libxl__config_error *err)
{
    if (bytes > LIBXL__CONFIG_TEXT_MAX)
        libxl__config_error_set(err, "%zu bytes of JSON, the limit is %u",
                                bytes, LIBXL__CONFIG_TEXT_MAX);
    else if (has_nul(json, bytes))
        libxl__config_error_set(err, "a NUL byte in the JSON");
    else if (!libxl__json_depth_ok(json, bytes, LIBXL__CONFIG_DEPTH_MAX))
        libxl__config_error_set(err, "JSON is nested too deeply");
    else
        return 0;
    return ERROR_INVAL;
}

int libxl__config_tree(const char *json, size_t bytes, yajl_val *tree,
                       struct libxl__config_error *err)
{
    char why[256] = "";
    char *text;
    int rc;

    *tree = NULL;
    rc = check_text(json, bytes, err);
    if (rc)
        return rc;
    text = strndup(json, bytes);
    if (!text) {
        libxl__config_error_set(err, "no memory");
        return ERROR_NOMEM;
    }
    *tree = yajl_tree_parse(text, why, sizeof(why));
    free(text);
    if (*tree)
        return 0;
    why[strcspn(why, "\n")] = '\0';
    libxl__config_error_set(err, "not JSON: %s",
                            why[0] ? why : "it is cut short");
    return ERROR_INVAL;
}

static int gen_string(yajl_gen g, const char *s)
{
    return yajl_gen_string(g, (const unsigned char *)s, strlen(s));
}

static int gen_object(yajl_gen g, yajl_val v)
{
    int st = yajl_gen_map_open(g);

    for (size_t i = 0; !st && i < v->u.object.len; i++) {
        st = gen_string(g, v->u.object.keys[i]);
        if (!st)
            st = libxl__json_gen_verbatim(g, v->u.object.values[i]);
    }
    return st ? st : (int)yajl_gen_map_close(g);
}

static int gen_array(yajl_gen g, yajl_val v)
{
    int st = yajl_gen_array_open(g);

    for (size_t i = 0; !st && i < v->u.array.len; i++)
        st = libxl__json_gen_verbatim(g, v->u.array.values[i]);
    return st ? st : (int)yajl_gen_array_close(g);
}

/* A yajl_gen_status; bounded by the depth that libxl__json_parse allows. */
int libxl__json_gen_verbatim(yajl_gen g, yajl_val v)
{
    switch (v->type) {
    case yajl_t_string:
        return gen_string(g, YAJL_GET_STRING(v));
    case yajl_t_number:
        return yajl_gen_number(g, v->u.number.r, strlen(v->u.number.r));
    case yajl_t_object:
        return gen_object(g, v);
    case yajl_t_array:
        return gen_array(g, v);
    case yajl_t_true:
        return yajl_gen_bool(g, 1);
    case yajl_t_false:
        return yajl_gen_bool(g, 0);
    default:
        return yajl_gen_null(g);
    }
}

const char *libxl__json_kind(yajl_val v)
{
    switch (v->type) {
    case yajl_t_string:
        return "a string";
    case yajl_t_number:
        return "a number";
    case yajl_t_object:
        return "an object";
    case yajl_t_array:
        return "a list";
    case yajl_t_true:
    case yajl_t_false:
        return "true or false";
    default:
        return "null";
    }
}

yajl_val libxl__json_member(yajl_val object, const char *name, bool *twice)
{
    yajl_val found = NULL;

    *twice = false;
    for (size_t i = 0; i < object->u.object.len; i++) {
        if (strcmp(object->u.object.keys[i], name))
            continue;
        *twice = found != NULL;
        found = object->u.object.values[i];
    }
    return found;
}
