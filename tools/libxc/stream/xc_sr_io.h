/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_io.h - the stream's fd: exact reads and writes, counted. A mover: it
 * knows no format and logs nothing.
 *
 * Owns:      nothing; the fd is the caller's.
 * Thread:    blocks, in poll() where the fd is non-blocking.
 * Units:     bytes.
 * Errors:    0, or negative errno. -ENODATA: the stream ended, 'missing' says
 *            how many bytes early. -ECANCELED: cancelled() said so.
 */
#ifndef XC_SR_IO_H
#define XC_SR_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct xc_sr_io {
    int fd;
    uint64_t offset; /* bytes since the stream began */
    size_t missing;
    uint64_t pushed;  /* of offset: handed to the disk already */
    uint64_t busy_ns; /* time spent in reads and writes */
    bool file;        /* a regular file */
    bool holes;       /* zeros may be left out of the file */
    bool pipe;        /* takes pages by reference */
    bool (*cancelled)(void *data);
    void *cancel_data;
};

void xc_sr_io_init(struct xc_sr_io *io, int fd);
int xc_sr_io_read(struct xc_sr_io *io, void *into, size_t n);
int xc_sr_io_skip(struct xc_sr_io *io, uint64_t n);
/* Writes all; iov is used up. */
int xc_sr_io_writev(struct xc_sr_io *io, struct iovec *iov, int n);
int xc_sr_io_write(struct xc_sr_io *io, const void *from, size_t n);
/* n bytes of a file in memory, from 'at' on, by reference: only where io->pipe.
 * What is written to them before the reader has them arrives changed. */
int xc_sr_io_splice(struct xc_sr_io *io, int from, uint64_t at, uint64_t n);
/* As if n zeros were written; only where io->holes, and never as the last. */
int xc_sr_io_hole(struct xc_sr_io *io, uint64_t n);

uint64_t xc_sr_now_ns(void);

#endif
