/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * demo_pci.h - a small PCI device whose state can be looked at: scratch
 * registers, a timer with an interrupt, and an engine that copies the guest's
 * memory (docs/specs/vfio-user.md has its registers).
 *
 * Owns:      its registers, its timer, its view of the guest's memory.
 * Thread:    loop thread only.
 * Errors:    a guest that writes nonsense gets a counted error, nothing else.
 */
#ifndef LIBXL_DEMO_PCI_H
#define LIBXL_DEMO_PCI_H

#include "engine/ev_time.h"
#include "ring/demo_state.h"
#include "ring/vfu.h"

#define DEMO_VENDOR 0x1af4u
#define DEMO_DEVICE 0x10f0u
#define DEMO_BAR_BYTES 4096u
#define DEMO_ID 0x314d4458u /* "XDM1" */
#define DEMO_COPY_MAX (1u << 20)

enum demo_register {
    DEMO_REG_ID = 0x00,
    DEMO_REG_SCRATCH = 0x10, /* four */
    DEMO_REG_PERIOD = 0x20,  /* ms; 0: the timer stands */
    DEMO_REG_TICKS = 0x24,
    DEMO_REG_IRQ = 0x28,     /* what happened; a 1 that is written clears */
    DEMO_REG_IRQ_MASK = 0x2c, /* what raises the interrupt */
    DEMO_REG_SRC = 0x30,     /* u64, as two */
    DEMO_REG_DST = 0x38,
    DEMO_REG_BYTES = 0x40,
    DEMO_REG_COPY = 0x44,    /* write: begin; read: 1 while it copies */
    DEMO_REG_ERRORS = 0x48,
    DEMO_REG_COPIED = 0x50,  /* u64 */
};
#define DEMO_IRQ_TIMER 1u
#define DEMO_IRQ_COPY 2u

struct libxl__demo {
    /* caller fills */
    libxl_ctx *ctx;
    uint64_t ballast; /* bytes of state beside the registers */
    /* its own */
    libxl__vfu_device pci;
    struct libxl__ring_mem mem;
    libxl__vfu *vfu;
    struct demo_regs regs;
    struct demo_saver saver;
    struct demo_loader loader;
    uint64_t piece_got; /* of the piece that is being written */
    libxl__ev_time timer, copier;
    uint64_t next_tick_ms;
    bool waiting; /* for its copy to end */
    uint32_t copy_done; /* of the copy that is under way */
    bool copying;
};

/* ctx and ballast are set, all else is zero. listen_fd becomes its own. rc,
 * logged. */
int libxl__demo_start(struct libxl__demo *d, int listen_fd);
/* Only while it is idle. */
void libxl__demo_stop(struct libxl__demo *d);

#endif
