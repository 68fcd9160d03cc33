/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hv/xc_dev_log.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

int xc_dev_log_open(struct xc_dev_log *log, int fd, uint64_t nr_pfns)
{
    uint64_t words = (nr_pfns + 63) / 64;
    struct stat st;
    void *map;

    *log = (struct xc_dev_log){0};
    if (fd < 0)
        return 0;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size < 0 || (uint64_t)st.st_size < words * 8)
        return -EINVAL;
    map = mmap(NULL, words * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    *log = (struct xc_dev_log){map, words};
    return 0;
}

void xc_dev_log_close(struct xc_dev_log *log)
{
    if (log->words)
        munmap(log->words, log->nr_words * 8);
    log->words = NULL;
}

void xc_dev_log_take(struct xc_dev_log *log, struct xc_bitmap *into)
{
    for (uint64_t w = 0; log->words && w < log->nr_words; w++) {
        uint64_t bits;

        if (!__atomic_load_n(&log->words[w], __ATOMIC_RELAXED))
            continue;
        bits = __atomic_exchange_n(&log->words[w], 0, __ATOMIC_SEQ_CST);
        /* a device counts pages of the whole file, and no page beyond it */
        for (; into && bits; bits &= bits - 1) {
            uint64_t pfn = w * 64 + (uint64_t)__builtin_ctzll(bits);

            if (pfn < into->bits)
                xc_bitmap_set(into, pfn);
        }
    }
}
