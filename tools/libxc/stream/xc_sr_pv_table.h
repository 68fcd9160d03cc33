/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_pv_table.h - a PV guest's page table, as 512 entries: the frames that
 * it names come out, and others take their place. Pure.
 *
 * Units:     a table is a page of 512 little-endian u64 (also that of a 32-bit
 *            guest: PAE), frames are bits 51-12 of an entry.
 */
#ifndef XC_SR_PV_TABLE_H
#define XC_SR_PV_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XC_SR_TABLE_ENTRIES 512u

/* 1 to 4 for a PFINFO type that is a table's, pinned or not; else 0. */
unsigned xc_sr_table_level(uint32_t type);

/* Save: empties the slots that Xen has filled for itself.
 * compat_m2p_mfn: xc_hv_pv.h. */
void xc_sr_table_drop_xen(void *page, unsigned width, unsigned level,
                          uint64_t compat_m2p_mfn);

/* The frames that present entries name, in their order: at most
 * XC_SR_TABLE_ENTRIES. Returns how many. */
size_t xc_sr_table_frames(const void *page, uint64_t *frames);

/* A present entry maps a superpage. */
bool xc_sr_table_has_superpage(const void *page, unsigned level);

/* Puts other frames in their places. */
void xc_sr_table_set_frames(void *page, const uint64_t *frames);

#endif
