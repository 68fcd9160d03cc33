/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vpci_legacy.h - the register file of a legacy virtio PCI device (virtio 1.2,
 * 4.1.4.10), in front of a vdev. Knows no transport: reads, writes and an
 * interrupt callback.
 *
 * Owns:      the registers. The vdev's queues and features are set through it.
 * Thread:    loop thread only.
 * Errors:    a driver that writes nonsense gets what real hardware gives:
 *            nothing happens, or the queue is broken with a reason. -EAGAIN:
 *            the write stops queues; make the vdev idle and write again.
 */
#ifndef LIBXL_VPCI_LEGACY_H
#define LIBXL_VPCI_LEGACY_H

#include "ring/vdev.h"

#define VPCI_BAR_BYTES 512u
#define VPCI_QUEUE_SIZE 256u

enum vpci_register {
    VPCI_HOST_FEATURES = 0x00,  /* u32, read only */
    VPCI_GUEST_FEATURES = 0x04, /* u32 */
    VPCI_QUEUE_PFN = 0x08,      /* u32: of the selected queue; 0 stops it */
    VPCI_QUEUE_NUM = 0x0c,      /* u16, read only; 0: there is no such queue */
    VPCI_QUEUE_SEL = 0x0e,      /* u16 */
    VPCI_QUEUE_NOTIFY = 0x10,   /* u16 */
    VPCI_STATUS = 0x12,         /* u8; 0 resets the device */
    VPCI_ISR = 0x13,            /* u8, read clears */
    VPCI_CONFIG_VECTOR = 0x14,  /* u16, with MSI-X alone */
    VPCI_QUEUE_VECTOR = 0x16,   /* u16, with MSI-X alone */
};
#define VPCI_CONFIG(msix) ((msix) ? 0x18u : 0x14u)
#define VPCI_NO_VECTOR 0xffffu

struct libxl__vpci {
    libxl__vdev *dev;
    /* vector VPCI_NO_VECTOR: by INTx */
    void (*raise)(struct libxl__vpci *vpci, uint16_t vector);
    bool msix; /* the layout with vectors */
    uint8_t status, isr;
    uint16_t queue_sel, config_vector;
    uint16_t vectors[LIBXL__VDEV_MAX_QUEUES];
    uint32_t pfns[LIBXL__VDEV_MAX_QUEUES];
};

void libxl__vpci_init(struct libxl__vpci *vpci, libxl__vdev *dev);
/* Any width at any offset of the BAR: registers are read whole, then cut. */
int libxl__vpci_read(struct libxl__vpci *vpci, uint64_t offset, void *buf,
                     uint32_t bytes);
int libxl__vpci_write(libxl__egc *egc, struct libxl__vpci *vpci,
                      uint64_t offset, const void *buf, uint32_t bytes);
/* Full reset; only while the vdev is idle. */
void libxl__vpci_reset(struct libxl__vpci *vpci);
/* For the vdev's interrupt callback. */
void libxl__vpci_interrupt(struct libxl__vpci *vpci, unsigned q);

/* The registers and where each queue stands, as bytes (docs/specs/
 * device-state.md). Only while the vdev is idle. */
#define VPCI_STATE_BYTES (24u + LIBXL__VDEV_MAX_QUEUES * 12u)
void libxl__vpci_save(const struct libxl__vpci *vpci,
                      uint8_t out[VPCI_STATE_BYTES]);
/* Checks all before it takes any of it: -EPROTO, with *why a constant. The
 * guest's memory must be there. */
int libxl__vpci_load(struct libxl__vpci *vpci,
                     const uint8_t in[VPCI_STATE_BYTES], const char **why);

#endif
