/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blk_req.h - codec: a virtio-blk request out of a ring element (virtio 1.2,
 * 5.2.6). Pure.
 *
 * Layout:    header (16 bytes: u32 type, u32 reserved, u64 sector), data, one
 *            status byte. Header and status may be split or joined with data in
 *            any way (legacy drivers with ANY_LAYOUT, modern ones).
 * Units:     sectors of 512 bytes in the request; bytes everywhere else.
 */
#ifndef LIBXL_BLK_REQ_H
#define LIBXL_BLK_REQ_H

#include "ring/vq.h"

#define BLK_SECTOR 512u
#define BLK_ID_BYTES 20u
#define BLK_MAX_SEGMENTS 16u /* of a discard or write-zeroes request */

enum blk_type {
    BLK_T_IN = 0,
    BLK_T_OUT = 1,
    BLK_T_FLUSH = 4,
    BLK_T_GET_ID = 8,
    BLK_T_DISCARD = 11,
    BLK_T_WRITE_ZEROES = 13,
};

enum blk_status { BLK_S_OK = 0, BLK_S_IOERR = 1, BLK_S_UNSUPP = 2 };

struct blk_limits {
    uint64_t bytes; /* capacity */
    bool read_only;
};

struct blk_segment {
    uint64_t offset, bytes;
    bool unmap; /* of write zeroes: the space may be given back */
};

/* What to do. iov points into the element, whose first and last data piece are
 * cut to the data meanwhile: libxl__blk_req_restore before the element is
 * pushed. */
struct blk_req {
    uint32_t type;
    enum blk_status status; /* not OK: done already, with this */
    uint64_t offset, bytes; /* of IN, OUT, GET_ID's data */
    struct iovec *iov;
    unsigned nr_iov;
    unsigned nr_segments;
    struct blk_segment segments[BLK_MAX_SEGMENTS];
    uint8_t *status_byte;
    struct iovec cut_first, cut_last; /* as they were */
    unsigned first, last;             /* index in elem->iov */
};

/* NULL, or which rule the element breaks: there is no status byte to answer
 * with, so the queue must be broken. A request that is wrong in itself gets
 * its status in req->status. */
const char *libxl__blk_req_parse(struct libxl__vq_elem *elem,
                                 const struct blk_limits *limits,
                                 struct blk_req *req);
void libxl__blk_req_restore(struct libxl__vq_elem *elem,
                            const struct blk_req *req);
/* Bytes of the in part that a finished request has written: the data of a
 * successful read, and the status. */
uint32_t libxl__blk_req_written(const struct libxl__vq_elem *elem,
                                const struct blk_req *req);

#endif
