/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_wire.h - the libxc stream's numbers (docs/specs/libxc-stream.md).
 *
 * No logic. The structs show the layout and give the sizes; fields are read
 * and written through xc_span.h alone. The image header is big-endian, all
 * else little-endian.
 */
#ifndef XC_SR_WIRE_H
#define XC_SR_WIRE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Spec 2: image header */
struct xc_wire_image_header {
    uint64_t marker;
    uint32_t id, version;
    uint16_t options;
    uint8_t reserved[6];
};
static_assert(sizeof(struct xc_wire_image_header) == 24, "spec 2");
static_assert(offsetof(struct xc_wire_image_header, options) == 16, "spec 2");

#define XC_WIRE_MARKER UINT64_C(0xffffffffffffffff)
#define XC_WIRE_ID 0x58454e46u /* "XENF" */
#define XC_WIRE_VERSION 3u
#define XC_WIRE_VERSION_OLDEST 2u
#define XC_WIRE_OPTION_BIG_ENDIAN 1u

/* Spec 3: domain header */
struct xc_wire_domain_header {
    uint32_t type;
    uint16_t page_shift, reserved;
    uint32_t xen_major, xen_minor;
};
static_assert(sizeof(struct xc_wire_domain_header) == 16, "spec 3");

/* Spec 4: records */
struct xc_wire_record {
    uint32_t type, length;
};
static_assert(sizeof(struct xc_wire_record) == 8, "spec 4");

#define XC_REC_OPTIONAL 0x80000000u
#define XC_REC_LENGTH_MAX (128u << 20)
#define XC_REC_ALIGN 8u

enum xc_rec_type {
    XC_REC_END = 0x00,
    XC_REC_PAGE_DATA = 0x01,
    XC_REC_X86_PV_INFO = 0x02,
    XC_REC_X86_PV_P2M_FRAMES = 0x03,
    XC_REC_X86_PV_VCPU_BASIC = 0x04,
    XC_REC_X86_PV_VCPU_EXTENDED = 0x05,
    XC_REC_X86_PV_VCPU_XSAVE = 0x06,
    XC_REC_SHARED_INFO = 0x07,
    XC_REC_X86_TSC_INFO = 0x08,
    XC_REC_HVM_CONTEXT = 0x09,
    XC_REC_HVM_PARAMS = 0x0a,
    XC_REC_TOOLSTACK = 0x0b,
    XC_REC_X86_PV_VCPU_MSRS = 0x0c,
    XC_REC_VERIFY = 0x0d,
    XC_REC_CHECKPOINT = 0x0e,
    XC_REC_CHECKPOINT_DIRTY_PFN_LIST = 0x0f,
    XC_REC_STATIC_DATA_END = 0x10,
    XC_REC_X86_CPUID_POLICY = 0x11,
    XC_REC_X86_MSR_POLICY = 0x12,
    XC_REC_NR
};

/* Spec 5.1: PAGE_DATA */
struct xc_wire_page_data {
    uint32_t count, reserved;
};
static_assert(sizeof(struct xc_wire_page_data) == 8, "spec 5.1");

#define XC_PD_COUNT_MAX 32704u /* entries a record may have, for a reader */
#define XC_PD_PFN_MASK ((UINT64_C(1) << 52) - 1)
#define XC_PD_TYPE_SHIFT 32u /* PFINFO bits 31-28 lie in bits 63-60 */

/* Page types, as PFINFO (nibble << 28) */
#define XC_PT_NOTAB 0x00000000u
#define XC_PT_L4TAB 0x40000000u
#define XC_PT_PINNED 0x80000000u
#define XC_PT_BROKEN 0xd0000000u
#define XC_PT_XALLOC 0xe0000000u
#define XC_PT_XTAB 0xf0000000u
#define XC_PT_MASK 0xf0000000u

/* Spec 5.2 ... : entries of the array records */
struct xc_wire_tsc_info {
    uint32_t mode, khz;
    uint64_t nsec;
    uint32_t incarnation, reserved;
};
static_assert(sizeof(struct xc_wire_tsc_info) == 24, "spec 5.2");

struct xc_wire_hvm_params {
    uint32_t count, reserved;
};
static_assert(sizeof(struct xc_wire_hvm_params) == 8, "spec 5.4");

struct xc_wire_hvm_param {
    uint64_t index, value;
};
static_assert(sizeof(struct xc_wire_hvm_param) == 16, "spec 5.4");

/* Spec 5.7 ... : PV */
struct xc_wire_pv_info {
    uint8_t width, levels, reserved[6];
};
static_assert(sizeof(struct xc_wire_pv_info) == 8, "spec 5.7");

struct xc_wire_p2m_frames {
    uint32_t start, end;
};
static_assert(sizeof(struct xc_wire_p2m_frames) == 8, "spec 5.8");

struct xc_wire_vcpu {
    uint32_t id, reserved;
};
static_assert(sizeof(struct xc_wire_vcpu) == 8, "spec 5.9");

#define XC_WIRE_VCPU_EXTENDED_MAX 128u
#define XC_WIRE_VCPU_XSAVE_MIN 16u
#define XC_WIRE_VCPU_XSAVE_MAX 65536u
#define XC_WIRE_VCPU_MSRS_MAX 1024u

#define XC_WIRE_CPUID_LEAF_BYTES 24u
#define XC_WIRE_MSR_ENTRY_BYTES 16u

/* HVM parameters that a reader treats itself (spec 5.4) */
#define XC_HVM_PARAM_STORE_PFN 1u
#define XC_HVM_PARAM_PAE_ENABLED 4u
#define XC_HVM_PARAM_IOREQ_PFN 5u
#define XC_HVM_PARAM_BUFIOREQ_PFN 6u
#define XC_HVM_PARAM_CONSOLE_PFN 17u

#endif
