/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json.c - small JSON records on yajl.
 */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

bool libxl__json_depth_ok(const char *text, size_t bytes, unsigned max)
{
    bool in_string = false;
    unsigned depth = 0;
    size_t i;

    for (i = 0; i < bytes; i++) {
        if (in_string) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                in_string = false;
        } else if (text[i] == '"') {
            in_string = true;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > max)
                return false;
        } else if ((text[i] == '}' || text[i] == ']') && depth) {
            depth--;
        }
    }
    return true;
}

yajl_val libxl__json_parse(libxl_ctx *ctx, uint32_t domid, const char *what,
                           const char *text)
{
    char reason[160] = "";
    yajl_val root;

    if (!libxl__json_depth_ok(text, strlen(text), LIBXL__JSON_MAX_DEPTH)) {
        LOGD(ctx, domid, ERROR, "%s is nested too deeply", what);
        return NULL;
    }
    root = yajl_tree_parse(text, reason, sizeof(reason));
    if (!root) {
        reason[strcspn(reason, "\n")] = '\0';
        LOGD(ctx, domid, ERROR, "%s is not readable: %s", what, reason);
        return NULL;
    }
    if (!YAJL_IS_OBJECT(root)) {
        LOGD(ctx, domid, ERROR, "%s is not a JSON object", what);
        yajl_tree_free(root);
        return NULL;
    }
    return root;
}

yajl_val libxl__json_get(yajl_val object, const char *key)
{
    const char *path[] = {key, NULL};

    return yajl_tree_get(object, path, yajl_t_any);
}

const char *libxl__json_string(yajl_val object, const char *key)
{
    return YAJL_GET_STRING(libxl__json_get(object, key));
}

bool libxl__json_u64(yajl_val object, const char *key, uint64_t *out)
{
    yajl_val v = libxl__json_get(object, key);
    const char *text = YAJL_IS_NUMBER(v) ? YAJL_GET_NUMBER(v) : NULL;
    char *end;

    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return !errno && !*end;
}

bool libxl__json_i64(yajl_val object, const char *key, int64_t *out)
{
    yajl_val v = libxl__json_get(object, key);

    if (!YAJL_IS_INTEGER(v))
        return false;
    *out = YAJL_GET_INTEGER(v);
    return true;
}

bool libxl__json_bool(yajl_val object, const char *key, bool *out)
{
    yajl_val v = libxl__json_get(object, key);

    if (!YAJL_IS_TRUE(v) && !YAJL_IS_FALSE(v))
        return false;
    *out = YAJL_IS_TRUE(v);
    return true;
}

static void note(struct libxl__json_writer *w, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        w->failed = true;
}

static void put_key(struct libxl__json_writer *w, const char *key)
{
    if (w->failed || !key)
        return;
    note(w, yajl_gen_string(w->gen, (const unsigned char *)key, strlen(key)));
}

void libxl__json_writer_init(struct libxl__json_writer *w)
{
    w->gen = yajl_gen_alloc(NULL);
    w->failed = !w->gen;
    if (w->gen)
        yajl_gen_config(w->gen, yajl_gen_beautify, 1);
}

void libxl__json_writer_one_line(struct libxl__json_writer *w)
{
    if (w->gen)
        yajl_gen_config(w->gen, yajl_gen_beautify, 0);
}

void libxl__json_writer_dispose(struct libxl__json_writer *w)
{
    if (w->gen)
        yajl_gen_free(w->gen);
    w->gen = NULL;
    w->failed = true;
}

void libxl__json_open(struct libxl__json_writer *w, const char *key)
{
    put_key(w, key);
    if (!w->failed)
        note(w, yajl_gen_map_open(w->gen));
}

void libxl__json_close(struct libxl__json_writer *w)
{
    if (!w->failed)
        note(w, yajl_gen_map_close(w->gen));
}

void libxl__json_open_list(struct libxl__json_writer *w, const char *key)
{
    put_key(w, key);
    if (!w->failed)
        note(w, yajl_gen_array_open(w->gen));
}

void libxl__json_close_list(struct libxl__json_writer *w)
{
    if (!w->failed)
        note(w, yajl_gen_array_close(w->gen));
}

void libxl__json_put_string(struct libxl__json_writer *w, const char *key,
                            const char *value)
{
    if (!value)
        return;
    put_key(w, key);
    if (!w->failed)
        note(w, yajl_gen_string(w->gen, (const unsigned char *)value,
                                strlen(value)));
}

void libxl__json_put_raw(struct libxl__json_writer *w, const char *key,
                         const char *text)
{
    if (!text)
        return;
    put_key(w, key);
    /* yajl writes a "number" as it is given */
    if (!w->failed)
        note(w, yajl_gen_number(w->gen, text, strlen(text)));
}

void libxl__json_put_u64(struct libxl__json_writer *w, const char *key,
                         uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    libxl__json_put_raw(w, key, text);
}

void libxl__json_put_i64(struct libxl__json_writer *w, const char *key,
                         int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    libxl__json_put_raw(w, key, text);
}

void libxl__json_put_bool(struct libxl__json_writer *w, const char *key,
                          bool value)
{
    libxl__json_put_raw(w, key, value ? "true" : "false");
}

char *libxl__json_finish(struct libxl__json_writer *w, libxl__gc *gc)
{
    const unsigned char *text;
    size_t bytes;

    if (w->failed || yajl_gen_get_buf(w->gen, &text, &bytes))
        return NULL;
    return libxl__strndup(gc, (const char *)text, bytes);
}

static void write_value(struct libxl__json_writer *w, yajl_val v);

static void write_object(struct libxl__json_writer *w, yajl_val v)
{
    size_t i;

    note(w, yajl_gen_map_open(w->gen));
    for (i = 0; i < v->u.object.len && !w->failed; i++) {
        put_key(w, v->u.object.keys[i]);
        write_value(w, v->u.object.values[i]);
    }
    libxl__json_close(w);
}

static void write_array(struct libxl__json_writer *w, yajl_val v)
{
    size_t i;

    note(w, yajl_gen_array_open(w->gen));
    for (i = 0; i < v->u.array.len && !w->failed; i++)
        write_value(w, v->u.array.values[i]);
    if (!w->failed)
        note(w, yajl_gen_array_close(w->gen));
}

/* yajl's own bound on depth ends the recursion: 'failed' is then set. */
static void write_value(struct libxl__json_writer *w, yajl_val v)
{
    if (w->failed)
        return;
    if (YAJL_IS_OBJECT(v))
        write_object(w, v);
    else if (YAJL_IS_ARRAY(v))
        write_array(w, v);
    else if (YAJL_IS_STRING(v))
        libxl__json_put_string(w, NULL, v->u.string);
    else if (YAJL_IS_NUMBER(v))
        libxl__json_put_raw(w, NULL, v->u.number.r);
    else if (YAJL_IS_TRUE(v) || YAJL_IS_FALSE(v))
        libxl__json_put_bool(w, NULL, YAJL_IS_TRUE(v));
    else
        note(w, yajl_gen_null(w->gen));
}

char *libxl__json_text(libxl__gc *gc, yajl_val value)
{
    struct libxl__json_writer w;
    char *text;

    libxl__json_writer_init(&w);
    write_value(&w, value);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    return text;
}

char *libxl__json_quote(libxl__gc *gc, const char *s)
{
    struct libxl__json_writer w;
    char *text;

    libxl__json_writer_init(&w);
    libxl__json_put_string(&w, NULL, s);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    if (text)
        text[strcspn(text, "\n")] = '\0';
    return text;
}
