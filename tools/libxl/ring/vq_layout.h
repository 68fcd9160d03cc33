/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vq_layout.h - a split virtqueue in guest memory. All fields little-endian.
 * Wire structs and constants only: virtio 1.2, 2.7.5 to 2.7.8; the legacy
 * layout of one contiguous block is 2.7.2.
 */
#ifndef LIBXL_VQ_LAYOUT_H
#define LIBXL_VQ_LAYOUT_H

#include <stdint.h>

struct vq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};
_Static_assert(sizeof(struct vq_desc) == 16, "virtio 2.7.5");

#define VQ_DESC_F_NEXT 1u
#define VQ_DESC_F_WRITE 2u
#define VQ_DESC_F_INDIRECT 4u

/* avail: u16 flags, u16 idx, u16 ring[size], u16 used_event */
#define VQ_AVAIL_F_NO_INTERRUPT 1u
#define VQ_AVAIL_BYTES(size) (4u + 2u * (uint64_t)(size) + 2u)
#define VQ_AVAIL_IDX 2u
#define VQ_AVAIL_RING(i) (4u + 2u * (uint64_t)(i))

/* used: u16 flags, u16 idx, {u32 id, u32 len} ring[size], u16 avail_event */
#define VQ_USED_F_NO_NOTIFY 1u
#define VQ_USED_BYTES(size) (4u + 8u * (uint64_t)(size) + 2u)
#define VQ_USED_IDX 2u
#define VQ_USED_RING(i) (4u + 8u * (uint64_t)(i))

#define VQ_DESC_ALIGN 16u
#define VQ_AVAIL_ALIGN 2u
#define VQ_USED_ALIGN 4u
#define VQ_LEGACY_ALIGN 4096u

#endif
