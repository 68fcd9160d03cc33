/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/vu_wire.h"

#include <endian.h>
#include <string.h>

#define MEM_TABLE_HEAD 8u
#define REGION_BYTES 32u
#define CONFIG_HEAD 12u
#define INFLIGHT_BYTES 20u
#define INFLIGHT_PADDED 24u /* as frontends send it whose struct is a C one */

#define ENTRY(request, min, max, fds, reply_kind, is_quiet) \
    [VU_##request] = {#request, min, max, fds, VU_REPLY_##reply_kind, is_quiet}

static const struct vu_request_info infos[] = {
    ENTRY(GET_FEATURES, 0, 0, 0, U64, false),
    ENTRY(SET_FEATURES, 8, 8, 0, ACK, false),
    ENTRY(SET_OWNER, 0, 0, 0, ACK, false),
    ENTRY(RESET_OWNER, 0, 0, 0, ACK, true),
    ENTRY(SET_MEM_TABLE, MEM_TABLE_HEAD,
          MEM_TABLE_HEAD + VU_MAX_REGIONS * REGION_BYTES, VU_MAX_REGIONS, ACK,
          true),
    ENTRY(SET_LOG_BASE, 16, 16, 1, U64, false),
    ENTRY(SET_LOG_FD, 0, 0, 1, ACK, false),
    ENTRY(SET_VRING_NUM, 8, 8, 0, ACK, false),
    ENTRY(SET_VRING_ADDR, 40, 40, 0, ACK, false),
    ENTRY(SET_VRING_BASE, 8, 8, 0, ACK, false),
    ENTRY(GET_VRING_BASE, 8, 8, 0, STATE, true),
    ENTRY(SET_VRING_KICK, 8, 8, 1, ACK, false),
    ENTRY(SET_VRING_CALL, 8, 8, 1, ACK, false),
    ENTRY(SET_VRING_ERR, 8, 8, 1, ACK, false),
    ENTRY(GET_PROTOCOL_FEATURES, 0, 0, 0, U64, false),
    ENTRY(SET_PROTOCOL_FEATURES, 8, 8, 0, ACK, false),
    ENTRY(GET_QUEUE_NUM, 0, 0, 0, U64, false),
    ENTRY(SET_VRING_ENABLE, 8, 8, 0, ACK, false),
    ENTRY(SET_BACKEND_REQ_FD, 0, 0, 1, ACK, false),
    ENTRY(GET_CONFIG, CONFIG_HEAD, CONFIG_HEAD + VU_CONFIG_MAX, 0, CONFIG,
          false),
    ENTRY(SET_CONFIG, CONFIG_HEAD, CONFIG_HEAD + VU_CONFIG_MAX, 0, ACK, false),
    ENTRY(GET_INFLIGHT_FD, INFLIGHT_BYTES, INFLIGHT_PADDED, 0, INFLIGHT,
          false),
    ENTRY(SET_INFLIGHT_FD, INFLIGHT_BYTES, INFLIGHT_PADDED, 1, ACK, false),
    ENTRY(RESET_DEVICE, 0, 0, 0, ACK, true),
    ENTRY(GET_MAX_MEM_SLOTS, 0, 0, 0, U64, false),
    ENTRY(ADD_MEM_REG, 8 + REGION_BYTES, 8 + REGION_BYTES, 1, ACK, false),
    /* frontends send the fd of the region along; it is not needed */
    ENTRY(REM_MEM_REG, 8 + REGION_BYTES, 8 + REGION_BYTES, 1, ACK, true),
    ENTRY(SET_DEVICE_STATE_FD, 8, 8, 1, U64, false),
    ENTRY(CHECK_DEVICE_STATE, 0, 0, 0, U64, false),
};

const struct vu_request_info *libxl__vu_request_info(uint32_t request)
{
    if (request >= sizeof(infos) / sizeof(infos[0]) || !infos[request].name)
        return NULL;
    return &infos[request];
}

static uint16_t get16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return le16toh(v);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return le32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

static void put32(uint8_t *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, sizeof(v));
}

const char *libxl__vu_decode_header(const uint8_t buf[VU_HEADER_BYTES],
                                    struct vu_header *h)
{
    h->request = get32(buf);
    h->flags = get32(buf + 4);
    h->bytes = get32(buf + 8);
    if ((h->flags & VU_F_VERSION_MASK) != VU_F_VERSION)
        return "a protocol version that is not 1";
    if (h->flags & VU_F_REPLY)
        return "a reply that nothing asked for";
    if (h->bytes > VU_MAX_PAYLOAD)
        return "a message of more than 4096 bytes";
    return NULL;
}

static void put16(uint8_t *p, uint16_t v)
{
    v = htole16(v);
    memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
    v = htole64(v);
    memcpy(p, &v, sizeof(v));
}

static void decode_region(const uint8_t *p, struct vu_region *r)
{
    r->gpa = get64(p);
    r->bytes = get64(p + 8);
    r->user = get64(p + 16);
    r->mmap_offset = get64(p + 24);
}

static const char *decode_mem_table(const struct vu_header *h,
                                    const uint8_t *body, unsigned nr_fds,
                                    struct vu_mem_table *mem)
{
    mem->nr = get32(body);
    if (mem->nr > VU_MAX_REGIONS)
        return "a memory table of more than 8 regions";
    if (h->bytes < MEM_TABLE_HEAD + mem->nr * REGION_BYTES)
        return "a memory table that is shorter than its count says";
    if (nr_fds != mem->nr)
        return "a memory table without one fd a region";
    for (uint32_t i = 0; i < mem->nr; i++)
        decode_region(body + MEM_TABLE_HEAD + i * REGION_BYTES,
                      &mem->regions[i]);
    return NULL;
}

static const char *decode_config(const struct vu_header *h,
                                 const uint8_t *body, struct vu_config *c)
{
    c->offset = get32(body);
    c->bytes = get32(body + 4);
    c->flags = get32(body + 8);
    if (c->bytes > VU_CONFIG_MAX)
        return "a configuration access of more than 256 bytes";
    if (h->bytes != CONFIG_HEAD + c->bytes)
        return "a configuration access whose length is not what it says";
    memcpy(c->data, body + CONFIG_HEAD, c->bytes);
    return NULL;
}

static const char *decode_inflight(const struct vu_header *h,
                                   const uint8_t *body, unsigned nr_fds,
                                   struct vu_inflight_info *info)
{
    if (h->bytes != INFLIGHT_BYTES && h->bytes != INFLIGHT_PADDED)
        return "a length that the request does not have";
    info->mmap_bytes = get64(body);
    info->mmap_offset = get64(body + 8);
    info->queues = get16(body + 16);
    info->queue_size = get16(body + 18);
    if (h->request == VU_SET_INFLIGHT_FD && nr_fds != 1)
        return "an inflight table without its fd";
    return NULL;
}

static const char *decode_state_move(const uint8_t *body, unsigned nr_fds,
                                     struct vu_state_move *move)
{
    move->direction = get32(body);
    move->phase = get32(body + 4);
    if (move->direction > VU_STATE_LOAD)
        return "a device state to be neither saved nor loaded";
    if (move->phase != VU_STATE_STOPPED)
        return "a device state in a phase that is not known";
    return nr_fds == 1 ? NULL : "a device state without its fd";
}

static const char *decode_vring_fd(unsigned nr_fds, uint64_t u64)
{
    if (u64 & ~(uint64_t)(VU_VRING_IDX_MASK | VU_VRING_NOFD))
        return "a vring index with unknown bits";
    if (nr_fds != !(u64 & VU_VRING_NOFD))
        return "a vring fd that is missing, or there though said not to be";
    return NULL;
}

static const char *decode_body(const struct vu_header *h, const uint8_t *body,
                               unsigned nr_fds, struct vu_msg *msg)
{
    switch ((enum vu_request)h->request) {
    case VU_SET_MEM_TABLE:
        return decode_mem_table(h, body, nr_fds, &msg->u.mem);
    case VU_GET_CONFIG:
    case VU_SET_CONFIG:
        return decode_config(h, body, &msg->u.config);
    case VU_GET_INFLIGHT_FD:
    case VU_SET_INFLIGHT_FD:
        return decode_inflight(h, body, nr_fds, &msg->u.inflight);
    case VU_SET_DEVICE_STATE_FD:
        return decode_state_move(body, nr_fds, &msg->u.state_move);
    case VU_SET_VRING_NUM:
    case VU_SET_VRING_BASE:
    case VU_GET_VRING_BASE:
    case VU_SET_VRING_ENABLE:
        msg->u.state.index = get32(body);
        msg->u.state.num = get32(body + 4);
        return NULL;
    case VU_SET_VRING_ADDR:
        msg->u.addr = (struct vu_vring_addr){
            .index = get32(body),
            .flags = get32(body + 4),
            .desc = get64(body + 8),
            .used = get64(body + 16),
            .avail = get64(body + 24),
            .log = get64(body + 32),
        };
        return NULL;
    case VU_ADD_MEM_REG:
    case VU_REM_MEM_REG:
        decode_region(body + 8, &msg->u.region);
        if (h->request == VU_ADD_MEM_REG && nr_fds != 1)
            return "a memory region without its fd";
        return NULL;
    case VU_SET_LOG_BASE:
        msg->u.log.mmap_bytes = get64(body);
        msg->u.log.mmap_offset = get64(body + 8);
        return nr_fds == 1 ? NULL : "a dirty log without its fd";
    case VU_SET_VRING_KICK:
    case VU_SET_VRING_CALL:
    case VU_SET_VRING_ERR:
        msg->u.u64 = get64(body);
        return decode_vring_fd(nr_fds, msg->u.u64);
    case VU_SET_FEATURES:
    case VU_SET_PROTOCOL_FEATURES:
        msg->u.u64 = get64(body);
        return NULL;
    default:
        return NULL; /* nothing in it: the table says length 0 */
    }
}

const char *libxl__vu_decode(const struct vu_header *h, const uint8_t *body,
                             unsigned nr_fds, struct vu_msg *msg)
{
    memset(msg, 0, sizeof(*msg));
    msg->h = *h;
    msg->info = libxl__vu_request_info(h->request);
    if (!msg->info)
        return "a request that is not known";
    if (h->bytes < msg->info->min_bytes || h->bytes > msg->info->max_bytes)
        return "a length that the request does not have";
    if (nr_fds > msg->info->max_fds)
        return "more fds than the request has";
    return decode_body(h, body, nr_fds, msg);
}

static size_t encode_header(uint8_t *out, uint32_t request, uint32_t bytes)
{
    put32(out, request);
    put32(out + 4, VU_F_VERSION | VU_F_REPLY);
    put32(out + 8, bytes);
    return VU_HEADER_BYTES + bytes;
}

size_t libxl__vu_encode_u64(uint8_t out[VU_REPLY_MAX], uint32_t request,
                            uint64_t value)
{
    put64(out + VU_HEADER_BYTES, value);
    return encode_header(out, request, sizeof(value));
}

size_t libxl__vu_encode_state(uint8_t out[VU_REPLY_MAX], uint32_t request,
                              const struct vu_vring_state *state)
{
    put32(out + VU_HEADER_BYTES, state->index);
    put32(out + VU_HEADER_BYTES + 4, state->num);
    return encode_header(out, request, 8);
}

size_t libxl__vu_encode_config(uint8_t out[VU_REPLY_MAX],
                               const struct vu_config *config)
{
    put32(out + VU_HEADER_BYTES, config->offset);
    put32(out + VU_HEADER_BYTES + 4, config->bytes);
    put32(out + VU_HEADER_BYTES + 8, config->flags);
    memcpy(out + VU_HEADER_BYTES + CONFIG_HEAD, config->data, config->bytes);
    return encode_header(out, VU_GET_CONFIG, CONFIG_HEAD + config->bytes);
}

size_t libxl__vu_encode_inflight(uint8_t out[VU_REPLY_MAX], uint32_t bytes,
                                 const struct vu_inflight_info *info)
{
    uint8_t *body = out + VU_HEADER_BYTES;

    memset(body, 0, INFLIGHT_PADDED);
    put64(body, info->mmap_bytes);
    put64(body + 8, info->mmap_offset);
    put16(body + 16, info->queues);
    put16(body + 18, info->queue_size);
    return encode_header(out, VU_GET_INFLIGHT_FD, bytes);
}
