/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_order.h - which record may stand where, and how long it may be.
 *
 * One table for the reader and the writer (spec 4 and 6). Pure.
 *
 *   STATIC --STATIC_DATA_END--> MEMORY --VERIFY--> VERIFY
 *     (version 2: the first record that belongs behind it ends STATIC)
 *   MEMORY, VERIFY --state record--> STATE --END--> DONE
 */
#ifndef XC_SR_ORDER_H
#define XC_SR_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/xc_hv.h"
#include "stream/xc_sr_codec.h"

/* Whose stream it is: decides what may occur. */
enum xc_sr_profile {
    XC_SR_PV = 1,
    XC_SR_HVM = 2,
    XC_SR_QEMU = 4, /* an HVM stream of a QEMU host */
};

enum xc_sr_phase {
    XC_SR_STATIC = 1,
    XC_SR_MEMORY = 2,
    XC_SR_VERIFYING = 4,
    XC_SR_STATE = 8,
    XC_SR_DONE = 16,
};

struct xc_sr_order {
    enum xc_sr_profile profile;
    uint32_t version;
    enum xc_sr_phase phase;
    uint32_t seen; /* bit: record type */
};

struct xc_sr_step {
    const char *broken; /* the rule, or NULL */
    bool skip;          /* unknown and optional */
    bool static_done;   /* static data ended with (or before) this record */
};

enum xc_sr_profile xc_sr_profile_of(const struct xc_hv_info *info);
void xc_sr_order_init(struct xc_sr_order *o, enum xc_sr_profile profile,
                      uint32_t version);
struct xc_sr_step xc_sr_order_step(struct xc_sr_order *o,
                                   const struct xc_sr_record *r);
bool xc_sr_order_seen(const struct xc_sr_order *o, enum xc_rec_type type);

/* "PAGE_DATA"; "unknown record" for what has no name. */
const char *xc_sr_record_name(uint32_t type);

#endif
