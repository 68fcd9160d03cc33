/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/pci_config.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#define AT_VENDOR 0x00
#define AT_DEVICE 0x02
#define AT_COMMAND 0x04
#define AT_REVISION 0x08
#define AT_CACHE_LINE 0x0c
#define AT_LATENCY 0x0d
#define AT_BAR0 0x10
#define AT_SUBSYSTEM_VENDOR 0x2c
#define AT_SUBSYSTEM 0x2e
#define AT_IRQ_LINE 0x3c
#define AT_IRQ_PIN 0x3d

#define COMMAND_INTX_DISABLE 0x400u

static void put16(uint8_t *p, uint16_t v)
{
    v = htole16(v);
    memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, sizeof(v));
}

void libxl__pci_config_init(struct pci_config *c, const struct pci_identity *id)
{
    memset(c, 0, sizeof(*c));
    put16(c->bytes + AT_VENDOR, id->vendor);
    put16(c->bytes + AT_DEVICE, id->device);
    put32(c->bytes + AT_REVISION, id->class_code << 8 | id->revision);
    put16(c->bytes + AT_SUBSYSTEM_VENDOR, id->subsystem_vendor);
    put16(c->bytes + AT_SUBSYSTEM, id->subsystem);
    c->bytes[AT_IRQ_PIN] = id->intx ? 1 : 0;
    put16(c->writable + AT_COMMAND,
          (uint16_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                     COMMAND_INTX_DISABLE));
    c->writable[AT_CACHE_LINE] = c->writable[AT_LATENCY] = 0xff;
    c->writable[AT_IRQ_LINE] = 0xff;
}

void libxl__pci_config_bar(struct pci_config *c, unsigned bar, uint32_t bytes,
                           bool io)
{
    assert(bar < PCI_NR_BARS && bytes >= (io ? 4u : 16u) &&
           !(bytes & (bytes - 1)));
    put32(c->bytes + AT_BAR0 + 4 * bar, io ? 1 : 0);
    put32(c->writable + AT_BAR0 + 4 * bar, ~(bytes - 1));
}

static bool inside(uint64_t offset, uint32_t bytes)
{
    return offset <= PCI_CONFIG_BYTES && bytes <= PCI_CONFIG_BYTES - offset;
}

int libxl__pci_config_read(const struct pci_config *c, uint64_t offset,
                           void *buf, uint32_t bytes)
{
    if (!inside(offset, bytes))
        return -EINVAL;
    memcpy(buf, c->bytes + offset, bytes);
    return 0;
}

int libxl__pci_config_write(struct pci_config *c, uint64_t offset,
                            const void *buf, uint32_t bytes)
{
    const uint8_t *from = buf;

    if (!inside(offset, bytes))
        return -EINVAL;
    for (uint32_t i = 0; i < bytes; i++) {
        uint8_t mask = c->writable[offset + i];
        uint8_t *at = &c->bytes[offset + i];

        *at = (uint8_t)((*at & ~mask) | (from[i] & mask));
    }
    return 0;
}
