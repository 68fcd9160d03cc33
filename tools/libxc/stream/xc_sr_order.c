/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_order.h"

#include "stream/xc_sr_pv_layout.h"

#define ALL (XC_SR_PV | XC_SR_HVM | XC_SR_QEMU)
#define ON_XEN (XC_SR_PV | XC_SR_HVM)
#define AFTER_STATIC (XC_SR_MEMORY | XC_SR_VERIFYING | XC_SR_STATE)
#define ANY (XC_REC_LENGTH_MAX)
#define VCPU_MAX(bytes) (sizeof(struct xc_wire_vcpu) + (bytes))

/* What a PV guest's record needs to have been there. */
#define NEEDS_INFO 1u
#define NEEDS_P2M 2u
#define NEEDS_BOTH (NEEDS_INFO | NEEDS_P2M)

struct rule {
    const char *name;
    const char *refused; /* by name, whatever the stream */
    uint8_t profiles;    /* enum xc_sr_profile */
    uint8_t phases;      /* enum xc_sr_phase: may stand here */
    uint8_t next;        /* phase behind it; 0: unchanged */
    bool once, since_v3;
    uint8_t needs;     /* PV: NEEDS_INFO, NEEDS_P2M */
    uint32_t min, max; /* length */
    uint32_t unit;     /* length - base is a multiple of it; 0: no rule */
    uint32_t base;
};

static const struct rule rules[XC_REC_NR] = {
    [XC_REC_END] = {"END", NULL, ALL, AFTER_STATIC, XC_SR_DONE,
                    .needs = NEEDS_BOTH},
    [XC_REC_PAGE_DATA] = {"PAGE_DATA", NULL, ALL,
                          XC_SR_MEMORY | XC_SR_VERIFYING, .needs = NEEDS_BOTH,
                          .min = 16, .max = ANY, .unit = 8},
    [XC_REC_X86_PV_INFO] = {"X86_PV_INFO", NULL, XC_SR_PV, XC_SR_STATIC,
                            .once = true, .min = 8, .max = ANY},
    [XC_REC_X86_PV_P2M_FRAMES] = {"X86_PV_P2M_FRAMES", NULL, XC_SR_PV,
                                  XC_SR_MEMORY | XC_SR_VERIFYING,
                                  .needs = NEEDS_INFO, .min = 16, .max = ANY,
                                  .unit = 8},
    [XC_REC_X86_PV_VCPU_BASIC] = {"X86_PV_VCPU_BASIC", NULL, XC_SR_PV,
                                  AFTER_STATIC, XC_SR_STATE,
                                  .needs = NEEDS_BOTH, .min = 8,
                                  .max = VCPU_MAX(XC_SR_VCPU_BASIC_MAX)},
    [XC_REC_X86_PV_VCPU_EXTENDED] = {"X86_PV_VCPU_EXTENDED", NULL, XC_SR_PV,
                                     AFTER_STATIC, XC_SR_STATE,
                                     .needs = NEEDS_BOTH, .min = 8,
                                     .max =
                                         VCPU_MAX(XC_WIRE_VCPU_EXTENDED_MAX)},
    [XC_REC_X86_PV_VCPU_XSAVE] = {"X86_PV_VCPU_XSAVE", NULL, XC_SR_PV,
                                  AFTER_STATIC, XC_SR_STATE,
                                  .needs = NEEDS_BOTH, .min = 8,
                                  .max = VCPU_MAX(XC_WIRE_VCPU_XSAVE_MAX)},
    [XC_REC_SHARED_INFO] = {"SHARED_INFO", NULL, XC_SR_PV, AFTER_STATIC,
                            XC_SR_STATE, .once = true, .needs = NEEDS_INFO,
                            .min = 4096, .max = 4096},
    [XC_REC_X86_TSC_INFO] = {"X86_TSC_INFO", NULL, ON_XEN, AFTER_STATIC,
                             .min = 24, .max = 24},
    [XC_REC_HVM_CONTEXT] = {"HVM_CONTEXT", NULL, XC_SR_HVM, AFTER_STATIC,
                            XC_SR_STATE, .once = true, .min = 1, .max = ANY},
    [XC_REC_HVM_PARAMS] = {"HVM_PARAMS", NULL, XC_SR_HVM, AFTER_STATIC,
                           XC_SR_STATE, .min = 8, .max = ANY, .unit = 16,
                           .base = 8},
    [XC_REC_TOOLSTACK] = {"TOOLSTACK", "no release ever wrote such a record"},
    [XC_REC_X86_PV_VCPU_MSRS] = {"X86_PV_VCPU_MSRS", NULL, XC_SR_PV,
                                 AFTER_STATIC, XC_SR_STATE, .needs = NEEDS_BOTH,
                                 .min = 8,
                                 .max = VCPU_MAX(XC_WIRE_VCPU_MSRS_MAX *
                                                 XC_WIRE_MSR_ENTRY_BYTES),
                                 .unit = 16, .base = 8},
    [XC_REC_VERIFY] = {"VERIFY", NULL, ALL, XC_SR_MEMORY, XC_SR_VERIFYING,
                       .once = true},
    [XC_REC_CHECKPOINT] = {"CHECKPOINT",
                           "checkpointed streams (Remus, COLO) cannot be "
                           "restored"},
    [XC_REC_CHECKPOINT_DIRTY_PFN_LIST] =
        {"CHECKPOINT_DIRTY_PFN_LIST",
         "checkpointed streams (COLO) cannot be restored"},
    [XC_REC_STATIC_DATA_END] = {"STATIC_DATA_END", NULL, ALL, XC_SR_STATIC,
                                XC_SR_MEMORY, .once = true, .since_v3 = true},
    [XC_REC_X86_CPUID_POLICY] = {"X86_CPUID_POLICY", NULL, ON_XEN, XC_SR_STATIC,
                                 .once = true, .since_v3 = true,
                                 .min = XC_WIRE_CPUID_LEAF_BYTES, .max = ANY,
                                 .unit = XC_WIRE_CPUID_LEAF_BYTES},
    [XC_REC_X86_MSR_POLICY] = {"X86_MSR_POLICY", NULL, ON_XEN, XC_SR_STATIC,
                               .once = true, .since_v3 = true,
                               .min = XC_WIRE_MSR_ENTRY_BYTES, .max = ANY,
                               .unit = XC_WIRE_MSR_ENTRY_BYTES},
};

enum xc_sr_profile xc_sr_profile_of(const struct xc_hv_info *info)
{
    if (info->type == XC_GUEST_PV)
        return XC_SR_PV;
    return info->qemu_host ? XC_SR_QEMU : XC_SR_HVM;
}

void xc_sr_order_init(struct xc_sr_order *o, enum xc_sr_profile profile,
                      uint32_t version)
{
    *o = (struct xc_sr_order){profile, version, XC_SR_STATIC, 0};
}

bool xc_sr_order_seen(const struct xc_sr_order *o, enum xc_rec_type type)
{
    return o->seen & (1u << type);
}

const char *xc_sr_record_name(uint32_t type)
{
    if (type < XC_REC_NR)
        return rules[type].name;
    return type & XC_REC_OPTIONAL ? "unknown optional record"
                                  : "unknown record";
}

static const char *bad_length(const struct rule *rule, uint32_t length)
{
    if (rule->max == 0 && length != 0)
        return "its length must be 0";
    if (length < rule->min)
        return "it is too short";
    if (length > rule->max)
        return "it is too long";
    if (rule->unit && (length - rule->base) % rule->unit)
        return "its length is not a whole number of entries";
    return NULL;
}

static const char *not_here(const struct xc_sr_order *o, uint32_t type)
{
    switch (o->phase) {
    case XC_SR_STATIC:
        return "it must not stand before STATIC_DATA_END";
    case XC_SR_MEMORY:
    case XC_SR_VERIFYING:
        return type == XC_REC_VERIFY ? "only one VERIFY may be there"
                                     : "it must stand before the memory";
    case XC_SR_STATE:
        return "it must not stand behind the guest's state";
    case XC_SR_DONE:
        break;
    }
    return "nothing may stand behind END";
}

static const char *wrong_stream(const struct xc_sr_order *o)
{
    switch (o->profile) {
    case XC_SR_PV:
        return "a PV guest's stream has no such record";
    case XC_SR_HVM:
        return "an HVM guest's stream has no such record";
    case XC_SR_QEMU:
        break;
    }
    return "a QEMU host's image has no such record; was this guest saved on "
           "Xen?";
}

static const char *pv_lacks(const struct xc_sr_order *o,
                            const struct rule *rule)
{
    if (o->profile != XC_SR_PV)
        return NULL;
    if ((rule->needs & NEEDS_INFO) && !xc_sr_order_seen(o, XC_REC_X86_PV_INFO))
        return "it must not stand before X86_PV_INFO";
    if ((rule->needs & NEEDS_P2M) &&
        !xc_sr_order_seen(o, XC_REC_X86_PV_P2M_FRAMES))
        return "it must not stand before X86_PV_P2M_FRAMES";
    return NULL;
}

static const char *check(const struct xc_sr_order *o, const struct rule *rule,
                         const struct xc_sr_record *r)
{
    const char *lack;

    if (rule->refused)
        return rule->refused;
    if (!(rule->profiles & o->profile))
        return wrong_stream(o);
    if (rule->since_v3 && o->version < 3)
        return "a version 2 stream has no such record";
    if (rule->once && xc_sr_order_seen(o, (enum xc_rec_type)r->type))
        return "it must not stand there twice";
    if (!(rule->phases & o->phase))
        return not_here(o, r->type);
    lack = pv_lacks(o, rule);
    return lack ? lack : bad_length(rule, r->length);
}

/* Version 2 has no STATIC_DATA_END: what belongs behind it stands for it. */
static bool infer_static_end(struct xc_sr_order *o, const struct rule *rule)
{
    if (o->version >= 3 || o->phase != XC_SR_STATIC || rule->refused ||
        (rule->phases & XC_SR_STATIC))
        return false;
    o->phase = XC_SR_MEMORY;
    return true;
}

struct xc_sr_step xc_sr_order_step(struct xc_sr_order *o,
                                   const struct xc_sr_record *r)
{
    struct xc_sr_step step = {0};
    const struct rule *rule;

    if (r->type >= XC_REC_NR) {
        step.skip = r->type & XC_REC_OPTIONAL;
        if (!step.skip)
            step.broken = "a mandatory record of an unknown type; a newer "
                          "version may have written it";
        return step;
    }
    rule = &rules[r->type];
    step.static_done = infer_static_end(o, rule);
    step.broken = check(o, rule, r);
    if (step.broken)
        return step;
    o->seen |= 1u << r->type;
    if (r->type == XC_REC_STATIC_DATA_END)
        step.static_done = true;
    if (rule->next)
        o->phase = (enum xc_sr_phase)rule->next;
    return step;
}
