/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_xen_acpi.h - PLUGIN: ACPI tables for a PVH guest, in one page.
 *
 * Owns:      nothing. Thread: any.
 */
#ifndef LIBXL_HOST_XEN_ACPI_H
#define LIBXL_HOST_XEN_ACPI_H

#include <stddef.h>
#include <stdint.h>

#define LIBXL__XEN_ACPI_BYTES 4096u
#define LIBXL__XEN_ACPI_VCPUS 127u /* a byte holds the APIC id, two a vCPU */

/* guest: where the page will lie; the RSDP is at its start. Returns the bytes
 * used, 0: more vCPUs than that. */
size_t libxl__xen_acpi_tables(uint8_t page[LIBXL__XEN_ACPI_BYTES],
                              uint64_t guest, unsigned vcpus);

#endif
