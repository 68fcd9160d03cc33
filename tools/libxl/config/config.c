/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.c - a configuration's defaults, copy and end, by its tables. */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/fields.h"

static void set_number(const struct libxl__field *f, void *at, int64_t v)
{
    switch (f->kind) {
    case KIND_DEFBOOL:
    case KIND_BOOL:
        *(bool *)at = v;
        break;
    case KIND_INT:
    case KIND_ENUM:
    case KIND_VCPUS:
        *(int *)at = (int)v;
        break;
    case KIND_U32:
        *(uint32_t *)at = (uint32_t)v;
        break;
    case KIND_U64:
        *(uint64_t *)at = (uint64_t)v;
        break;
    case KIND_I64:
        *(int64_t *)at = v;
        break;
    default:
        break; /* all other kinds are empty when zeroed */
    }
}

/* The struct has been zeroed. */
void libxl__config_defaults(const struct libxl__fields *t, void *base)
{
    for (size_t i = 0; i < t->rows; i++) {
        const struct libxl__field *f = &t->row[i];

        if (f->kind == KIND_OBJECT)
            libxl__config_defaults(f->sub, libxl__field_at(f, base));
        else
            set_number(f, libxl__field_at(f, base), f->def);
    }
}

void libxl__strings_free(char **list)
{
    for (char **s = list; s && *s; s++)
        free(*s);
    free(list);
}

static void free_array(const struct libxl__field *f, void *base)
{
    void **at = libxl__field_at(f, base);
    int *count = (int *)((char *)base + f->count_offset);

    for (int i = 0; i < *count; i++)
        libxl__config_free(f->sub, (char *)*at + i * f->sub->bytes);
    free(*at);
    *at = NULL;
    *count = 0;
}

void libxl__config_free(const struct libxl__fields *t, void *base)
{
    for (size_t i = 0; i < t->rows; i++) {
        const struct libxl__field *f = &t->row[i];
        void *at = libxl__field_at(f, base);

        switch (f->kind) {
        case KIND_STRING:
            free(*(char **)at);
            *(char **)at = NULL;
            break;
        case KIND_STRINGS:
        case KIND_STRINGS_ONE:
        case KIND_STRINGS_MANY:
            libxl__strings_free(*(char ***)at);
            *(char ***)at = NULL;
            break;
        case KIND_OBJECT:
            libxl__config_free(f->sub, at);
            break;
        case KIND_ARRAY:
            free_array(f, base);
            break;
        default:
            break;
        }
    }
}

/* ---- copy ---- */

static int copy_strings(char ***at, char **from)
{
    size_t n = 0;

    while (from && from[n])
        n++;
    if (!from || *at) /* two rows may share a member: it is copied once */
        return 0;
    *at = calloc(n + 1, sizeof(char *));
    if (!*at)
        return ERROR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        (*at)[i] = strdup(from[i]);
        if (!(*at)[i])
            return ERROR_NOMEM;
    }
    return 0;
}

static int copy_fields(const struct libxl__fields *t, void *dst,
                       const void *src);

static int copy_array(const struct libxl__field *f, void *dst, const void *src)
{
    void **at = libxl__field_at(f, dst);
    int *count = (int *)((char *)dst + f->count_offset);
    const char *from = *(void *const *)libxl__field_at_const(f, src);
    int n = *(const int *)((const char *)src + f->count_offset);

    if (n <= 0)
        return 0;
    *at = calloc((size_t)n, f->sub->bytes);
    if (!*at)
        return ERROR_NOMEM;
    *count = n;
    for (int i = 0; i < n; i++) {
        size_t off = (size_t)i * f->sub->bytes;
        int rc = copy_fields(f->sub, (char *)*at + off, from + off);
        if (rc)
            return rc;
    }
    return 0;
}

static int copy_string(char **at, const char *from)
{
    if (!from)
        return 0;
    *at = strdup(from);
    return *at ? 0 : ERROR_NOMEM;
}

static int copy_field(const struct libxl__field *f, void *dst, const void *src)
{
    void *at = libxl__field_at(f, dst);
    const void *from = libxl__field_at_const(f, src);

    switch (f->kind) {
    case KIND_STRING:
        return copy_string(at, *(char *const *)from);
    case KIND_STRINGS:
    case KIND_STRINGS_ONE:
    case KIND_STRINGS_MANY:
        return copy_strings(at, *(char **const *)from);
    case KIND_OBJECT:
        return copy_fields(f->sub, at, from);
    case KIND_ARRAY:
        return copy_array(f, dst, src);
    case KIND_DEFBOOL:
    case KIND_BOOL:
        *(bool *)at = *(const bool *)from;
        return 0;
    case KIND_INT:
    case KIND_ENUM:
    case KIND_VCPUS:
        *(int *)at = *(const int *)from;
        return 0;
    case KIND_U32:
        *(uint32_t *)at = *(const uint32_t *)from;
        return 0;
    case KIND_U64:
    case KIND_I64:
        *(uint64_t *)at = *(const uint64_t *)from;
        return 0;
    case KIND_UUID:
        memcpy(at, from, sizeof(libxl_uuid));
        return 0;
    case KIND_MAC:
        memcpy(at, from, sizeof(libxl_mac));
        return 0;
    }
    return ERROR_INVAL;
}

/* On error the caller frees what has been copied. */
static int copy_fields(const struct libxl__fields *t, void *dst,
                       const void *src)
{
    for (size_t i = 0; i < t->rows; i++) {
        int rc = copy_field(&t->row[i], dst, src);
        if (rc)
            return rc;
    }
    return 0;
}

/* ---- the public functions ---- */

void libxl_domain_config_init(libxl_domain_config *c)
{
    memset(c, 0, sizeof(*c));
    libxl__config_defaults(&libxl__fields_config, c);
}

void libxl_domain_config_dispose(libxl_domain_config *c)
{
    libxl__config_free(&libxl__fields_config, c);
}

int libxl_domain_config_copy(libxl_ctx *ctx, libxl_domain_config *dst,
                             const libxl_domain_config *src)
{
    int rc;

    memset(dst, 0, sizeof(*dst));
    rc = copy_fields(&libxl__fields_config, dst, src);
    if (rc) {
        LOG(ctx, ERROR, "no memory to copy a domain's configuration");
        libxl_domain_config_dispose(dst);
    }
    return rc;
}

static void *add_element(void **array, int *count,
                         const struct libxl__fields *t)
{
    void *bigger, *element;

    if (*count >= LIBXL__CONFIG_ARRAY_MAX)
        return NULL;
    bigger = realloc(*array, (size_t)(*count + 1) * t->bytes);
    if (!bigger)
        return NULL;
    *array = bigger;
    element = (char *)bigger + (size_t)*count * t->bytes;
    memset(element, 0, t->bytes);
    libxl__config_defaults(t, element);
    (*count)++;
    return element;
}

libxl_device_disk *libxl_domain_config_add_disk(libxl_domain_config *c)
{
    return add_element((void **)&c->disks, &c->num_disks, &libxl__fields_disk);
}

libxl_device_nic *libxl_domain_config_add_nic(libxl_domain_config *c)
{
    return add_element((void **)&c->nics, &c->num_nics, &libxl__fields_nic);
}

libxl_device_vfio_user *
libxl_domain_config_add_vfio_user(libxl_domain_config *c)
{
    return add_element((void **)&c->vfio_users, &c->num_vfio_users,
                       &libxl__fields_vfio_user);
}
