/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of two ends that call each other over a pipe that holds one message:
 * every order in which they may start, write and read is tried, and none may
 * end with work left that nobody can do.
 *
 * An end: starts a call while fewer than LIMIT are on the way; writes the head
 * of its output into the pipe if there is room; reads a message unless its
 * output holds `most` (it is throttled): a request adds an answer to the
 * output, an answer ends a call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 2, CALLS = 4, QUEUE = 12, STATES_MAX = 1 << 20 };

enum { NONE, REQUEST, ANSWER };

struct end {
    uint8_t left;  /* calls not started yet */
    uint8_t way;   /* calls on the way */
    uint8_t out_n; /* output queue, oldest first */
    uint8_t out[QUEUE];
    uint8_t pipe; /* the message on its way to the other end */
};

struct world {
    struct end ends[2];
};

struct search {
    struct world *worlds;
    uint32_t *table; /* open addressing: index + 1 */
    unsigned n, deadlocks, finals, longest;
    unsigned most;
};

static uint64_t hash(const struct world *w)
{
    const uint8_t *p = (const uint8_t *)w;
    uint64_t h = 14695981039346656037u;
    size_t i;

    for (i = 0; i < sizeof(*w); i++)
        h = (h ^ p[i]) * 1099511628211u;
    return h;
}

static void add(struct search *s, const struct world *w)
{
    uint64_t at = hash(w) % (2 * STATES_MAX);
    int e;

    for (; s->table[at]; at = (at + 1) % (2 * STATES_MAX))
        if (!memcmp(&s->worlds[s->table[at] - 1], w, sizeof(*w)))
            return;
    assert_true(s->n < STATES_MAX);
    s->worlds[s->n] = *w;
    s->table[at] = ++s->n;
    for (e = 0; e < 2; e++)
        if (w->ends[e].out_n > s->longest)
            s->longest = w->ends[e].out_n;
}

static void push(struct end *e, uint8_t what)
{
    assert_true(e->out_n < QUEUE);
    e->out[e->out_n++] = what;
}

static bool start(struct end *e)
{
    if (!e->left || e->way == LIMIT)
        return false;
    e->left--;
    e->way++;
    push(e, REQUEST);
    return true;
}

static bool write_one(struct end *e)
{
    if (!e->out_n || e->pipe)
        return false;
    e->pipe = e->out[0];
    memmove(e->out, e->out + 1, --e->out_n);
    e->out[e->out_n] = NONE; /* equal worlds are equal bytes */
    return true;
}

static bool read_one(struct end *e, struct end *other, unsigned most)
{
    if (!other->pipe || e->out_n >= most)
        return false;
    if (other->pipe == REQUEST)
        push(e, ANSWER);
    else
        e->way--;
    other->pipe = NONE;
    return true;
}

static bool act(struct world *w, int who, int what, unsigned most)
{
    struct end *e = &w->ends[who], *other = &w->ends[!who];

    switch (what) {
    case 0:
        return start(e);
    case 1:
        return write_one(e);
    default:
        return read_one(e, other, most);
    }
}

static bool all_done(const struct world *w)
{
    return !w->ends[0].left && !w->ends[1].left && !w->ends[0].way &&
           !w->ends[1].way;
}

static void expand(struct search *s, unsigned i)
{
    bool moved = false;
    struct world next;
    int who, what;

    for (who = 0; who < 2; who++)
        for (what = 0; what < 3; what++) {
            next = s->worlds[i];
            if (!act(&next, who, what, s->most))
                continue;
            moved = true;
            add(s, &next);
        }
    if (moved)
        return;
    if (all_done(&s->worlds[i]))
        s->finals++;
    else
        s->deadlocks++;
}

static void explore(struct search *s, unsigned most)
{
    struct world begin;
    unsigned i;

    memset(s, 0, sizeof(*s));
    memset(&begin, 0, sizeof(begin));
    begin.ends[0].left = begin.ends[1].left = CALLS;
    s->most = most;
    s->worlds = calloc(STATES_MAX, sizeof(*s->worlds));
    s->table = calloc(2 * STATES_MAX, sizeof(*s->table));
    add(s, &begin);
    for (i = 0; i < s->n; i++)
        expand(s, i);
    free(s->worlds);
    free(s->table);
}

/* An end owes at most LIMIT requests and LIMIT answers. With a place for each
 * and one more, it is never throttled, and nothing locks. */
static void with_a_place_for_all_it_owes_no_order_locks(void **state)
{
    struct search s;

    explore(&s, 2 * LIMIT + 1);
    assert_int_equal(s.deadlocks, 0);
    assert_int_equal(s.finals, 1);
    assert_true(s.longest <= 2 * LIMIT);
    assert_true(s.n > 1000);
}

/* That the model sees a lock where there is one. */
static void with_fewer_places_some_order_locks(void **state)
{
    struct search s;

    explore(&s, 1);
    assert_true(s.deadlocks > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_place_for_all_it_owes_no_order_locks),
        cmocka_unit_test(with_fewer_places_some_order_locks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
