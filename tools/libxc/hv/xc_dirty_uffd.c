/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_dirty_uffd.c - userfaultfd write protection that the kernel lifts by
 * itself at the first write (WP_ASYNC), read and renewed in one step by
 * PAGEMAP_SCAN. The userfaultfd belongs to QEMU's address space.
 */
#include <assert.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "hv/xc_dirty.h"

/* Newer than the headers of the oldest distribution that we build on. */
#define FEATURE_WP_HUGETLBFS_SHMEM (UINT64_C(1) << 12)
#define FEATURE_WP_UNPOPULATED (UINT64_C(1) << 13)
#define FEATURE_WP_ASYNC (UINT64_C(1) << 15)

struct page_region {
    uint64_t start, end, categories;
};
struct scan_arg {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define IOCTL_PAGEMAP_SCAN _IOWR('f', 16, struct scan_arg)
#define SCAN_WP_MATCHING (UINT64_C(1) << 0)
#define SCAN_CHECK_WPASYNC (UINT64_C(1) << 1)
#define PAGE_WRITTEN (UINT64_C(1) << 1)

#define REGIONS 2048u

struct uffd_log {
    struct xc_dirty base;
    const struct xc_hv_qemu_params *p;
    struct page_region regions[REGIONS];
};

static_assert(offsetof(struct uffd_log, base) == 0, "cast from its base");

static struct uffd_log *log_of(struct xc_dirty *d)
{
    return (struct uffd_log *)d;
}

static struct uffdio_range range_of(const struct xc_hv_qemu_params *p)
{
    return (struct uffdio_range){p->qemu_va, p->memory_bytes};
}

static int unregister(const struct xc_hv_qemu_params *p)
{
    struct uffdio_range range = range_of(p);

    return ioctl(p->uffd, UFFDIO_UNREGISTER, &range) < 0 ? -errno : 0;
}

static int announce(const struct xc_hv_qemu_params *p)
{
    struct uffdio_api api = {
        .api = UFFD_API,
        .features = FEATURE_WP_HUGETLBFS_SHMEM | FEATURE_WP_UNPOPULATED |
                    FEATURE_WP_ASYNC,
    };

    /* EINVAL: an earlier operation has done it. Or the kernel is too old: then
     * the registration or the first scan fails. */
    if (ioctl(p->uffd, UFFDIO_API, &api) < 0 && errno != EINVAL)
        return -errno;
    return 0;
}

static int enlist(const struct xc_hv_qemu_params *p)
{
    struct uffdio_register reg = {
        .range = range_of(p),
        .mode = UFFDIO_REGISTER_MODE_WP,
    };

    /* Fails where nothing was left behind. */
    unregister(p);
    return ioctl(p->uffd, UFFDIO_REGISTER, &reg) < 0 ? -errno : 0;
}

/* Goes through all memory; into NULL: only protect. */
static int scan(struct uffd_log *l, struct xc_bitmap *into)
{
    uint64_t at = l->p->qemu_va, end = at + l->p->memory_bytes;

    while (at < end) {
        struct scan_arg arg = {
            .size = sizeof(arg),
            .flags = SCAN_WP_MATCHING | SCAN_CHECK_WPASYNC,
            .start = at,
            .end = end,
            .vec = (uintptr_t)l->regions,
            .vec_len = REGIONS,
            .category_mask = PAGE_WRITTEN,
            .return_mask = PAGE_WRITTEN,
        };
        int n = ioctl(l->p->pagemap_fd, IOCTL_PAGEMAP_SCAN, &arg);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0 && arg.walk_end <= at)
            return -EIO;
        for (int i = 0; into && i < n; i++)
            xc_bitmap_set_range(
                into, (l->regions[i].start - l->p->qemu_va) >> XC_PAGE_SHIFT,
                (l->regions[i].end - l->regions[i].start) >> XC_PAGE_SHIFT);
        at = arg.walk_end;
    }
    return 0;
}

static int uffd_stop(struct xc_dirty *d)
{
    struct uffd_log *l = log_of(d);
    int rc = unregister(l->p);

    free(l);
    return rc;
}

static int uffd_start(const struct xc_dirty_target *t, struct xc_dirty **out)
{
    struct uffd_log *l;
    int rc;

    if (t->p->uffd < 0 || t->p->pagemap_fd < 0 || !t->p->qemu_va)
        return -EBADF;
    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->base.ops = &xc_dirty_uffd;
    l->p = t->p;
    rc = announce(t->p);
    if (!rc)
        rc = enlist(t->p);
    if (rc) {
        free(l);
        return rc;
    }
    rc = scan(l, NULL);
    if (rc) {
        uffd_stop(&l->base);
        return rc;
    }
    *out = &l->base;
    return 0;
}

static int uffd_read_clear(struct xc_dirty *d, struct xc_bitmap *into)
{
    return scan(log_of(d), into);
}

const struct xc_dirty_ops xc_dirty_uffd = {
    .name = "userfaultfd",
    .start = uffd_start,
    .read_clear = uffd_read_clear,
    .stop = uffd_stop,
};
