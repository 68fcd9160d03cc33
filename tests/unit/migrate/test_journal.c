/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_journal.c - every (verb, step), its action, and its text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "migrate/journal.h"

static int setup(void **state)
{
    static libxl__gc gc;

    libxl__gc_init(&gc, NULL);
    *state = &gc;
    return 0;
}

static int teardown(void **state)
{
    libxl__gc_dispose(*state);
    return 0;
}

static struct libxl__journal sample(void)
{
    struct libxl__journal j = {
        .verb = JOURNAL_SAVE,
        .step = JSTEP_COMMITTED,
        .owner = {.boot_id = "0f6c3a52-8f2c-4a6c-9d0e-1b2c3d4e5f60",
                  .pid = 4711,
                  .start_time = 123456789012345ull},
        .was_running = true,
        .then = LIBXL_SAVE_THEN_PAUSE,
        .path = (char *)"/tmp/a \"quoted\" name",
        .temp_path = (char *)"/tmp/.a.part",
        .file_dev = UINT64_MAX,
        .file_ino = 42,
    };

    return j;
}

static void a_journal_survives_its_text(void **state)
{
    struct libxl__journal j = sample(), back;
    const char *why;
    char *text = libxl__journal_encode(*state, &j);

    assert_non_null(text);
    assert_int_equal(libxl__journal_decode(*state, text, &back, &why), 0);
    assert_int_equal(back.verb, j.verb);
    assert_int_equal(back.step, j.step);
    assert_string_equal(back.owner.boot_id, j.owner.boot_id);
    assert_int_equal(back.owner.pid, j.owner.pid);
    assert_true(back.owner.start_time == j.owner.start_time);
    assert_true(back.was_running);
    assert_int_equal(back.then, j.then);
    assert_string_equal(back.path, j.path);
    assert_string_equal(back.temp_path, j.temp_path);
    assert_true(back.file_dev == j.file_dev);
    assert_null(back.peer);
}

/* The rules of docs/specs/journal.md, stated a second time. */
static enum libxl__journal_action expected(enum libxl__journal_verb verb,
                                           enum libxl__journal_step step)
{
    bool outgoing = verb == JOURNAL_SAVE || verb == JOURNAL_SEND;
    bool migration = verb == JOURNAL_SEND || verb == JOURNAL_RECEIVE;

    switch (step) {
    case JSTEP_BUILDING:
        if (verb == JOURNAL_RESTART)
            return JACT_END;
        return outgoing || verb == JOURNAL_DESTROY ? JACT_IMPOSSIBLE
                                                   : JACT_DESTROY;
    case JSTEP_WRITING:
        return outgoing ? JACT_RESUME : JACT_IMPOSSIBLE;
    case JSTEP_COMMITTED:
        return verb == JOURNAL_SAVE ? JACT_LOOK : JACT_IMPOSSIBLE;
    case JSTEP_SAVED:
        return verb == JOURNAL_SAVE ? JACT_FINISH : JACT_IMPOSSIBLE;
    case JSTEP_GO:
        if (!migration)
            return JACT_IMPOSSIBLE;
        return verb == JOURNAL_SEND ? JACT_ASK : JACT_RUN;
    case JSTEP_GIVEN_BACK:
        return verb == JOURNAL_SEND ? JACT_RESUME : JACT_IMPOSSIBLE;
    case JSTEP_GIVEN_UP:
        return verb == JOURNAL_RECEIVE ? JACT_DESTROY : JACT_IMPOSSIBLE;
    case JSTEP_READY:
        return verb == JOURNAL_RECEIVE ? JACT_ASK : JACT_IMPOSSIBLE;
    case JSTEP_DONE:
        return verb == JOURNAL_SEND || verb == JOURNAL_DESTROY
                   ? JACT_FINISH
                   : JACT_IMPOSSIBLE;
    case JSTEP_LATE:
        return outgoing ? JACT_AWAIT : JACT_IMPOSSIBLE;
    case JSTEP_NR:
        break;
    }
    return JACT_IMPOSSIBLE;
}

static void every_verb_and_step_has_its_action(void **state)
{
    unsigned verb, step;

    for (verb = 0; verb < JOURNAL_NR_VERBS; verb++) {
        for (step = 0; step < JSTEP_NR; step++)
            assert_int_equal(libxl__journal_action(verb, step),
                             expected(verb, step));
    }
}

static void every_possible_step_survives_its_text(void **state)
{
    unsigned verb, step;

    for (verb = 0; verb < JOURNAL_NR_VERBS; verb++) {
        for (step = 0; step < JSTEP_NR; step++) {
            struct libxl__journal j = sample(), back;
            const char *why;
            bool possible = expected(verb, step) != JACT_IMPOSSIBLE;

            j.verb = verb;
            j.step = step;
            assert_int_equal(
                libxl__journal_decode(*state, libxl__journal_encode(*state, &j),
                                      &back, &why),
                possible ? 0 : ERROR_INVAL);
            assert_true(!why == possible);
        }
    }
}

/* Text with one place changed; NULL 'with' cuts the text there. */
static const char *refusal(libxl__gc *gc, const char *what, const char *with)
{
    struct libxl__journal j = sample(), back;
    char *text = libxl__journal_encode(gc, &j);
    char *at = strstr(text, what);
    const char *why;

    assert_non_null(at);
    *at = '\0';
    text = libxl__sprintf(gc, "%s%s%s", text, with ? with : "",
                          with ? at + strlen(what) : "");
    assert_int_equal(libxl__journal_decode(gc, text, &back, &why), ERROR_INVAL);
    return why;
}

static void a_damaged_journal_is_refused_with_a_reason(void **state)
{
    libxl__gc *gc = *state;

    assert_non_null(
        strstr(refusal(gc, "\"format\": 1", "\"format\": 2"), "format"));
    assert_non_null(strstr(refusal(gc, "\"save\"", "\"sing\""), "verb"));
    assert_non_null(strstr(refusal(gc, "\"committed\"", "\"go\""), "no such"));
    assert_non_null(strstr(refusal(gc, "4711", "-4"), "owner"));
    assert_non_null(strstr(refusal(gc, "true", "\"yes\""), "follow"));
    assert_non_null(strstr(refusal(gc, "\"pause\"", "\"sell\""), "follow"));
    assert_non_null(
        strstr(refusal(gc, "\"temp_path\"", "\"other\""), "one of"));
    assert_non_null(strstr(refusal(gc, "\"file_ino\"", NULL), "JSON"));
}

static void a_journal_cut_anywhere_is_refused(void **state)
{
    struct libxl__journal j = sample(), back;
    char *text = libxl__journal_encode(*state, &j);
    size_t bytes = strlen(text);
    const char *why;

    /* the last byte is a newline, which may go */
    for (bytes -= 1; bytes--;) {
        text[bytes] = '\0';
        assert_int_equal(libxl__journal_decode(*state, text, &back, &why),
                         ERROR_INVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_survives_its_text),
        cmocka_unit_test(every_verb_and_step_has_its_action),
        cmocka_unit_test(every_possible_step_survives_its_text),
        cmocka_unit_test(a_damaged_journal_is_refused_with_a_reason),
        cmocka_unit_test(a_journal_cut_anywhere_is_refused),
    };

    return cmocka_run_group_tests_name("journal", tests, setup, teardown);
}
