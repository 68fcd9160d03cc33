/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json_out.c - a configuration to JSON, by its tables.
 *
 * In upstream's order and indentation. An object that came from JSON is
 * written in the order in which it came, what the tables do not know as it
 * was, and what they know from the configuration.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/fields.h"
#include "config/json_tree.h"

struct writer {
    yajl_gen g;
    const libxl_domain_config *config;
    struct libxl__config_error *err;
};

static int gen_object(struct writer *w, const struct libxl__fields *t,
                      const void *base, yajl_val foreign);

static int gen_text(struct writer *w, const char *s)
{
    return yajl_gen_string(w->g, (const unsigned char *)s, strlen(s));
}

static size_t strings_count(const void *at)
{
    char **list = *(char **const *)at;
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

static int64_t number_of(const struct libxl__field *f, const void *at)
{
    switch (f->kind) {
    case KIND_DEFBOOL:
    case KIND_BOOL:
        return *(const bool *)at;
    case KIND_U32:
        return *(const uint32_t *)at;
    case KIND_U64:
    case KIND_I64:
        return *(const int64_t *)at;
    default:
        return *(const int *)at;
    }
}

static bool all_zero(const void *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (((const uint8_t *)at)[i])
            return false;
    }
    return true;
}

static bool object_is_default(const struct libxl__fields *t, const void *base);

/* There is nothing to write, not even in place of what was read. */
static bool is_absent(const struct writer *w, const struct libxl__field *f,
                      const void *base)
{
    const void *at = libxl__field_at_const(f, base);

    switch (f->kind) {
    case KIND_STRING:
        return !*(char *const *)at;
    case KIND_STRINGS:
        return strings_count(at) == 0;
    case KIND_STRINGS_ONE:
        return strings_count(at) != 1;
    case KIND_STRINGS_MANY:
        return strings_count(at) < 2;
    case KIND_ENUM:
        return !libxl__name_of(f->names, *(const int *)at);
    case KIND_OBJECT:
        return f->only_type && w->config->c_info.type != f->only_type;
    default:
        return false;
    }
}

static bool is_default(const struct libxl__field *f, const void *base)
{
    const void *at = libxl__field_at_const(f, base);

    if (f->always)
        return false;
    switch (f->kind) {
    case KIND_STRING:
    case KIND_STRINGS:
    case KIND_STRINGS_ONE:
    case KIND_STRINGS_MANY:
        return !*(void *const *)at;
    case KIND_UUID:
        return all_zero(at, sizeof(libxl_uuid));
    case KIND_MAC:
        return all_zero(at, sizeof(libxl_mac));
    case KIND_ARRAY:
        return *(const int *)((const char *)base + f->count_offset) == 0;
    case KIND_OBJECT:
        return object_is_default(f->sub, at);
    default:
        return number_of(f, at) == f->def;
    }
}

static bool object_is_default(const struct libxl__fields *t, const void *base)
{
    for (size_t i = 0; i < t->rows; i++) {
        const struct libxl__field *f = &t->row[i];

        if (f->kind == KIND_DEFBOOL
                ? number_of(f, libxl__field_at_const(f, base)) != f->def
                : !is_default(f, base))
            return false;
    }
    return true;
}

/* ---- values ---- */

static int gen_strings(struct writer *w, char **list)
{
    int st = yajl_gen_array_open(w->g);

    for (; !st && list && *list; list++)
        st = gen_text(w, *list);
    return st ? st : (int)yajl_gen_array_close(w->g);
}

/* A list that was read with gaps ([0, 2]) stays as it was. */
static int gen_vcpus(struct writer *w, int n, yajl_val foreign)
{
    int st;

    if (foreign && YAJL_IS_ARRAY(foreign) && foreign->u.array.len == (size_t)n)
        return libxl__json_gen_verbatim(w->g, foreign);
    st = yajl_gen_array_open(w->g);
    for (int i = 0; !st && i < n; i++)
        st = yajl_gen_integer(w->g, i);
    return st ? st : (int)yajl_gen_array_close(w->g);
}

static int gen_u64(struct writer *w, uint64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%" PRIu64, v);

    return yajl_gen_number(w->g, text, (size_t)n);
}

static int gen_bool(struct writer *w, const struct libxl__field *f, bool v)
{
    if (f->kind == KIND_DEFBOOL)
        return gen_text(w, v ? "True" : "False");
    return f->as_number ? (int)yajl_gen_integer(w->g, v)
                        : (int)yajl_gen_bool(w->g, v);
}

static int gen_id(struct writer *w, const struct libxl__field *f,
                  const void *at)
{
    char uuid[LIBXL_UUID_TEXT], mac[LIBXL_MAC_TEXT];

    if (f->kind == KIND_MAC) {
        libxl_mac_to_text(at, mac);
        return gen_text(w, mac);
    }
    libxl_uuid_to_text(at, uuid);
    return gen_text(w, uuid);
}

/* An element's foreign text was read from JSON once, so it parses. */
static int gen_element(struct writer *w, const struct libxl__fields *t,
                       const void *element)
{
    char *text = *(char *const *)((const char *)element + t->foreign_offset);
    yajl_val foreign = NULL;
    int st;

    if (text && libxl__config_tree(text, strlen(text), &foreign, w->err))
        return yajl_gen_invalid_string;
    st = gen_object(w, t, element, foreign);
    if (foreign)
        yajl_tree_free(foreign);
    return st;
}

static int gen_array(struct writer *w, const struct libxl__field *f,
                     const void *base)
{
    const char *elements = *(void *const *)libxl__field_at_const(f, base);
    int n = *(const int *)((const char *)base + f->count_offset);
    int st = yajl_gen_array_open(w->g);

    for (int i = 0; !st && i < n; i++)
        st = gen_element(w, f->sub, elements + (size_t)i * f->sub->bytes);
    return st ? st : (int)yajl_gen_array_close(w->g);
}

static int gen_value(struct writer *w, const struct libxl__field *f,
                     const void *base, yajl_val foreign)
{
    const void *at = libxl__field_at_const(f, base);

    switch (f->kind) {
    case KIND_STRING:
        return gen_text(w, *(char *const *)at);
    case KIND_STRINGS:
    case KIND_STRINGS_MANY:
        return gen_strings(w, *(char **const *)at);
    case KIND_STRINGS_ONE:
        return gen_text(w, **(char **const *)at);
    case KIND_DEFBOOL:
    case KIND_BOOL:
        return gen_bool(w, f, *(const bool *)at);
    case KIND_INT:
    case KIND_U32:
    case KIND_I64:
        return yajl_gen_integer(w->g, number_of(f, at));
    case KIND_U64:
        return gen_u64(w, *(const uint64_t *)at);
    case KIND_ENUM:
        return gen_text(w, libxl__name_of(f->names, *(const int *)at));
    case KIND_UUID:
    case KIND_MAC:
        return gen_id(w, f, at);
    case KIND_VCPUS:
        return gen_vcpus(w, *(const int *)at, foreign);
    case KIND_OBJECT:
        return gen_object(w, f->sub, at, foreign);
    case KIND_ARRAY:
        return gen_array(w, f, base);
    }
    return yajl_gen_invalid_string;
}

static int gen_field(struct writer *w, const struct libxl__field *f,
                     const void *base, yajl_val foreign)
{
    int st;

    if (is_absent(w, f, base))
        return 0;
    st = gen_text(w, f->name);
    return st ? st : gen_value(w, f, base, foreign);
}

/* ---- objects ---- */

static const struct libxl__field *known(const struct libxl__fields *t,
                                        const char *name)
{
    for (size_t i = 0; i < t->rows; i++) {
        if (t->row[i].name && !strcmp(t->row[i].name, name))
            return &t->row[i];
    }
    return NULL;
}

static int gen_foreign(struct writer *w, const struct libxl__fields *t,
                       const void *base, const char *key, yajl_val v)
{
    const struct libxl__field *f = known(t, key);
    int st;

    if (f)
        return gen_field(w, f, base, v);
    st = gen_text(w, key);
    return st ? st : libxl__json_gen_verbatim(w->g, v);
}

static int gen_object(struct writer *w, const struct libxl__fields *t,
                      const void *base, yajl_val foreign)
{
    bool twice;
    int st = yajl_gen_map_open(w->g);

    if (foreign && !YAJL_IS_OBJECT(foreign))
        foreign = NULL;
    for (size_t i = 0; !st && foreign && i < foreign->u.object.len; i++)
        st = gen_foreign(w, t, base, foreign->u.object.keys[i],
                         foreign->u.object.values[i]);
    for (size_t i = 0; !st && i < t->rows; i++) {
        const struct libxl__field *f = &t->row[i];

        if (!f->name || is_default(f, base))
            continue;
        if (foreign && libxl__json_member(foreign, f->name, &twice))
            continue;
        st = gen_field(w, f, base, NULL);
    }
    return st ? st : (int)yajl_gen_map_close(w->g);
}

/* The text, taken out of the generator; it must be one that can be read. */
static int take_text(yajl_gen g, char **text, struct libxl__config_error *err)
{
    const unsigned char *buf;
    size_t bytes;

    if (yajl_gen_get_buf(g, &buf, &bytes)) {
        libxl__config_error_set(err, "it is not complete");
        return ERROR_FAIL;
    }
    if (bytes > LIBXL__CONFIG_TEXT_MAX) {
        libxl__config_error_set(err, "%zu bytes are too many (the limit is %u)",
                                bytes, LIBXL__CONFIG_TEXT_MAX);
        return ERROR_INVAL;
    }
    *text = strndup((const char *)buf, bytes);
    if (!*text)
        libxl__config_error_set(err, "no memory");
    return *text ? 0 : ERROR_NOMEM;
}

int libxl__config_generate(const libxl_domain_config *c, char **text,
                           struct libxl__config_error *err)
{
    struct writer w = {yajl_gen_alloc(NULL), c, err};
    int rc;

    *text = NULL;
    libxl__config_error_set(err, "no memory");
    if (!w.g)
        return ERROR_NOMEM;
    yajl_gen_config(w.g, yajl_gen_beautify, 1);
    yajl_gen_config(w.g, yajl_gen_indent_string, "    ");
    yajl_gen_config(w.g, yajl_gen_validate_utf8, 1);
    if (gen_element(&w, &libxl__fields_config, c)) {
        libxl__config_error_set(err, "a string in it is not UTF-8");
        rc = ERROR_INVAL;
    } else {
        rc = take_text(w.g, text, err);
    }
    yajl_gen_free(w.g);
    return rc;
}

char *libxl_domain_config_to_json(libxl_ctx *ctx, const libxl_domain_config *c)
{
    struct libxl__config_error err;
    char *text;

    if (libxl__config_generate(c, &text, &err))
        LOG(ctx, ERROR, "domain configuration: cannot be written as JSON: %s",
            err.text);
    return text;
}
