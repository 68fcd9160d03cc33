// SPDX-License-Identifier: GPL-2.0-or-later
/* What a vhost-user frontend can send: headers and bodies, with any number of
 * fds beside them. */
#include <stdlib.h>

#include "ring/vu_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct vu_msg *msg)
{
    uint8_t out[VU_REPLY_MAX];

    if (msg->h.request == VU_SET_MEM_TABLE && msg->u.mem.nr > VU_MAX_REGIONS)
        abort();
    if (msg->h.request == VU_SET_DEVICE_STATE_FD &&
        msg->u.state_move.direction > VU_STATE_LOAD)
        abort();
    if (msg->h.request == VU_GET_INFLIGHT_FD &&
        libxl__vu_encode_inflight(out, msg->h.bytes, &msg->u.inflight) !=
            VU_HEADER_BYTES + msg->h.bytes)
        abort();
    if (msg->h.request == VU_GET_CONFIG &&
        libxl__vu_encode_config(out, &msg->u.config) > sizeof(out))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    while (size >= 1 + VU_HEADER_BYTES) {
        unsigned nr_fds = data[0] % (VU_MAX_FDS + 1);
        struct vu_header h;
        struct vu_msg msg;

        if (libxl__vu_decode_header(data + 1, &h))
            return 0;
        data += 1 + VU_HEADER_BYTES;
        size -= 1 + VU_HEADER_BYTES;
        if (h.bytes > size)
            return 0;
        if (!libxl__vu_decode(&h, data, nr_fds, &msg))
            use(&msg);
        data += h.bytes;
        size -= h.bytes;
    }
    return 0;
}
