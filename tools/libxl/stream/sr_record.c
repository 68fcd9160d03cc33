/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sr_record.c - the libxl stream's header, records and their order (codec). */
#include "stream/sr_record.h"

#include <assert.h>

#include "base/span.h"

#define IDENT 0x4c6962786c466d74ull /* "LibxlFmt" */
#define VERSION 2u
#define OPTION_BIG_ENDIAN (1u << 0)

#define RULE(id, text) text " [" id "]"

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
        return RULE("libxl.header.ident",
                    "wrong ident: this is not a libxl stream");
    if (version != VERSION)
        return RULE("libxl.header.version",
                    "unknown version: only version 2 is known");
    if (*options & OPTION_BIG_ENDIAN)
        return RULE("libxl.header.endian",
                    "big-endian records are not supported");
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
    [REC_TYPE_END] = {0, 0},
    [REC_TYPE_LIBXC_CONTEXT] = {0, 0},
    [REC_TYPE_EMULATOR_XENSTORE_DATA] = {LIBXL__SR_EMULATOR_HEADER_BYTES,
                                         LIBXL__SR_XENSTORE_MAX},
    [REC_TYPE_EMULATOR_CONTEXT] = {LIBXL__SR_EMULATOR_HEADER_BYTES,
                                   LIBXL__SR_BODY_MAX},
};

static const char *check_length(const struct libxl__sr_record *rec)
{
    bool optional = rec->type & LIBXL__SR_OPTIONAL;
    uint32_t min = optional ? 0 : limits[rec->type].min;
    uint32_t max = optional ? LIBXL__SR_BODY_MAX : limits[rec->type].max;

    if (rec->bytes && !max)
        return RULE("libxl.marker.length", "a mark must have length 0");
    if (rec->bytes > max)
        return RULE("libxl.record.length", "record is too long");
    if (rec->bytes < min)
        return RULE("libxl.emulator.length",
                    "record is too short for its sub-header");
    return NULL;
}

/* Emulator records: behind memory, for guests that have a device model. */
static const char *check_emulator_place(const struct libxl__sr_order *o,
                                        uint32_t type)
{
    if (!o->hvm)
        return RULE("libxl.order.emulator_guest",
                    "emulator record for a guest without a device model");
    if (type == REC_TYPE_EMULATOR_XENSTORE_DATA && o->xenstore)
        return RULE("libxl.order.xenstore_twice",
                    "second EMULATOR_XENSTORE_DATA");
    return NULL;
}

static const char *check_place(const struct libxl__sr_order *o, uint32_t type)
{
    if (type & LIBXL__SR_OPTIONAL)
        return NULL;
    if (type == REC_TYPE_CHECKPOINT_END)
        return RULE("libxl.order.checkpoint_end",
                    "checkpointed streams (Remus, COLO) are not supported");
    if (type == REC_TYPE_CHECKPOINT_STATE)
        return RULE("libxl.order.checkpoint_state",
                    "checkpointed streams (Remus, COLO) are not supported");
    if (type >= NR_TYPES)
        return RULE("libxl.record.type", "unknown mandatory record");
    if (type == REC_TYPE_LIBXC_CONTEXT)
        return o->libxc ? RULE("libxl.order.libxc_context_twice",
                               "second LIBXC_CONTEXT")
                        : NULL;
    if (!o->libxc)
        return RULE("libxl.order.libxc_context_first",
                    "LIBXC_CONTEXT must be the first record");
    if (type == REC_TYPE_END)
        return NULL;
    return check_emulator_place(o, type);
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

const char *libxl__sr_order_emulator(struct libxl__sr_order *o, uint32_t type,
                                     const uint8_t raw[8],
                                     struct libxl__sr_emulator *out)
{
    struct libxl__rspan s =
        libxl__rspan_over(raw, LIBXL__SR_EMULATOR_HEADER_BYTES);

    out->id = libxl__rspan_u32le(&s);
    out->index = libxl__rspan_u32le(&s);
    if (out->id != LIBXL__SR_EMULATOR_QEMU &&
        !(out->id == LIBXL__SR_EMULATOR_UNKNOWN && o->legacy))
        return RULE("libxl.emulator.id", "emulator id is not 2 (QEMU)");
    if (type != REC_TYPE_EMULATOR_CONTEXT)
        return NULL;
    /* a device's state comes in pieces, the device model's does not */
    if (out->index && out->index + 1 == o->contexts)
        return NULL;
    if (out->index != o->contexts)
        return RULE("libxl.emulator.index",
                    "emulator contexts are not numbered 0, 1, 2, ...");
    if (out->index > o->nr_devices)
        return RULE("libxl.emulator.index",
                    "more emulator contexts than configured devices");
    o->contexts++;
    return NULL;
}
