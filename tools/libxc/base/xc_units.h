/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_units.h - page frame numbers and bytes, told apart. */
#ifndef XC_UNITS_H
#define XC_UNITS_H

#include <stdint.h>

typedef uint64_t xc_pfn_t; /* guest page frame number */

#define XC_PAGE_SHIFT 12
#define XC_PAGE_SIZE 4096u
#define XC_INVALID_PFN (~(xc_pfn_t)0)

static inline uint64_t xc_pages_to_bytes(uint64_t pages)
{
    return pages << XC_PAGE_SHIFT;
}

static inline uint64_t xc_bytes_to_pages_up(uint64_t bytes)
{
    return (bytes + XC_PAGE_SIZE - 1) >> XC_PAGE_SHIFT;
}

#endif
