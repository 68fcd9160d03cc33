/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devmig: the tables follow from the rules, and the machine follows them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ring/devmig.h"

/* The rules of docs/specs/device-state.md, again. */
static const struct {
    enum devmig_state from, to;
} rules[] = {
    {DEVMIG_RUNNING, DEVMIG_STOP},       {DEVMIG_STOP, DEVMIG_RUNNING},
    {DEVMIG_STOP, DEVMIG_STOP_COPY},     {DEVMIG_STOP_COPY, DEVMIG_STOP},
    {DEVMIG_STOP, DEVMIG_RESUMING},      {DEVMIG_RESUMING, DEVMIG_STOP},
    {DEVMIG_RUNNING, DEVMIG_PRE_COPY},   {DEVMIG_PRE_COPY, DEVMIG_RUNNING},
    {DEVMIG_PRE_COPY, DEVMIG_STOP_COPY},
};
#define NR_RULES (sizeof(rules) / sizeof(rules[0]))

static bool moves_data(enum devmig_state s)
{
    return s == DEVMIG_STOP_COPY || s == DEVMIG_RESUMING ||
           s == DEVMIG_PRE_COPY;
}

/* Length of the shortest way; 0: none. *first is its first step. */
static unsigned shortest(enum devmig_state from, enum devmig_state to,
                         enum devmig_state *first)
{
    unsigned dist[DEVMIG_NR_STATES] = {0};
    enum devmig_state step[DEVMIG_NR_STATES] = {DEVMIG_ERROR};

    for (unsigned d = 1; d < DEVMIG_NR_STATES; d++)
        for (unsigned i = 0; i < NR_RULES; i++) {
            enum devmig_state a = rules[i].from, b = rules[i].to;
            bool start = a == from && d == 1;
            bool through = d > 1 && dist[a] == d - 1 && !moves_data(a);

            if ((!start && !through) || dist[b] || b == from)
                continue;
            dist[b] = d;
            step[b] = start ? b : step[a];
        }
    *first = step[to];
    return dist[to];
}

static void arcs_are_the_rules(void **state)
{
    for (unsigned a = 0; a < DEVMIG_NR_STATES; a++)
        for (unsigned b = 0; b < DEVMIG_NR_STATES; b++) {
            bool ruled = false;

            for (unsigned i = 0; i < NR_RULES; i++)
                ruled |= rules[i].from == a && rules[i].to == b;
            assert_int_equal(libxl__devmig_is_arc(a, b), ruled);
        }
}

static void next_is_the_first_step_of_the_shortest_way(void **state)
{
    for (unsigned a = 0; a < DEVMIG_NR_STATES; a++)
        for (unsigned b = 0; b < DEVMIG_NR_STATES; b++) {
            enum devmig_state first = DEVMIG_ERROR;
            /* what was read is never thrown away by going on reading */
            bool refused = a == b ||
                           (a == DEVMIG_STOP_COPY && b == DEVMIG_PRE_COPY);

            if (!refused)
                shortest(a, b, &first);
            assert_int_equal(libxl__devmig_next(a, b), first);
        }
}

static void numbers_beyond_the_table_have_no_way(void **state)
{
    assert_int_equal(libxl__devmig_next(7, 1), DEVMIG_ERROR);
    assert_int_equal(libxl__devmig_next(1, 8), DEVMIG_ERROR);
    assert_false(libxl__devmig_is_arc((enum devmig_state)-1, 1));
}

/* ---- a device of 'total' bytes, each its offset's low byte ---- */

struct dev {
    uint64_t total, at, got;
    bool refuse;
    int steps;
    bool wrong;
};

static int transition(void *p, enum devmig_state from, enum devmig_state to)
{
    struct dev *d = p;

    d->steps++;
    return d->refuse ? -EIO : 0;
}

static uint64_t pending(void *p)
{
    struct dev *d = p;

    return d->total - d->at;
}

/* pieces of an odd size */
static ssize_t prepare(void *p)
{
    struct dev *d = p;
    uint64_t left = d->total - d->at;

    return (ssize_t)(left < 70001 ? left : 70001);
}

static ssize_t read_data(void *p, void *buf, uint64_t bytes, uint64_t offset)
{
    struct dev *d = p;
    uint8_t *to = buf;

    for (uint64_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(d->at + i);
    d->at += bytes;
    return (ssize_t)bytes;
}

static ssize_t write_data(void *p, const void *buf, uint64_t bytes,
                          uint64_t offset)
{
    struct dev *d = p;
    const uint8_t *from = buf;

    for (uint64_t i = 0; i < bytes; i++)
        d->wrong |= from[i] != (uint8_t)(d->got + i);
    return (ssize_t)bytes;
}

static int data_written(void *p, uint64_t bytes)
{
    struct dev *d = p;

    d->got += bytes;
    return 0;
}

static const struct devmig_ops ops = {transition, pending,    prepare,
                                      read_data,  write_data, data_written};

static void copy_state(uint64_t total)
{
    struct dev a = {.total = total}, b = {0};
    struct devmig from = {&ops, &a, DEVMIG_RUNNING, 0, 0};
    struct devmig to = {&ops, &b, DEVMIG_RUNNING, 0, 0};
    static uint8_t buf[65536];
    ssize_t r;

    assert_int_equal(libxl__devmig_set_state(&from, DEVMIG_STOP_COPY), 0);
    assert_int_equal(libxl__devmig_set_state(&to, DEVMIG_RESUMING), 0);
    while ((r = libxl__devmig_read(&from, buf, sizeof(buf))) > 0)
        assert_int_equal(libxl__devmig_write(&to, buf, (uint64_t)r), 0);
    assert_int_equal(r, 0);
    assert_int_equal(libxl__devmig_set_state(&to, DEVMIG_RUNNING), 0);
    assert_int_equal(b.got, total);
    assert_false(b.wrong);
}

static void state_of_no_byte_passes(void **state)
{
    copy_state(0);
}

static void state_of_one_byte_passes(void **state)
{
    copy_state(1);
}

static void state_of_64_kib_passes(void **state)
{
    copy_state(65536);
}

static void state_of_1_gib_passes_in_64_kib_of_memory(void **state)
{
    copy_state(UINT64_C(1) << 30);
}

static void a_refused_step_leaves_the_state(void **state)
{
    struct dev d = {.refuse = true};
    struct devmig m = {&ops, &d, DEVMIG_RUNNING, 0, 0};

    assert_int_equal(libxl__devmig_set_state(&m, DEVMIG_STOP_COPY), -EIO);
    assert_int_equal(m.state, DEVMIG_RUNNING);
}

static void data_moves_in_its_states_alone(void **state)
{
    struct dev d = {.total = 1};
    struct devmig m = {&ops, &d, DEVMIG_RUNNING, 0, 0};
    uint8_t byte = 0;

    assert_int_equal(libxl__devmig_read(&m, &byte, 1), -EINVAL);
    assert_int_equal(libxl__devmig_write(&m, &byte, 1), -EINVAL);
}

static void states_that_nobody_may_ask_for_are_refused(void **state)
{
    struct dev d = {0};
    struct devmig m = {&ops, &d, DEVMIG_RUNNING, 0, 0};

    assert_int_equal(libxl__devmig_set_state(&m, DEVMIG_ERROR), -EINVAL);
    assert_int_equal(libxl__devmig_set_state(&m, DEVMIG_RUNNING_P2P), -EINVAL);
    assert_int_equal(libxl__devmig_set_state(&m, 8), -EINVAL);
    m.ops = NULL;
    assert_int_equal(libxl__devmig_set_state(&m, DEVMIG_STOP), -ENOTSUP);
    assert_int_equal(d.steps, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arcs_are_the_rules),
        cmocka_unit_test(next_is_the_first_step_of_the_shortest_way),
        cmocka_unit_test(numbers_beyond_the_table_have_no_way),
        cmocka_unit_test(state_of_no_byte_passes),
        cmocka_unit_test(state_of_one_byte_passes),
        cmocka_unit_test(state_of_64_kib_passes),
        cmocka_unit_test(state_of_1_gib_passes_in_64_kib_of_memory),
        cmocka_unit_test(a_refused_step_leaves_the_state),
        cmocka_unit_test(data_moves_in_its_states_alone),
        cmocka_unit_test(states_that_nobody_may_ask_for_are_refused),
    };
    return cmocka_run_group_tests_name("devmig", tests, NULL, NULL);
}
