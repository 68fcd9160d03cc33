/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_codec.h - headers, record frames and fixed records: bytes <-> structs.
 *
 * Owns:      nothing. Pure: no fd, no allocation, no log.
 * Errors:    *_get returns NULL, or the rule that was broken as a text that
 *            can stand behind "record, offset: ". *_put fail only by the
 *            builder's own flag.
 */
#ifndef XC_SR_CODEC_H
#define XC_SR_CODEC_H

#include <stdbool.h>

#include "base/xc_span.h"
#include "hv/xc_hv.h"
#include "stream/xc_sr_wire.h"

struct xc_sr_image_header {
    uint32_t version;
};

struct xc_sr_domain_header {
    uint32_t type; /* enum xc_guest_type */
    uint32_t xen_major, xen_minor;
};

struct xc_sr_record {
    uint32_t type, length;
};

void xc_sr_put_image_header(struct xc_build *b);
const char *xc_sr_get_image_header(struct xc_span *s,
                                   struct xc_sr_image_header *out);

void xc_sr_put_domain_header(struct xc_build *b,
                             const struct xc_sr_domain_header *h);
const char *xc_sr_get_domain_header(struct xc_span *s,
                                    struct xc_sr_domain_header *out);

void xc_sr_put_record(struct xc_build *b, const struct xc_sr_record *r);
const char *xc_sr_get_record(struct xc_span *s, struct xc_sr_record *out);
/* Zero bytes behind a body. */
uint32_t xc_sr_padding(uint32_t length);

void xc_sr_put_tsc(struct xc_build *b, const struct xc_hv_tsc *t);
const char *xc_sr_get_tsc(struct xc_span *s, struct xc_hv_tsc *out);

/* PAGE_DATA's fixed part; length is the record's. */
const char *xc_sr_get_page_data(struct xc_span *s, uint32_t length,
                                uint32_t *count);
uint64_t xc_sr_pd_entry(xc_pfn_t pfn, uint32_t type);
xc_pfn_t xc_sr_pd_pfn(uint64_t entry);
uint32_t xc_sr_pd_type(uint64_t entry);
bool xc_sr_type_known(uint32_t type);
bool xc_sr_type_has_data(uint32_t type);
bool xc_sr_type_in_ram(uint32_t type);

/* HVM_PARAMS' fixed part. */
const char *xc_sr_get_hvm_params(struct xc_span *s, uint32_t length,
                                 uint32_t *count);

#endif
