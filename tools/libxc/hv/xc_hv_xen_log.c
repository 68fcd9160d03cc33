/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xc_hv_xen_log.c - the hypervisor's log of dirty pages. */
#include <errno.h>
#include <string.h>

#include "hv/xc_hv_xen_priv.h"

static int control(struct xc_hv_xen *x, unsigned op)
{
    if (xc_shadow_control(x->xch, x->domid, op, NULL, 0) < 0)
        return xc_hv_xen_errno();
    return 0;
}

/* Nothing to be told where it was off, or cannot be on. */
void xc_hv_xen_log_forget(struct xc_hv_xen *x)
{
    (void)control(x, XEN_DOMCTL_SHADOW_OP_OFF);
}

int xc_hv_xen_dirty_start(struct xc_hv *hv)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    int rc = xc_hv_xen_layout_begin(x);

    if (rc)
        return rc;
    x->guest_stands = false;
    rc = control(x, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
    if (!rc || rc == -EOPNOTSUPP)
        return rc == -EOPNOTSUPP ? -ENOTSUP : rc;
    /* A display may be tracking its video memory: no reason to give up. */
    xc_hv_xen_log_forget(x);
    return control(x, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
}

static int read_clear(struct xc_hv *hv, struct xc_bitmap *into, bool final)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    uint64_t nr_words = (hv->nr_pfns + 63) / 64;
    size_t nr_pages = xc_bytes_to_pages_up(nr_words * 8);
    unsigned mode = final ? XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL : 0;
    DECLARE_HYPERCALL_BUFFER(uint64_t, words);
    long long done;
    int rc = 0;

    words = xc_hypercall_buffer_alloc_pages(x->xch, words, nr_pages);
    if (!words)
        return -ENOMEM;
    memset(words, 0, nr_words * 8);
    done =
        xc_logdirty_control(x->xch, x->domid, XEN_DOMCTL_SHADOW_OP_CLEAN,
                            HYPERCALL_BUFFER(words), hv->nr_pfns, mode, NULL);
    if (done < 0)
        rc = xc_hv_xen_errno();
    else if ((uint64_t)done != hv->nr_pfns)
        rc = -EIO; /* it told of fewer than it was asked for */
    for (uint64_t w = 0; !rc && w < nr_words; w++)
        into->words[w] |= words[w];
    xc_hypercall_buffer_free_pages(x->xch, words, nr_pages);
    return rc;
}

int xc_hv_xen_dirty_read_clear(struct xc_hv *hv, struct xc_bitmap *into,
                               bool final)
{
    struct xc_hv_xen *x = xc_hv_xen_of(hv);
    int rc = xc_hv_xen_layout_again(x, into, final);

    if (!rc)
        rc = read_clear(hv, into, final);
    x->guest_stands = final;
    return rc;
}

int xc_hv_xen_dirty_stop(struct xc_hv *hv)
{
    return control(xc_hv_xen_of(hv), XEN_DOMCTL_SHADOW_OP_OFF);
}

const char *xc_hv_xen_dirty_method(const struct xc_hv *hv)
{
    return "the hypervisor's log";
}
