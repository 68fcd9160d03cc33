/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfu_dma.c - the client's memory, as far as it gives it to us. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring/sigbus.h"
#include "ring/vfu_internal.h"

static bool overlaps(const struct vfu_mapping *m, const struct vfu_dma *d)
{
    return d->addr - m->addr < m->bytes || m->addr - d->addr < d->bytes;
}

/* Positive errno. *map is the start of the file. */
static int map_file(const struct vfu_dma *d, int fd, void **map, size_t *bytes)
{
    struct stat st;
    uint64_t span;

    if (__builtin_add_overflow(d->offset, d->bytes, &span))
        return EINVAL;
    if (fstat(fd, &st))
        return errno;
    if (st.st_size < 0 || (uint64_t)st.st_size < span)
        return EINVAL;
    *map = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                fd, 0);
    *bytes = span;
    return *map == MAP_FAILED ? errno : 0;
}

static int enter(libxl__vfu *vfu, const struct vfu_dma *d,
                 struct vfu_mapping *m)
{
    int r = libxl__sigbus_guard(m->map, m->map_bytes);

    if (!r) {
        r = libxl__ring_mem_add(vfu->dev->mem, d->addr, d->bytes,
                                (uint8_t *)m->map + d->offset, d->offset);
        if (r)
            libxl__sigbus_unguard(m->map);
    }
    if (r)
        munmap(m->map, m->map_bytes);
    return -r;
}

int libxl__vfu_map(libxl__vfu *vfu, const struct vfu_dma *d, int fd)
{
    struct vfu_mapping *m = &vfu->mappings[vfu->nr_mappings];
    int r;

    if (!d->bytes || d->addr > UINT64_MAX - (d->bytes - 1))
        return EINVAL;
    for (unsigned i = 0; i < vfu->nr_mappings; i++)
        if (overlaps(&vfu->mappings[i], d))
            return EEXIST;
    if (vfu->nr_mappings == LIBXL__RING_MAX_REGIONS)
        return ENOSPC;
    *m = (struct vfu_mapping){.addr = d->addr, .bytes = d->bytes};
    /* memory that the device may not write, or that has no fd (ROM), is known
     * but not entered: no device here reads from ROM */
    if (fd >= 0 && d->flags == (VFU_DMA_F_READ | VFU_DMA_F_WRITE)) {
        r = map_file(d, fd, &m->map, &m->map_bytes);
        if (r) {
            m->map = NULL;
            return r;
        }
        r = enter(vfu, d, m);
        if (r)
            return r;
    }
    vfu->nr_mappings++;
    return 0;
}

static void unmap_one(libxl__vfu *vfu, unsigned i)
{
    struct vfu_mapping *m = &vfu->mappings[i];

    if (m->map) {
        libxl__ring_mem_remove(vfu->dev->mem, m->addr, m->bytes);
        libxl__sigbus_unguard(m->map);
        munmap(m->map, m->map_bytes);
    }
    *m = vfu->mappings[--vfu->nr_mappings];
}

int libxl__vfu_unmap(libxl__vfu *vfu, const struct vfu_dma *d)
{
    if (d->flags & VFU_DMA_UNMAP_F_ALL) {
        libxl__vfu_unmap_all(vfu);
        return 0;
    }
    for (unsigned i = 0; i < vfu->nr_mappings; i++) {
        if (vfu->mappings[i].addr == d->addr &&
            vfu->mappings[i].bytes == d->bytes) {
            unmap_one(vfu, i);
            return 0;
        }
    }
    return ENOENT;
}

void libxl__vfu_unmap_all(libxl__vfu *vfu)
{
    while (vfu->nr_mappings)
        unmap_one(vfu, vfu->nr_mappings - 1);
}

bool libxl__vfu_memory_lost(const libxl__vfu *vfu)
{
    for (unsigned i = 0; i < vfu->nr_mappings; i++)
        if (vfu->mappings[i].map && libxl__sigbus_lost(vfu->mappings[i].map))
            return true;
    return false;
}
