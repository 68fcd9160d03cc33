/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_codec.h"

void xc_sr_put_image_header(struct xc_build *b)
{
    xc_build_be64(b, XC_WIRE_MARKER);
    xc_build_be32(b, XC_WIRE_ID);
    xc_build_be32(b, XC_WIRE_VERSION);
    xc_build_be16(b, 0);
    xc_build_zeros(b, 6);
}

const char *xc_sr_get_image_header(struct xc_span *s,
                                   struct xc_sr_image_header *out)
{
    uint64_t marker = xc_span_be64(s);
    uint32_t id = xc_span_be32(s), version = xc_span_be32(s);
    uint16_t options = xc_span_be16(s);

    xc_span_skip(s, 6);
    *out = (struct xc_sr_image_header){.version = version};
    if (s->failed)
        return "image header is too short";
    if (marker != XC_WIRE_MARKER)
        return "no libxc image: its first eight bytes are not all 0xff";
    if (id != XC_WIRE_ID)
        return "no libxc image: its id is not XENF";
    if (version < XC_WIRE_VERSION_OLDEST || version > XC_WIRE_VERSION)
        return "only versions 2 and 3 can be read";
    if (options & XC_WIRE_OPTION_BIG_ENDIAN)
        return "big-endian streams cannot be read";
    return NULL;
}

void xc_sr_put_domain_header(struct xc_build *b,
                             const struct xc_sr_domain_header *h)
{
    xc_build_le32(b, h->type);
    xc_build_le16(b, XC_PAGE_SHIFT);
    xc_build_le16(b, 0);
    xc_build_le32(b, h->xen_major);
    xc_build_le32(b, h->xen_minor);
}

const char *xc_sr_get_domain_header(struct xc_span *s,
                                    struct xc_sr_domain_header *out)
{
    uint16_t page_shift;

    out->type = xc_span_le32(s);
    page_shift = xc_span_le16(s);
    xc_span_skip(s, 2);
    out->xen_major = xc_span_le32(s);
    out->xen_minor = xc_span_le32(s);
    if (s->failed)
        return "domain header is too short";
    if (out->type != XC_GUEST_PV && out->type != XC_GUEST_HVM)
        return "guest type is neither 1 (x86 PV) nor 2 (x86 HVM)";
    if (page_shift != XC_PAGE_SHIFT)
        return "page shift is not 12";
    return NULL;
}

void xc_sr_put_record(struct xc_build *b, const struct xc_sr_record *r)
{
    xc_build_le32(b, r->type);
    xc_build_le32(b, r->length);
}

const char *xc_sr_get_record(struct xc_span *s, struct xc_sr_record *out)
{
    out->type = xc_span_le32(s);
    out->length = xc_span_le32(s);
    if (s->failed)
        return "record header is too short";
    if (out->length > XC_REC_LENGTH_MAX)
        return "record is longer than 128 MiB";
    return NULL;
}

uint32_t xc_sr_padding(uint32_t length)
{
    return (XC_REC_ALIGN - length % XC_REC_ALIGN) % XC_REC_ALIGN;
}

void xc_sr_put_tsc(struct xc_build *b, const struct xc_hv_tsc *t)
{
    xc_build_le32(b, t->mode);
    xc_build_le32(b, t->khz);
    xc_build_le64(b, t->nsec);
    xc_build_le32(b, t->incarnation);
    xc_build_le32(b, 0);
}

const char *xc_sr_get_tsc(struct xc_span *s, struct xc_hv_tsc *out)
{
    out->mode = xc_span_le32(s);
    out->khz = xc_span_le32(s);
    out->nsec = xc_span_le64(s);
    out->incarnation = xc_span_le32(s);
    xc_span_skip(s, 4);
    return s->failed ? "shorter than 24 bytes" : NULL;
}

const char *xc_sr_get_page_data(struct xc_span *s, uint32_t length,
                                uint32_t *count)
{
    *count = xc_span_le32(s);
    xc_span_skip(s, 4);
    if (s->failed)
        return "shorter than 8 bytes";
    if (*count == 0)
        return "has no entries";
    if (*count > XC_PD_COUNT_MAX)
        return "has more than 32704 entries";
    if (length < sizeof(struct xc_wire_page_data) + (uint64_t)*count * 8)
        return "its entries do not fit into its length";
    return NULL;
}

uint64_t xc_sr_pd_entry(xc_pfn_t pfn, uint32_t type)
{
    return (uint64_t)type << XC_PD_TYPE_SHIFT | pfn;
}

xc_pfn_t xc_sr_pd_pfn(uint64_t entry)
{
    return entry & XC_PD_PFN_MASK;
}

uint32_t xc_sr_pd_type(uint64_t entry)
{
    return (uint32_t)(entry >> XC_PD_TYPE_SHIFT) & XC_PT_MASK;
}

bool xc_sr_type_known(uint32_t type)
{
    uint32_t table = type & ~XC_PT_PINNED;

    if (type >= XC_PT_BROKEN)
        return true;
    if (type & XC_PT_PINNED)
        return table != XC_PT_NOTAB && table <= XC_PT_L4TAB;
    return type <= XC_PT_L4TAB;
}

bool xc_sr_type_has_data(uint32_t type)
{
    return type < XC_PT_BROKEN;
}

bool xc_sr_type_in_ram(uint32_t type)
{
    return type < XC_PT_BROKEN || type == XC_PT_XALLOC;
}

const char *xc_sr_get_hvm_params(struct xc_span *s, uint32_t length,
                                 uint32_t *count)
{
    *count = xc_span_le32(s);
    xc_span_skip(s, 4);
    if (s->failed)
        return "shorter than 8 bytes";
    if (length != sizeof(struct xc_wire_hvm_params) +
                      (uint64_t)*count * sizeof(struct xc_wire_hvm_param))
        return "its length does not fit its count";
    return NULL;
}
