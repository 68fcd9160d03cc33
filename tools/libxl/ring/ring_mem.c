/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/ring_mem.h"

#include <errno.h>
#include <string.h>

void libxl__ring_mem_init(struct libxl__ring_mem *mem)
{
    *mem = (struct libxl__ring_mem){0};
}

int libxl__ring_mem_add(struct libxl__ring_mem *mem, uint64_t gpa,
                        uint64_t bytes, void *hva, uint64_t file_offset)
{
    unsigned i;

    /* the last byte, not the end, must be an address */
    if (!bytes || bytes - 1 > UINT64_MAX - gpa)
        return -EINVAL;
    if (mem->nr == LIBXL__RING_MAX_REGIONS)
        return -ENOSPC;
    for (i = 0; i < mem->nr && mem->regions[i].gpa < gpa; i++)
        ;
    if (i > 0 && gpa - mem->regions[i - 1].gpa < mem->regions[i - 1].bytes)
        return -EEXIST;
    if (i < mem->nr && mem->regions[i].gpa - gpa < bytes)
        return -EEXIST;

    memmove(&mem->regions[i + 1], &mem->regions[i],
            (mem->nr - i) * sizeof(mem->regions[0]));
    mem->regions[i] = (struct libxl__ring_region){
        .gpa = gpa, .bytes = bytes, .hva = hva, .file_offset = file_offset};
    mem->nr++;
    mem->generation++;
    return 0;
}

int libxl__ring_mem_remove(struct libxl__ring_mem *mem, uint64_t gpa,
                           uint64_t bytes)
{
    for (unsigned i = 0; i < mem->nr; i++) {
        if (mem->regions[i].gpa != gpa || mem->regions[i].bytes != bytes)
            continue;
        memmove(&mem->regions[i], &mem->regions[i + 1],
                (mem->nr - i - 1) * sizeof(mem->regions[0]));
        mem->nr--;
        mem->generation++;
        return 0;
    }
    return -ENOENT;
}

void libxl__ring_mem_clear(struct libxl__ring_mem *mem)
{
    mem->nr = 0;
    mem->generation++;
}

/* The region that holds gpa, and how many bytes follow gpa in it. */
static const struct libxl__ring_region *
region_of(const struct libxl__ring_mem *mem, uint64_t gpa, uint64_t *left)
{
    unsigned low = 0, high = mem->nr;

    while (low < high) {
        unsigned mid = (low + high) / 2;
        const struct libxl__ring_region *r = &mem->regions[mid];

        if (gpa < r->gpa) {
            high = mid;
        } else if (gpa - r->gpa >= r->bytes) {
            low = mid + 1;
        } else {
            *left = r->bytes - (gpa - r->gpa);
            return r;
        }
    }
    return NULL;
}

void *libxl__ring_mem_at(const struct libxl__ring_mem *mem, uint64_t gpa,
                         uint64_t bytes)
{
    uint64_t left;
    const struct libxl__ring_region *r = region_of(mem, gpa, &left);

    if (!r || bytes > left)
        return NULL;
    return r->hva + (gpa - r->gpa);
}

int libxl__ring_mem_iov(const struct libxl__ring_mem *mem, uint64_t gpa,
                        uint64_t bytes, struct iovec *iov, unsigned max)
{
    unsigned n = 0;

    while (bytes) {
        uint64_t left;
        const struct libxl__ring_region *r = region_of(mem, gpa, &left);

        if (!r)
            return -EFAULT;
        if (n == max)
            return -E2BIG;
        if (left > bytes)
            left = bytes;
        iov[n].iov_base = r->hva + (gpa - r->gpa);
        iov[n].iov_len = left;
        n++;
        bytes -= left;
        /* wraps only after the last byte there is: then no region follows */
        gpa += left;
        if (bytes && !gpa)
            return -EFAULT;
    }
    return (int)n;
}

int libxl__ring_mem_read(const struct libxl__ring_mem *mem, uint64_t gpa,
                         void *dst, size_t bytes)
{
    struct iovec iov[4];
    uint8_t *to = dst;
    int n = libxl__ring_mem_iov(mem, gpa, bytes, iov, 4);

    if (n < 0)
        return n;
    for (int i = 0; i < n; i++) {
        memcpy(to, iov[i].iov_base, iov[i].iov_len);
        to += iov[i].iov_len;
    }
    return 0;
}

int libxl__ring_mem_write(struct libxl__ring_mem *mem, uint64_t gpa,
                          const void *src, size_t bytes)
{
    struct iovec iov[4];
    const uint8_t *from = src;
    int n = libxl__ring_mem_iov(mem, gpa, bytes, iov, 4);

    if (n < 0)
        return n;
    for (int i = 0; i < n; i++) {
        memcpy(iov[i].iov_base, from, iov[i].iov_len);
        from += iov[i].iov_len;
    }
    libxl__ring_mem_dirty(mem, gpa, bytes);
    return 0;
}

void libxl__ring_mem_set_log(struct libxl__ring_mem *mem,
                             enum libxl__ring_log_user user, void *bits,
                             uint64_t bytes)
{
    mem->logs[user] =
        (struct libxl__ring_log){.bits = bits, .bytes = bits ? bytes : 0};
}

bool libxl__ring_mem_logging(const struct libxl__ring_mem *mem)
{
    for (unsigned i = 0; i < LIBXL__RING_LOGS; i++)
        if (mem->logs[i].bits)
            return true;
    return false;
}

static void log_range(struct libxl__ring_log *log, uint64_t at, uint64_t bytes)
{
    uint64_t page = at / LIBXL__RING_LOG_PAGE;
    uint64_t last = (at + (bytes - 1)) / LIBXL__RING_LOG_PAGE;

    for (; page <= last; page++) {
        if (page / 8 >= log->bytes) {
            log->overrun = true;
            return;
        }
        /* the reader of the log clears bits at the same moment; the data must
         * be visible to who sees the bit */
        __atomic_or_fetch(&log->bits[page / 8], (uint8_t)(1u << (page % 8)),
                          __ATOMIC_SEQ_CST);
    }
}

/* The bytes lie in the table, perhaps in more than one region. */
static void log_by_file(struct libxl__ring_mem *mem, struct libxl__ring_log *log,
                        uint64_t gpa, uint64_t bytes)
{
    while (bytes) {
        uint64_t left;
        const struct libxl__ring_region *r = region_of(mem, gpa, &left);

        if (!r)
            return;
        if (left > bytes)
            left = bytes;
        log_range(log, r->file_offset + (gpa - r->gpa), left);
        gpa += left;
        bytes -= left;
    }
}

void libxl__ring_mem_dirty(struct libxl__ring_mem *mem, uint64_t gpa,
                           uint64_t bytes)
{
    struct libxl__ring_log *frontend = &mem->logs[LIBXL__RING_LOG_FRONTEND];
    struct libxl__ring_log *toolstack = &mem->logs[LIBXL__RING_LOG_TOOLSTACK];

    if (!bytes)
        return;
    if (frontend->bits)
        log_range(frontend, gpa, bytes);
    if (toolstack->bits)
        log_by_file(mem, toolstack, gpa, bytes);
}
