/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen_p2m_find.c - where a PV guest keeps the list of its frames: as an
 * array in its address space, or as a tree of three levels. Both are walked
 * through frames that the guest names; the hypervisor lets us map only its own.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/xc_hv_xen_priv.h"

#define PRESENT 1u
#define FRAME_MASK UINT64_C(0x000ffffffffff000)
#define ENTRIES 512u
#define XEN_FIRST UINT64_C(0xffff800000000000)
#define XEN_END UINT64_C(0xffff880000000000)

/* One frame of the guest, kept until another is asked for. */
struct window {
    struct xc_hv_xen *x;
    uint64_t mfn;
    const volatile void *at;
};

static void shut(struct window *w)
{
    if (w->at)
        xenforeignmemory_unmap(w->x->fmem, (void *)w->at, 1);
    w->at = NULL;
}

static int look(struct window *w, uint64_t mfn)
{
    xen_pfn_t frame = mfn;

    if (w->at && w->mfn == mfn)
        return 0;
    shut(w);
    if (!mfn || mfn >= w->x->pv.end_mfn)
        return -ERANGE;
    w->at = xc_hv_xen_map(w->x, w->x->domid, PROT_READ, &frame, 1);
    w->mfn = mfn;
    return w->at ? 0 : xc_hv_xen_errno();
}

static uint64_t word(const struct window *w, size_t i, unsigned width)
{
    if (width == 8)
        return ((const volatile uint64_t *)w->at)[i];
    return ((const volatile uint32_t *)w->at)[i];
}

/* ---- an array in the guest's address space ---- */

/* windows[level - 1] shows the table of that level. */
static int walk(struct window *windows, unsigned levels, uint64_t top,
                uint64_t va, uint64_t *mfn)
{
    *mfn = top;
    for (unsigned level = levels; level > 0; level--) {
        size_t slot = va >> (XC_PAGE_SHIFT + 9 * (level - 1)) & (ENTRIES - 1);
        int rc = look(&windows[level - 1], *mfn);
        uint64_t e;

        if (rc)
            return rc;
        e = word(&windows[level - 1], slot, 8);
        if (!(e & PRESENT))
            return -ERANGE;
        *mfn = (e & FRAME_MASK) >> XC_PAGE_SHIFT;
    }
    return *mfn ? 0 : -ERANGE;
}

static bool in_guest_space(uint64_t first, uint64_t bytes, unsigned width)
{
    uint64_t last = first + bytes - 1;

    if (first % XC_PAGE_SIZE || last < first)
        return false;
    if (width == 4)
        return last <= UINT32_MAX;
    if (last < UINT64_C(1) << 47)
        return true;
    return first >= XEN_END;
}

static int find_by_array(struct xc_hv_xen *x,
                         const struct xc_hv_xen_arch_shared *a, uint64_t *mfns)
{
    unsigned levels = x->pv.width == 8 ? 4 : 3;
    uint32_t low = (uint32_t)a->p2m_cr3;
    uint64_t top = levels == 4 ? a->p2m_cr3 >> XC_PAGE_SHIFT
                               : low >> XC_PAGE_SHIFT | (uint32_t)(low << 20);
    struct window windows[4] = {
        {x, 0, NULL}, {x, 0, NULL}, {x, 0, NULL}, {x, 0, NULL}};
    int rc = 0;

    if (!in_guest_space(a->p2m_vaddr, xc_pages_to_bytes(x->pv.nr_p2m),
                        x->pv.width))
        return -ERANGE;
    for (size_t i = 0; !rc && i < x->pv.nr_p2m; i++)
        rc = walk(windows, levels, top, a->p2m_vaddr + xc_pages_to_bytes(i),
                  &mfns[i]);
    for (unsigned level = 0; level < levels; level++)
        shut(&windows[level]);
    return rc;
}

/* ---- a tree ---- */

static int find_by_tree(struct xc_hv_xen *x,
                        const struct xc_hv_xen_arch_shared *a, uint64_t *mfns)
{
    size_t per_frame = XC_PAGE_SIZE / x->pv.width;
    struct window root = {x, 0, NULL}, list = {x, 0, NULL};
    int rc = 0;

    if (x->pv.nr_p2m > per_frame * per_frame)
        return -ERANGE;
    for (size_t i = 0; !rc && i < x->pv.nr_p2m; i++) {
        rc = look(&root, a->list_list);
        if (!rc)
            rc = look(&list, word(&root, i / per_frame, x->pv.width));
        if (!rc)
            mfns[i] = word(&list, i % per_frame, x->pv.width);
    }
    shut(&root);
    shut(&list);
    return rc;
}

int xc_hv_xen_p2m_find(struct xc_hv_xen *x, uint64_t *mfns)
{
    struct xc_hv_xen_arch_shared a = xc_hv_xen_arch_shared(x);

    return a.p2m_cr3 ? find_by_array(x, &a, mfns) : find_by_tree(x, &a, mfns);
}
