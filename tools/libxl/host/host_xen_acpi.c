/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_xen_acpi.c - PLUGIN: the ACPI tables of a PVH guest (codec).
 *
 *   RSDP, XSDT -> FADT -> DSDT (empty)
 *              -> MADT: a local APIC a vCPU
 *
 * Such a guest has no chipset: what it reads here is how many vCPUs there are,
 * and that no ACPI hardware is to be looked for.
 */
#include <string.h>

#include "host/host_xen_acpi.h"

#define RSDP_BYTES 36u
#define HEADER_BYTES 36u
#define FADT_BYTES 268u
#define LAPIC_BYTES 8u
#define LAPIC_BASE 0xfee00000u

#define FADT_BOOT_ARCH 109u
#define FADT_FLAGS 112u
#define FADT_X_DSDT 140u
#define NO_VGA (1u << 2)
#define NO_RTC (1u << 5)
#define WBINVD 1u
#define HW_REDUCED (1u << 20)

struct tables {
    uint8_t *base;
    uint64_t guest;
    size_t used;
};

static void put16(uint8_t *at, uint16_t v)
{
    memcpy(at, &v, sizeof(v));
}

static void put32(uint8_t *at, uint32_t v)
{
    memcpy(at, &v, sizeof(v));
}

static void put64(uint8_t *at, uint64_t v)
{
    memcpy(at, &v, sizeof(v));
}

/* The byte that makes the sum of all zero. */
static uint8_t complement(const uint8_t *at, size_t bytes)
{
    uint8_t sum = 0;

    while (bytes--)
        sum = (uint8_t)(sum + *at++);
    return (uint8_t)(0u - sum);
}

static uint8_t *begin(struct tables *t, const char *signature, uint8_t revision,
                      size_t bytes)
{
    uint8_t *at = t->base + t->used;

    memcpy(at, signature, 4);
    put32(at + 4, (uint32_t)bytes);
    at[8] = revision;
    memcpy(at + 10, "Xen\0\0\0", 6);
    memcpy(at + 16, "PVH\0\0\0\0\0", 8);
    put32(at + 24, 1);
    memcpy(at + 28, "xl\0\0", 4);
    put32(at + 32, 1);
    return at;
}

/* Where the guest finds it. */
static uint64_t finish(struct tables *t, uint8_t *at, size_t bytes)
{
    uint64_t guest = t->guest + t->used;

    at[9] = complement(at, bytes);
    t->used += (bytes + 15) & ~(size_t)15;
    return guest;
}

static uint64_t put_dsdt(struct tables *t)
{
    return finish(t, begin(t, "DSDT", 2, HEADER_BYTES), HEADER_BYTES);
}

static uint64_t put_fadt(struct tables *t, uint64_t dsdt)
{
    uint8_t *at = begin(t, "FACP", 5, FADT_BYTES);

    put16(at + FADT_BOOT_ARCH, NO_VGA | NO_RTC);
    put32(at + FADT_FLAGS, WBINVD | HW_REDUCED);
    put64(at + FADT_X_DSDT, dsdt);
    return finish(t, at, FADT_BYTES);
}

static uint64_t put_madt(struct tables *t, unsigned vcpus)
{
    size_t bytes = HEADER_BYTES + 8 + vcpus * LAPIC_BYTES;
    uint8_t *at = begin(t, "APIC", 2, bytes);
    uint8_t *lapic = at + HEADER_BYTES + 8;

    put32(at + HEADER_BYTES, LAPIC_BASE);
    for (unsigned i = 0; i < vcpus; i++, lapic += LAPIC_BYTES) {
        lapic[1] = LAPIC_BYTES;
        lapic[2] = (uint8_t)i;
        lapic[3] = (uint8_t)(i * 2); /* the hypervisor's APIC ids */
        put32(lapic + 4, 1);
    }
    return finish(t, at, bytes);
}

static uint64_t put_xsdt(struct tables *t, uint64_t fadt, uint64_t madt)
{
    size_t bytes = HEADER_BYTES + 16;
    uint8_t *at = begin(t, "XSDT", 1, bytes);

    put64(at + HEADER_BYTES, fadt);
    put64(at + HEADER_BYTES + 8, madt);
    return finish(t, at, bytes);
}

size_t libxl__xen_acpi_tables(uint8_t page[LIBXL__XEN_ACPI_BYTES],
                              uint64_t guest, unsigned vcpus)
{
    struct tables t = {page, guest, 48};
    uint64_t dsdt, fadt, madt, xsdt;

    if (!vcpus || vcpus > LIBXL__XEN_ACPI_VCPUS)
        return 0;
    memset(page, 0, LIBXL__XEN_ACPI_BYTES);
    dsdt = put_dsdt(&t);
    fadt = put_fadt(&t, dsdt);
    madt = put_madt(&t, vcpus);
    xsdt = put_xsdt(&t, fadt, madt);
    memcpy(page, "RSD PTR ", 8);
    memcpy(page + 9, "Xen\0\0\0", 6);
    page[15] = 2;
    put32(page + 20, RSDP_BYTES);
    put64(page + 24, xsdt);
    page[8] = complement(page, 20);
    page[32] = complement(page, RSDP_BYTES);
    return t.used;
}
