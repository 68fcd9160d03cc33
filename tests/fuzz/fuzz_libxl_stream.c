// SPDX-License-Identifier: GPL-2.0-or-later
/* The libxl stream's codecs, record for record, as a reader calls them: what
 * lies behind LIBXC_CONTEXT is taken for the next record. */
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "stream/sr_record.h"
#include "stream/sr_xenstore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_body(struct libxl__sr_order *o, uint32_t type,
                      struct libxl__rspan body)
{
    const uint8_t *raw =
        libxl__rspan_bytes(&body, LIBXL__SR_EMULATOR_HEADER_BYTES);
    struct libxl__sr_emulator emu;
    const char *key, *value;

    if (libxl__sr_order_emulator(o, type, raw, &emu))
        return;
    if (emu.id && emu.id != LIBXL__SR_EMULATOR_QEMU)
        abort();
    if (type != REC_TYPE_EMULATOR_XENSTORE_DATA)
        return;
    while (!libxl__sr_xenstore_next(&body, &key, &value) && key)
        if (strncmp(key, "physmap/", 8) || strstr(key, ".."))
            abort();
}

static void read_records(struct libxl__rspan *s, bool legacy)
{
    struct libxl__sr_order o = {
        .hvm = true,
        .nr_devices = 3,
        .legacy = legacy,
    };

    while (!o.end) {
        const uint8_t *raw =
            libxl__rspan_bytes(s, LIBXL__SR_RECORD_HEADER_BYTES);
        struct libxl__sr_record rec;
        const uint8_t *body;

        if (!raw)
            return;
        libxl__sr_decode_record(raw, &rec);
        if (libxl__sr_order_record(&o, &rec))
            return;
        if (rec.bytes > LIBXL__SR_BODY_MAX)
            abort();
        body = libxl__rspan_bytes(s, rec.bytes);
        libxl__rspan_bytes(s, libxl__sr_padding(rec.bytes));
        if (s->bad)
            return;
        if (rec.type == REC_TYPE_EMULATOR_CONTEXT ||
            rec.type == REC_TYPE_EMULATOR_XENSTORE_DATA)
            read_body(&o, rec.type, libxl__rspan_over(body, rec.bytes));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct libxl__rspan s = libxl__rspan_over(data, size);
    const uint8_t *raw = libxl__rspan_bytes(&s, LIBXL__SR_HEADER_BYTES);
    uint32_t options;

    if (raw && !libxl__sr_decode_header(raw, &options))
        read_records(&s, options & LIBXL__SR_OPTION_LEGACY);
    return 0;
}
