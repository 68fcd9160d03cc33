/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * json_in.c - JSON to a configuration, by its tables.
 *
 * Strict for what the tables know: kind, range, words, nothing twice. What
 * they do not know is kept as text (foreign_json) for the writer.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/json_value.h"

static int read_object(struct libxl__json_reader *r,
                       const struct libxl__json_path *p,
                       const struct libxl__fields *t, yajl_val v, void *base);

static int keep_foreign(struct libxl__json_reader *r,
                        const struct libxl__fields *t, yajl_val v, void *base)
{
    char **at = (char **)((char *)base + t->foreign_offset);
    const unsigned char *text;
    size_t bytes;
    yajl_gen g = yajl_gen_alloc(NULL);
    bool ok;

    ok = g && !libxl__json_gen_verbatim(g, v) &&
         !yajl_gen_get_buf(g, &text, &bytes);
    if (ok)
        *at = strndup((const char *)text, bytes);
    if (g)
        yajl_gen_free(g);
    return ok && *at ? 0 : libxl__json_no_memory(r);
}

static int read_array(struct libxl__json_reader *r,
                      const struct libxl__json_path *p,
                      const struct libxl__field *f, yajl_val v, void *base)
{
    void **at = libxl__field_at(f, base);
    int *count = (int *)((char *)base + f->count_offset);
    size_t n;

    if (!YAJL_IS_ARRAY(v))
        return libxl__json_refuse(r, p, "wants a list, has %s",
                                  libxl__json_kind(v));
    n = v->u.array.len;
    if (n > LIBXL__CONFIG_ARRAY_MAX)
        return libxl__json_refuse(r, p, "more than %d entries",
                                  LIBXL__CONFIG_ARRAY_MAX);
    if (n == 0)
        return 0;
    *at = calloc(n, f->sub->bytes);
    if (!*at)
        return libxl__json_no_memory(r);
    *count = (int)n;
    for (size_t i = 0; i < n; i++) {
        struct libxl__json_path here = {p, NULL, i};
        char *element = (char *)*at + i * f->sub->bytes;
        int rc;

        libxl__config_defaults(f->sub, element);
        rc = read_object(r, &here, f->sub, v->u.array.values[i], element);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_sub_object(struct libxl__json_reader *r,
                           const struct libxl__json_path *p,
                           const struct libxl__field *f, yajl_val v, void *base)
{
    if (f->only_type && r->config->c_info.type != f->only_type)
        return libxl__json_refuse(r, p, "does not fit c_info.type");
    return read_object(r, p, f->sub, v, libxl__field_at(f, base));
}

static int read_field(struct libxl__json_reader *r,
                      const struct libxl__json_path *p,
                      const struct libxl__field *f, yajl_val v, void *base)
{
    switch (f->kind) {
    case KIND_OBJECT:
        return read_sub_object(r, p, f, v, base);
    case KIND_ARRAY:
        return read_array(r, p, f, v, base);
    default:
        return libxl__json_read_value(r, p, f, v, libxl__field_at(f, base));
    }
}

static int read_object(struct libxl__json_reader *r,
                       const struct libxl__json_path *p,
                       const struct libxl__fields *t, yajl_val v, void *base)
{
    if (!YAJL_IS_OBJECT(v))
        return libxl__json_refuse(r, p, "wants an object, has %s",
                                  libxl__json_kind(v));
    for (size_t i = 0; i < t->rows; i++) {
        const struct libxl__field *f = &t->row[i];
        struct libxl__json_path here = {p, f->name, 0};
        bool twice;
        yajl_val member;
        int rc;

        if (!f->name)
            continue;
        member = libxl__json_member(v, f->name, &twice);
        if (twice)
            return libxl__json_refuse(r, &here, "given twice");
        if (!member || member->type == yajl_t_null)
            continue;
        rc = read_field(r, &here, f, member, base);
        if (rc)
            return rc;
    }
    return t->foreign_offset == SIZE_MAX ? 0 : keep_foreign(r, t, v, base);
}

int libxl__config_parse(const char *json, size_t bytes, libxl_domain_config *c,
                        struct libxl__config_error *err)
{
    struct libxl__json_reader r = {err, c};
    yajl_val tree;
    int rc;

    libxl_domain_config_init(c);
    rc = libxl__config_tree(json, bytes, &tree, err);
    if (rc)
        return rc;
    rc = read_object(&r, NULL, &libxl__fields_config, tree, c);
    yajl_tree_free(tree);
    if (!rc)
        rc = libxl__config_check(c, err);
    if (rc)
        libxl_domain_config_dispose(c);
    return rc;
}

int libxl_domain_config_from_json(libxl_ctx *ctx, libxl_domain_config *c,
                                  const char *json)
{
    struct libxl__config_error err;
    int rc = libxl__config_parse(json, strlen(json), c, &err);

    if (rc)
        LOG(ctx, ERROR, "domain configuration: %s", err.text);
    return rc;
}
