/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu_pci_plan.c - which accesses put a PCI device back (codec). */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/qemu_pci.h"

#define AT_COMMAND 0x04u
#define AT_CACHE_LINE 0x0cu
#define AT_BAR 0x10u
#define AT_IRQ_LINE 0x3cu
#define COMMAND_IO 1u
#define COMMAND_MEMORY 2u
#define BAR_IO 1u
#define BAR_64 4u

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return le32toh(v);
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

/* Decoding is switched on last, when the bases are right. */
void libxl__qemu_pci_plan(const uint8_t h[LIBXL__QEMU_PCI_HEADER],
                          struct libxl__qemu_pci_write out[9])
{
    unsigned n = 0;

    for (unsigned i = 0; i < 6; i++) {
        uint8_t at = (uint8_t)(AT_BAR + 4 * i);

        out[n++] = (struct libxl__qemu_pci_write){at, 4, get32(h + at)};
    }
    out[n++] = (struct libxl__qemu_pci_write){AT_CACHE_LINE, 2,
                                              get16(h + AT_CACHE_LINE)};
    out[n++] = (struct libxl__qemu_pci_write){AT_IRQ_LINE, 1, h[AT_IRQ_LINE]};
    out[n++] = (struct libxl__qemu_pci_write){AT_COMMAND, 2,
                                              get16(h + AT_COMMAND)};
}

bool libxl__qemu_pci_look(const uint8_t h[LIBXL__QEMU_PCI_HEADER],
                          char out[LIBXL__QEMU_PCI_TEXT])
{
    uint16_t command = get16(h + AT_COMMAND);

    for (unsigned i = 0; i < 6; i++) {
        uint32_t bar = get32(h + AT_BAR + 4 * i);
        uint64_t base = bar & ~UINT32_C(0xf);

        if (bar & BAR_IO && command & COMMAND_IO && bar & ~UINT32_C(3)) {
            snprintf(out, LIBXL__QEMU_PCI_TEXT, "i /w 0x%" PRIx32,
                     bar & ~UINT32_C(3));
            return true;
        }
        if (!(bar & BAR_IO) && bar & BAR_64 && i < 5)
            base |= (uint64_t)get32(h + AT_BAR + 4 * ++i) << 32;
        if (!(bar & BAR_IO) && command & COMMAND_MEMORY && base) {
            snprintf(out, LIBXL__QEMU_PCI_TEXT, "xp /1wx 0x%" PRIx64, base);
            return true;
        }
    }
    return false;
}
