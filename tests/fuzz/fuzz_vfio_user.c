// SPDX-License-Identifier: GPL-2.0-or-later
/* What a vfio-user client can send: headers and bodies, with any number of fds
 * beside them. */
#include <stdlib.h>
#include <string.h>

#include "ring/vfu_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that a decoded message points to lies in its body. */
static void use(const struct vfu_msg *msg)
{
    volatile uint64_t sum = 0;

    switch (msg->h.command) {
    case VFU_VERSION:
        sum += strlen(msg->u.version.json);
        break;
    case VFU_REGION_WRITE:
        for (uint32_t i = 0; i < msg->u.access.count; i++)
            sum += msg->u.access.data[i];
        break;
    case VFU_DEVICE_SET_IRQS:
        if (msg->u.irqs.flags & VFU_IRQ_SET_BOOL)
            for (uint32_t i = 0; i < msg->u.irqs.count; i++)
                sum += msg->u.irqs.bools[i];
        break;
    case VFU_DEVICE_FEATURE:
        for (uint32_t i = 0; i < msg->u.feature.data_bytes; i++)
            sum += msg->u.feature.data[i];
        break;
    case VFU_DIRTY_PAGES:
        sum += msg->u.dirty.addr + msg->u.dirty.bitmap_bytes;
        break;
    case VFU_MIG_DATA_WRITE:
        for (uint32_t i = 0; i < msg->u.mig.bytes; i++)
            sum += msg->u.mig.data[i];
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    while (size >= 1 + VFU_HEADER_BYTES) {
        unsigned nr_fds = data[0] % (VFU_MAX_FDS + 1);
        struct vfu_header h;
        struct vfu_msg msg;
        uint8_t *body;

        if (libxl__vfu_decode_header(data + 1, &h))
            return 0;
        data += 1 + VFU_HEADER_BYTES;
        size -= 1 + VFU_HEADER_BYTES;
        if (h.bytes - VFU_HEADER_BYTES > size)
            return 0;
        /* a copy of exactly its size: a look beyond it is seen */
        body = malloc(h.bytes - VFU_HEADER_BYTES + 1);
        if (!body)
            return 0;
        memcpy(body, data, h.bytes - VFU_HEADER_BYTES);
        if (!libxl__vfu_decode(&h, body, nr_fds, &msg))
            use(&msg);
        free(body);
        data += h.bytes - VFU_HEADER_BYTES;
        size -= h.bytes - VFU_HEADER_BYTES;
    }
    return 0;
}
