/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sr_record.c - the libxl v2 stream's header, records and their order (codec). */
#include "stream/sr_record.h"

#include <assert.h>

#include "base/span.h"

#define IDENT 0x4c6962786c466d74ull /* "LibxlFmt" */
#define VERSION 2u
#define OPTION_BIG_ENDIAN (1u << 0)

static const char *const names[] = {
    [REC_TYPE_END] = "END",
    [REC_TYPE_LIBXC_CONTEXT] = "LIBXC_CONTEXT",
    [REC_TYPE_EMULATOR_XENSTORE_DATA] = "EMULATOR_XENSTORE_DATA",
    [REC_TYPE_EMULATOR_CONTEXT] = "EMULATOR_CONTEXT",
    [REC_TYPE_CHECKPOINT_END] = "CHECKPOINT_END",
    [REC_TYPE_CHECKPOINT_STATE] = "CHECKPOINT_STATE",
};
#define NR_TYPES (sizeof(names) / sizeof(names[0]))

const char *libxl__sr_type_name(uint32_t type)
{
    return type < NR_TYPES ? names[type] : "unknown";
}

void libxl__sr_encode_header(uint32_t options,
                             uint8_t raw[LIBXL__SR_HEADER_BYTES])
{
    struct libxl__wspan s = libxl__wspan_over(raw, LIBXL__SR_HEADER_BYTES);

    libxl__wspan_u64be(&s, IDENT);
    libxl__wspan_u32be(&s, VERSION);
    libxl__wspan_u32be(&s, options);
}

const char *libxl__sr_decode_header(const uint8_t raw[LIBXL__SR_HEADER_BYTES],
                                    uint32_t *options)
{
    struct libxl__rspan s = libxl__rspan_over(raw, LIBXL__SR_HEADER_BYTES);
    uint64_t ident = libxl__rspan_u64be(&s);
    uint32_t version = libxl__rspan_u32be(&s);

    *options = libxl__rspan_u32be(&s);
    if (ident != IDENT)
        return "wrong ident: this is not a libxl stream";
    if (version != VERSION)
        return "unknown version: only version 2 is known";
    if (*options & OPTION_BIG_ENDIAN)
        return "big-endian records are not supported";
    return NULL;
}

void libxl__sr_encode_record(const struct libxl__sr_record *rec,
                             uint8_t raw[LIBXL__SR_RECORD_HEADER_BYTES])
{
    struct libxl__wspan s =
        libxl__wspan_over(raw, LIBXL__SR_RECORD_HEADER_BYTES);

    libxl__wspan_u32le(&s, rec->type);
    libxl__wspan_u32le(&s, rec->bytes);
}

void libxl__sr_decode_record(const uint8_t raw[LIBXL__SR_RECORD_HEADER_BYTES],
                             struct libxl__sr_record *out)
{
    struct libxl__rspan s =
        libxl__rspan_over(raw, LIBXL__SR_RECORD_HEADER_BYTES);

    out->type = libxl__rspan_u32le(&s);
    out->bytes = libxl__rspan_u32le(&s);
}

/* Length limits by type; END and LIBXC_CONTEXT are marks. */
static const struct {
    uint32_t min, max;
} limits[NR_TYPES] = {
    [REC_TYPE_END] = { 0, 0 },
    [REC_TYPE_LIBXC_CONTEXT] = { 0, 0 },
    [REC_TYPE_EMULATOR_XENSTORE_DATA] = { LIBXL__SR_EMULATOR_HEADER_BYTES,
                                          LIBXL__SR_XENSTORE_MAX },
    [REC_TYPE_EMULATOR_CONTEXT] = { LIBXL__SR_EMULATOR_HEADER_BYTES,
                                    LIBXL__SR_EMULATOR_MAX },
};

static const char *check_length(const struct libxl__sr_record *rec)
{
    if (rec->type & LIBXL__SR_OPTIONAL)
        return rec->bytes > LIBXL__SR_SKIPPED_MAX
                   ? "optional record longer than 64 MiB" : NULL;
    if (rec->bytes > limits[rec->type].max)
        return limits[rec->type].max ? "record is too long"
                                     : "a mark must have length 0";
    if (rec->bytes < limits[rec->type].min)
        return "record is too short for its sub-header";
    return NULL;
}

static const char *check_place(struct libxl__sr_order *o, uint32_t type)
{
    if (type == REC_TYPE_CHECKPOINT_END || type == REC_TYPE_CHECKPOINT_STATE)
        return "checkpointed streams (Remus, COLO) are not supported";
    if (type >= NR_TYPES && !(type & LIBXL__SR_OPTIONAL))
        return "unknown mandatory record";
    if (type == REC_TYPE_LIBXC_CONTEXT)
        return o->libxc ? "second LIBXC_CONTEXT" : NULL;
    if (!o->libxc)
        return "LIBXC_CONTEXT must be the first record";
    if (type & LIBXL__SR_OPTIONAL || type == REC_TYPE_END)
        return NULL;
    if (!o->hvm)
        return "emulator record for a guest without a device model";
    if (type == REC_TYPE_EMULATOR_XENSTORE_DATA && o->xenstore)
        return "second EMULATOR_XENSTORE_DATA";
    return NULL;
}

const char *libxl__sr_order_record(struct libxl__sr_order *o,
                                   const struct libxl__sr_record *rec)
{
    const char *broken;

    assert(!o->end);
    broken = check_place(o, rec->type);
    if (!broken)
        broken = check_length(rec);
    if (broken)
        return broken;
    o->libxc |= rec->type == REC_TYPE_LIBXC_CONTEXT;
    o->xenstore |= rec->type == REC_TYPE_EMULATOR_XENSTORE_DATA;
    o->end |= rec->type == REC_TYPE_END;
    return NULL;
}

void libxl__sr_encode_emulator(const struct libxl__sr_emulator *e,
                               uint8_t raw[LIBXL__SR_EMULATOR_HEADER_BYTES])
{
    struct libxl__wspan s =
        libxl__wspan_over(raw, LIBXL__SR_EMULATOR_HEADER_BYTES);

    libxl__wspan_u32le(&s, e->id);
    libxl__wspan_u32le(&s, e->index);
}

/* index is below 256: nr_devices is. */
static bool context_again(struct libxl__sr_order *o, uint32_t index)
{
    uint64_t bit = 1ull << (index % 64);
    bool again = o->contexts[index / 64] & bit;

    o->contexts[index / 64] |= bit;
    return again;
}

const char *libxl__sr_order_emulator(struct libxl__sr_order *o, uint32_t type,
                                     const uint8_t raw[8],
                                     struct libxl__sr_emulator *out)
{
    struct libxl__rspan s =
        libxl__rspan_over(raw, LIBXL__SR_EMULATOR_HEADER_BYTES);

    assert(o->nr_devices < 256);
    out->id = libxl__rspan_u32le(&s);
    out->index = libxl__rspan_u32le(&s);
    if (out->id != LIBXL__SR_EMULATOR_QEMU &&
        !(out->id == LIBXL__SR_EMULATOR_UNKNOWN && o->legacy))
        return "emulator id is not 2 (QEMU)";
    if (out->index > o->nr_devices)
        return "emulator index beyond the configured devices";
    if (type == REC_TYPE_EMULATOR_CONTEXT && context_again(o, out->index))
        return "second EMULATOR_CONTEXT with this index";
    return NULL;
}
