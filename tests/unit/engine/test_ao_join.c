/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every order in which children are added, end and fail. */
#include <string.h>

#include "base/container.h"
#include "engine/engine_fixture.h"

enum { CHILDREN = 3, SEAL = CHILDREN, ACTIONS };

struct owner {
    libxl__ao_join join;
    int first_errors, all_done, rc, first_rc;
    bool end_others_on_error;
    bool running[CHILDREN];
};

static struct owner *owner_of_join(libxl__ao_join *join)
{
    return CONTAINER_OF(join, struct owner, join);
}

static void all_done(libxl__egc *egc, libxl__ao_join *join, int rc)
{
    struct owner *o = owner_of_join(join);

    o->all_done++;
    o->rc = rc;
}

static void first_error(libxl__egc *egc, libxl__ao_join *join, int rc)
{
    struct owner *o = owner_of_join(join);
    int i;

    o->first_errors++;
    o->first_rc = rc;
    for (i = 0; o->end_others_on_error && i < CHILDREN; i++)
        if (o->running[i]) {
            o->running[i] = false;
            libxl__ao_join_child_done(egc, join, ERROR_ABORTED);
        }
}

static void owner_init(struct owner *o)
{
    int i;

    memset(o, 0, sizeof(*o));
    libxl__ao_join_init(&o->join);
    o->join.first_error = first_error;
    o->join.all_done = all_done;
    for (i = 0; i < CHILDREN; i++)
        o->running[i] = true;
}

/* order: a permutation of the children's ends and the seal; fails: bits. */
static void play(const int order[ACTIONS], unsigned fails, bool end_others)
{
    struct owner o;
    int i, who, expect = 0;

    owner_init(&o);
    o.end_others_on_error = end_others;
    for (i = 0; i < CHILDREN; i++)
        libxl__ao_join_add(&o.join);
    for (i = 0; i < ACTIONS; i++) {
        who = order[i];
        assert_int_equal(o.all_done && i < ACTIONS - 1 && !end_others, 0);
        if (who == SEAL) {
            libxl__ao_join_seal(NULL, &o.join);
            continue;
        }
        if (!o.running[who])
            continue;
        o.running[who] = false;
        if (!expect && (fails & (1u << who)))
            expect = -100 - who;
        libxl__ao_join_child_done(NULL, &o.join,
                                  fails & (1u << who) ? -100 - who : 0);
    }
    assert_int_equal(o.all_done, 1);
    assert_int_equal(o.rc, expect);
    assert_int_equal(o.first_errors, expect ? 1 : 0);
    assert_int_equal(o.first_rc, expect);
}

static void permute(int order[ACTIONS], int n)
{
    unsigned fails;
    int i, t;

    if (n == ACTIONS) {
        for (fails = 0; fails < 1u << CHILDREN; fails++) {
            play(order, fails, false);
            play(order, fails, true);
        }
        return;
    }
    for (i = n; i < ACTIONS; i++) {
        t = order[n], order[n] = order[i], order[i] = t;
        permute(order, n + 1);
        t = order[n], order[n] = order[i], order[i] = t;
    }
}

static void every_order_ends_once_with_the_first_error(void **state)
{
    int order[ACTIONS] = {0, 1, 2, SEAL};

    permute(order, 0);
}

static void children_may_end_before_others_are_added(void **state)
{
    struct owner o;

    owner_init(&o);
    libxl__ao_join_add(&o.join);
    libxl__ao_join_child_done(NULL, &o.join, 0);
    assert_int_equal(o.all_done, 0);
    libxl__ao_join_add(&o.join);
    libxl__ao_join_child_done(NULL, &o.join, ERROR_FAIL);
    assert_int_equal(o.all_done, 0);
    libxl__ao_join_seal(NULL, &o.join);
    assert_int_equal(o.all_done, 1);
    assert_int_equal(o.rc, ERROR_FAIL);
}

static void without_children_the_seal_ends_it(void **state)
{
    struct owner o;

    owner_init(&o);
    libxl__ao_join_seal(NULL, &o.join);
    assert_int_equal(o.all_done, 1);
    assert_int_equal(o.rc, 0);
}

static void it_can_be_used_again(void **state)
{
    struct owner o;

    owner_init(&o);
    libxl__ao_join_add(&o.join);
    libxl__ao_join_seal(NULL, &o.join);
    libxl__ao_join_child_done(NULL, &o.join, ERROR_FAIL);
    libxl__ao_join_add(&o.join);
    libxl__ao_join_seal(NULL, &o.join);
    libxl__ao_join_child_done(NULL, &o.join, 0);
    assert_int_equal(o.all_done, 2);
    assert_int_equal(o.rc, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_ends_once_with_the_first_error),
        cmocka_unit_test(children_may_end_before_others_are_added),
        cmocka_unit_test(without_children_the_seal_ends_it),
        cmocka_unit_test(it_can_be_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
