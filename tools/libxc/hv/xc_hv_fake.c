/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_fake.c - a guest that is a piece of our own memory.
 *
 * With a seed it is born with runs of random pages, zero pages and holes, and,
 * unless it poses as a QEMU host's, with state blobs. While the dirty log is on
 * it "runs": behind each call dirty_per_call random pages change (some become
 * zero), until the final read.
 */
#include "hv/xc_hv_fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv/xc_hv_fake_priv.h"

struct fake *xc_hv_fake_of(const struct xc_hv *hv)
{
    return (struct fake *)hv;
}

static struct fake *fake_of(const struct xc_hv *hv)
{
    return xc_hv_fake_of(hv);
}

uint64_t xc_hv_fake_random(struct fake *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return f->random;
}

uint8_t *xc_hv_fake_page(struct fake *f, xc_pfn_t pfn)
{
    return f->memory + xc_pages_to_bytes(pfn);
}

void xc_hv_fake_note_write(struct fake *f, xc_pfn_t pfn)
{
    xc_bitmap_set(&f->touched, pfn);
    if (f->logging)
        xc_bitmap_set(&f->dirty, pfn);
}

static void write_random(struct fake *f, xc_pfn_t pfn)
{
    uint64_t kind = xc_hv_fake_random(f) % 4;

    xc_hv_fake_note_write(f, pfn);
    memset(xc_hv_fake_page(f, pfn), 0, XC_PAGE_SIZE);
    if (kind == 0)
        return;
    for (size_t i = 0; i < XC_PAGE_SIZE; i += 512)
        *(uint64_t *)(xc_hv_fake_page(f, pfn) + i) = xc_hv_fake_random(f);
}

/* What the guest does while somebody saves it. */
static void let_run(struct fake *f)
{
    if (!f->runs || !f->logging || !f->base.nr_pfns)
        return;
    for (uint32_t i = 0; i < f->p.dirty_per_call; i++) {
        xc_pfn_t pfn = xc_hv_fake_random(f) % f->base.nr_pfns;

        if (!f->base.pv || xc_hv_fake_pv_may_write(f, pfn))
            write_random(f, pfn);
    }
    if (f->base.pv && f->p.dirty_per_call)
        xc_hv_fake_pv_run(f);
}

static int blob_store(struct fake *f, enum xc_hv_blob id, const void *data,
                      size_t bytes)
{
    void *copy = malloc(bytes ? bytes : 1);

    if (!copy)
        return -ENOMEM;
    memcpy(copy, data, bytes);
    xc_hv_buf_free(&f->blobs[id]);
    f->blobs[id] = (struct xc_hv_buf){copy, bytes};
    return 0;
}

static int seed_blobs(struct fake *f)
{
    /* parameters that name no page */
    static const uint8_t plain_params[] = {9, 19, 38};
    static const size_t sizes[XC_FAKE_BLOBS] = {
        [XC_HV_HVM_CONTEXT] = 1234,
        [XC_HV_HVM_PARAMS] = 3 * 16,
        [XC_HV_CPUID_POLICY] = 5 * 24,
        [XC_HV_MSR_POLICY] = 2 * 16,
    };
    uint8_t bytes[2048] = {0};
    int rc = 0;

    for (int id = 0; !rc && id < XC_FAKE_BLOBS; id++) {
        if (f->base.pv && id <= XC_HV_HVM_PARAMS)
            continue;
        for (size_t i = 0; i < sizes[id]; i++)
            bytes[i] = (uint8_t)xc_hv_fake_random(f);
        for (size_t i = 0; id == XC_HV_HVM_PARAMS && i < sizes[id]; i += 16) {
            memset(bytes + i, 0, 8);
            bytes[i] = plain_params[i / 16];
        }
        rc = blob_store(f, (enum xc_hv_blob)id, bytes, sizes[id]);
    }
    f->tsc = (struct xc_hv_tsc){1, 2400000, xc_hv_fake_random(f), 7};
    f->has_tsc = true;
    return rc;
}

static int seed_guest(struct fake *f)
{
    xc_pfn_t pfn = 0, end = f->base.nr_pfns;
    int rc;

    if (f->p.seed_pfns && f->p.seed_pfns < end)
        end = f->p.seed_pfns;
    f->random = f->p.seed;
    while (pfn < end) {
        uint64_t run = 1 + xc_hv_fake_random(f) % 64;
        bool hole = xc_hv_fake_random(f) % 3 == 0;

        for (; run && pfn < end; run--, pfn++)
            if (!hole)
                write_random(f, pfn);
    }
    if (f->p.qemu_host)
        return 0;
    rc = seed_blobs(f);
    return rc || !f->base.pv ? rc : xc_hv_fake_pv_seed(f);
}

static void fake_close(struct xc_hv *hv)
{
    struct fake *f = fake_of(hv);

    if (f->memory)
        munmap(f->memory, xc_pages_to_bytes(f->base.nr_pfns));
    if (f->p.use_memory_fd)
        close(f->p.memory_fd);
    for (int id = 0; id < XC_FAKE_BLOBS; id++)
        xc_hv_buf_free(&f->blobs[id]);
    xc_hv_fake_pv_dispose(f);
    xc_bitmap_dispose(&f->touched);
    xc_bitmap_dispose(&f->dirty);
    xc_bitmap_dispose(&f->made);
    free(f);
}

static int fake_info(struct xc_hv *hv, struct xc_hv_info *out)
{
    struct fake *f = fake_of(hv);

    *out = (struct xc_hv_info){
        .type = f->p.type,
        .nr_pfns = f->base.nr_pfns,
        .used_pages = xc_bitmap_count(&f->touched),
        .qemu_host = f->p.qemu_host,
        .zero_fresh = f->p.type == XC_GUEST_HVM,
        .has_extents = !f->p.qemu_host,
        .xen_major = f->p.qemu_host ? 0 : 4,
        .xen_minor = f->p.qemu_host ? 0 : 17,
    };
    return 0;
}

static int fake_next_run(struct xc_hv *hv, xc_pfn_t from,
                         struct xc_pfn_run *out)
{
    const struct xc_bitmap *t = &fake_of(hv)->touched;
    xc_pfn_t first = xc_bitmap_next(t, from), end = first;

    if (first >= t->bits)
        return -ENOENT;
    while (end < t->bits && xc_bitmap_test(t, end))
        end++;
    *out = (struct xc_pfn_run){first, end - first};
    return 0;
}

static int fake_page_types(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                           uint32_t *types)
{
    memset(types, 0, n * sizeof(*types));
    if (hv->pv)
        xc_hv_fake_pv_types(fake_of(hv), pfns, n, types);
    return 0;
}

static int fake_map_batch(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                          const void **pages)
{
    struct fake *f = fake_of(hv);

    let_run(f);
    for (size_t i = 0; i < n; i++)
        pages[i] = xc_hv_fake_page(f, pfns[i]);
    return 0;
}

static void fake_unmap_batch(struct xc_hv *hv)
{
    let_run(fake_of(hv));
}

static int fake_memory_fd(struct xc_hv *hv)
{
    struct fake *f = fake_of(hv);

    return f->p.use_memory_fd ? f->p.memory_fd : -ENOTSUP;
}

static int fake_lent_fd(struct xc_hv *hv)
{
    return fake_of(hv)->logging ? fake_memory_fd(hv) : -ENOTSUP;
}

static int fake_populate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    uint64_t max = fake_of(hv)->p.max_pages;

    if (max && xc_bitmap_count(&fake_of(hv)->made) + n > max)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        xc_bitmap_set(&fake_of(hv)->made, pfns[i]);
    if (hv->pv)
        xc_hv_fake_pv_populate(fake_of(hv), pfns, n);
    return 0;
}

static int fake_populate_extent(struct xc_hv *hv, xc_pfn_t first)
{
    xc_pfn_t pfns[XC_EXTENT_PAGES];

    for (size_t i = 0; i < XC_EXTENT_PAGES; i++)
        pfns[i] = first + i;
    return fake_populate(hv, pfns, XC_EXTENT_PAGES);
}

static int fake_unpopulate(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        xc_bitmap_clear(&fake_of(hv)->made, pfns[i]);
    if (hv->pv)
        xc_hv_fake_pv_unpopulate(fake_of(hv), pfns, n);
    return 0;
}

static int fake_write_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                            const void *data)
{
    struct fake *f = fake_of(hv);
    const uint8_t *from = data;

    for (size_t i = 0; i < n; i++, from += XC_PAGE_SIZE) {
        memcpy(xc_hv_fake_page(f, pfns[i]), from, XC_PAGE_SIZE);
        xc_hv_fake_note_write(f, pfns[i]);
    }
    return 0;
}

static int fake_zero_pages(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n)
{
    struct fake *f = fake_of(hv);

    for (size_t i = 0; i < n; i++) {
        memset(xc_hv_fake_page(f, pfns[i]), 0, XC_PAGE_SIZE);
        xc_hv_fake_note_write(f, pfns[i]);
    }
    return 0;
}

static int fake_dirty_start(struct xc_hv *hv)
{
    struct fake *f = fake_of(hv);

    xc_bitmap_clear_all(&f->dirty);
    f->logging = true;
    f->runs = true;
    return 0;
}

static int fake_dirty_read_clear(struct xc_hv *hv, struct xc_bitmap *into,
                                 bool final)
{
    struct fake *f = fake_of(hv);

    if (final && hv->pv)
        xc_hv_fake_pv_settle(f);
    xc_bitmap_or(into, &f->dirty);
    xc_bitmap_clear_all(&f->dirty);
    f->runs = !final;
    let_run(f);
    return 0;
}

static int fake_dirty_stop(struct xc_hv *hv)
{
    fake_of(hv)->logging = false;
    return 0;
}

static const char *fake_dirty_method(const struct xc_hv *hv)
{
    return "a bitmap of its own";
}

static int fake_get_blob(struct xc_hv *hv, enum xc_hv_blob id,
                         struct xc_hv_buf *out)
{
    const struct xc_hv_buf *b = &fake_of(hv)->blobs[id];

    if (!b->data)
        return -ENOTSUP;
    out->data = malloc(b->bytes);
    if (!out->data)
        return -ENOMEM;
    memcpy(out->data, b->data, b->bytes);
    out->bytes = b->bytes;
    return 0;
}

static int fake_set_blob(struct xc_hv *hv, enum xc_hv_blob id, const void *data,
                         size_t bytes)
{
    return blob_store(fake_of(hv), id, data, bytes);
}

static int fake_get_tsc(struct xc_hv *hv, struct xc_hv_tsc *out)
{
    if (!fake_of(hv)->has_tsc)
        return -ENOTSUP;
    *out = fake_of(hv)->tsc;
    return 0;
}

static int fake_set_tsc(struct xc_hv *hv, const struct xc_hv_tsc *in)
{
    fake_of(hv)->tsc = *in;
    fake_of(hv)->has_tsc = true;
    return 0;
}

static const struct xc_hv_ops fake_ops = {
    .name = "fake",
    .close = fake_close,
    .info = fake_info,
    .next_run = fake_next_run,
    .page_types = fake_page_types,
    .map_batch = fake_map_batch,
    .unmap_batch = fake_unmap_batch,
    .memory_fd = fake_memory_fd,
    .lent_fd = fake_lent_fd,
    .populate = fake_populate,
    .populate_extent = fake_populate_extent,
    .unpopulate = fake_unpopulate,
    .write_pages = fake_write_pages,
    .zero_pages = fake_zero_pages,
    .dirty_start = fake_dirty_start,
    .dirty_read_clear = fake_dirty_read_clear,
    .dirty_stop = fake_dirty_stop,
    .dirty_method = fake_dirty_method,
    .get_blob = fake_get_blob,
    .set_blob = fake_set_blob,
    .get_tsc = fake_get_tsc,
    .set_tsc = fake_set_tsc,
};

/* Pages that a backing file already holds count as written. */
static void note_file_data(struct fake *f)
{
    off_t end = 0, data;

    for (;;) {
        data = lseek(f->p.memory_fd, end, SEEK_DATA);
        if (data < 0)
            return;
        end = lseek(f->p.memory_fd, data, SEEK_HOLE);
        if (end < 0)
            return;
        for (xc_pfn_t pfn = (uint64_t)data >> XC_PAGE_SHIFT;
             pfn < f->base.nr_pfns && xc_pages_to_bytes(pfn) < (uint64_t)end;
             pfn++)
            xc_bitmap_set(&f->touched, pfn);
    }
}

static int map_guest(struct fake *f)
{
    int flags = f->p.use_memory_fd
                    ? MAP_SHARED
                    : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    int fd = f->p.use_memory_fd ? f->p.memory_fd : -1;
    uint64_t bytes = xc_pages_to_bytes(f->base.nr_pfns);
    struct stat st;
    void *at;

    if (f->p.use_memory_fd) {
        if (fstat(fd, &st) < 0)
            return -errno;
        if ((uint64_t)st.st_size < bytes)
            return -EINVAL;
    }
    at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    f->memory = at;
    return 0;
}

int xc_hv_fake_open(const struct xc_hv_fake_params *p, struct xc_hv **out)
{
    struct fake *f = calloc(1, sizeof(*f));
    int rc;

    *out = NULL;
    if (!f)
        return -ENOMEM;
    f->base.ops = &fake_ops;
    f->base.nr_pfns = p->nr_pfns;
    f->p = *p;
    rc = xc_bitmap_init(&f->touched, p->nr_pfns);
    if (!rc)
        rc = xc_bitmap_init(&f->dirty, p->nr_pfns);
    if (!rc)
        rc = xc_bitmap_init(&f->made, p->nr_pfns);
    if (!rc && p->nr_pfns)
        rc = map_guest(f);
    if (!rc && p->type == XC_GUEST_PV)
        rc = xc_hv_fake_pv_init(f);
    if (!rc && p->use_memory_fd)
        note_file_data(f);
    if (!rc && p->seed)
        rc = seed_guest(f);
    if (rc) {
        fake_close(&f->base);
        return rc;
    }
    *out = &f->base;
    return 0;
}

uint8_t *xc_hv_fake_memory(struct xc_hv *hv)
{
    return fake_of(hv)->memory;
}

const struct xc_bitmap *xc_hv_fake_touched(const struct xc_hv *hv)
{
    return &fake_of(hv)->touched;
}

const struct xc_bitmap *xc_hv_fake_made(const struct xc_hv *hv)
{
    return &fake_of(hv)->made;
}

void xc_hv_fake_guest_writes(struct xc_hv *hv, xc_pfn_t pfn, uint8_t value)
{
    struct fake *f = fake_of(hv);

    memset(xc_hv_fake_page(f, pfn), value, XC_PAGE_SIZE);
    xc_hv_fake_note_write(f, pfn);
}

bool xc_hv_fake_is_logging(const struct xc_hv *hv)
{
    return fake_of(hv)->logging;
}

struct xc_hv_buf xc_hv_fake_blob(const struct xc_hv *hv, enum xc_hv_blob id)
{
    return fake_of(hv)->blobs[id];
}
