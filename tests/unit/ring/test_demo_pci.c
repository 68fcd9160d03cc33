/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The demo device over its socket, and its state over the control socket. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring/demo_rig.h"

#define RW (VFU_DMA_F_READ | VFU_DMA_F_WRITE)
#define BIG 300000u /* ballast: some items, and a piece of one */

static int setup(void **state)
{
    *state = demo_rig_new(0, false);
    return 0;
}

static int setup_big(void **state)
{
    *state = demo_rig_new(BIG, false);
    return 0;
}

static int teardown(void **state)
{
    demo_rig_free(*state);
    return 0;
}

static uint32_t reg(struct demo_rig *r, uint64_t at)
{
    return vfc_reg(r->c, at, 4);
}

static void set(struct demo_rig *r, uint64_t at, uint32_t v)
{
    assert_int_equal(vfc_set_reg(r->c, at, v, 4), 0);
}

static void wait_ticks(struct demo_rig *r, uint32_t n)
{
    uint32_t first = reg(r, DEMO_REG_TICKS);

    while (reg(r, DEMO_REG_TICKS) - first < n)
        vfc_turn(r->c);
}

static void copy(struct demo_rig *r, uint64_t from, uint64_t to, uint32_t n)
{
    set(r, DEMO_REG_SRC, (uint32_t)from);
    set(r, DEMO_REG_SRC + 4, (uint32_t)(from >> 32));
    set(r, DEMO_REG_DST, (uint32_t)to);
    set(r, DEMO_REG_DST + 4, (uint32_t)(to >> 32));
    set(r, DEMO_REG_BYTES, n);
    set(r, DEMO_REG_COPY, 1);
    while (reg(r, DEMO_REG_COPY))
        vfc_turn(r->c);
}

static void map_memory(struct demo_rig *r)
{
    assert_int_equal(vfc_map(r->c, VFC_ADDR, VFC_MEM_BYTES, 0, RW, true), 0);
}

static void it_says_what_it_is(void **state)
{
    struct demo_rig *r = *state;

    assert_int_equal(reg(r, DEMO_REG_ID), DEMO_ID);
    assert_int_equal(vfc_read(r->c, VFU_REGION_CONFIG, 0, 4), 0);
    assert_int_equal(libxl__vfu_get32(r->c->body + 16),
                     DEMO_DEVICE << 16 | DEMO_VENDOR);
}

static void scratch_registers_keep_what_is_written(void **state)
{
    struct demo_rig *r = *state;

    for (uint32_t i = 0; i < 4; i++)
        set(r, DEMO_REG_SCRATCH + 4 * i, 0x11111111 * (i + 1));
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(reg(r, DEMO_REG_SCRATCH + 4 * i),
                         0x11111111 * (i + 1));
}

static void narrow_accesses_are_refused(void **state)
{
    struct demo_rig *r = *state;

    assert_int_equal(vfc_read(r->c, 0, DEMO_REG_TICKS, 2), EINVAL);
    assert_int_equal(vfc_set_reg(r->c, DEMO_REG_SCRATCH + 1, 0, 4), EINVAL);
}

static void the_timer_ticks_and_stands(void **state)
{
    struct demo_rig *r = *state;
    uint32_t ticks;

    set(r, DEMO_REG_PERIOD, 1);
    wait_ticks(r, 3);
    set(r, DEMO_REG_PERIOD, 0);
    ticks = reg(r, DEMO_REG_TICKS);
    vfc_turn(r->c);
    vfc_turn(r->c);
    assert_int_equal(reg(r, DEMO_REG_TICKS), ticks);
}

static void a_tick_raises_the_interrupt_that_is_wanted(void **state)
{
    struct demo_rig *r = *state;
    uint64_t n;

    assert_int_equal(vfc_irqs(r->c, VFU_IRQ_SET_EVENTFD | VFU_IRQ_SET_TRIGGER,
                              VFU_IRQ_INTX, 0, 1, &r->c->irq_fd, 1), 0);
    set(r, DEMO_REG_PERIOD, 1);
    wait_ticks(r, 1);
    assert_int_equal(read(r->c->irq_fd, &n, sizeof(n)), -1);
    assert_int_equal(reg(r, DEMO_REG_IRQ) & DEMO_IRQ_TIMER, DEMO_IRQ_TIMER);
    set(r, DEMO_REG_IRQ_MASK, DEMO_IRQ_TIMER);
    assert_int_equal(read(r->c->irq_fd, &n, sizeof(n)), sizeof(n));
    set(r, DEMO_REG_PERIOD, 0);
    set(r, DEMO_REG_IRQ, DEMO_IRQ_TIMER);
    assert_int_equal(reg(r, DEMO_REG_IRQ), 0);
}

static void it_copies_memory_and_counts(void **state)
{
    struct demo_rig *r = *state;

    map_memory(r);
    for (unsigned i = 0; i < 10000; i++)
        r->c->mem[i] = (uint8_t)(i * 7);
    copy(r, VFC_ADDR, VFC_ADDR + 0x10001, 10000);
    assert_memory_equal(r->c->mem + 0x10001, r->c->mem, 10000);
    assert_int_equal(reg(r, DEMO_REG_COPIED), 10000);
    assert_int_equal(reg(r, DEMO_REG_ERRORS), 0);
}

static void a_copy_outside_memory_is_an_error_that_is_counted(void **state)
{
    struct demo_rig *r = *state;

    map_memory(r);
    copy(r, VFC_ADDR + VFC_MEM_BYTES - 10, VFC_ADDR, 20);
    copy(r, UINT64_MAX - 5, VFC_ADDR, 20);
    copy(r, VFC_ADDR, VFC_ADDR, 0);
    copy(r, VFC_ADDR, VFC_ADDR, DEMO_COPY_MAX + 1);
    assert_int_equal(reg(r, DEMO_REG_ERRORS), 4);
    assert_int_equal(reg(r, DEMO_REG_COPIED), 0);
}

static void what_it_writes_is_in_the_toolstacks_log(void **state)
{
    struct demo_rig *r = *state;
    uint8_t log[8] = {0};

    map_memory(r);
    libxl__ring_mem_set_log(&r->demo.mem, LIBXL__RING_LOG_TOOLSTACK, log,
                            sizeof(log));
    copy(r, VFC_ADDR, VFC_ADDR + 0x5ffe, 4);
    assert_int_equal(log[0], 1u << 5 | 1u << 6);
}

/* ---- its state, by the toolstack's socket ---- */

static void status_names_its_state(void **state)
{
    struct demo_rig *r = *state;

    assert_string_equal(demo_rig_ask(r, "status"), "ok inactive, running");
    assert_string_equal(demo_rig_ask(r, "activate"), "ok");
    assert_string_equal(demo_rig_ask(r, "status"), "ok active, running");
    assert_string_equal(demo_rig_ask(r, "stop"), "ok");
    assert_string_equal(demo_rig_ask(r, "status"), "ok active, stopped");
}

static void stopped_its_timer_stands_until_it_is_activated(void **state)
{
    struct demo_rig *r = *state;
    uint32_t ticks;

    set(r, DEMO_REG_PERIOD, 1);
    wait_ticks(r, 2);
    assert_string_equal(demo_rig_ask(r, "stop"), "ok");
    ticks = reg(r, DEMO_REG_TICKS);
    vfc_turn(r->c);
    vfc_turn(r->c);
    assert_int_equal(reg(r, DEMO_REG_TICKS), ticks);
    assert_string_equal(demo_rig_ask(r, "activate"), "ok");
    wait_ticks(r, 2);
}

static void a_device_that_runs_cannot_be_inactivated(void **state)
{
    struct demo_rig *r = *state;

    assert_string_equal(demo_rig_ask(r, "inactivate"),
                        "error it has not stopped");
    demo_rig_ask(r, "stop");
    assert_string_equal(demo_rig_ask(r, "inactivate"), "ok");
}

/* Saves r, whose guest has stopped or not; the bytes are the caller's. */
static uint8_t *save(struct demo_rig *r, const char *how, uint64_t *bytes)
{
    uint8_t *blob = malloc(2 * BIG);
    int fd = demo_rig_dial(r);

    assert_string_equal(demo_rig_ask_on(r, fd, how), "ok");
    assert_string_equal(demo_rig_ask(r, "stop"), "ok");
    assert_int_equal(demo_rig_drain(r, fd, blob, 2 * BIG, bytes), 0);
    close(fd);
    return blob;
}

static void goes_over_to_another(struct demo_rig *r, const char *how)
{
    struct demo_rig *to = demo_rig_new(0, false);
    uint8_t *blob;
    uint64_t bytes;

    map_memory(r);
    set(r, DEMO_REG_SCRATCH + 8, 0xfeedface);
    set(r, DEMO_REG_PERIOD, 1);
    copy(r, VFC_ADDR, VFC_ADDR + 64, 64);
    wait_ticks(r, 2);
    blob = save(r, how, &bytes);
    assert_string_equal(demo_rig_load(to, blob, bytes, 1000), "ok");
    assert_string_equal(demo_rig_ask(to, "loaded"), "ok");
    assert_int_equal(reg(to, DEMO_REG_SCRATCH + 8), 0xfeedface);
    assert_int_equal(reg(to, DEMO_REG_TICKS), reg(r, DEMO_REG_TICKS));
    assert_int_equal(reg(to, DEMO_REG_COPIED), 64);
    assert_int_equal(to->demo.ballast, r->demo.ballast);
    assert_string_equal(demo_rig_ask(to, "activate"), "ok");
    wait_ticks(to, 2);
    free(blob);
    demo_rig_free(to);
}

static void its_state_goes_over_to_another(void **state)
{
    goes_over_to_another(*state, "save");
}

static void its_state_goes_over_by_pre_copy(void **state)
{
    goes_over_to_another(*state, "save live");
}

static void it_ticks_in_pre_copy_and_when_that_is_given_up(void **state)
{
    struct demo_rig *r = *state;
    int fd = demo_rig_dial(r);

    set(r, DEMO_REG_PERIOD, 1);
    assert_string_equal(demo_rig_ask_on(r, fd, "save live"), "ok");
    assert_string_equal(demo_rig_ask(r, "status"), "ok inactive, pre-copy");
    wait_ticks(r, 2);
    close(fd);
    while (strcmp(demo_rig_ask(r, "status"), "ok inactive, running"))
        vfc_turn(r->c);
    wait_ticks(r, 2);
}

static void a_save_that_failed_lets_it_run_on(void **state)
{
    struct demo_rig *r = *state;
    uint64_t bytes;

    set(r, DEMO_REG_PERIOD, 1);
    free(save(r, "save live", &bytes));
    assert_string_equal(demo_rig_ask(r, "activate"), "ok");
    wait_ticks(r, 2);
    free(save(r, "save", &bytes));
}

static void config_tells_where_the_guest_has_put_it(void **state)
{
    struct demo_rig *r = *state;
    uint32_t bar = 0xfebf1000;

    assert_int_equal(vfc_write(r->c, VFU_REGION_CONFIG, 0x10, &bar, 4), 0);
    assert_int_equal(strncmp(demo_rig_ask(r, "config"), "ok f41af010", 11), 0);
    assert_int_equal(strlen(r->line), 3 + 128);
    assert_int_equal(strncmp(r->line + 3 + 32, "0010bffe", 8), 0);
}

/* ---- what it refuses ---- */

static void bytes_are_refused(void **state, uint64_t at, uint8_t xor,
                              uint64_t cut)
{
    struct demo_rig *r = *state, *to = demo_rig_new(0, false);
    uint64_t bytes;
    uint8_t *blob = save(r, "save", &bytes);
    bool ok;

    blob[at] ^= xor;
    ok = !strcmp(demo_rig_load(to, blob, bytes - cut, 4096), "ok") &&
         !strcmp(demo_rig_ask(to, "loaded"), "ok");
    assert_false(ok);
    assert_int_not_equal(to->demo.pci.mig.state, DEVMIG_RUNNING);
    assert_string_not_equal(demo_rig_ask(to, "activate"), "ok");
    free(blob);
    demo_rig_free(to);
}

static void a_state_that_is_cut_is_refused(void **state)
{
    bytes_are_refused(state, 0, 0, 1);
}

static void a_state_with_a_wrong_magic_is_refused(void **state)
{
    bytes_are_refused(state, DEMO_ITEM_HEAD, 1, 0);
}

static void a_state_of_an_unknown_kind_is_refused(void **state)
{
    bytes_are_refused(state, 0, 0x40, 0);
}

static void ballast_with_a_wrong_byte_is_refused(void **state)
{
    bytes_are_refused(state, 70000, 2, 0);
}

static void ballast_that_is_missing_is_refused(void **state)
{
    struct demo_rig *r = *state, *to = demo_rig_new(0, false);
    uint64_t bytes;
    uint8_t *blob = save(r, "save", &bytes);
    uint64_t regs = DEMO_ITEM_HEAD + DEMO_REGS_BYTES;

    assert_string_equal(demo_rig_load(to, blob + bytes - regs, regs, 4096),
                        "ok");
    assert_string_not_equal(demo_rig_ask(to, "loaded"), "ok");
    free(blob);
    demo_rig_free(to);
}

static void an_end_with_another_count_is_refused(void **state)
{
    struct demo_rig *r = *state;
    int fd = demo_rig_dial(r);
    uint8_t end[16] = {0};

    end[8] = 1;
    assert_string_equal(demo_rig_ask_on(r, fd, "load"), "ok");
    demo_rig_write(r, fd, end, sizeof(end));
    demo_rig_line(r, fd);
    assert_string_equal(r->line, "error Protocol error");
    close(fd);
}

static void a_frame_of_more_than_1_mib_ends_the_connection(void **state)
{
    struct demo_rig *r = *state;
    int fd = demo_rig_dial(r);
    uint8_t head[4], byte;

    libxl__vfu_put32(head, DEVCTL_FRAME_MAX + 1);
    assert_string_equal(demo_rig_ask_on(r, fd, "load"), "ok");
    demo_rig_write(r, fd, head, 4);
    assert_false(demo_rig_read(r, fd, &byte, 1));
    close(fd);
}

static void loaded_without_a_load_is_refused(void **state)
{
    assert_string_equal(demo_rig_ask(*state, "loaded"),
                        "error no state was loaded into it");
}

static void an_unknown_request_is_refused(void **state)
{
    struct demo_rig *r = *state;

    assert_string_equal(demo_rig_ask(r, "saved"), "error unknown request");
    assert_string_equal(demo_rig_ask(r, ""), "error unknown request");
}

static void requests_in_one_write_are_answered_in_order(void **state)
{
    struct demo_rig *r = *state;
    int fd = demo_rig_dial(r);

    assert_string_equal(demo_rig_ask_on(r, fd, "stop\nactivate\nstatus"),
                        "ok");
    demo_rig_line(r, fd);
    assert_string_equal(r->line, "ok");
    demo_rig_line(r, fd);
    assert_string_equal(r->line, "ok active, running");
    close(fd);
}

static void a_line_without_end_loses_its_connection(void **state)
{
    struct demo_rig *r = *state;
    char text[DEVCTL_LINE_BYTES + 1], byte;
    int fd = demo_rig_dial(r);

    memset(text, 'x', sizeof(text));
    demo_rig_write(r, fd, text, sizeof(text));
    assert_false(demo_rig_read(r, fd, &byte, 1));
    close(fd);
}

static void a_fifth_asker_takes_the_place_of_the_first(void **state)
{
    struct demo_rig *r = *state;
    int fds[DEVCTL_CONNS + 1];
    char byte;

    for (unsigned i = 0; i <= DEVCTL_CONNS; i++) {
        fds[i] = demo_rig_dial(r);
        assert_string_equal(demo_rig_ask_on(r, fds[i], "status"),
                            "ok inactive, running");
    }
    assert_false(demo_rig_read(r, fds[0], &byte, 1));
    for (unsigned i = 0; i <= DEVCTL_CONNS; i++)
        close(fds[i]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define B(name) cmocka_unit_test_setup_teardown(name, setup_big, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_says_what_it_is),
        T(scratch_registers_keep_what_is_written),
        T(narrow_accesses_are_refused),
        T(the_timer_ticks_and_stands),
        T(a_tick_raises_the_interrupt_that_is_wanted),
        T(it_copies_memory_and_counts),
        T(a_copy_outside_memory_is_an_error_that_is_counted),
        T(what_it_writes_is_in_the_toolstacks_log),
        T(status_names_its_state),
        T(stopped_its_timer_stands_until_it_is_activated),
        T(a_device_that_runs_cannot_be_inactivated),
        B(its_state_goes_over_to_another),
        B(its_state_goes_over_by_pre_copy),
        B(it_ticks_in_pre_copy_and_when_that_is_given_up),
        B(a_save_that_failed_lets_it_run_on),
        T(config_tells_where_the_guest_has_put_it),
        T(a_state_that_is_cut_is_refused),
        T(a_state_with_a_wrong_magic_is_refused),
        T(a_state_of_an_unknown_kind_is_refused),
        B(ballast_with_a_wrong_byte_is_refused),
        B(ballast_that_is_missing_is_refused),
        T(an_end_with_another_count_is_refused),
        T(a_frame_of_more_than_1_mib_ends_the_connection),
        T(loaded_without_a_load_is_refused),
        T(an_unknown_request_is_refused),
        T(requests_in_one_write_are_answered_in_order),
        T(a_line_without_end_loses_its_connection),
        T(a_fifth_asker_takes_the_place_of_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
