/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu_bench.h - a child process that plays QEMU: a memfd that it writes to. */
#ifndef QEMU_BENCH_H
#define QEMU_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hv/xc_hv.h"

struct fake_qemu {
    pid_t pid;
    int memory_fd;
    uint8_t *memory; /* mapped here and there at the same address */
    uint64_t bytes;
    int uffd;    /* fetched from the child; -1: the kernel has none */
    int control; /* a byte sent: the child answers and goes on */
};

/* pages: the size. dirty_stride 0: the child only waits. Otherwise it writes
 * random pages without end, until asked to pause. */
void fake_qemu_start(struct fake_qemu *q, uint64_t pages, bool writes);
void fake_qemu_pause(struct fake_qemu *q);
void fake_qemu_end(struct fake_qemu *q);
/* Writes one page in the child's address space. */
void fake_qemu_write(struct fake_qemu *q, uint64_t pfn, uint8_t value);
bool fake_qemu_has_uffd(const struct fake_qemu *q);

enum fake_qemu_way { WAY_UFFD, WAY_SOFT, WAY_COMPARE };
struct xc_hv *fake_qemu_attach(const struct fake_qemu *q,
                               enum fake_qemu_way best);
/* An empty domain of that size to restore into. */
struct xc_hv *fake_qemu_empty(uint64_t pages, int *memory_fd);

#endif
