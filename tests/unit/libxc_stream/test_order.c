/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order table: what may stand where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stream/xc_sr_order.h"

#define END_OF_LIST 0xffffffffu

static uint32_t good_length(uint32_t type)
{
    switch (type) {
    case XC_REC_PAGE_DATA:
    case XC_REC_X86_PV_P2M_FRAMES:
        return 16;
    case XC_REC_SHARED_INFO:
        return 4096;
    case XC_REC_X86_TSC_INFO:
    case XC_REC_X86_CPUID_POLICY:
    case XC_REC_HVM_PARAMS:
        return 24;
    case XC_REC_X86_MSR_POLICY:
        return 16;
    case XC_REC_HVM_CONTEXT:
    case XC_REC_X86_PV_INFO:
    case XC_REC_X86_PV_VCPU_BASIC:
    case XC_REC_X86_PV_VCPU_MSRS:
        return 8;
    default:
        return 0;
    }
}

/* The index of the first record that is refused; the count if none is. */
static unsigned walk(enum xc_sr_profile profile, uint32_t version,
                     const uint32_t *types)
{
    struct xc_sr_order o;
    unsigned i;

    xc_sr_order_init(&o, profile, version);
    for (i = 0; types[i] != END_OF_LIST; i++) {
        struct xc_sr_record r = {types[i], good_length(types[i])};

        if (xc_sr_order_step(&o, &r).broken)
            break;
    }
    return i;
}

#define TYPES(...) ((const uint32_t[]){__VA_ARGS__, END_OF_LIST})

static void what_is_written_is_in_order(void **state)
{
    assert_int_equal(
        walk(XC_SR_HVM, 3,
             TYPES(XC_REC_X86_CPUID_POLICY, XC_REC_X86_MSR_POLICY,
                   XC_REC_STATIC_DATA_END, XC_REC_PAGE_DATA, XC_REC_PAGE_DATA,
                   XC_REC_VERIFY, XC_REC_PAGE_DATA, XC_REC_X86_TSC_INFO,
                   XC_REC_HVM_CONTEXT, XC_REC_HVM_PARAMS, XC_REC_END)),
        11);
    assert_int_equal(walk(XC_SR_QEMU, 3,
                          TYPES(XC_REC_STATIC_DATA_END, XC_REC_PAGE_DATA,
                                XC_REC_VERIFY, XC_REC_PAGE_DATA, XC_REC_END)),
                     5);
    assert_int_equal(
        walk(XC_SR_PV, 3,
             TYPES(XC_REC_X86_PV_INFO, XC_REC_X86_CPUID_POLICY,
                   XC_REC_STATIC_DATA_END, XC_REC_X86_PV_P2M_FRAMES,
                   XC_REC_PAGE_DATA, XC_REC_X86_TSC_INFO, XC_REC_SHARED_INFO,
                   XC_REC_X86_PV_VCPU_BASIC, XC_REC_X86_PV_VCPU_MSRS,
                   XC_REC_END)),
        10);
}

static void context_and_parameters_come_in_either_order(void **state)
{
    assert_int_equal(
        walk(XC_SR_HVM, 3,
             TYPES(XC_REC_STATIC_DATA_END, XC_REC_PAGE_DATA, XC_REC_HVM_PARAMS,
                   XC_REC_HVM_CONTEXT, XC_REC_END)),
        5);
}

static void nothing_comes_before_static_data_end(void **state)
{
    static const uint32_t late[] = {
        XC_REC_END,          XC_REC_PAGE_DATA,   XC_REC_VERIFY,
        XC_REC_X86_TSC_INFO, XC_REC_HVM_CONTEXT, XC_REC_HVM_PARAMS,
    };

    for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++)
        assert_int_equal(walk(XC_SR_HVM, 3, TYPES(late[i])), 0);
}

static void version_2_infers_the_end_of_static_data(void **state)
{
    struct xc_sr_record page = {XC_REC_PAGE_DATA, 16};
    struct xc_sr_order o;

    xc_sr_order_init(&o, XC_SR_HVM, 2);
    assert_true(xc_sr_order_step(&o, &page).static_done);
    assert_false(xc_sr_order_step(&o, &page).static_done);
    assert_int_equal(walk(XC_SR_HVM, 2, TYPES(XC_REC_STATIC_DATA_END)), 0);
    assert_int_equal(walk(XC_SR_HVM, 2, TYPES(XC_REC_X86_CPUID_POLICY)), 0);
}

static void static_data_come_once_and_first(void **state)
{
    assert_int_equal(
        walk(XC_SR_HVM, 3,
             TYPES(XC_REC_STATIC_DATA_END, XC_REC_X86_CPUID_POLICY)),
        1);
    assert_int_equal(
        walk(XC_SR_HVM, 3, TYPES(XC_REC_X86_MSR_POLICY, XC_REC_X86_MSR_POLICY)),
        1);
    assert_int_equal(
        walk(XC_SR_HVM, 3,
             TYPES(XC_REC_STATIC_DATA_END, XC_REC_STATIC_DATA_END)),
        1);
}

static void memory_ends_with_the_state(void **state)
{
    assert_int_equal(walk(XC_SR_HVM, 3,
                          TYPES(XC_REC_STATIC_DATA_END, XC_REC_HVM_CONTEXT,
                                XC_REC_PAGE_DATA)),
                     2);
    assert_int_equal(
        walk(XC_SR_HVM, 3,
             TYPES(XC_REC_STATIC_DATA_END, XC_REC_HVM_CONTEXT, XC_REC_VERIFY)),
        2);
}

static void nothing_comes_behind_end(void **state)
{
    assert_int_equal(
        walk(XC_SR_QEMU, 3,
             TYPES(XC_REC_STATIC_DATA_END, XC_REC_END, XC_REC_PAGE_DATA)),
        2);
}

static void qemu_host_knows_nothing_of_xen(void **state)
{
    static const uint32_t of_xen[] = {
        XC_REC_X86_TSC_INFO,
        XC_REC_HVM_CONTEXT,
        XC_REC_HVM_PARAMS,
        XC_REC_SHARED_INFO,
    };

    for (size_t i = 0; i < sizeof(of_xen) / sizeof(of_xen[0]); i++)
        assert_int_equal(
            walk(XC_SR_QEMU, 3, TYPES(XC_REC_STATIC_DATA_END, of_xen[i])), 1);
    assert_int_equal(walk(XC_SR_QEMU, 3, TYPES(XC_REC_X86_CPUID_POLICY)), 0);
}

static void checkpoints_are_refused_by_name(void **state)
{
    struct xc_sr_record r = {XC_REC_CHECKPOINT, 0};
    struct xc_sr_order o;

    xc_sr_order_init(&o, XC_SR_HVM, 3);
    o.phase = XC_SR_MEMORY;
    assert_non_null(strstr(xc_sr_order_step(&o, &r).broken, "Remus"));
}

static void unknown_records_go_by_bit_31(void **state)
{
    struct xc_sr_record optional = {0x80000013u, 77}, mandatory = {0x13, 8};
    struct xc_sr_order o;

    xc_sr_order_init(&o, XC_SR_HVM, 3);
    assert_true(xc_sr_order_step(&o, &optional).skip);
    assert_int_equal(o.phase, XC_SR_STATIC);
    assert_non_null(xc_sr_order_step(&o, &mandatory).broken);
}

static void lengths_have_bounds(void **state)
{
    static const struct xc_sr_record bad[] = {
        {XC_REC_PAGE_DATA, 8},     {XC_REC_PAGE_DATA, 20},
        {XC_REC_VERIFY, 8},        {XC_REC_END, 1},
        {XC_REC_X86_TSC_INFO, 16}, {XC_REC_X86_TSC_INFO, 32},
        {XC_REC_HVM_CONTEXT, 0},   {XC_REC_HVM_PARAMS, 0},
        {XC_REC_HVM_PARAMS, 16},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct xc_sr_order o;

        xc_sr_order_init(&o, XC_SR_HVM, 3);
        o.phase = XC_SR_MEMORY;
        assert_non_null(xc_sr_order_step(&o, &bad[i]).broken);
        assert_false(xc_sr_order_seen(&o, (enum xc_rec_type)bad[i].type));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_in_order),
        cmocka_unit_test(context_and_parameters_come_in_either_order),
        cmocka_unit_test(nothing_comes_before_static_data_end),
        cmocka_unit_test(version_2_infers_the_end_of_static_data),
        cmocka_unit_test(static_data_come_once_and_first),
        cmocka_unit_test(memory_ends_with_the_state),
        cmocka_unit_test(nothing_comes_behind_end),
        cmocka_unit_test(qemu_host_knows_nothing_of_xen),
        cmocka_unit_test(checkpoints_are_refused_by_name),
        cmocka_unit_test(unknown_records_go_by_bit_31),
        cmocka_unit_test(lengths_have_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
