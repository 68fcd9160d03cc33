/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/blk_req.h"

#include <endian.h>
#include <string.h>

#define HEADER_BYTES 16u
#define SEGMENT_BYTES 16u
#define SEGMENT_F_UNMAP 1u

/* Copies 'bytes' from skip on out of the pieces; they hold that many. */
static void gather(const struct iovec *iov, uint64_t skip, void *to,
                   size_t bytes)
{
    uint8_t *p = to;

    for (; bytes; iov++) {
        size_t n;

        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        n = iov->iov_len - skip;
        if (n > bytes)
            n = bytes;
        memcpy(p, (const uint8_t *)iov->iov_base + skip, n);
        p += n;
        bytes -= n;
        skip = 0;
    }
}

/* Makes req->iov the bytes from skip to skip + bytes of nr pieces at first. */
static void cut(struct libxl__vq_elem *elem, unsigned first, unsigned nr,
                uint64_t skip, uint64_t bytes, struct blk_req *req)
{
    unsigned last;

    while (nr && skip >= elem->iov[first].iov_len) {
        skip -= elem->iov[first].iov_len;
        first++;
        nr--;
    }
    req->bytes = bytes;
    req->first = req->last = first;
    req->iov = &elem->iov[first];
    req->nr_iov = 0;
    if (!bytes)
        return;

    req->cut_first = elem->iov[first];
    elem->iov[first].iov_base = (uint8_t *)elem->iov[first].iov_base + skip;
    elem->iov[first].iov_len -= skip;
    for (last = first; bytes > elem->iov[last].iov_len; last++)
        bytes -= elem->iov[last].iov_len;
    req->last = last;
    req->cut_last = last == first ? req->cut_first : elem->iov[last];
    elem->iov[last].iov_len = bytes;
    req->nr_iov = last - first + 1;
}

void libxl__blk_req_restore(struct libxl__vq_elem *elem,
                            const struct blk_req *req)
{
    if (!req->nr_iov)
        return;
    elem->iov[req->last] = req->cut_last;
    elem->iov[req->first] = req->cut_first;
}

uint32_t libxl__blk_req_written(const struct libxl__vq_elem *elem,
                                const struct blk_req *req)
{
    bool to_driver = req->type == BLK_T_IN || req->type == BLK_T_GET_ID;

    /* the status is the last byte: what lies before it and was not written is
     * counted too, as the length counts from the start */
    if (to_driver && req->status == BLK_S_OK)
        return (uint32_t)(req->bytes + 1);
    return (uint32_t)elem->in_bytes;
}

static bool in_range(const struct blk_limits *limits, uint64_t sector,
                     uint64_t bytes)
{
    return sector <= limits->bytes / BLK_SECTOR &&
           bytes <= limits->bytes - sector * BLK_SECTOR;
}

static void parse_rw(struct libxl__vq_elem *elem,
                     const struct blk_limits *limits, uint64_t sector,
                     struct blk_req *req)
{
    if (req->type == BLK_T_IN)
        cut(elem, elem->nr_out, elem->nr_in, 0, elem->in_bytes - 1, req);
    else
        cut(elem, 0, elem->nr_out, HEADER_BYTES,
            elem->out_bytes - HEADER_BYTES, req);
    if (!req->bytes || req->bytes % BLK_SECTOR ||
        !in_range(limits, sector, req->bytes) ||
        (req->type == BLK_T_OUT && limits->read_only))
        req->status = BLK_S_IOERR;
    req->offset = sector * BLK_SECTOR;
}

static void parse_segments(struct libxl__vq_elem *elem,
                           const struct blk_limits *limits, struct blk_req *req)
{
    uint64_t bytes = elem->out_bytes - HEADER_BYTES;
    struct {
        uint64_t sector;
        uint32_t sectors, flags;
    } wire;

    if (!bytes || bytes % SEGMENT_BYTES ||
        bytes / SEGMENT_BYTES > BLK_MAX_SEGMENTS || limits->read_only) {
        req->status = BLK_S_IOERR;
        return;
    }
    for (uint64_t at = 0; at < bytes; at += SEGMENT_BYTES) {
        struct blk_segment *s = &req->segments[req->nr_segments++];
        uint32_t flags;

        gather(elem->iov, HEADER_BYTES + at, &wire, sizeof(wire));
        flags = le32toh(wire.flags);
        s->bytes = (uint64_t)le32toh(wire.sectors) * BLK_SECTOR;
        s->unmap = flags & SEGMENT_F_UNMAP;
        if (flags & ~SEGMENT_F_UNMAP ||
            (s->unmap && req->type == BLK_T_DISCARD)) {
            req->status = BLK_S_UNSUPP;
            return;
        }
        if (!in_range(limits, le64toh(wire.sector), s->bytes)) {
            req->status = BLK_S_IOERR;
            return;
        }
        s->offset = le64toh(wire.sector) * BLK_SECTOR;
    }
}

const char *libxl__blk_req_parse(struct libxl__vq_elem *elem,
                                 const struct blk_limits *limits,
                                 struct blk_req *req)
{
    const struct iovec *tail;
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;

    *req = (struct blk_req){.status = BLK_S_OK};
    if (elem->out_bytes < HEADER_BYTES)
        return "a block request without a whole header";
    if (!elem->in_bytes)
        return "a block request without a status byte to write";
    tail = &elem->iov[elem->nr_out + elem->nr_in - 1];
    req->status_byte = (uint8_t *)tail->iov_base + tail->iov_len - 1;
    gather(elem->iov, 0, &header, sizeof(header));
    req->type = le32toh(header.type);

    switch (req->type) {
    case BLK_T_IN:
    case BLK_T_OUT:
        parse_rw(elem, limits, le64toh(header.sector), req);
        break;
    case BLK_T_GET_ID:
        cut(elem, elem->nr_out, elem->nr_in, 0, elem->in_bytes - 1, req);
        if (req->bytes < BLK_ID_BYTES)
            req->status = BLK_S_IOERR;
        break;
    case BLK_T_DISCARD:
    case BLK_T_WRITE_ZEROES:
        parse_segments(elem, limits, req);
        break;
    case BLK_T_FLUSH:
        break;
    default:
        req->status = BLK_S_UNSUPP;
    }
    return NULL;
}
