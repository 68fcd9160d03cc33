/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_qemu.c - a QEMU process whose memory is a memfd: PFN = page of the
 * file. vCPU and device state are not reached from here: they travel in
 * QEMU's own blob.
 *
 * Holes of the file are never touched: reading one through a mapping would
 * allocate it. Long runs of pages are read from a mapping, scattered pages by
 * pread, and all are written by pwrite: the fastest way each. What was mapped
 * is unmapped batch by batch: unmapping it all at the end takes 60 ms a GiB,
 * while the guest stands still.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hv/xc_dev_log.h"
#include "hv/xc_dirty.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* Shorter runs are copied: a fault maps as much, and costs more. */
#define MAPPED_RUN_MIN 16u

#define STAT_BLOCK 512u /* the unit of st_blocks */

struct qemu {
    struct xc_hv base;
    struct xc_hv_qemu_params p;
    uint8_t *memory;
    struct xc_pfn_run runs[XC_BATCH_MAX]; /* of the batch that is mapped */
    size_t nr_runs;
    uint8_t *copies; /* room for a batch of scattered pages */
    bool soft_dirty_works;
    struct xc_dirty *log; /* while logging */
    struct xc_dev_log dev_log;
    char log_why[XC_DIRTY_TEXT_MAX];
};

static_assert(offsetof(struct qemu, base) == 0, "cast from its base");

static struct qemu *qemu_of(const struct xc_hv *hv)
{
    return (struct qemu *)hv;
}

/* How many of pfns follow one another from i on. */
static size_t run_at(const xc_pfn_t *pfns, size_t i, size_t n)
{
    size_t end = i + 1;

    while (end < n && pfns[end] == pfns[end - 1] + 1)
        end++;
    return end - i;
}

static int qemu_info(struct xc_hv *hv, struct xc_hv_info *out)
{
    struct stat st;

    if (fstat(qemu_of(hv)->p.memory_fd, &st) < 0)
        return -errno;
    *out = (struct xc_hv_info){
        .type = XC_GUEST_HVM,
        .nr_pfns = hv->nr_pfns,
        .used_pages = (xc_pfn_t)st.st_blocks * STAT_BLOCK / XC_PAGE_SIZE,
        .qemu_host = true,
        .zero_fresh = true,
    };
    return 0;
}

static int qemu_next_run(struct xc_hv *hv, xc_pfn_t from,
                         struct xc_pfn_run *out)
{
    return xc_dirty_next_run(qemu_of(hv)->p.memory_fd, hv->nr_pfns, from, out);
}

static int qemu_page_types(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                           uint32_t *types)
{
    memset(types, 0, n * sizeof(*types));
    return 0;
}

static int pread_all(int fd, uint8_t *into, uint64_t n, uint64_t at)
{
    while (n) {
        ssize_t r = pread(fd, into, n, (off_t)at);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? -errno : -EIO;
        into += r;
        at += (uint64_t)r;
        n -= (uint64_t)r;
    }
    return 0;
}

/* The run's pages, copied to the i-th place and on. */
static int copy_run(struct qemu *q, struct xc_pfn_run run, size_t i,
                    uint8_t **at)
{
    if (!q->copies)
        q->copies = malloc((size_t)XC_BATCH_MAX * XC_PAGE_SIZE);
    if (!q->copies)
        return -ENOMEM;
    *at = q->copies + xc_pages_to_bytes(i);
    return pread_all(q->p.memory_fd, *at, xc_pages_to_bytes(run.count),
                     xc_pages_to_bytes(run.first));
}

static void map_run(struct qemu *q, struct xc_pfn_run run, uint8_t **at)
{
    *at = q->memory + xc_pages_to_bytes(run.first);
    q->runs[q->nr_runs++] = run;
    /* Only a matter of speed: an old kernel does not know it. */
    madvise(*at, xc_pages_to_bytes(run.count), MADV_POPULATE_READ);
}

static void unmap_runs(struct qemu *q)
{
    for (size_t i = 0; i < q->nr_runs; i++)
        madvise(q->memory + xc_pages_to_bytes(q->runs[i].first),
                xc_pages_to_bytes(q->runs[i].count), MADV_DONTNEED);
    q->nr_runs = 0;
}

static int qemu_map_batch(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                          const void **pages)
{
    struct qemu *q = qemu_of(hv);
    struct xc_pfn_run run;
    uint8_t *at = NULL;
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i += run.count) {
        run = (struct xc_pfn_run){pfns[i], run_at(pfns, i, n)};
        if (run.count >= MAPPED_RUN_MIN)
            map_run(q, run, &at);
        else
            rc = copy_run(q, run, i, &at);
        for (size_t k = 0; !rc && k < run.count; k++)
            pages[i + k] = at + xc_pages_to_bytes(k);
    }
    if (!rc && q->log && q->log->ops->take)
        rc = q->log->ops->take(q->log, pfns, n, pages);
    if (rc)
        unmap_runs(q);
    return rc;
}

static void qemu_unmap_batch(struct xc_hv *hv)
{
    unmap_runs(qemu_of(hv));
}

static int qemu_memory_fd(struct xc_hv *hv)
{
    return qemu_of(hv)->p.memory_fd;
}

/* A log that compares would take a page that was changed, sent, and changed
 * back, for one that was never changed. */
static int qemu_lent_fd(struct xc_hv *hv)
{
    struct qemu *q = qemu_of(hv);

    return q->log && !q->log->ops->take ? q->p.memory_fd : -ENOTSUP;
}

static int qemu_populate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    return 0; /* the file has its size, and pages come by writing */
}

/* info says that there are none */
static int qemu_populate_extent(struct xc_hv *hv, xc_pfn_t first)
{
    return -ENOMEM;
}

static int pwrite_all(int fd, const uint8_t *from, uint64_t n, uint64_t at)
{
    while (n) {
        ssize_t r = pwrite(fd, from, n, (off_t)at);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? -errno : -EIO;
        from += r;
        at += (uint64_t)r;
        n -= (uint64_t)r;
    }
    return 0;
}

static int qemu_write_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                            const void *data)
{
    const uint8_t *from = data;
    size_t run;
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i += run) {
        run = run_at(pfns, i, n);
        rc = pwrite_all(qemu_of(hv)->p.memory_fd, from + xc_pages_to_bytes(i),
                        xc_pages_to_bytes(run), xc_pages_to_bytes(pfns[i]));
    }
    return rc;
}

static int qemu_zero_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    size_t run;

    for (size_t i = 0; i < n; i += run) {
        run = run_at(pfns, i, n);
        if (fallocate(qemu_of(hv)->p.memory_fd,
                      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      (off_t)xc_pages_to_bytes(pfns[i]),
                      (off_t)xc_pages_to_bytes(run)) < 0)
            return -errno;
    }
    return 0;
}

static int qemu_dirty_start(struct xc_hv *hv)
{
    struct qemu *q = qemu_of(hv);
    struct xc_dirty_target t = {
        .p = &q->p,
        .memory = q->memory,
        .soft_dirty_works = q->soft_dirty_works,
    };

    xc_dev_log_take(&q->dev_log, NULL);
    return xc_dirty_start(&t, &q->log, q->log_why);
}

static int qemu_dirty_read_clear(struct xc_hv *hv, struct xc_bitmap *into,
                                 bool final)
{
    struct qemu *q = qemu_of(hv);

    xc_dev_log_take(&q->dev_log, into);
    return q->log->ops->read_clear(q->log, into);
}

static int qemu_dirty_stop(struct xc_hv *hv)
{
    struct qemu *q = qemu_of(hv);
    struct xc_dirty *log = q->log;

    q->log = NULL;
    return log ? log->ops->stop(log) : 0;
}

static const char *qemu_dirty_method(const struct xc_hv *hv)
{
    return qemu_of(hv)->log_why;
}

static int no_get_blob(struct xc_hv *hv, enum xc_hv_blob id,
                       struct xc_hv_buf *out)
{
    return -ENOTSUP;
}

static int no_set_blob(struct xc_hv *hv, enum xc_hv_blob id, const void *data,
                       size_t bytes)
{
    return -ENOTSUP;
}

static int no_get_tsc(struct xc_hv *hv, struct xc_hv_tsc *out)
{
    return -ENOTSUP;
}

static int no_set_tsc(struct xc_hv *hv, const struct xc_hv_tsc *in)
{
    return -ENOTSUP;
}

static void close_fds(const struct xc_hv_qemu_params *p)
{
    const int fds[] = {p->memory_fd, p->pagemap_fd, p->uffd, p->clear_refs_fd,
                       p->dev_log_fd};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void qemu_close(struct xc_hv *hv)
{
    struct qemu *q = qemu_of(hv);

    if (q->memory)
        munmap(q->memory, q->p.memory_bytes);
    xc_dev_log_close(&q->dev_log);
    close_fds(&q->p);
    free(q->copies);
    free(q);
}

static const struct xc_hv_ops qemu_ops = {
    .name = "QEMU host",
    .close = qemu_close,
    .info = qemu_info,
    .next_run = qemu_next_run,
    .page_types = qemu_page_types,
    .map_batch = qemu_map_batch,
    .unmap_batch = qemu_unmap_batch,
    .memory_fd = qemu_memory_fd,
    .lent_fd = qemu_lent_fd,
    .populate = qemu_populate,
    .populate_extent = qemu_populate_extent,
    .unpopulate = qemu_populate,
    .write_pages = qemu_write_pages,
    .zero_pages = qemu_zero_pages,
    .dirty_start = qemu_dirty_start,
    .dirty_read_clear = qemu_dirty_read_clear,
    .dirty_stop = qemu_dirty_stop,
    .dirty_method = qemu_dirty_method,
    .get_blob = no_get_blob,
    .set_blob = no_set_blob,
    .get_tsc = no_get_tsc,
    .set_tsc = no_set_tsc,
};

static int check_memory(const struct xc_hv_qemu_params *p)
{
    struct statfs fs;
    struct stat st;

    if (fstat(p->memory_fd, &st) < 0 || fstatfs(p->memory_fd, &fs) < 0)
        return -errno;
    if (!p->memory_bytes || p->memory_bytes % XC_PAGE_SIZE ||
        p->memory_bytes > INT64_MAX || st.st_size < 0 ||
        (uint64_t)st.st_size < p->memory_bytes)
        return -EINVAL;
    /* hugetlb: no pwrite, no holes by 4 KiB */
    return fs.f_type == HUGETLBFS_MAGIC ? -ENOTSUP : 0;
}

static int attach(struct qemu *q)
{
    void *at;
    int rc = check_memory(&q->p);

    if (rc)
        return rc;
    at =
        mmap(NULL, q->p.memory_bytes, PROT_READ, MAP_SHARED, q->p.memory_fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    q->memory = at;
    q->soft_dirty_works = q->p.clear_refs_fd >= 0 && xc_dirty_soft_probe();
    return xc_dev_log_open(&q->dev_log, q->p.dev_log_fd, q->base.nr_pfns);
}

int xc_hv_qemu_open(const struct xc_hv_qemu_params *p, struct xc_hv **out)
{
    struct qemu *q = calloc(1, sizeof(*q));
    int rc;

    *out = NULL;
    if (!q) {
        close_fds(p);
        return -ENOMEM;
    }
    q->base.ops = &qemu_ops;
    q->base.nr_pfns = p->memory_bytes >> XC_PAGE_SHIFT;
    q->p = *p;
    rc = attach(q);
    if (rc) {
        qemu_close(&q->base);
        return rc;
    }
    *out = &q->base;
    return 0;
}
