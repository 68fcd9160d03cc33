// SPDX-License-Identifier: GPL-2.0-or-later
/* The save helper's protocol, as each side reads the other. */
#include <stdlib.h>
#include <string.h>

#include "helper/helper_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was understood is understood again in the same way. */
static void check_round_trip(const struct libxl__hw_msg *msg,
                             enum libxl__hw_speaker speaker)
{
    uint8_t frame[LIBXL__HW_FRAME_MAX];
    size_t bytes = libxl__hw_encode(msg, frame);
    struct libxl__hw_msg again;
    uint32_t body;
    uint16_t number;

    if (libxl__hw_decode_header(frame, &body, &number) ||
        body != bytes - LIBXL__HW_HEADER_BYTES || number != msg->number ||
        libxl__hw_decode(speaker, number, frame + LIBXL__HW_HEADER_BYTES, body,
                         &again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    while (size >= LIBXL__HW_HEADER_BYTES) {
        struct libxl__hw_msg msg;
        uint32_t body;
        uint16_t number;

        if (libxl__hw_decode_header(data, &body, &number))
            return 0;
        data += LIBXL__HW_HEADER_BYTES;
        size -= LIBXL__HW_HEADER_BYTES;
        if (body > size)
            return 0;
        if (!libxl__hw_decode(LIBXL__HW_PARENT, number, data, body, &msg))
            check_round_trip(&msg, LIBXL__HW_PARENT);
        if (!libxl__hw_decode(LIBXL__HW_CHILD, number, data, body, &msg))
            check_round_trip(&msg, LIBXL__HW_CHILD);
        data += body;
        size -= body;
    }
    return 0;
}
