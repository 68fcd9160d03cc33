/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hostile guest may send, case by case. After each the host end must
 * be alive, its memory bounded, its loop at rest, and a guest that begins
 * anew must be served.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent_peer_private.h"
#include "agent/agent_rig.h"

#define V "{\"jsonrpc\":\"2.0\","
#define HELLO V "\"method\":\"hello\",\"params\":{\"version\":1,\"calls\":8}}"
#define LINE(l) l, sizeof(l) - 1

enum { LONG_MS = 60000 };

struct scene {
    struct fixture *f;
    struct arig rig;
};

static int setup(void **state)
{
    static struct scene scene;
    void *f;

    fixture_setup(&f);
    memset(&scene, 0, sizeof(scene));
    scene.f = f;
    arig_open(&scene.rig, f, false);
    arig_handshake(&scene.rig);
    *state = &scene;
    return 0;
}

static void memory_is_bounded(struct arig *rig)
{
    struct libxl__agent_peer_state *st = rig->host.peer.state;

    assert_non_null(st);
    assert_true(st->reader.room <=
                LIBXL__AGENT_JSON_MAX + LIBXL__AGENT_DATA_MAX + 2 * 16384);
    assert_true(st->out_bytes <= 9 * 1024 * 1024);
    assert_true(st->out_messages <= 129);
    assert_true(st->jobs_nr <= LIBXL__AGENT_JOBS);
    assert_true(st->calls_nr <= LIBXL__AGENT_CALLS_QUEUED);
}

/* However it was: an honest guest comes, and is served. */
static int teardown(void **state)
{
    struct scene *scene = *state;
    struct arig *rig = &scene->rig;
    struct libxl__agent_peer_state *st = rig->host.peer.state;
    void *f = scene->f;
    struct arig_call call;
    int i;

    memory_is_bounded(rig);
    st->budget.thousandths = 400000; /* not to wait for the ration */
    if (!st->up) {
        for (i = 0; i < 2; i++)
            arig_write(rig, LINE("\xffXA1 want 00000000000000aa\n"));
        st->asked = 0;
        libxl__agent_get_lost(st, "for the test");
        arig_handshake(rig);
    }
    assert_int_equal(arig_call(&rig->host, &call, "x", NULL, LONG_MS), 0);
    arig_read_until(rig, "\"x\"");
    arig_close(rig);
    assert_int_equal(call.done, 1);
    return fixture_teardown(&f);
}

static struct arig *rig_of(void **state)
{
    return &((struct scene *)*state)->rig;
}

static bool is_lost(struct arig *rig)
{
    return rig->host.peer.state->reader.lost;
}

/* ---- framing: each loses the reader and nothing else ---- */

static void loses(void **state, const void *bytes, size_t n)
{
    struct arig *rig = rig_of(state);

    arig_write(rig, bytes, n);
    assert_true(is_lost(rig));
    assert_false(libxl__agent_peer_is_up(&rig->host.peer));
    arig_read_until(rig, "XA1 want ");
}

#define LOSES(name, bytes)                                                     \
    static void name(void **state)                                             \
    {                                                                          \
        loses(state, LINE(bytes));                                             \
    }

LOSES(random_text, "hello, is there anybody?\n")
LOSES(a_length_beyond_all_bounds, "Content-Length: 99999999\r\n\r\n")
LOSES(a_length_that_overflows, "Content-Length: 18446744073709551617\r\n\r\n")
LOSES(a_negative_length, "Content-Length: -1\r\n\r\n")
LOSES(a_length_of_zero, "Content-Length: 0\r\n\r\n")
LOSES(a_length_without_digits, "Content-Length: \r\n\r\n")
LOSES(more_data_than_length, "Content-Length: 4\r\nData-Length: 5\r\n\r\n")
LOSES(data_without_json, "Content-Length: 4\r\nData-Length: 4\r\n\r\n{}{}")
LOSES(data_beyond_all_bounds,
      "Content-Length: 600002\r\nData-Length: 600000\r\n\r\n")
LOSES(json_beyond_all_bounds, "Content-Length: 65537\r\n\r\n")
LOSES(an_unknown_header, "Content-Length: 2\r\nContent-Type: x\r\n\r\n{}")
LOSES(headers_in_the_wrong_order, "Data-Length: 1\r\nContent-Length: 3\r\n\r\n")
LOSES(bare_newlines, "Content-Length: 2\n\n{}\xff")
LOSES(a_half_control_line, "\xffXA1 what 0123456789abcdef\n")
LOSES(upper_case_digits, "\xffXA1 want 0123456789ABCDEF\n")
LOSES(a_mark_inside_of_json, "Content-Length: 20\r\n\r\n{\"a\":\xff")
LOSES(nothing_but_marks, "\xff\xff\xff\xff\xff\xff\xff\xff")
LOSES(a_qemu_agents_dialect, "{\"execute\": \"guest-ping\"}\n")
static void a_hello_of_version_2(void **state)
{
    struct arig *rig = rig_of(state);

    arig_say(rig, V "\"method\":\"hello\",\"params\":{\"version\":2,"
                    "\"calls\":8}}");
    assert_true(is_lost(rig));
}

static void an_endless_header(void **state)
{
    char *text = malloc(1 << 20);

    memset(text, 'C', 1 << 20);
    memcpy(text, "Content-Length: 2", 17);
    loses(state, text, 1000);
    free(text);
}

/* ---- messages: answered, or counted ---- */

static void answers(void **state, const char *json, const char *code)
{
    struct arig *rig = rig_of(state);

    arig_say(rig, json);
    arig_read_until(rig, code);
    assert_true(libxl__agent_peer_is_up(&rig->host.peer));
}

#define ANSWERS(name, json, code)                                              \
    static void name(void **state)                                             \
    {                                                                          \
        answers(state, json, code);                                            \
    }

ANSWERS(a_message_that_is_no_json, "{{{{", "-32700")
ANSWERS(a_message_that_is_a_list, "[1,2,3]", "-32600")
ANSWERS(a_batch, "[" V "\"id\":1,\"method\":\"echo\"}]", "-32600")
ANSWERS(seventeen_brackets, "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "-32700")
ANSWERS(overlong_utf8, V "\"id\":1,\"method\":\"\xc0\xaf\"}", "-32700")
ANSWERS(a_surrogate, V "\"id\":1,\"method\":\"\xed\xbf\xbf\"}", "-32700")
ANSWERS(a_nul_in_a_path,
        V "\"id\":1,\"method\":\"echo\",\"params\":{\"p\":\"/a\\u0000b\"}}",
        "-32700")
ANSWERS(an_id_of_text, V "\"id\":\"1\",\"method\":\"echo\"}", "-32600")
ANSWERS(a_huge_id, V "\"id\":1e99,\"method\":\"echo\"}", "-32600")
ANSWERS(a_negative_id, V "\"id\":-5,\"method\":\"echo\"}", "-32600")
ANSWERS(parameters_that_are_a_list,
        V "\"id\":1,\"method\":\"echo\",\"params\":[1]}", "-32600")
ANSWERS(a_method_that_is_a_number, V "\"id\":1,\"method\":7}", "-32600")
ANSWERS(an_unknown_method, V "\"id\":1,\"method\":\"rm\"}", "-32601")
ANSWERS(an_older_jsonrpc, "{\"id\":1,\"method\":\"echo\"}", "-32600")
ANSWERS(result_and_error_at_once,
        V "\"id\":1,\"result\":1,\"error\":{\"code\":1,\"message\":\"\"}}",
        "-32600")

static void a_broken_answer_does_not_echo_its_id(void **state)
{
    struct arig *rig = rig_of(state);
    const char *seen;

    arig_say(rig, V "\"id\":424242}");
    seen = arig_read_until(rig, "-32600");
    assert_null(strstr(seen, "424242"));
}

static void two_requests_of_one_id(void **state)
{
    struct arig *rig = rig_of(state);

    arig_say(rig, V "\"id\":5,\"method\":\"hold\"}");
    arig_say(rig, V "\"id\":5,\"method\":\"hold\"}");
    arig_read_until(rig, "-32600");
    assert_int_equal(rig->host.served, 1);
}

static void more_requests_than_places(void **state)
{
    struct arig *rig = rig_of(state);
    char json[128];
    int i;

    for (i = 1; i <= 40; i++) {
        snprintf(json, sizeof(json), V "\"id\":%d,\"method\":\"hold\"}", i);
        arig_say(rig, json);
    }
    arig_read_until(rig, "-32000");
    assert_int_equal(rig->host.served, LIBXL__AGENT_JOBS);
}

static void jobs_do_not_multiply_by_resets(void **state)
{
    struct arig *rig = rig_of(state);
    char json[128];
    int i;

    for (i = 1; i <= 60; i++) {
        snprintf(json, sizeof(json), V "\"id\":%d,\"method\":\"hold\"}", i);
        arig_say(rig, json);
        if (i % 5)
            continue;
        arig_write(rig, LINE("\xffXA1 want 00000000000000bb\n"));
        arig_say(rig, HELLO);
    }
    assert_true(rig->host.served <= LIBXL__AGENT_JOBS);
    memory_is_bounded(rig);
}

static void answers_to_calls_never_made(void **state)
{
    struct arig *rig = rig_of(state);
    int i;

    for (i = 0; i < 50; i++)
        arig_say(rig, V "\"id\":9007199254740992,\"result\":{}}");
    assert_true(libxl__agent_peer_is_up(&rig->host.peer));
    assert_int_equal(rig->host.peer.state->strays, 50);
}

static void an_answer_twice(void **state)
{
    struct arig *rig = rig_of(state);
    struct arig_call call;
    char json[128];

    assert_int_equal(arig_call(&rig->host, &call, "y", NULL, LONG_MS), 0);
    arig_read_until(rig, "\"y\"");
    snprintf(json, sizeof(json), V "\"id\":%llu,\"result\":{}}",
             (unsigned long long)call.call.id);
    arig_say(rig, json);
    arig_say(rig, json);
    assert_int_equal(call.done, 1);
    assert_int_equal(rig->host.peer.state->strays, 1);
}

static void an_answer_to_a_question_not_sent_yet(void **state)
{
    struct arig *rig = rig_of(state);
    struct arig_call call[9]; /* the guest has eight places */
    char json[128];
    int i;

    for (i = 0; i < 9; i++)
        assert_int_equal(arig_call(&rig->host, &call[i], "y", NULL, LONG_MS),
                         0);
    snprintf(json, sizeof(json), V "\"id\":%llu,\"result\":{}}",
             (unsigned long long)call[8].call.id);
    arig_say(rig, json);
    assert_int_equal(call[8].done, 0);
    assert_int_equal(rig->host.peer.state->strays, 1);
    arig_stop(rig, &call[8]);
    arig_say(rig, HELLO);
    for (i = 0; i < 8; i++)
        assert_int_equal(call[i].code, AGENT_E_RESET);
}

static void an_error_with_code_zero_is_no_success(void **state)
{
    struct arig *rig = rig_of(state);
    struct arig_call call;
    char json[160];

    assert_int_equal(arig_call(&rig->host, &call, "y", NULL, LONG_MS), 0);
    arig_read_until(rig, "\"y\"");
    snprintf(json, sizeof(json),
             V "\"id\":%llu,\"error\":{\"code\":0,\"message\":\"\"}}",
             (unsigned long long)call.call.id);
    arig_say(rig, json);
    assert_int_equal(call.done, 1);
    assert_int_equal(call.code, AGENT_E_INTERNAL);
}

static void a_guest_that_never_answers(void **state)
{
    struct arig *rig = rig_of(state);
    struct arig_call call[8];
    int i;

    for (i = 0; i < 8; i++)
        assert_int_equal(arig_call(&rig->host, &call[i], "y", NULL, 30), 0);
    for (i = 0; i < 8; i++) {
        fixture_run_until(rig->f, &call[i].done);
        assert_int_equal(call[i].code, AGENT_E_TIMEDOUT);
    }
}

static void a_guest_that_never_reads(void **state)
{
    struct arig *rig = rig_of(state);
    struct libxl__agent_peer_state *st = rig->host.peer.state;
    uint8_t *big = calloc(1, LIBXL__AGENT_DATA_MAX);
    struct arig_call call[8];
    int i;

    for (i = 0; i < 8; i++) {
        memset(&call[i], 0, sizeof(call[i]));
        assert_int_equal(arig_call(&rig->host, &call[i], "y", NULL, LONG_MS),
                         0);
    }
    for (i = 0; i < 8; i++)
        arig_stop(rig, &call[i]);
    for (i = 0; i < 300; i++)
        libxl__agent_answer_error(st, 1, AGENT_E_BUSY, "no");
    fixture_turn(rig->f, 20);
    assert_true(st->throttled || st->out_messages < 128);
    while (recv(rig->sv[1], big, LIBXL__AGENT_DATA_MAX, MSG_DONTWAIT) > 0)
        fixture_turn(rig->f, 2);
    fixture_turn(rig->f, 5);
    assert_false(st->throttled);
    arig_say(rig, HELLO);
    for (i = 0; i < 8; i++)
        assert_int_equal(call[i].code, AGENT_E_CANCELLED);
    free(big);
}

/* ---- floods: read in rations ---- */

static void flood(void **state, const void *bytes, size_t n)
{
    struct arig *rig = rig_of(state);
    struct libxl__agent_peer_state *st = rig->host.peer.state;
    int i;

    for (i = 0; i < 20000 && st->reading; i++) {
        send(rig->sv[1], bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        fixture_turn(rig->f, 1);
    }
    assert_false(st->reading);
    memory_is_bounded(rig);
    /* the flood is over, and time passes */
    libxl__ev_time_deregister(st->ctx, &st->pause);
    for (i = 0; i < 2000; i++) {
        st->budget.thousandths = 400000;
        libxl__agent_watch(st);
        while (recv(rig->sv[1], (char[4096]){0}, 4096, MSG_DONTWAIT) > 0)
            ;
        fixture_turn(rig->f, 1);
    }
    assert_true(st->reading);
}

static void flood_json(void **state, const char *json)
{
    char text[256];
    int n = snprintf(text, sizeof(text), "Content-Length: %zu\r\n\r\n%s",
                     strlen(json), json);

    flood(state, text, (size_t)n);
}

static void a_flood_of_notifications(void **state)
{
    flood_json(state, V "\"method\":\"noise\"}");
}

static void a_flood_of_hellos(void **state)
{
    flood_json(state, HELLO);
}

static void a_flood_of_control_lines(void **state)
{
    flood(state, LINE("\xffXA1 want 0000000000000001\n"));
}

static void a_flood_of_requests(void **state)
{
    flood_json(state, V "\"id\":1,\"method\":\"none\"}");
}

static void a_flood_of_answers(void **state)
{
    flood_json(state, V "\"id\":99,\"result\":null}");
}

static void a_flood_of_garbage(void **state)
{
    char *garbage = malloc(65536);

    memset(garbage, 'x', 65536);
    flood(state, garbage, 65536);
    free(garbage);
}

static void a_message_that_stops_half_way(void **state)
{
    struct arig *rig = rig_of(state);
    struct libxl__agent_peer_state *st = rig->host.peer.state;

    arig_write(rig, LINE("Content-Length: 300\r\nData-Length: 290\r\n\r\n{"));
    assert_false(is_lost(rig));
    assert_true(libxl__ev_time_isregistered(&st->stall));
    st->progress_ms = 0; /* long ago */
    while (!is_lost(rig)) {
        struct pollfd pfd = {.fd = libxl_ctx_fd(rig->f->ctx), .events = POLLIN};

        poll(&pfd, 1, libxl_ctx_timeout_ms(rig->f->ctx));
        fixture_turn(rig->f, 1);
    }
    arig_read_until(rig, "XA1 want ");
}

static void a_token_out_of_a_file_is_not_believed(void **state)
{
    struct arig *rig = rig_of(state);

    arig_write(rig, LINE("lost now\n"));
    arig_write(rig, LINE("\xffXA1 here 0000000000000000\n"
                         "\xffXA1 here ffffffffffffffff\n"));
    assert_true(is_lost(rig));
    arig_read_until(rig, "XA1 want ");
}

static void a_message_before_the_hello(void **state)
{
    struct arig *rig = rig_of(state);

    arig_write(rig, LINE("lost now\n"));
    arig_answer_want(rig);
    assert_false(is_lost(rig));
    arig_say(rig, V "\"id\":1,\"method\":\"hold\"}");
    assert_true(is_lost(rig));
    assert_int_equal(rig->host.served, 0);
}

static void hellos_that_promise_too_much_or_nothing(void **state)
{
    static const char *const calls[] = {"0", "65", "-1", "1e9", "\"8\"", "{}"};
    struct arig *rig = rig_of(state);
    char json[160];
    size_t i;

    for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        snprintf(json, sizeof(json),
                 V "\"method\":\"hello\",\"params\":{\"version\":1,"
                   "\"calls\":%s}}",
                 calls[i]);
        arig_say(rig, json);
        assert_true(is_lost(rig));
        arig_handshake(rig);
    }
    arig_say(rig, V "\"method\":\"hello\"}");
    assert_true(is_lost(rig));
}

static void cancelling_what_is_not_there(void **state)
{
    struct arig *rig = rig_of(state);

    arig_say(rig, V "\"method\":\"rpc.cancel\",\"params\":{\"id\":77}}");
    arig_say(rig, V "\"method\":\"rpc.cancel\",\"params\":{\"id\":\"x\"}}");
    arig_say(rig, V "\"method\":\"rpc.cancel\"}");
    assert_true(libxl__agent_peer_is_up(&rig->host.peer));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(random_text),
        T(a_length_beyond_all_bounds),
        T(a_length_that_overflows),
        T(a_negative_length),
        T(a_length_of_zero),
        T(a_length_without_digits),
        T(more_data_than_length),
        T(data_without_json),
        T(data_beyond_all_bounds),
        T(json_beyond_all_bounds),
        T(an_unknown_header),
        T(headers_in_the_wrong_order),
        T(bare_newlines),
        T(a_half_control_line),
        T(upper_case_digits),
        T(a_mark_inside_of_json),
        T(nothing_but_marks),
        T(a_qemu_agents_dialect),
        T(a_hello_of_version_2),
        T(an_endless_header),
        T(a_message_that_is_no_json),
        T(a_message_that_is_a_list),
        T(a_batch),
        T(seventeen_brackets),
        T(overlong_utf8),
        T(a_surrogate),
        T(a_nul_in_a_path),
        T(an_id_of_text),
        T(a_huge_id),
        T(a_negative_id),
        T(parameters_that_are_a_list),
        T(a_method_that_is_a_number),
        T(an_unknown_method),
        T(an_older_jsonrpc),
        T(result_and_error_at_once),
        T(a_broken_answer_does_not_echo_its_id),
        T(two_requests_of_one_id),
        T(more_requests_than_places),
        T(jobs_do_not_multiply_by_resets),
        T(answers_to_calls_never_made),
        T(an_answer_twice),
        T(an_answer_to_a_question_not_sent_yet),
        T(an_error_with_code_zero_is_no_success),
        T(a_guest_that_never_answers),
        T(a_guest_that_never_reads),
        T(a_flood_of_notifications),
        T(a_flood_of_hellos),
        T(a_flood_of_control_lines),
        T(a_flood_of_requests),
        T(a_flood_of_answers),
        T(a_flood_of_garbage),
        T(a_message_that_stops_half_way),
        T(a_token_out_of_a_file_is_not_believed),
        T(a_message_before_the_hello),
        T(hellos_that_promise_too_much_or_nothing),
        T(cancelling_what_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
