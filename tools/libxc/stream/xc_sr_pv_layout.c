/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_pv_layout.h"

#include "base/xc_span.h"
#include "base/xc_units.h"

#define GDT_ENTRIES_PER_FRAME 512u

static const struct xc_sr_vcpu_layout vcpu_64 = {
    .bytes = XC_SR_VCPU_BASIC_MAX,
    .start_info = 616,
    .gdt_frames = 4832,
    .gdt_ents = 4960,
    .user_table = 4992,
    .top_table = 5008,
};
static const struct xc_sr_vcpu_layout vcpu_32 = {
    .bytes = 2800,
    .start_info = 524,
    .gdt_frames = 2640,
    .gdt_ents = 2704,
    .user_table = 0, /* kernel and user share one */
    .top_table = 2728,
};
static const struct xc_sr_start_info_layout start_info_64 = {
    .nr_pages = 32,
    .shared_info = 40,
    .flags = 48,
    .store_frame = 56,
    .store_port = 64,
    .console_frame = 72,
    .console_port = 80,
};
static const struct xc_sr_start_info_layout start_info_32 = {
    .nr_pages = 32,
    .shared_info = 36,
    .flags = 40,
    .store_frame = 44,
    .store_port = 48,
    .console_frame = 52,
    .console_port = 56,
};

const struct xc_sr_vcpu_layout *xc_sr_vcpu_layout(unsigned width)
{
    return width == 8 ? &vcpu_64 : &vcpu_32;
}

const struct xc_sr_start_info_layout *xc_sr_start_info_layout(unsigned width)
{
    return width == 8 ? &start_info_64 : &start_info_32;
}

uint64_t xc_sr_word(const void *base, size_t at, unsigned width)
{
    struct xc_span s = xc_span_of((const uint8_t *)base + at, width);

    return width == 8 ? xc_span_le64(&s) : xc_span_le32(&s);
}

void xc_sr_set_word(void *base, size_t at, unsigned width, uint64_t value)
{
    struct xc_build b = xc_build_in((uint8_t *)base + at, width);

    if (width == 8)
        xc_build_le64(&b, value);
    else
        xc_build_le32(&b, (uint32_t)value);
}

void xc_sr_set_u32(void *base, size_t at, uint32_t value)
{
    xc_sr_set_word(base, at, 4, value);
}

uint64_t xc_sr_gdt_frames(const void *vcpu, unsigned width)
{
    uint64_t entries =
        xc_sr_word(vcpu, xc_sr_vcpu_layout(width)->gdt_ents, width);

    return entries / GDT_ENTRIES_PER_FRAME +
           (entries % GDT_ENTRIES_PER_FRAME != 0);
}

uint64_t xc_sr_cr3_frame(uint64_t cr3, unsigned width)
{
    uint32_t low = (uint32_t)cr3;

    if (width == 8)
        return cr3 >> XC_PAGE_SHIFT;
    return low >> XC_PAGE_SHIFT | (uint32_t)(low << 20);
}

uint64_t xc_sr_frame_cr3(uint64_t frame, unsigned width)
{
    uint32_t low = (uint32_t)frame;

    if (width == 8)
        return frame << XC_PAGE_SHIFT;
    return (uint32_t)(low << XC_PAGE_SHIFT) | low >> 20;
}
