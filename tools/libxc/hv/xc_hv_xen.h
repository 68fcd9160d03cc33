/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_hv_xen.h - a domain of the Xen hypervisor, through a plugin: whoever wants
 * it opens xl-hv-xen.so and asks for XC_HV_XEN_OPEN, so that a box without
 * Xen's libraries runs the same programs.
 *
 * Owns:      its own handles to the hypervisor, opened by open: call it before
 *            the door to open() is shut.
 * Errors:    -ENOENT: no such domain. A guest whose own account of itself
 *            cannot be true is opened, and its info fails with -ERANGE.
 */
#ifndef XC_HV_XEN_H
#define XC_HV_XEN_H

#include "hv/xc_hv.h"

#define XC_HV_XEN_PLUGIN "xl-hv-xen.so"
#define XC_HV_XEN_OPEN "xc_hv_xen_open"

struct xc_hv_xen_params {
    uint32_t domid;
    /* A new domain that is to be filled: it has no pages yet, so its size
     * follows from the memory that it may have. */
    bool restore;
    /* restore: its ends of its channels to the host. A PV guest finds them in
     * its start info, which the restore writes. */
    uint32_t store_port, console_port;
};

typedef int xc_hv_xen_open_fn(const struct xc_hv_xen_params *p,
                              struct xc_hv **out);
__attribute__((visibility("default"))) xc_hv_xen_open_fn xc_hv_xen_open;

#endif
