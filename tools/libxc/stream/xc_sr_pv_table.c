/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_pv_table.h"

#include <assert.h>

#include "base/xc_span.h"
#include "base/xc_units.h"
#include "stream/xc_sr_wire.h"

#define PRESENT UINT64_C(1)
#define SUPERPAGE UINT64_C(0x80) /* in an L1 it means something else */
#define FRAME_MASK UINT64_C(0x000ffffffffff000)

/* Xen's slots: of a 64-bit guest's L4; of a 32-bit guest's L2 from its hole
 * at 0xf5800000 on, and what lies beyond the four of its L3. */
#define XEN_L4_FIRST 256u
#define XEN_L4_END 272u
#define XEN_32_L3_FIRST 4u
#define XEN_32_L2_FIRST 428u

static uint64_t entry(const void *page, size_t i)
{
    struct xc_span s = xc_span_of((const uint8_t *)page + 8 * i, 8);

    return xc_span_le64(&s);
}

static void set_entry(void *page, size_t i, uint64_t value)
{
    struct xc_build b = xc_build_in((uint8_t *)page + 8 * i, 8);

    xc_build_le64(&b, value);
}

static uint64_t frame(uint64_t e)
{
    return (e & FRAME_MASK) >> XC_PAGE_SHIFT;
}

unsigned xc_sr_table_level(uint32_t type)
{
    uint32_t table = type & ~XC_PT_PINNED;

    return type < XC_PT_BROKEN && table <= XC_PT_L4TAB ? table >> 28 : 0;
}

static void clear(void *page, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        set_entry(page, i, 0);
}

void xc_sr_table_drop_xen(void *page, unsigned width, unsigned level,
                          uint64_t compat_m2p_mfn)
{
    uint64_t first;

    if (width == 8) {
        if (level == 4)
            clear(page, XEN_L4_FIRST, XEN_L4_END);
        return;
    }
    if (level == 3)
        clear(page, XEN_32_L3_FIRST, XC_SR_TABLE_ENTRIES);
    if (level != 2)
        return;
    first = entry(page, XEN_32_L2_FIRST);
    if ((first & PRESENT) && frame(first) == compat_m2p_mfn)
        clear(page, XEN_32_L2_FIRST, XC_SR_TABLE_ENTRIES);
}

size_t xc_sr_table_frames(const void *page, uint64_t *frames)
{
    size_t n = 0;

    for (size_t i = 0; i < XC_SR_TABLE_ENTRIES; i++) {
        uint64_t e = entry(page, i);

        if (e & PRESENT)
            frames[n++] = frame(e);
    }
    return n;
}

bool xc_sr_table_has_superpage(const void *page, unsigned level)
{
    const uint64_t both = PRESENT | SUPERPAGE;

    if (level < 2)
        return false;
    for (size_t i = 0; i < XC_SR_TABLE_ENTRIES; i++)
        if ((entry(page, i) & both) == both)
            return true;
    return false;
}

void xc_sr_table_set_frames(void *page, const uint64_t *frames)
{
    size_t n = 0;

    for (size_t i = 0; i < XC_SR_TABLE_ENTRIES; i++) {
        uint64_t e = entry(page, i);

        if (!(e & PRESENT))
            continue;
        set_entry(page, i,
                  (e & ~FRAME_MASK) |
                      (frames[n++] << XC_PAGE_SHIFT & FRAME_MASK));
    }
}
