/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_dirty_soft.c - the kernel's soft-dirty bits (CONFIG_MEM_SOFT_DIRTY).
 *
 * Reading and clearing them is two steps, and a write in between is lost while
 * the guest runs. So they are cleared once, at the start, and from then on
 * only name candidates: of the pages written since, those count that differ
 * from what was last taken. A page that is not mapped in QEMU (swapped out)
 * has lost its bit: a candidate as well.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv/xc_dirty.h"
#include "hv/xc_dirty_taken.h"

#define PM_SOFT_DIRTY (UINT64_C(1) << 55)
#define PM_PRESENT (UINT64_C(1) << 63)
#define CLEAR_SOFT_DIRTY "4"

#define CHUNK 2048u /* pages looked up at a time */

struct soft_log {
    struct xc_dirty base;
    const struct xc_hv_qemu_params *p;
    const uint8_t *memory;
    struct xc_dirty_taken taken;
    uint64_t flags[CHUNK];
};

static_assert(offsetof(struct soft_log, base) == 0, "cast from its base");

static struct soft_log *log_of(struct xc_dirty *d)
{
    return (struct soft_log *)d;
}

static int read_flags(int pagemap_fd, uint64_t va, uint64_t *flags, size_t n)
{
    off_t at = (off_t)(va / XC_PAGE_SIZE * sizeof(*flags));
    ssize_t r = pread(pagemap_fd, flags, n * sizeof(*flags), at);

    if (r < 0)
        return -errno;
    return (size_t)r == n * sizeof(*flags) ? 0 : -EIO;
}

static int clear_bits(int clear_refs_fd)
{
    return write(clear_refs_fd, CLEAR_SOFT_DIRTY, 1) < 0 ? -errno : 0;
}

/* 1: the bit is set, 0: it is not, or negative errno. */
static int own_bit(int pagemap_fd, const void *page)
{
    uint64_t flags;
    int rc = read_flags(pagemap_fd, (uintptr_t)page, &flags, 1);

    return rc ? rc : !!(flags & PM_SOFT_DIRTY);
}

bool xc_dirty_soft_probe(void)
{
    int pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    int clear_fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    volatile uint8_t *page = mmap(NULL, XC_PAGE_SIZE, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool works = false;

    if (pagemap_fd >= 0 && clear_fd >= 0 && page != MAP_FAILED) {
        *page = 1;
        works = clear_bits(clear_fd) == 0 &&
                own_bit(pagemap_fd, (const void *)page) == 0;
        *page = 2;
        works = works && own_bit(pagemap_fd, (const void *)page) == 1;
    }
    if (page != MAP_FAILED)
        munmap((void *)page, XC_PAGE_SIZE);
    if (pagemap_fd >= 0)
        close(pagemap_fd);
    if (clear_fd >= 0)
        close(clear_fd);
    return works;
}

static int soft_stop(struct xc_dirty *d)
{
    struct soft_log *l = log_of(d);

    xc_dirty_taken_dispose(&l->taken);
    free(l);
    return 0;
}

static int soft_start(const struct xc_dirty_target *t, struct xc_dirty **out)
{
    struct soft_log *l;
    int rc;

    if (!t->soft_dirty_works)
        return -EOPNOTSUPP;
    if (t->p->clear_refs_fd < 0 || t->p->pagemap_fd < 0 || !t->p->qemu_va)
        return -EBADF;
    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->base.ops = &xc_dirty_soft;
    l->p = t->p;
    l->memory = t->memory;
    rc = xc_dirty_taken_init(&l->taken, t->p->memory_bytes >> XC_PAGE_SHIFT);
    if (!rc)
        rc = clear_bits(t->p->clear_refs_fd);
    if (rc) {
        soft_stop(&l->base);
        return rc;
    }
    *out = &l->base;
    return 0;
}

static bool is_candidate(uint64_t flags)
{
    return (flags & PM_SOFT_DIRTY) || !(flags & PM_PRESENT);
}

/* Pages [from, to), all of which the memory holds. */
static int read_range(struct soft_log *l, xc_pfn_t from, xc_pfn_t to,
                      struct xc_bitmap *into)
{
    while (from < to) {
        size_t n = to - from < CHUNK ? to - from : CHUNK;
        int rc =
            read_flags(l->p->pagemap_fd,
                       l->p->qemu_va + xc_pages_to_bytes(from), l->flags, n);

        if (rc)
            return rc;
        for (size_t i = 0; i < n; i++, from++) {
            const uint8_t *page = l->memory + xc_pages_to_bytes(from);

            if (is_candidate(l->flags[i]) &&
                xc_dirty_taken_differs(&l->taken, from, page))
                xc_bitmap_set(into, from);
        }
    }
    return 0;
}

static int soft_read_clear(struct xc_dirty *d, struct xc_bitmap *into)
{
    struct soft_log *l = log_of(d);
    struct xc_pfn_run run;
    xc_pfn_t at = 0;
    int rc = 0;

    while (!rc && at < l->taken.nr_pfns) {
        rc = xc_dirty_next_run(l->p->memory_fd, l->taken.nr_pfns, at, &run);
        if (rc == -ENOENT)
            run = (struct xc_pfn_run){l->taken.nr_pfns, 0};
        else if (rc)
            return rc;
        xc_dirty_taken_were_not_zero(&l->taken, at, run.first, into);
        at = run.first + run.count;
        rc = read_range(l, run.first, at, into);
    }
    return rc;
}

static int soft_take(struct xc_dirty *d, const xc_pfn_t *pfns, size_t n,
                     const void **pages)
{
    xc_dirty_taken_take(&log_of(d)->taken, pfns, n, pages);
    return 0;
}

const struct xc_dirty_ops xc_dirty_soft = {
    .name = "soft-dirty bits",
    .start = soft_start,
    .read_clear = soft_read_clear,
    .take = soft_take,
    .stop = soft_stop,
};
