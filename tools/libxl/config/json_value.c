/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json_value.c - JSON values to members, each checked for kind and range. */
#include "config/json_value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t path_text(const struct libxl__json_path *p, char *out,
                        size_t size)
{
    size_t n = 0;

    if (!p || size == 0)
        return 0;
    n = path_text(p->up, out, size);
    if (n >= size)
        return n;
    if (p->name)
        n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "." : "", p->name);
    else
        n += (size_t)snprintf(out + n, size - n, "[%zu]", p->index);
    return n < size ? n : size;
}

int libxl__json_refuse(struct libxl__json_reader *r,
                       const struct libxl__json_path *p, const char *fmt, ...)
{
    char where[128] = "", what[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    path_text(p, where, sizeof(where));
    libxl__config_error_set(r->err, "%s: %s", where[0] ? where : "(whole)",
                            what);
    return ERROR_INVAL;
}

int libxl__json_no_memory(struct libxl__json_reader *r)
{
    libxl__config_error_set(r->err, "no memory");
    return ERROR_NOMEM;
}

static int read_text(struct libxl__json_reader *r,
                     const struct libxl__json_path *p, yajl_val v,
                     const char **out)
{
    if (!YAJL_IS_STRING(v))
        return libxl__json_refuse(r, p, "wants a string, has %s",
                                  libxl__json_kind(v));
    *out = YAJL_GET_STRING(v);
    if (strlen(*out) > LIBXL__CONFIG_STRING_MAX)
        return libxl__json_refuse(r, p, "longer than %d bytes",
                                  LIBXL__CONFIG_STRING_MAX);
    return 0;
}

static int read_string(struct libxl__json_reader *r,
                       const struct libxl__json_path *p,
                       const struct libxl__field *f, yajl_val v, char **at)
{
    const char *text = "";
    int ignored = 0;
    int rc = read_text(r, p, v, &text);

    if (rc)
        return rc;
    if (f->names && libxl__name_find(f->names, text, &ignored))
        return libxl__json_refuse(r, p, "'%.64s' is not a known value", text);
    *at = strdup(text);
    return *at ? 0 : libxl__json_no_memory(r);
}

static int read_strings(struct libxl__json_reader *r,
                        const struct libxl__json_path *p, yajl_val v,
                        char ***at)
{
    bool one = YAJL_IS_STRING(v);
    size_t n;

    if (!one && !YAJL_IS_ARRAY(v))
        return libxl__json_refuse(r, p, "wants a list of strings, has %s",
                                  libxl__json_kind(v));
    if (*at)
        return libxl__json_refuse(r, p,
                                  "given twice: as a string and as a list");
    n = one ? 1 : v->u.array.len;
    if (n > LIBXL__CONFIG_ARRAY_MAX)
        return libxl__json_refuse(r, p, "more than %d entries",
                                  LIBXL__CONFIG_ARRAY_MAX);
    *at = calloc(n + 1, sizeof(char *));
    if (!*at)
        return libxl__json_no_memory(r);
    for (size_t i = 0; i < n; i++) {
        struct libxl__json_path here = {p, NULL, i};
        const char *text = "";
        int rc = read_text(r, one ? p : &here, one ? v : v->u.array.values[i],
                           &text);

        if (rc)
            return rc;
        (*at)[i] = strdup(text);
        if (!(*at)[i])
            return libxl__json_no_memory(r);
    }
    return 0;
}

static int read_bool(struct libxl__json_reader *r,
                     const struct libxl__json_path *p, yajl_val v, int64_t def,
                     bool *at)
{
    const char *s = YAJL_IS_STRING(v) ? YAJL_GET_STRING(v) : "";

    if (YAJL_IS_TRUE(v) || !strcmp(s, "True"))
        *at = true;
    else if (YAJL_IS_FALSE(v) || !strcmp(s, "False"))
        *at = false;
    else if (!strcmp(s, "<default>"))
        *at = def;
    else if (YAJL_IS_INTEGER(v) && YAJL_GET_INTEGER(v) >= 0 &&
             YAJL_GET_INTEGER(v) <= 1)
        *at = YAJL_GET_INTEGER(v);
    else
        return libxl__json_refuse(r, p, "wants \"True\" or \"False\", has %s",
                                  libxl__json_kind(v));
    return 0;
}

static int read_u64(struct libxl__json_reader *r,
                    const struct libxl__json_path *p, yajl_val v, uint64_t *at)
{
    const char *text = YAJL_IS_NUMBER(v) ? v->u.number.r : "";
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || text[digits] != '\0')
        return libxl__json_refuse(r, p,
                                  "wants a number of 0 or more, has %.40s",
                                  text[0] ? text : libxl__json_kind(v));
    if (digits > 20 ||
        (digits == 20 && strcmp(text, "18446744073709551615") > 0))
        return libxl__json_refuse(r, p, "%.40s is too large", text);
    *at = strtoull(text, NULL, 10);
    return 0;
}

static int read_i64(struct libxl__json_reader *r,
                    const struct libxl__json_path *p, yajl_val v, int64_t min,
                    int64_t max, int64_t *at)
{
    int64_t n;

    if (!YAJL_IS_INTEGER(v))
        return libxl__json_refuse(r, p, "wants a whole number, has %.40s",
                                  YAJL_IS_NUMBER(v) ? v->u.number.r
                                                    : libxl__json_kind(v));
    n = YAJL_GET_INTEGER(v);
    if (n < min || n > max)
        return libxl__json_refuse(
            r, p, "%" PRId64 " is not within %" PRId64 " to %" PRId64, n, min,
            max);
    *at = n;
    return 0;
}

static int read_number(struct libxl__json_reader *r,
                       const struct libxl__json_path *p,
                       const struct libxl__field *f, yajl_val v, void *at)
{
    int64_t min = f->min, max = f->max, n = 0;
    uint64_t u = 0;
    int rc;

    if (f->kind == KIND_U64 && max == 0)
        return read_u64(r, p, v, at);
    if (f->kind == KIND_U32 && max == 0)
        max = UINT32_MAX;
    if (f->kind == KIND_INT && max == 0)
        min = INT32_MIN, max = INT32_MAX;
    if (f->kind == KIND_U64) {
        rc = read_u64(r, p, v, &u);
        if (!rc && u > (uint64_t)max)
            rc = libxl__json_refuse(r, p, "%" PRIu64 " is more than %" PRId64,
                                    u, max);
        *(uint64_t *)at = u;
        return rc;
    }
    rc = read_i64(r, p, v, min, max, &n);
    if (rc)
        return rc;
    if (f->kind == KIND_U32)
        *(uint32_t *)at = (uint32_t)n;
    else if (f->kind == KIND_I64)
        *(int64_t *)at = n;
    else
        *(int *)at = (int)n;
    return 0;
}

static int read_enum(struct libxl__json_reader *r,
                     const struct libxl__json_path *p,
                     const struct libxl__field *f, yajl_val v, int *at)
{
    const char *text = "";
    int rc = read_text(r, p, v, &text);

    if (rc)
        return rc;
    if (libxl__name_find(f->names, text, at))
        return libxl__json_refuse(r, p, "'%.64s' is not a known value", text);
    return 0;
}

static int read_id(struct libxl__json_reader *r,
                   const struct libxl__json_path *p,
                   const struct libxl__field *f, yajl_val v, void *at)
{
    const char *text = "";
    bool ok;
    int rc = read_text(r, p, v, &text);

    if (rc)
        return rc;
    ok = f->kind == KIND_UUID ? libxl_uuid_from_text(text, at)
                              : libxl_mac_from_text(text, at);
    if (!ok)
        return libxl__json_refuse(r, p, "'%.64s' is not a %s", text,
                                  f->kind == KIND_UUID ? "UUID"
                                                       : "MAC address");
    return 0;
}

/* A list of vcpu numbers, ascending; how many there are is what counts. */
static int read_vcpus(struct libxl__json_reader *r,
                      const struct libxl__json_path *p,
                      const struct libxl__field *f, yajl_val v, int *at)
{
    int64_t last = -1;

    if (!YAJL_IS_ARRAY(v))
        return libxl__json_refuse(r, p, "wants a list of numbers, has %s",
                                  libxl__json_kind(v));
    for (size_t i = 0; i < v->u.array.len; i++) {
        struct libxl__json_path here = {p, NULL, i};
        int rc = read_i64(r, &here, v->u.array.values[i], last + 1, f->max - 1,
                          &last);
        if (rc)
            return rc;
    }
    if (v->u.array.len == 0)
        return libxl__json_refuse(r, p, "names no vcpu");
    *at = (int)v->u.array.len;
    return 0;
}

int libxl__json_read_value(struct libxl__json_reader *r,
                           const struct libxl__json_path *p,
                           const struct libxl__field *f, yajl_val v, void *at)
{
    switch (f->kind) {
    case KIND_STRING:
        return read_string(r, p, f, v, at);
    case KIND_STRINGS:
    case KIND_STRINGS_ONE:
    case KIND_STRINGS_MANY:
        return read_strings(r, p, v, at);
    case KIND_DEFBOOL:
    case KIND_BOOL:
        return read_bool(r, p, v, f->def, at);
    case KIND_INT:
    case KIND_U32:
    case KIND_U64:
    case KIND_I64:
        return read_number(r, p, f, v, at);
    case KIND_ENUM:
        return read_enum(r, p, f, v, at);
    case KIND_UUID:
    case KIND_MAC:
        return read_id(r, p, f, v, at);
    case KIND_VCPUS:
        return read_vcpus(r, p, f, v, at);
    default:
        return libxl__json_refuse(r, p, "is no single value");
    }
}
