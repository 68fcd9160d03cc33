/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_hv_xen_shared.c - the page that a PV guest shares with the hypervisor. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/xc_hv_xen_priv.h"

#include <xen/foreign/x86_32.h>
#include <xen/foreign/x86_64.h>

#define NR(a) (sizeof(a) / sizeof((a)[0]))

/* The guest writes to it: each word is read once. */
struct xc_hv_xen_arch_shared xc_hv_xen_arch_shared(const struct xc_hv_xen *x)
{
    const volatile struct arch_shared_info_x86_64 *a64 =
        &((const volatile struct shared_info_x86_64 *)x->pv.shared_info)->arch;
    const volatile struct arch_shared_info_x86_32 *a32 =
        &((const volatile struct shared_info_x86_32 *)x->pv.shared_info)->arch;

    if (x->pv.width == 8)
        return (struct xc_hv_xen_arch_shared){a64->pfn_to_mfn_frame_list_list,
                                              a64->p2m_cr3, a64->p2m_vaddr,
                                              a64->p2m_generation};
    return (struct xc_hv_xen_arch_shared){a32->pfn_to_mfn_frame_list_list,
                                          a32->p2m_cr3, a32->p2m_vaddr,
                                          a32->p2m_generation};
}

int xc_hv_xen_get_shared_info(struct xc_hv *hv, void *page)
{
    memcpy(page, xc_hv_xen_of(hv)->pv.shared_info, XC_PAGE_SIZE);
    return 0;
}

static void take_64(struct shared_info_x86_64 *to,
                    const struct shared_info_x86_64 *from)
{
    memcpy(to->vcpu_info, from->vcpu_info, sizeof(to->vcpu_info));
    to->arch = from->arch;
    to->arch.pfn_to_mfn_frame_list_list = 0;
    for (size_t i = 0; i < NR(to->vcpu_info); i++)
        to->vcpu_info[i].evtchn_pending_sel = 0;
    memset(to->evtchn_pending, 0, sizeof(to->evtchn_pending));
    memset(to->evtchn_mask, 0xff, sizeof(to->evtchn_mask));
}

static void take_32(struct shared_info_x86_32 *to,
                    const struct shared_info_x86_32 *from)
{
    memcpy(to->vcpu_info, from->vcpu_info, sizeof(to->vcpu_info));
    to->arch = from->arch;
    to->arch.pfn_to_mfn_frame_list_list = 0;
    for (size_t i = 0; i < NR(to->vcpu_info); i++)
        to->vcpu_info[i].evtchn_pending_sel = 0;
    memset(to->evtchn_pending, 0, sizeof(to->evtchn_pending));
    memset(to->evtchn_mask, 0xff, sizeof(to->evtchn_mask));
}

int xc_hv_xen_set_shared_info(struct xc_hv *hv, const void *page)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    xen_pfn_t mfn = x->pv.shared_info_mfn;
    void *to = xc_hv_xen_map(x, x->domid, PROT_READ | PROT_WRITE, &mfn, 1);

    if (!to)
        return xc_hv_xen_errno();
    if (x->pv.width == 8)
        take_64(to, page);
    else
        take_32(to, page);
    xenforeignmemory_unmap(x->fmem, to, 1);
    return 0;
}
