/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen_pv.c - a PV domain: its ops, and where its pages are.
 *
 * To the hypervisor its pages are machine frames. Save: the guest's own list
 * names them, and each frame must name the page back. Restore: populate says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/xc_hv_xen_priv.h"

#define LEVEL(type) ((type) >> 28 & 7u)

static uint64_t **made_piece(struct xc_hv_xen *x, xc_pfn_t pfn)
{
    return &x->pv.made[pfn / XC_XEN_MADE_PFNS];
}

static uint64_t made(struct xc_hv_xen *x, xc_pfn_t pfn)
{
    const uint64_t *piece = *made_piece(x, pfn);

    return piece ? piece[pfn % XC_XEN_MADE_PFNS] : XC_INVALID_MFN;
}

static int note_made(struct xc_hv_xen *x, xc_pfn_t pfn, uint64_t mfn)
{
    uint64_t **piece = made_piece(x, pfn);

    if (!*piece) {
        *piece = malloc(XC_XEN_MADE_PFNS * sizeof(**piece));
        if (!*piece)
            return -ENOMEM;
        memset(*piece, 0xff, XC_XEN_MADE_PFNS * sizeof(**piece));
    }
    (*piece)[pfn % XC_XEN_MADE_PFNS] = mfn;
    return 0;
}

int xc_hv_xen_pv_made(struct xc_hv_xen *x, const xc_pfn_t *pfns, size_t n,
                      const xen_pfn_t *mfns, bool in_a_row)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++)
        rc = in_a_row ? note_made(x, pfns[0] + i, mfns[0] + i)
                      : note_made(x, pfns[i], mfns[i]);
    return rc;
}

int xc_hv_xen_gfns(struct xc_hv_xen *x, const xc_pfn_t *pfns, size_t n,
                   xen_pfn_t *gfns)
{
    if (!x->base.pv) {
        memcpy(gfns, pfns, n * sizeof(*gfns));
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        gfns[i] = x->restore ? made(x, pfns[i]) : xc_hv_xen_p2m(x, pfns[i]);
    return x->pv.m2p_rc;
}

static int pv_info(struct xc_hv *hv, struct xc_hv_pv_info *out)
{
    const struct xc_hv_xen_frames *pv = &xc_hv_xen_of(hv)->pv;

    *out = (struct xc_hv_pv_info){
        .width = pv->width,
        .nr_vcpus = pv->nr_vcpus,
        .shared_info_mfn = pv->shared_info_mfn,
        .compat_m2p_mfn = pv->compat_m2p_mfn,
        .store_port = pv->store_port,
        .console_port = pv->console_port,
    };
    return 0;
}

static int list_frames(struct xc_hv_xen *x, struct xc_hv_buf *out)
{
    xc_pfn_t *frames = malloc(x->pv.nr_p2m * sizeof(*frames));

    if (!frames)
        return -ENOMEM;
    for (size_t i = 0; i < x->pv.nr_p2m; i++) {
        frames[i] = xc_hv_xen_pfn_of(x, x->pv.p2m_mfns[i]);
        if (frames[i] == XC_INVALID_PFN) {
            free(frames);
            return x->pv.m2p_rc ? x->pv.m2p_rc : -ERANGE;
        }
    }
    *out = (struct xc_hv_buf){frames, x->pv.nr_p2m * sizeof(*frames)};
    return 0;
}

static int pv_p2m_frames(struct xc_hv *hv, struct xc_hv_buf *out)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    int rc = xc_hv_xen_p2m_map(x);

    return rc ? rc : list_frames(x, out);
}

static int pv_p2m_stable(struct xc_hv *hv)
{
    const struct xc_hv_xen *x = xc_hv_xen_of(hv);

    return xc_hv_xen_p2m_generation(x) == x->pv.generation ? 0 : -ESTALE;
}

static int pv_pfns_of(struct xc_hv *hv, const uint64_t *mfns, size_t n,
                      xc_pfn_t *pfns)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);

    for (size_t i = 0; i < n; i++)
        pfns[i] = xc_hv_xen_pfn_of(x, mfns[i]);
    return x->pv.m2p_rc;
}

static int pv_mfns_of(struct xc_hv *hv, const xc_pfn_t *pfns, size_t n,
                      uint64_t *mfns)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++)
        rc = xc_hv_xen_gfns(xc_hv_xen_of(hv), pfns + i, 1, mfns + i);
    return rc;
}

static int get_width(struct xc_hv_xen *x)
{
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_get_address_size,
        .domain = (domid_t)x->domid,
    };

    if (xc_domctl(x->xch, &op) < 0)
        return xc_hv_xen_errno();
    x->pv.width = op.u.address_size.size / 8;
    return x->pv.width == 4 || x->pv.width == 8 ? 0 : -EIO;
}

static int pv_set_width(struct xc_hv *hv, unsigned width)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_set_address_size,
        .domain = (domid_t)x->domid,
        .u.address_size.size = width * 8,
    };

    if (x->pv.width == width)
        return 0;
    if (xc_domctl(x->xch, &op) < 0)
        return xc_hv_xen_errno();
    x->pv.width = width;
    return 0;
}

static int pin_some(struct xc_hv_xen *x, const xc_pfn_t *pfns,
                    const uint32_t *types, unsigned n)
{
    static const unsigned commands[] = {
        0,
        MMUEXT_PIN_L1_TABLE,
        MMUEXT_PIN_L2_TABLE,
        MMUEXT_PIN_L3_TABLE,
        MMUEXT_PIN_L4_TABLE,
    };
    struct mmuext_op ops[XC_BATCH_MAX];

    for (unsigned i = 0; i < n; i++) {
        unsigned level = LEVEL(types[i]);

        if (level < 1 || level > 4)
            return -EINVAL;
        ops[i] = (struct mmuext_op){
            .cmd = commands[level],
            .arg1.mfn = made(x, pfns[i]),
        };
    }
    return xc_mmuext_op(x->xch, ops, n, x->domid) < 0 ? xc_hv_xen_errno() : 0;
}

static int pv_pin(struct xc_hv *hv, const xc_pfn_t *pfns, const uint32_t *types,
                  size_t n)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i += XC_BATCH_MAX)
        rc = pin_some(xc_hv_xen_of(hv), pfns + i, types + i,
                      (unsigned)(n - i < XC_BATCH_MAX ? n - i : XC_BATCH_MAX));
    return rc;
}

static const struct xc_hv_pv_ops pv_ops = {
    .info = pv_info,
    .p2m_frames = pv_p2m_frames,
    .p2m_stable = pv_p2m_stable,
    .pfns_of = pv_pfns_of,
    .mfns_of = pv_mfns_of,
    .set_width = pv_set_width,
    .pin = pv_pin,
    .get_shared_info = xc_hv_xen_get_shared_info,
    .set_shared_info = xc_hv_xen_set_shared_info,
    .get_vcpu = xc_hv_xen_get_vcpu,
    .set_vcpu = xc_hv_xen_set_vcpu,
};

static int open_restore(struct xc_hv_xen *x)
{
    size_t pieces = (size_t)(x->base.nr_pfns / XC_XEN_MADE_PFNS + 1);

    x->pv.made = calloc(pieces, sizeof(*x->pv.made));
    return x->pv.made ? 0 : -ENOMEM;
}

static int open_save(struct xc_hv_xen *x)
{
    xen_pfn_t mfn = x->pv.shared_info_mfn;
    int rc;

    x->pv.shared_info = xc_hv_xen_map(x, x->domid, PROT_READ, &mfn, 1);
    if (!x->pv.shared_info)
        return xc_hv_xen_errno();
    rc = xc_hv_xen_m2p_open(x);
    return rc ? rc : xc_hv_xen_p2m_map(x);
}

int xc_hv_xen_pv_open(struct xc_hv_xen *x, const xc_domaininfo_t *info)
{
    int rc;

    x->base.pv = &pv_ops;
    x->pv.nr_vcpus = info->max_vcpu_id + 1;
    x->pv.shared_info_mfn = info->shared_info_frame;
    rc = get_width(x);
    if (rc)
        return rc;
    return x->restore ? open_restore(x) : open_save(x);
}

void xc_hv_xen_pv_close(struct xc_hv_xen *x)
{
    size_t pieces = (size_t)(x->base.nr_pfns / XC_XEN_MADE_PFNS + 1);

    for (size_t i = 0; x->pv.made && i < pieces; i++)
        free(x->pv.made[i]);
    free(x->pv.made);
    xc_hv_xen_p2m_unmap(x);
    xc_hv_xen_m2p_close(x);
    if (x->pv.shared_info)
        xenforeignmemory_unmap(x->fmem, (void *)x->pv.shared_info, 1);
}
