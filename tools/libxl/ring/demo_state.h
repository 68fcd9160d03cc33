/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * demo_state.h - codec of the demo device's state (docs/specs/device-state.md):
 * items of u32 kind, u32 bytes and so many bytes. Ballast first, registers
 * last. Pure.
 */
#ifndef LIBXL_DEMO_STATE_H
#define LIBXL_DEMO_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/pci_config.h"

#define DEMO_ITEM_HEAD 8u
#define DEMO_ITEM_BALLAST 1u
#define DEMO_ITEM_REGS 2u
#define DEMO_BALLAST_STEP (64u << 10)
#define DEMO_REGS_BYTES (88u + PCI_CONFIG_BYTES)

struct demo_regs {
    uint32_t scratch[4];
    uint32_t period_ms, left_ms; /* of the timer; until its next tick */
    uint32_t ticks, irq, irq_mask;
    uint64_t src, dst, copied;
    uint32_t bytes, errors;
    uint64_t ballast;
};

/* What is still to be written. */
struct demo_saver {
    uint64_t ballast, ballast_left;
    bool regs_done;
    uint32_t item_bytes; /* of the item in buf, with its head */
    uint8_t buf[DEMO_ITEM_HEAD + DEMO_BALLAST_STEP];
};
void libxl__demo_saver_init(struct demo_saver *s, uint64_t ballast);
uint64_t libxl__demo_saver_left(const struct demo_saver *s);
/* The next item of ballast into buf; 0: there is no more. */
uint32_t libxl__demo_saver_ballast(struct demo_saver *s);
uint32_t libxl__demo_saver_regs(struct demo_saver *s,
                                const struct demo_regs *regs,
                                const uint8_t config[PCI_CONFIG_BYTES]);

struct demo_loader {
    uint8_t head[DEMO_ITEM_HEAD];
    uint32_t head_got, item_left, kind;
    uint64_t ballast_got;
    uint32_t regs_got;
    uint8_t regs[DEMO_REGS_BYTES];
};
/* NULL, or what is wrong with these bytes of the stream. */
const char *libxl__demo_loader_take(struct demo_loader *l, const uint8_t *in,
                                    size_t bytes);
/* The stream is over: NULL and the registers, or what is wrong. */
const char *libxl__demo_loader_end(const struct demo_loader *l,
                                   struct demo_regs *regs,
                                   uint8_t config[PCI_CONFIG_BYTES]);

#endif
