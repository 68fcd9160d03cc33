/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen.c - a domain of the Xen hypervisor: HVM and PVH guests, which are
 * the same to it, and PV guests.
 */
#include "hv/xc_hv_xen_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* 1 TiB. A guest's highest page is where the guest put one, and may be
 * anywhere; each one below costs a save some bits and looks at it. The domain's
 * maximum alone says too little: it follows the balloon, and what was given
 * back is still numbered. */
#define PFNS_ANYWAY (UINT64_C(1) << 28)

static_assert(offsetof(struct xc_hv_xen, base) == 0, "cast from its base");

struct xc_hv_xen *xc_hv_xen_of(const struct xc_hv *hv)
{
    return (struct xc_hv_xen *)hv;
}

int xc_hv_xen_errno(void)
{
    return errno > 0 ? -errno : -EIO;
}

static void xen_close(struct xc_hv *hv)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);

    xc_hv_buf_free(&x->cpuid);
    xc_hv_buf_free(&x->msrs);
    xc_hv_xen_pv_close(x);
    xc_bitmap_dispose(&x->there);
    if (x->fmem)
        xenforeignmemory_close(x->fmem);
    if (x->xch)
        xc_interface_close(x->xch);
    if (x->logger)
        xtl_logger_destroy(x->logger);
    free(x);
}

/* What was added behind the last PFN is in no log: it would be left out. */
static int check_size(struct xc_hv_xen *x)
{
    xen_pfn_t nr;

    if (x->out_of_reach)
        return -ERANGE;
    if (x->restore)
        return 0;
    if (xc_domain_nr_gpfns(x->xch, x->domid, &nr) < 0)
        return xc_hv_xen_errno();
    return nr > x->base.nr_pfns ? -ERANGE : 0;
}

static int xen_info(struct xc_hv *hv, struct xc_hv_info *out)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    int version = xc_version(x->xch, XENVER_version, NULL), rc;

    if (version < 0)
        return xc_hv_xen_errno();
    rc = check_size(x);
    if (rc)
        return rc;
    /* A fresh page holds what its last owner left: zero_fresh is false. */
    *out = (struct xc_hv_info){
        .type = hv->pv ? XC_GUEST_PV : XC_GUEST_HVM,
        .nr_pfns = hv->nr_pfns,
        .used_pages = x->tot_pages,
        .has_extents = true,
        .xen_major = (uint32_t)version >> 16,
        .xen_minor = (uint32_t)version & 0xffff,
    };
    return 0;
}

static int xen_memory_fd(struct xc_hv *hv)
{
    return -ENOTSUP;
}

static int xen_lent_fd(struct xc_hv *hv)
{
    return -ENOTSUP;
}

static const struct xc_hv_ops xen_ops = {
    .name = "xen",
    .close = xen_close,
    .info = xen_info,
    .next_run = xc_hv_xen_next_run,
    .page_types = xc_hv_xen_page_types,
    .map_batch = xc_hv_xen_map_batch,
    .unmap_batch = xc_hv_xen_unmap_batch,
    .memory_fd = xen_memory_fd,
    .lent_fd = xen_lent_fd,
    .populate = xc_hv_xen_populate,
    .populate_extent = xc_hv_xen_populate_extent,
    .unpopulate = xc_hv_xen_unpopulate,
    .write_pages = xc_hv_xen_write_pages,
    .zero_pages = xc_hv_xen_zero_pages,
    .dirty_start = xc_hv_xen_dirty_start,
    .dirty_read_clear = xc_hv_xen_dirty_read_clear,
    .dirty_stop = xc_hv_xen_dirty_stop,
    .dirty_method = xc_hv_xen_dirty_method,
    .get_blob = xc_hv_xen_get_blob,
    .set_blob = xc_hv_xen_set_blob,
    .get_tsc = xc_hv_xen_get_tsc,
    .set_tsc = xc_hv_xen_set_tsc,
};

static int open_handles(struct xc_hv_xen *x)
{
    /* libxenctrl's own words on stderr would repeat what our callers say. */
    x->logger = (xentoollog_logger *)xtl_createlogger_stdiostream(
        stderr, XTL_CRITICAL, 0);
    if (!x->logger)
        return -ENOMEM;
    x->xch = xc_interface_open(x->logger, NULL, 0);
    if (!x->xch)
        return xc_hv_xen_errno();
    x->fmem = xenforeignmemory_open(x->logger, 0);
    return x->fmem ? 0 : xc_hv_xen_errno();
}

static int ask_domain(struct xc_hv_xen *x, xc_domaininfo_t *info)
{
    int r = xc_domain_getinfolist(x->xch, x->domid, 1, info);

    if (r < 0)
        return xc_hv_xen_errno();
    /* it answers with the next domain where there is none of this id */
    return r == 1 && info->domain == x->domid ? 0 : -ENOENT;
}

int xc_hv_xen_count(struct xc_hv_xen *x, uint64_t *count)
{
    xc_domaininfo_t info;
    int rc = ask_domain(x, &info);

    *count = rc ? 0 : info.tot_pages + info.shr_pages;
    return rc;
}

/* How many PFNs a guest that is saved can have: it has not had more memory than
 * the host, or than it may have now. */
static int most_pfns(struct xc_hv_xen *x, uint64_t max_pages, uint64_t *most)
{
    unsigned long end_mfn;

    if (xc_maximum_ram_page(x->xch, &end_mfn) < 0)
        return xc_hv_xen_errno();
    *most = XC_XEN_PFN_4GIB + (max_pages > end_mfn ? max_pages : end_mfn);
    if (*most < PFNS_ANYWAY)
        *most = PFNS_ANYWAY;
    return 0;
}

static int measure_saved(struct xc_hv_xen *x, const xc_domaininfo_t *info)
{
    uint64_t most;
    xen_pfn_t nr;
    int rc = most_pfns(x, info->max_pages, &most);

    if (rc)
        return rc;
    if (xc_domain_nr_gpfns(x->xch, x->domid, &nr) < 0)
        return xc_hv_xen_errno();
    x->base.nr_pfns = nr;
    return nr > most ? -ERANGE : 0;
}

static int measure(struct xc_hv_xen *x)
{
    xc_domaininfo_t info;
    int rc = ask_domain(x, &info);

    if (rc)
        return rc;
    x->tot_pages = info.tot_pages;
    /* what does not fit below the devices is never more than all of it */
    x->base.nr_pfns = XC_XEN_PFN_4GIB + info.max_pages;
    if (!x->restore)
        rc = measure_saved(x, &info);
    if (!rc && x->base.nr_pfns >= XC_PFN_LIMIT)
        rc = -ERANGE;
    if (rc || info.flags & XEN_DOMINF_hvm_guest)
        return rc;
    /* what a PV guest says itself */
    return x->base.nr_pfns ? xc_hv_xen_pv_open(x, &info) : -ERANGE;
}

int xc_hv_xen_open(const struct xc_hv_xen_params *p, struct xc_hv **out)
{
    struct xc_hv_xen *x = calloc(1, sizeof(*x));
    int rc;

    *out = NULL;
    if (!x)
        return -ENOMEM;
    x->base.ops = &xen_ops;
    x->domid = p->domid;
    x->restore = p->restore;
    x->pv.store_port = p->store_port;
    x->pv.console_port = p->console_port;
    rc = open_handles(x);
    if (!rc)
        rc = measure(x);
    if (rc == -ERANGE) { /* to be told by info, whose caller has a message */
        x->out_of_reach = true;
        rc = 0;
    }
    if (!rc && !x->restore)
        xc_hv_xen_log_forget(x);
    if (rc) {
        xen_close(&x->base);
        return rc;
    }
    *out = &x->base;
    return 0;
}
