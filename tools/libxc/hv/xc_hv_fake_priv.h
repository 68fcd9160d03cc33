/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_fake_priv.h - one fake guest, shared by the files that make it up.
 *
 * Owns:      memory, bitmaps, blobs, and what a PV guest has besides.
 */
#ifndef XC_HV_FAKE_PRIV_H
#define XC_HV_FAKE_PRIV_H

#include <assert.h>

#include "hv/xc_hv_fake.h"
#include "hv/xc_hv_pv.h"

#define XC_FAKE_BLOBS (XC_HV_MSR_POLICY + 1)
#define XC_FAKE_VCPUS 3u

/* Machine frame FIRST + i, for i below the number of PFNs, may be the guest's;
 * m2p[i] is one more than the PFN that has it, p2m[pfn] is the frame; 0 in
 * both: none. */
struct fake_pv {
    unsigned width;
    uint64_t *p2m, *m2p;
    uint64_t next;  /* i of the next free frame */
    uint8_t *types; /* PFINFO's nibble */
    uint8_t *shared_info;
    struct xc_hv_buf vcpus[XC_FAKE_VCPUS][XC_HV_VCPU_PARTS];
    bool strayed; /* a table names a frame that is not the guest's */
};

struct fake {
    struct xc_hv base;
    struct xc_hv_fake_params p;
    uint8_t *memory;
    struct xc_bitmap touched, dirty, made;
    struct xc_hv_buf blobs[XC_FAKE_BLOBS];
    struct xc_hv_tsc tsc;
    bool has_tsc, logging, runs;
    uint64_t random;
    struct fake_pv pv;
};

static_assert(offsetof(struct fake, base) == 0, "cast from its base");

/* xc_hv_fake.c */
struct fake *xc_hv_fake_of(const struct xc_hv *hv);
uint64_t xc_hv_fake_random(struct fake *f);
uint8_t *xc_hv_fake_page(struct fake *f, xc_pfn_t pfn);
void xc_hv_fake_note_write(struct fake *f, xc_pfn_t pfn);

/* xc_hv_fake_pv.c */
int xc_hv_fake_pv_init(struct fake *f);
void xc_hv_fake_pv_dispose(struct fake *f);             /* idempotent */
void xc_hv_fake_pv_adopt(struct fake *f, xc_pfn_t pfn); /* gets a frame */
void xc_hv_fake_pv_populate(struct fake *f, const xc_pfn_t *pfns, size_t n);
void xc_hv_fake_pv_unpopulate(struct fake *f, const xc_pfn_t *pfns, size_t n);
void xc_hv_fake_pv_types(struct fake *f, const xc_pfn_t *pfns, size_t n,
                         uint32_t *types);

/* xc_hv_fake_pv_guest.c: what the guest does. Seed: it has memory already. */
int xc_hv_fake_pv_seed(struct fake *f);
bool xc_hv_fake_pv_may_write(const struct fake *f, xc_pfn_t pfn);
void xc_hv_fake_pv_run(struct fake *f);
void xc_hv_fake_pv_settle(struct fake *f); /* it is about to be suspended */

#endif
