/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vu_wire.h - codec of vhost-user messages, as a backend reads and answers
 * them (docs/specs/vhost-user.md). Pure: no fd, no globals.
 *
 * Layout:    all fields little-endian (x86 hosts; vhost-user has native order).
 * Rule:      a message's length and number of fds are checked here, against a
 *            table, before anything looks at its body.
 */
#ifndef LIBXL_VU_WIRE_H
#define LIBXL_VU_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VU_HEADER_BYTES 12u
#define VU_MAX_FDS 8u
#define VU_MAX_PAYLOAD 4096u
#define VU_MAX_REGIONS 8u /* of one SET_MEM_TABLE */
#define VU_CONFIG_MAX 256u

#define VU_F_VERSION_MASK 0x3u
#define VU_F_VERSION 0x1u
#define VU_F_REPLY 0x4u
#define VU_F_NEED_REPLY 0x8u

enum vu_request {
    VU_GET_FEATURES = 1,
    VU_SET_FEATURES = 2,
    VU_SET_OWNER = 3,
    VU_RESET_OWNER = 4,
    VU_SET_MEM_TABLE = 5,
    VU_SET_LOG_BASE = 6,
    VU_SET_LOG_FD = 7,
    VU_SET_VRING_NUM = 8,
    VU_SET_VRING_ADDR = 9,
    VU_SET_VRING_BASE = 10,
    VU_GET_VRING_BASE = 11,
    VU_SET_VRING_KICK = 12,
    VU_SET_VRING_CALL = 13,
    VU_SET_VRING_ERR = 14,
    VU_GET_PROTOCOL_FEATURES = 15,
    VU_SET_PROTOCOL_FEATURES = 16,
    VU_GET_QUEUE_NUM = 17,
    VU_SET_VRING_ENABLE = 18,
    VU_SET_BACKEND_REQ_FD = 21,
    VU_GET_CONFIG = 24,
    VU_SET_CONFIG = 25,
    VU_GET_INFLIGHT_FD = 31,
    VU_SET_INFLIGHT_FD = 32,
    VU_RESET_DEVICE = 34,
    VU_GET_MAX_MEM_SLOTS = 36,
    VU_ADD_MEM_REG = 37,
    VU_REM_MEM_REG = 38,
    VU_SET_DEVICE_STATE_FD = 42,
    VU_CHECK_DEVICE_STATE = 43,
};

/* Protocol features, by bit. */
#define VU_PF_MQ 0u
#define VU_PF_LOG_SHMFD 1u
#define VU_PF_REPLY_ACK 3u
#define VU_PF_BACKEND_REQ 5u
#define VU_PF_CONFIG 9u
#define VU_PF_INFLIGHT_SHMFD 12u
#define VU_PF_RESET_DEVICE 13u
#define VU_PF_CONFIGURE_MEM_SLOTS 15u
#define VU_PF_DEVICE_STATE 19u

/* Feature bits beyond the device's. */
#define VU_FEATURE_LOG_ALL 26u
#define VU_FEATURE_PROTOCOL 30u

enum vu_reply_kind {
    VU_REPLY_ACK,   /* none, or a u64 result when NEED_REPLY is set */
    VU_REPLY_U64,   /* a u64 */
    VU_REPLY_STATE, /* a struct vu_vring_state */
    VU_REPLY_CONFIG,
    VU_REPLY_INFLIGHT, /* a struct vu_inflight_info, and an fd */
};

struct vu_request_info {
    const char *name;
    uint32_t min_bytes, max_bytes;
    uint8_t max_fds;
    enum vu_reply_kind reply;
    /* applied only when the device holds no request: it moves memory or
     * stops queues */
    bool quiet;
};
/* NULL: not a request that this backend knows. */
const struct vu_request_info *libxl__vu_request_info(uint32_t request);

struct vu_header {
    uint32_t request, flags, bytes;
};

struct vu_vring_state {
    uint32_t index, num;
};

struct vu_vring_addr {
    uint32_t index, flags;
    uint64_t desc, used, avail; /* the frontend's own addresses */
    uint64_t log;               /* gpa of the used ring, for the dirty log */
};
#define VU_VRING_F_LOG 1u

/* index of SET_VRING_KICK, CALL and ERR */
#define VU_VRING_IDX_MASK 0xffu
#define VU_VRING_NOFD 0x100u

struct vu_region {
    uint64_t gpa, bytes, user, mmap_offset;
};

struct vu_mem_table {
    uint32_t nr;
    struct vu_region regions[VU_MAX_REGIONS];
};

struct vu_log {
    uint64_t mmap_bytes, mmap_offset;
};

/* Of the table of requests under way: where it lies in its file, and what it
 * has room for. */
struct vu_inflight_info {
    uint64_t mmap_bytes, mmap_offset;
    uint16_t queues, queue_size;
};

struct vu_state_move {
    uint32_t direction, phase;
};
#define VU_STATE_SAVE 0u
#define VU_STATE_LOAD 1u
#define VU_STATE_STOPPED 0u /* the only phase there is */
/* The reply: an error in the low 8 bits, and whether an fd comes with it. */
#define VU_STATE_FAILED 1u
#define VU_STATE_NO_FD 0x100u

struct vu_config {
    uint32_t offset, bytes, flags;
    uint8_t data[VU_CONFIG_MAX];
};

struct vu_msg {
    struct vu_header h;
    const struct vu_request_info *info;
    union {
        uint64_t u64;
        struct vu_vring_state state;
        struct vu_vring_addr addr;
        struct vu_mem_table mem;
        struct vu_region region;
        struct vu_log log;
        struct vu_config config;
        struct vu_inflight_info inflight;
        struct vu_state_move state_move;
    } u;
};

/* NULL, or what is wrong (a string constant). */
const char *libxl__vu_decode_header(const uint8_t buf[VU_HEADER_BYTES],
                                    struct vu_header *h);
/* body: exactly h->bytes. nr_fds came with the message. */
const char *libxl__vu_decode(const struct vu_header *h, const uint8_t *body,
                             unsigned nr_fds, struct vu_msg *msg);

/* Replies: the number of bytes written to out. */
#define VU_REPLY_MAX (VU_HEADER_BYTES + 12u + VU_CONFIG_MAX)
size_t libxl__vu_encode_u64(uint8_t out[VU_REPLY_MAX], uint32_t request,
                            uint64_t value);
size_t libxl__vu_encode_state(uint8_t out[VU_REPLY_MAX], uint32_t request,
                              const struct vu_vring_state *state);
/* bytes 0: the frontend asked for what the device does not have. */
size_t libxl__vu_encode_config(uint8_t out[VU_REPLY_MAX],
                               const struct vu_config *config);
/* bytes: how long the frontend's own message was, with its padding or
 * without: 20 or 24. */
size_t libxl__vu_encode_inflight(uint8_t out[VU_REPLY_MAX], uint32_t bytes,
                                 const struct vu_inflight_info *info);

#endif
