/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fields.h - what a domain configuration consists of, as tables.
 *
 * JSON out, JSON in, defaults, copy and dispose are small functions that walk
 * these tables; a field is added in the struct (libxl_types.h) and in one row.
 * Rows stand in the order in which upstream's generator writes them.
 *
 * Thread:    const data.
 * Units:     offsets in bytes from the start of the table's struct; a nested
 *            JSON object may lie in the same struct (offset 0).
 */
#ifndef LIBXL_CONFIG_FIELDS_H
#define LIBXL_CONFIG_FIELDS_H

#include "libxl.h"

enum libxl__kind {
    KIND_STRING,       /* char *; max: bytes; words: the only values allowed */
    KIND_STRINGS,      /* char **, NULL-terminated; JSON: a list */
    KIND_STRINGS_ONE,  /* the same member, written as a string if it has one */
    KIND_STRINGS_MANY, /* the same member, written as a list if it has more */
    KIND_DEFBOOL,      /* bool; JSON: "True", "False" */
    KIND_BOOL, /* bool; JSON: true, false, 0, 1; written as def_json says */
    KIND_INT,  /* int */
    KIND_U32,
    KIND_U64,
    KIND_I64,
    KIND_ENUM,   /* an enum; names: its table */
    KIND_UUID,   /* libxl_uuid */
    KIND_MAC,    /* libxl_mac */
    KIND_VCPUS,  /* int n; JSON: the list 0 .. n-1 */
    KIND_OBJECT, /* sub: its table */
    KIND_ARRAY,  /* pointer to structs of elem_bytes, count at count_offset */
};

struct libxl__name {
    const char *name;
    int value;
};

struct libxl__fields;

struct libxl__field {
    const char *name; /* NULL: not in JSON */
    enum libxl__kind kind;
    size_t offset;
    int64_t def;                     /* numbers, enums, bools */
    int64_t min, max;                /* numbers; max 0: the kind's own limits */
    bool always;                     /* written even if it has the default */
    bool as_number;                  /* KIND_BOOL written as 0, 1 */
    libxl_domain_type only_type;     /* 0: any; an object for this type alone */
    const struct libxl__name *names; /* KIND_ENUM; KIND_STRING: its words */
    const struct libxl__fields *sub;
    size_t count_offset;
};

struct libxl__fields {
    const struct libxl__field *row;
    size_t rows;
    size_t bytes;          /* of the struct, for arrays */
    size_t foreign_offset; /* char *foreign_json; SIZE_MAX: has none */
};

extern const struct libxl__fields libxl__fields_config;
extern const struct libxl__fields libxl__fields_disk;
extern const struct libxl__fields libxl__fields_nic;
extern const struct libxl__fields libxl__fields_vfio_user;

extern const struct libxl__name libxl__names_domain_type[];
extern const struct libxl__name libxl__names_action[];
extern const struct libxl__name libxl__names_disk_format[];
extern const struct libxl__name libxl__names_disk_backend[];

/* Limits of what a configuration may be, wherever it comes from. */
#define LIBXL__CONFIG_TEXT_MAX (1u << 20)
#define LIBXL__CONFIG_DEPTH_MAX 32
#define LIBXL__CONFIG_STRING_MAX 65536
#define LIBXL__CONFIG_ARRAY_MAX 1024
#define LIBXL__CONFIG_NAME_MAX 127
#define LIBXL__CONFIG_VCPUS_MAX 1024
#define LIBXL__CONFIG_MEMKB_MAX (UINT64_C(1) << 34) /* 16 TiB */

/* -1, and *value untouched, when there is no such name. */
int libxl__name_find(const struct libxl__name *names, const char *name,
                     int *value);
const char *libxl__name_of(const struct libxl__name *names, int value);

static inline void *libxl__field_at(const struct libxl__field *f, void *base)
{
    return (char *)base + f->offset;
}

static inline const void *libxl__field_at_const(const struct libxl__field *f,
                                                const void *base)
{
    return (const char *)base + f->offset;
}

#endif
