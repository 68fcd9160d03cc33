/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_pv_layout.h - where things lie in what a PV guest of either width hands
 * over: a vCPU's registers, the start info page. Pure; part of the codec.
 *
 * Units:     width is 4 or 8, a pointer's bytes; frames are 4 KiB.
 */
#ifndef XC_SR_PV_LAYOUT_H
#define XC_SR_PV_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XC_SR_GDT_FRAMES_MAX 14u
#define XC_SR_VCPU_BASIC_MAX 5168u

struct xc_sr_vcpu_layout {
    size_t bytes; /* of the whole context */
    size_t start_info, gdt_frames, gdt_ents, user_table, top_table;
};

struct xc_sr_start_info_layout {
    size_t nr_pages, shared_info, flags;
    size_t store_frame, store_port, console_frame, console_port;
};

const struct xc_sr_vcpu_layout *xc_sr_vcpu_layout(unsigned width);
const struct xc_sr_start_info_layout *xc_sr_start_info_layout(unsigned width);

/* A word of the guest's width at 'at' of its structure. */
uint64_t xc_sr_word(const void *base, size_t at, unsigned width);
void xc_sr_set_word(void *base, size_t at, unsigned width, uint64_t value);
void xc_sr_set_u32(void *base, size_t at, uint32_t value);

/* How many frames the GDT has; above XC_SR_GDT_FRAMES_MAX: it is broken. */
uint64_t xc_sr_gdt_frames(const void *vcpu, unsigned width);

/* CR3 <-> a frame, as the hypervisor folds it for that width. */
uint64_t xc_sr_cr3_frame(uint64_t cr3, unsigned width);
uint64_t xc_sr_frame_cr3(uint64_t frame, unsigned width);

#endif
