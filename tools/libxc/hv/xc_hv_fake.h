/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_fake.h - what a test may ask of the fake guest besides xc_hv.h.
 *
 * Owns:      the pointers handed out belong to the fake and die with it.
 * Rule:      only for an hv that xc_hv_fake_open made.
 */
#ifndef XC_HV_FAKE_H
#define XC_HV_FAKE_H

#include "hv/xc_hv.h"

uint8_t *xc_hv_fake_memory(struct xc_hv *hv);
/* Pages that were ever written: what next_run walks over. */
const struct xc_bitmap *xc_hv_fake_touched(const struct xc_hv *hv);
/* Pages that populate made, and unpopulate left. */
const struct xc_bitmap *xc_hv_fake_made(const struct xc_hv *hv);
/* As the guest would: logged when the dirty log is on. */
void xc_hv_fake_guest_writes(struct xc_hv *hv, xc_pfn_t pfn, uint8_t value);
bool xc_hv_fake_is_logging(const struct xc_hv *hv);
/* What set_blob stored, or the seed made; data NULL: none. */
struct xc_hv_buf xc_hv_fake_blob(const struct xc_hv *hv, enum xc_hv_blob id);

/* A PV guest made from a seed keeps its p2m from this PFN on. */
#define XC_FAKE_PV_P2M_PFN 8u
#define XC_FAKE_PV_STORE_PORT 3u
#define XC_FAKE_PV_CONSOLE_PORT 4u
/* PFINFO's nibble; of a restored guest, as pinning has shown it. */
uint8_t xc_hv_fake_pv_type(const struct xc_hv *hv, xc_pfn_t pfn);
void xc_hv_fake_pv_set_type(struct xc_hv *hv, xc_pfn_t pfn, uint8_t type);

#endif
