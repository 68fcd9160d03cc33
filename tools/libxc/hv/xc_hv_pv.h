/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_pv.h - SEAM 1, what only PV guests have: machine frames, page tables
 * that name them, vCPUs that the toolstack loads, a shared info page.
 *
 * Thread, Errors, Rule: as xc_hv.h. hv->pv is NULL for any other guest.
 * Units:     machine frames (mfn) are uint64_t, the guest's own xc_pfn_t.
 * Rule:      all that the guest wrote (its p2m) is checked by the backend: a
 *            PFN handed out lies below nr_pfns, and names the frame that names
 *            it.
 */
#ifndef XC_HV_PV_H
#define XC_HV_PV_H

#include "hv/xc_hv.h"

#define XC_INVALID_MFN (~UINT64_C(0))
#define XC_VCPUS_MAX 8192u

struct xc_hv_pv_info {
    unsigned width;    /* bytes of its pointers, 4 or 8; restore: as set */
    uint32_t nr_vcpus; /* highest possible id, and one more */
    uint64_t shared_info_mfn;
    /* What a 32-bit guest's top L2 maps for Xen, from this frame on. */
    uint64_t compat_m2p_mfn;
    uint32_t store_port, console_port; /* restore: event channels */
};

enum xc_hv_vcpu_part {
    XC_HV_VCPU_BASIC, /* as the hypervisor has it: of machine frames */
    XC_HV_VCPU_EXTENDED,
    XC_HV_VCPU_XSAVE,
    XC_HV_VCPU_MSRS, /* u32 index, u32 0, u64 value */
    XC_HV_VCPU_PARTS
};

struct xc_hv_pv_ops {
    int (*info)(struct xc_hv *hv, struct xc_hv_pv_info *out);
    /* save: the PFNs of the frames that the guest keeps its p2m in, in order.
     * Called again it looks again. */
    int (*p2m_frames)(struct xc_hv *hv, struct xc_hv_buf *out);
    /* save: -ESTALE when those frames are others than p2m_frames said. */
    int (*p2m_stable)(struct xc_hv *hv);
    /* save: XC_INVALID_PFN where a frame is not the guest's */
    int (*pfns_of)(struct xc_hv *hv, const uint64_t *mfns, size_t n,
                   xc_pfn_t *pfns);
    /* restore: XC_INVALID_MFN where a page was not made */
    int (*mfns_of)(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                   uint64_t *mfns);
    int (*set_width)(struct xc_hv *hv, unsigned width);
    /* restore: their types hold for good. types: with XC_PT_PINNED */
    int (*pin)(struct xc_hv *hv, const xc_pfn_t *pfns, const uint32_t *types,
               size_t n);
    int (*get_shared_info)(struct xc_hv *hv, void *page);
    /* Takes over vCPUs and what is x86's; event channels begin anew. */
    int (*set_shared_info)(struct xc_hv *hv, const void *page);
    /* -ENOENT: not online. -ENOTSUP: no such state. */
    int (*get_vcpu)(struct xc_hv *hv, uint32_t vcpu, enum xc_hv_vcpu_part part,
                    struct xc_hv_buf *out);
    int (*set_vcpu)(struct xc_hv *hv, uint32_t vcpu, enum xc_hv_vcpu_part part,
                    const void *data, size_t bytes);
};

/* Checked wrappers; -ENOTSUP: not a PV guest. */
int xc_hv_pv_info(struct xc_hv *hv, struct xc_hv_pv_info *out);
int xc_hv_pv_p2m_frames(struct xc_hv *hv, struct xc_hv_buf *out);
int xc_hv_pv_p2m_stable(struct xc_hv *hv);
int xc_hv_pv_pfns_of(struct xc_hv *hv, const uint64_t *mfns, size_t n,
                     xc_pfn_t *pfns);
int xc_hv_pv_mfns_of(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                     uint64_t *mfns);
int xc_hv_pv_set_width(struct xc_hv *hv, unsigned width);
int xc_hv_pv_pin(struct xc_hv *hv, const xc_pfn_t *pfns, const uint32_t *types,
                 size_t n);
int xc_hv_pv_get_shared_info(struct xc_hv *hv, void *page);
int xc_hv_pv_set_shared_info(struct xc_hv *hv, const void *page);
int xc_hv_pv_get_vcpu(struct xc_hv *hv, uint32_t vcpu,
                      enum xc_hv_vcpu_part part, struct xc_hv_buf *out);
int xc_hv_pv_set_vcpu(struct xc_hv *hv, uint32_t vcpu,
                      enum xc_hv_vcpu_part part, const void *data,
                      size_t bytes);

#endif
