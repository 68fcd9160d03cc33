/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sr_record.h - the libxl v2 stream's header and records
 * (docs/specs/libxl-stream.md). Codec.
 *
 * Owns:      nothing.
 * Errors:    NULL, or a constant text: the rule that was broken, with its check
 *            id from the specification.
 * Units:     header big-endian, records little-endian; lengths are of the body
 *            without its padding.
 */
#ifndef LIBXL_SR_RECORD_H
#define LIBXL_SR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBXL__SR_HEADER_BYTES 16u
#define LIBXL__SR_RECORD_HEADER_BYTES 8u
#define LIBXL__SR_EMULATOR_HEADER_BYTES 8u
#define LIBXL__SR_OPTION_LEGACY (1u << 1) /* came out of the converter */

#define LIBXL__SR_XENSTORE_MAX (1u << 20) /* EMULATOR_XENSTORE_DATA's body */
#define LIBXL__SR_BODY_MAX (128u << 20)   /* any other body */

#define LIBXL__SR_EMULATOR_UNKNOWN 0u /* from a converted stream alone */
#define LIBXL__SR_EMULATOR_QEMU 2u

enum libxl__sr_type {
    REC_TYPE_END = 0,
    REC_TYPE_LIBXC_CONTEXT = 1,
    REC_TYPE_EMULATOR_XENSTORE_DATA = 2,
    REC_TYPE_EMULATOR_CONTEXT = 3,
    REC_TYPE_CHECKPOINT_END = 4,
    REC_TYPE_CHECKPOINT_STATE = 5,
};
#define LIBXL__SR_OPTIONAL 0x80000000u

const char *libxl__sr_type_name(uint32_t type); /* "unknown" if so */

void libxl__sr_encode_header(uint32_t options,
                             uint8_t raw[LIBXL__SR_HEADER_BYTES]);
const char *libxl__sr_decode_header(const uint8_t raw[LIBXL__SR_HEADER_BYTES],
                                    uint32_t *options);

struct libxl__sr_record {
    uint32_t type, bytes;
};
void libxl__sr_encode_record(const struct libxl__sr_record *rec,
                             uint8_t raw[LIBXL__SR_RECORD_HEADER_BYTES]);
void libxl__sr_decode_record(const uint8_t raw[LIBXL__SR_RECORD_HEADER_BYTES],
                             struct libxl__sr_record *out);
/* 0..7 zero bytes behind a body. */
static inline unsigned libxl__sr_padding(uint64_t bytes)
{
    return (unsigned)(-bytes & 7);
}

/* Which records may follow, what was seen; all zero at the start. */
struct libxl__sr_order {
    bool hvm, legacy;    /* set by the caller */
    unsigned nr_devices; /* set by the caller */
    bool libxc, xenstore, end;
    uint32_t contexts; /* EMULATOR_CONTEXT indices seen: the next one is due */
};
/* May this record stand here, with this length? Notes that it was seen. */
const char *libxl__sr_order_record(struct libxl__sr_order *o,
                                   const struct libxl__sr_record *rec);
/* The same for an emulator record's sub-header. */
struct libxl__sr_emulator {
    uint32_t id, index;
};
void libxl__sr_encode_emulator(const struct libxl__sr_emulator *e,
                               uint8_t raw[LIBXL__SR_EMULATOR_HEADER_BYTES]);
const char *libxl__sr_order_emulator(struct libxl__sr_order *o, uint32_t type,
                                     const uint8_t raw[8],
                                     struct libxl__sr_emulator *out);

#endif
