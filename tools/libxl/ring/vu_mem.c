/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vu_mem.c - the frontend's memory and dirty log, mapped. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "ring/sigbus.h"
#include "ring/vu_internal.h"

void *libxl__vu_map_shared(int fd, uint64_t bytes)
{
    struct stat st;
    void *map;

    if (fstat(fd, &st) || st.st_size < 0 || (uint64_t)st.st_size < bytes)
        return NULL;
    map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
               fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

const char *libxl__vu_map(libxl__vhost_user *vu, const struct vu_region *r,
                          int fd)
{
    struct vu_mapping *m = &vu->mappings[vu->nr_mappings];
    uint64_t span;
    int ret;

    if (vu->nr_mappings == LIBXL__RING_MAX_REGIONS)
        return "more memory regions than there are slots";
    if (!r->bytes || __builtin_add_overflow(r->mmap_offset, r->bytes, &span) ||
        r->user > UINT64_MAX - r->bytes)
        return "a memory region that is empty or wraps around";
    *m = (struct vu_mapping){.gpa = r->gpa,
                             .bytes = r->bytes,
                             .user = r->user,
                             .map = libxl__vu_map_shared(fd, span),
                             .map_bytes = span};
    if (!m->map)
        return "a memory region that its file does not hold, or that cannot "
               "be mapped";
    ret = libxl__sigbus_guard(m->map, m->map_bytes);
    if (ret) {
        munmap(m->map, m->map_bytes);
        return "a memory region that cannot be guarded";
    }
    ret = libxl__ring_mem_add(&vu->dev->mem, r->gpa, r->bytes,
                              (uint8_t *)m->map + r->mmap_offset,
                              r->mmap_offset);
    if (ret) {
        libxl__sigbus_unguard(m->map);
        munmap(m->map, m->map_bytes);
        return ret == -EEXIST ? "memory regions that overlap"
                              : "a memory region that wraps around";
    }
    vu->nr_mappings++;
    return NULL;
}

static void unmap_one(libxl__vhost_user *vu, unsigned i)
{
    struct vu_mapping *m = &vu->mappings[i];

    libxl__ring_mem_remove(&vu->dev->mem, m->gpa, m->bytes);
    libxl__sigbus_unguard(m->map);
    munmap(m->map, m->map_bytes);
    *m = vu->mappings[--vu->nr_mappings];
}

const char *libxl__vu_unmap(libxl__vhost_user *vu, const struct vu_region *r)
{
    for (unsigned i = 0; i < vu->nr_mappings; i++) {
        const struct vu_mapping *m = &vu->mappings[i];

        if (m->gpa == r->gpa && m->bytes == r->bytes && m->user == r->user) {
            unmap_one(vu, i);
            return NULL;
        }
    }
    return "a memory region to remove that is not there";
}

void libxl__vu_unmap_all(libxl__vhost_user *vu)
{
    while (vu->nr_mappings)
        unmap_one(vu, vu->nr_mappings - 1);
}

bool libxl__vu_to_gpa(const libxl__vhost_user *vu, uint64_t user,
                      uint64_t bytes, uint64_t *gpa)
{
    for (unsigned i = 0; i < vu->nr_mappings; i++) {
        const struct vu_mapping *m = &vu->mappings[i];

        if (user >= m->user && user - m->user < m->bytes &&
            bytes <= m->bytes - (user - m->user)) {
            *gpa = m->gpa + (user - m->user);
            return true;
        }
    }
    return false;
}

const char *libxl__vu_map_log(libxl__vhost_user *vu, const struct vu_log *log,
                              int fd)
{
    uint64_t span;
    void *map;

    if (!log->mmap_bytes ||
        __builtin_add_overflow(log->mmap_offset, log->mmap_bytes, &span))
        return "a dirty log that is empty or wraps around";
    map = libxl__vu_map_shared(fd, span);
    if (!map)
        return "a dirty log that its file does not hold, or that cannot be "
               "mapped";
    if (libxl__sigbus_guard(map, span)) {
        munmap(map, span);
        return "a dirty log that cannot be guarded";
    }
    libxl__vu_unmap_log(vu);
    vu->log_map = map;
    vu->log_map_bytes = span;
    libxl__ring_mem_set_log(&vu->dev->mem, LIBXL__RING_LOG_FRONTEND,
                            (uint8_t *)map + log->mmap_offset,
                            log->mmap_bytes);
    return NULL;
}

void libxl__vu_unmap_log(libxl__vhost_user *vu)
{
    libxl__ring_mem_set_log(&vu->dev->mem, LIBXL__RING_LOG_FRONTEND, NULL, 0);
    if (!vu->log_map)
        return;
    libxl__sigbus_unguard(vu->log_map);
    munmap(vu->log_map, vu->log_map_bytes);
    vu->log_map = NULL;
}

bool libxl__vu_memory_lost(const libxl__vhost_user *vu)
{
    for (unsigned i = 0; i < vu->nr_mappings; i++)
        if (libxl__sigbus_lost(vu->mappings[i].map))
            return true;
    if (vu->inflight_map && libxl__sigbus_lost(vu->inflight_map))
        return true;
    return vu->log_map && libxl__sigbus_lost(vu->log_map);
}
