/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfu.h - serve one PCI device to a vfio-user client (docs/specs/vfio-user.md).
 *
 * Owns:      the listening socket given to it, the connection, the client's
 *            memory mappings (in mem), its interrupt eventfds and the dirty log
 *            that it starts.
 * Thread:    loop thread only.
 * Errors:    a command that is wrong gets an error reply; a stream that cannot
 *            be followed loses its connection, with a reason in the log, and
 *            the next client is served. One client at a time.
 * Lifetime:  after libxl__vfu_stop nothing of it is called. The device and
 *            its state outlive a connection: a client may come back.
 */
#ifndef LIBXL_VFU_H
#define LIBXL_VFU_H

#include "engine/egc.h"
#include "ring/devmig.h"
#include "ring/pci_config.h"
#include "ring/ring_mem.h"

typedef struct libxl__vfu libxl__vfu;
typedef struct libxl__vfu_device libxl__vfu_device;

struct libxl__vfu_device_ops {
    const char *name;
    /* A register access of BAR 'bar', wholly inside its size. 0 or negative
     * errno. */
    int (*read)(libxl__egc *egc, libxl__vfu_device *dev, unsigned bar,
                uint64_t offset, void *buf, uint32_t bytes);
    int (*write)(libxl__egc *egc, libxl__vfu_device *dev, unsigned bar,
                 uint64_t offset, const void *buf, uint32_t bytes);
    /* Only while it is idle. */
    void (*reset)(libxl__egc *egc, libxl__vfu_device *dev);
    /* Use the guest's memory no more, and call libxl__vfu_idle (perhaps from
     * inside); go on after resume. */
    void (*quieten)(libxl__egc *egc, libxl__vfu_device *dev);
    void (*resume)(libxl__egc *egc, libxl__vfu_device *dev);
};

struct libxl__vfu_device {
    /* the device fills */
    const struct libxl__vfu_device_ops *ops;
    void *user;
    struct pci_config config;
    uint32_t bar_bytes[PCI_NR_BARS]; /* 0: there is no such BAR */
    unsigned nr_irqs[5];             /* by index: INTx, MSI, MSI-X, error, req */
    struct devmig mig;               /* mig.ops NULL: not migratable */
    bool v1;                         /* migrates by the protocol of 2021 */
    /* the server fills */
    struct libxl__ring_mem *mem;
    libxl__vfu *vfu;
};

/* listen_fd becomes ours. mem is where the client's memory is entered. NULL:
 * logged. */
libxl__vfu *libxl__vfu_start(libxl_ctx *ctx, libxl__vfu_device *dev,
                             struct libxl__ring_mem *mem, int listen_fd);
/* Only while the device is idle. NULL accepted. */
void libxl__vfu_stop(libxl__vfu *vfu);

/* Bring the device to a state of its migration for somebody beside the client:
 * when it holds nothing, by the shortest way. done runs once, perhaps from
 * inside; r 0 or negative errno. One at a time, else -EBUSY. */
typedef void libxl__vfu_moved(libxl__egc *egc, void *user, int r);
void libxl__vfu_move(libxl__egc *egc, libxl__vfu_device *dev,
                     enum devmig_state to, libxl__vfu_moved *done, void *user);

/* ---- for devices ---- */
void libxl__vfu_idle(libxl__egc *egc, libxl__vfu_device *dev);
/* Raise an interrupt, if the client wants it and has not masked it. */
void libxl__vfu_trigger(libxl__vfu_device *dev, unsigned index,
                        unsigned vector);

#endif
