/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring_mem.h - a guest's memory as a device process sees it: a table of
 * regions, and the one way to touch them.
 *
 * Owns:      the table. The mappings are the transport's, which removes a
 *            region here before it unmaps it. The dirty logs are lent.
 * Thread:    one thread.
 * Units:     gpa is a guest physical address; lengths are bytes.
 * Errors:    negative errno. -EFAULT: not (wholly) in the table.
 * Rule:      what is read here was written by a hostile guest, which can change
 *            it at any moment: copy once, then look. Every write is logged.
 */
#ifndef LIBXL_RING_MEM_H
#define LIBXL_RING_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define LIBXL__RING_MAX_REGIONS 64u
#define LIBXL__RING_LOG_PAGE 4096u /* one bit of a log, as vhost has it */

/* Who reads a log: the frontend's own migration (bit i is page i of the
 * guest's physical addresses), or the toolstack's (bit i is page i of the file
 * that holds the guest's memory: the PFN of a QEMU host's stream). */
enum libxl__ring_log_user { LIBXL__RING_LOG_FRONTEND, LIBXL__RING_LOG_TOOLSTACK };
#define LIBXL__RING_LOGS 2u

struct libxl__ring_log {
    uint8_t *bits; /* NULL: not logging */
    uint64_t bytes;
    bool overrun; /* a page beyond the log was written: the log is not whole,
                     and the migration must fail */
};

struct libxl__ring_region {
    uint64_t gpa, bytes;
    uint8_t *hva;
    uint64_t file_offset; /* of gpa in the file that is mapped at hva */
};

struct libxl__ring_mem {
    struct libxl__ring_region regions[LIBXL__RING_MAX_REGIONS]; /* by gpa */
    unsigned nr;
    unsigned generation; /* changes with the table: cached pointers are stale */
    struct libxl__ring_log logs[LIBXL__RING_LOGS];
};

void libxl__ring_mem_init(struct libxl__ring_mem *mem);
/* -EINVAL: empty or wraps. -EEXIST: overlaps. -ENOSPC: table full. */
int libxl__ring_mem_add(struct libxl__ring_mem *mem, uint64_t gpa,
                        uint64_t bytes, void *hva, uint64_t file_offset);
/* -ENOENT: there is no region of exactly this place and size. */
int libxl__ring_mem_remove(struct libxl__ring_mem *mem, uint64_t gpa,
                           uint64_t bytes);
void libxl__ring_mem_clear(struct libxl__ring_mem *mem);

/* bytes of the guest that lie side by side here too; NULL: they do not. */
void *libxl__ring_mem_at(const struct libxl__ring_mem *mem, uint64_t gpa,
                         uint64_t bytes);
/* The pieces of gpa..gpa+bytes, in order; at most max of them. Returns their
 * number; -E2BIG: more would be needed. */
int libxl__ring_mem_iov(const struct libxl__ring_mem *mem, uint64_t gpa,
                        uint64_t bytes, struct iovec *iov, unsigned max);
int libxl__ring_mem_read(const struct libxl__ring_mem *mem, uint64_t gpa,
                         void *dst, size_t bytes);
int libxl__ring_mem_write(struct libxl__ring_mem *mem, uint64_t gpa,
                          const void *src, size_t bytes);

/* bits NULL: stop logging. */
void libxl__ring_mem_set_log(struct libxl__ring_mem *mem,
                             enum libxl__ring_log_user user, void *bits,
                             uint64_t bytes);
bool libxl__ring_mem_logging(const struct libxl__ring_mem *mem);
/* These bytes were written, not through libxl__ring_mem_write. */
void libxl__ring_mem_dirty(struct libxl__ring_mem *mem, uint64_t gpa,
                           uint64_t bytes);

#endif
