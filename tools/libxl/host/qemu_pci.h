/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_pci.h - vfio-user devices, as QEMU sees them. Its own migration carries
 * nothing of such a device, so that
 *
 *   quiet      before it: a look at a register lowers the interrupt line that
 *              QEMU holds up for the device (the device, stopped, keeps it in
 *              mind), or the saved interrupt controller would never see it fall
 *   recreate   behind it: each device's configuration (command, base addresses,
 *              interrupt line) is written into QEMU as the guest had written it
 *
 * Both by the monitor's port accesses; 0xcf8 is put back as it was.
 *
 * Thread:    loop thread only.
 * Errors:    rc, logged.
 * Lifetime:  the callback runs once, never from inside start.
 */
#ifndef LIBXL_QEMU_PCI_H
#define LIBXL_QEMU_PCI_H

#include "dev/dev.h"
#include "dm/qmp_script.h"

#define LIBXL__QEMU_PCI_HEADER 64u

typedef struct libxl__qemu_pci libxl__qemu_pci;
struct libxl__qemu_pci {
    /* caller fills */
    libxl_ctx *ctx;
    uint32_t domid;
    int dirfd;
    bool recreate; /* else quiet */
    void (*callback)(libxl__egc *egc, libxl__qemu_pci *pci, int rc);
    /* private */
    libxl__gc gc;
    libxl__dev_ask ask;
    libxl__qmp_script script;
    struct libxl__qmp_step *steps;
    size_t nr_steps, max_steps;
    unsigned nr;
    uint8_t headers[LIBXL__VFIO_MAX][LIBXL__QEMU_PCI_HEADER];
    uint32_t address; /* what 0xcf8 held */
};

void libxl__qemu_pci_init(libxl__qemu_pci *pci, libxl_ctx *ctx);
/* ERROR_NOTFOUND: there are no such devices, and no callback comes. */
int libxl__qemu_pci_start(libxl__qemu_pci *pci);
void libxl__qemu_pci_stop(libxl__qemu_pci *pci); /* no callback; idempotent */

/* ---- pure, for its tests ---- */

/* One access: "o /w 0xcf8 0x80007810"; bytes 1, 2 or 4. */
#define LIBXL__QEMU_PCI_TEXT 48
struct libxl__qemu_pci_write {
    uint8_t offset, bytes;
    uint32_t value;
};
/* What is written of one device's header, in order: the command last. */
#define LIBXL__QEMU_PCI_WRITES 9
void libxl__qemu_pci_plan(const uint8_t header[LIBXL__QEMU_PCI_HEADER],
                          struct libxl__qemu_pci_write out[9]);
/* The monitor's command that reads a register of the device without effect;
 * false: the guest has not put it anywhere. */
bool libxl__qemu_pci_look(const uint8_t header[LIBXL__QEMU_PCI_HEADER],
                          char out[LIBXL__QEMU_PCI_TEXT]);

#endif
