/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci_config.h - the 256 bytes of a PCI device's configuration space, with what
 * the driver may change in them. Pure.
 */
#ifndef LIBXL_PCI_CONFIG_H
#define LIBXL_PCI_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_CONFIG_BYTES 256u
#define PCI_NR_BARS 6u
#define PCI_COMMAND_IO 1u
#define PCI_COMMAND_MEMORY 2u
#define PCI_COMMAND_MASTER 4u

struct pci_config {
    uint8_t bytes[PCI_CONFIG_BYTES];
    uint8_t writable[PCI_CONFIG_BYTES]; /* a bit is the driver's */
};

struct pci_identity {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint8_t revision;
    uint32_t class_code; /* 24 bits */
    bool intx;
};

void libxl__pci_config_init(struct pci_config *c, const struct pci_identity *id);
/* bytes: a power of two, at least 4 (I/O) or 16 (memory). */
void libxl__pci_config_bar(struct pci_config *c, unsigned bar, uint32_t bytes,
                           bool io);
/* -EINVAL: not wholly inside. */
int libxl__pci_config_read(const struct pci_config *c, uint64_t offset,
                           void *buf, uint32_t bytes);
int libxl__pci_config_write(struct pci_config *c, uint64_t offset,
                            const void *buf, uint32_t bytes);

#endif
