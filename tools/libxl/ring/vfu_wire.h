/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfu_wire.h - codec of vfio-user messages, as a server reads and answers them
 * (docs/specs/vfio-user.md). Pure: no fd, no globals.
 *
 * Layout:    all fields little-endian.
 * Rule:      a command's length and number of fds are checked here, against a
 *            table, before anything looks at its body. Variable parts are
 *            checked by the decoder of the command.
 */
#ifndef LIBXL_VFU_WIRE_H
#define LIBXL_VFU_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFU_HEADER_BYTES 16u
#define VFU_MAX_FDS 16u
#define VFU_MAX_XFER (1u << 20) /* data of one message */
#define VFU_MAX_BODY (VFU_MAX_XFER + 64u)

/* flags: the low nibble is the kind of message */
#define VFU_F_KIND 0xfu
#define VFU_F_COMMAND 0x0u
#define VFU_F_REPLY 0x1u
#define VFU_F_NO_REPLY 0x10u
#define VFU_F_ERROR 0x20u

enum vfu_command {
    VFU_VERSION = 1,
    VFU_DMA_MAP = 2,
    VFU_DMA_UNMAP = 3,
    VFU_DEVICE_GET_INFO = 4,
    VFU_DEVICE_GET_REGION_INFO = 5,
    VFU_DEVICE_GET_REGION_IO_FDS = 6,
    VFU_DEVICE_GET_IRQ_INFO = 7,
    VFU_DEVICE_SET_IRQS = 8,
    VFU_REGION_READ = 9,
    VFU_REGION_WRITE = 10,
    VFU_DEVICE_RESET = 13,
    VFU_DIRTY_PAGES = 14, /* of 2021 */
    VFU_DEVICE_FEATURE = 16,
    VFU_MIG_DATA_READ = 17,
    VFU_MIG_DATA_WRITE = 18,
};

struct vfu_command_info {
    const char *name;
    uint32_t min_bytes, max_bytes; /* of the body */
    uint8_t max_fds;
    /* applied only when the device does not use the guest's memory */
    bool quiet;
};
/* NULL: not a command that this server knows. */
const struct vfu_command_info *libxl__vfu_command_info(uint16_t command);

struct vfu_header {
    uint16_t id, command;
    uint32_t bytes; /* with the header */
    uint32_t flags, error;
};

#define VFU_DMA_F_READ 1u
#define VFU_DMA_F_WRITE 2u
#define VFU_DMA_UNMAP_F_BITMAP 1u
#define VFU_DMA_UNMAP_F_ALL 2u

struct vfu_dma {
    uint32_t argsz, flags;
    uint64_t offset, addr, bytes;
};

#define VFU_DEVICE_F_RESET 1u
#define VFU_DEVICE_F_PCI 2u
#define VFU_NR_REGIONS 9u
#define VFU_REGION_V1 9u /* one more: the migration of 2021 */
#define VFU_V1_DATA_AT 4096u
#define VFU_V1_DATA_BYTES (256u << 10)
#define VFU_REGION_CONFIG 7u
#define VFU_NR_IRQS 5u
#define VFU_IRQ_INTX 0u
#define VFU_IRQ_MSIX 2u

#define VFU_REGION_F_READ 1u
#define VFU_REGION_F_WRITE 2u
#define VFU_IRQ_F_EVENTFD 1u
#define VFU_IRQ_F_MASKABLE 2u
#define VFU_IRQ_F_AUTOMASKED 4u

#define VFU_IRQ_SET_NONE 1u
#define VFU_IRQ_SET_BOOL 2u
#define VFU_IRQ_SET_EVENTFD 4u
#define VFU_IRQ_SET_DATA 7u
#define VFU_IRQ_SET_MASK 8u
#define VFU_IRQ_SET_UNMASK 16u
#define VFU_IRQ_SET_TRIGGER 32u
#define VFU_IRQ_SET_ACTION 56u

struct vfu_irq_set {
    uint32_t argsz, flags, index, start, count;
    const uint8_t *bools; /* count of them, with VFU_IRQ_SET_BOOL */
};

struct vfu_region_access {
    uint64_t offset;
    uint32_t region, count;
    const uint8_t *data; /* of a write */
};

#define VFU_FEATURE_MASK 0xffffu
#define VFU_FEATURE_GET (1u << 16)
#define VFU_FEATURE_SET (1u << 17)
#define VFU_FEATURE_PROBE (1u << 18)
enum vfu_feature {
    VFU_FEATURE_MIGRATION = 1,
    VFU_FEATURE_MIG_STATE = 2,
    VFU_FEATURE_LOG_START = 6,
    VFU_FEATURE_LOG_STOP = 7,
    VFU_FEATURE_LOG_REPORT = 8,
};

struct vfu_feature_req {
    uint32_t argsz, flags;
    const uint8_t *data;
    uint32_t data_bytes;
};

struct vfu_mig_data {
    uint32_t argsz, bytes;
    const uint8_t *data; /* of a write */
};

#define VFU_DIRTY_START 1u
#define VFU_DIRTY_STOP 2u
#define VFU_DIRTY_GET 4u

struct vfu_dirty {
    uint32_t argsz, flags;
    uint64_t addr, bytes, page_bytes, bitmap_bytes; /* of VFU_DIRTY_GET */
};

struct vfu_msg {
    struct vfu_header h;
    const struct vfu_command_info *info;
    union {
        struct {
            uint16_t major, minor;
            const char *json; /* NUL-terminated; "" when absent */
        } version;
        struct vfu_dma dma;
        struct {
            uint32_t index; /* of a region or an interrupt */
            uint32_t argsz;
        } info;
        struct vfu_irq_set irqs;
        struct vfu_region_access access;
        struct vfu_feature_req feature;
        struct vfu_mig_data mig;
        struct vfu_dirty dirty;
    } u;
};

/* NULL, or what is wrong: the stream cannot be followed any more. */
const char *libxl__vfu_decode_header(const uint8_t buf[VFU_HEADER_BYTES],
                                     struct vfu_header *h);
/* body: exactly h->bytes - 16; the message points into it. NULL, or what is
 * wrong with this command: it is answered with an error. */
const char *libxl__vfu_decode(const struct vfu_header *h, const uint8_t *body,
                              unsigned nr_fds, struct vfu_msg *msg);
/* The header of a reply with so many bytes behind it; error 0 or errno. */
void libxl__vfu_encode_header(uint8_t out[VFU_HEADER_BYTES],
                              const struct vfu_header *of, uint32_t body_bytes,
                              uint32_t error);

/* Little-endian fields, for replies. */
void libxl__vfu_put16(uint8_t *p, uint16_t v);
void libxl__vfu_put32(uint8_t *p, uint32_t v);
void libxl__vfu_put64(uint8_t *p, uint64_t v);
uint32_t libxl__vfu_get32(const uint8_t *p);
uint64_t libxl__vfu_get64(const uint8_t *p);

#endif
