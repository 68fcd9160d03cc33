/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/agent_msg.h"
#include "agent/agent_states.h"
#include "agent/agent_wire.h"

#define V "\"jsonrpc\":\"2.0\","

static enum libxl__agent_msg_kind kind_of(const char *json, uint64_t *id,
                                          int *code)
{
    enum libxl__agent_msg_kind kind;
    struct libxl__agent_msg m;

    libxl__agent_msg_decode(json, strlen(json), &m);
    kind = m.kind;
    *id = m.id;
    *code = m.code;
    libxl__agent_msg_dispose(&m);
    return kind;
}

static void each_kind_is_told_apart(void **state)
{
    static const struct {
        const char *json;
        enum libxl__agent_msg_kind kind;
        uint64_t id;
    } rows[] = {
        {"{" V "\"id\":1,\"method\":\"m\"}", AGENT_MSG_REQUEST, 1},
        {"{" V "\"id\":9007199254740992,\"method\":\"m\",\"params\":{}}",
         AGENT_MSG_REQUEST, UINT64_C(1) << 53},
        {"{" V "\"method\":\"m\"}", AGENT_MSG_NOTE, 0},
        {"{" V "\"id\":null,\"method\":\"m\"}", AGENT_MSG_NOTE, 0},
        {"{" V "\"id\":7,\"result\":null}", AGENT_MSG_RESULT, 7},
        {"{" V "\"id\":7,\"result\":{\"a\":[1]}}", AGENT_MSG_RESULT, 7},
        {"{" V "\"id\":7,\"error\":{\"code\":-1,\"message\":\"x\"}}",
         AGENT_MSG_ERROR, 7},
        {"{" V "\"id\":null,\"error\":{\"code\":-1,\"message\":\"x\"}}",
         AGENT_MSG_ERROR, 0},
    };
    uint64_t id;
    size_t i;
    int code;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(kind_of(rows[i].json, &id, &code), rows[i].kind);
        assert_int_equal(id, rows[i].id);
    }
}

static void what_breaks_a_rule_is_broken(void **state)
{
    static const struct {
        const char *json;
        int code;
    } rows[] = {
        {"", AGENT_E_PARSE},
        {"{", AGENT_E_PARSE},
        {"{}{}", AGENT_E_PARSE},
        {"[1,2]", AGENT_E_REQUEST},
        {"{}", AGENT_E_REQUEST},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}", AGENT_E_REQUEST},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}", AGENT_E_REQUEST},
        {"{" V "\"id\":0,\"method\":\"m\"}", AGENT_E_REQUEST},
        {"{" V "\"id\":-1,\"method\":\"m\"}", AGENT_E_REQUEST},
        {"{" V "\"id\":1.5,\"method\":\"m\"}", AGENT_E_REQUEST},
        {"{" V "\"id\":\"1\",\"method\":\"m\"}", AGENT_E_REQUEST},
        {"{" V "\"id\":9007199254740993,\"method\":\"m\"}", AGENT_E_REQUEST},
        {"{" V "\"id\":99999999999999999999,\"method\":\"m\"}",
         AGENT_E_REQUEST},
        {"{" V "\"id\":1,\"method\":1}", AGENT_E_REQUEST},
        {"{" V "\"id\":1,\"method\":\"m\",\"params\":[]}", AGENT_E_REQUEST},
        {"{" V "\"id\":1}", AGENT_E_REQUEST},
        {"{" V "\"result\":1}", AGENT_E_REQUEST},
        {"{" V "\"id\":1,\"result\":1,\"error\":{\"code\":1,\"message\":"
         "\"x\"}}",
         AGENT_E_REQUEST},
        {"{" V "\"id\":1,\"error\":{}}", AGENT_E_REQUEST},
        {"{" V "\"id\":1,\"error\":1}", AGENT_E_REQUEST},
        {"{" V "\"id\":1,\"error\":{\"code\":99999999999,\"message\":\"\"}}",
         AGENT_E_REQUEST},
        {"{" V "\"id\":1,\"method\":\"m\",\"params\":{\"p\":\"a\\u0000b\"}}",
         AGENT_E_PARSE},
        {"{" V "\"id\":1,\"method\":\"\xc3\x28\"}", AGENT_E_PARSE},
        {"{" V "\"id\":1,\"method\":\"\xed\xa0\x80\"}", AGENT_E_PARSE},
        {"{" V "\"id\":1,\"method\":"
         "\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm\""
         "}",
         AGENT_E_REQUEST},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", AGENT_E_PARSE},
    };
    uint64_t id;
    size_t i;
    int code;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (kind_of(rows[i].json, &id, &code) != AGENT_MSG_BROKEN)
            fail_msg("accepted: %s", rows[i].json);
        assert_int_equal(code, rows[i].code);
    }
}

static void sixty_thousand_brackets_do_not_reach_the_parser(void **state)
{
    struct libxl__agent_msg m;
    char *deep = malloc(60000);

    memset(deep, '[', 60000);
    libxl__agent_msg_decode(deep, 60000, &m);
    assert_int_equal(m.kind, AGENT_MSG_BROKEN);
    libxl__agent_msg_dispose(&m);
    free(deep);
}

static void what_is_encoded_decodes(void **state)
{
    struct libxl__agent_msg m;
    libxl__gc gc;
    char *text;

    libxl__gc_init(&gc, NULL);
    text = libxl__agent_msg_request(&gc, 5, "agent.ping", "{\"a\":\"b\"}");
    libxl__agent_msg_decode(text, strlen(text), &m);
    assert_int_equal(m.kind, AGENT_MSG_REQUEST);
    assert_string_equal(m.method, "agent.ping");
    assert_string_equal(libxl__json_string(m.params, "a"), "b");
    libxl__agent_msg_dispose(&m);
    text = libxl__agent_msg_error(&gc, 6, AGENT_E_BUSY, NULL);
    libxl__agent_msg_decode(text, strlen(text), &m);
    assert_int_equal(m.kind, AGENT_MSG_ERROR);
    assert_int_equal(m.code, -32000);
    assert_string_equal(m.text, "too many calls at once");
    libxl__agent_msg_dispose(&m);
    text = libxl__agent_msg_result(&gc, 7, "[1]");
    libxl__agent_msg_decode(text, strlen(text), &m);
    assert_int_equal(m.kind, AGENT_MSG_RESULT);
    assert_int_equal(m.id, 7);
    libxl__agent_msg_dispose(&m);
    libxl__gc_dispose(&gc);
}

/* ---- the tables: properties that must hold whatever they say ---- */

static void a_call_is_over_in_at_most_one_event_of_each_ending(void **state)
{
    int s;

    for (s = CALL_SEND; s < CALL_DONE; s++) {
        assert_int_equal(libxl__agent_call_step(s, CALL_DEADLINE).next,
                         CALL_DONE);
        assert_int_equal(libxl__agent_call_step(s, CALL_RESET).next, CALL_DONE);
    }
    assert_int_equal(libxl__agent_call_step(CALL_QUEUED, CALL_RESET).next,
                     CALL_QUEUED);
    assert_int_equal(libxl__agent_call_step(CALL_QUEUED, CALL_DEADLINE).next,
                     CALL_DONE);
}

static void done_is_done(void **state)
{
    int e;

    for (e = 0; e < CALL_EVENTS; e++)
        assert_false(libxl__agent_call_step(CALL_DONE, e).ok);
    for (e = 0; e < JOB_EVENTS; e++)
        assert_false(libxl__agent_job_step(JOB_DONE, e).ok);
}

static void only_what_was_sent_can_be_answered(void **state)
{
    assert_false(libxl__agent_call_step(CALL_QUEUED, CALL_ANSWER).ok);
    assert_false(libxl__agent_call_step(CALL_SEND, CALL_ANSWER).ok);
    assert_true(libxl__agent_call_step(CALL_WAIT, CALL_ANSWER).ok);
    assert_true(libxl__agent_call_step(CALL_CANCEL, CALL_ANSWER).ok);
}

static void a_job_is_answered_at_most_once(void **state)
{
    assert_false(libxl__agent_job_step(JOB_ANSWER, JOB_FINISH).ok);
    assert_int_equal(libxl__agent_job_step(JOB_ORPHAN, JOB_FINISH).next,
                     JOB_DONE);
    assert_int_equal(libxl__agent_job_step(JOB_ANSWER, JOB_RESET).next,
                     JOB_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_told_apart),
        cmocka_unit_test(what_breaks_a_rule_is_broken),
        cmocka_unit_test(sixty_thousand_brackets_do_not_reach_the_parser),
        cmocka_unit_test(what_is_encoded_decodes),
        cmocka_unit_test(a_call_is_over_in_at_most_one_event_of_each_ending),
        cmocka_unit_test(done_is_done),
        cmocka_unit_test(only_what_was_sent_can_be_answered),
        cmocka_unit_test(a_job_is_answered_at_most_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
