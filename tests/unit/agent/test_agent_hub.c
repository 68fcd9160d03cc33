/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's hub: several commands, one guest; and a guest whose agent is
 * qemu-ga, played by hand, honest or hostile.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/agent_base64.h"
#include "agent/agent_hub.h"
#include "agent/agent_rig.h"
#include "agent/agent_sha256.h"
#include "engine/loop.h"

enum { LONG_MS = 60000, CLIENTS = 3 };

struct hub_rig {
    struct fixture *f;
    libxl__agent_hub hub;
    struct sockaddr_un addr;
    struct client {
        libxl__agent_peer peer;
        int ups, gone;
    } clients[CLIENTS];
    int guest; /* the test's end */
};

static void up(libxl__egc *egc, libxl__agent_peer *peer, yajl_val hello)
{
    ((struct client *)peer->user)->ups++;
}

static void gone(libxl__egc *egc, libxl__agent_peer *peer, int errnoval)
{
    struct client *c = peer->user;

    close(peer->fd);
    peer->fd = -1;
    c->gone++;
}

static int connect_hub(struct hub_rig *rig)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(
        connect(fd, (struct sockaddr *)&rig->addr, sizeof(sa_family_t) + 20),
        0);
    return fd;
}

static void open_client(struct hub_rig *rig, struct client *c)
{
    libxl__agent_peer_init(&c->peer);
    c->peer.ctx = rig->f->ctx;
    c->peer.fd = connect_hub(rig);
    c->peer.hello = "{\"version\":1,\"calls\":1}";
    c->peer.user = c;
    c->peer.up = up;
    c->peer.gone = gone;
    assert_int_equal(libxl__agent_peer_open(&c->peer), 0);
}

static void close_client(struct hub_rig *rig, struct client *c)
{
    libxl__egc egc;

    libxl__egc_begin(rig->f->ctx, &egc);
    libxl__agent_peer_close(&egc, &c->peer);
    libxl__egc_end(&egc);
    if (c->peer.fd >= 0)
        close(c->peer.fd);
    c->peer.fd = -1;
}

/* An abstract name: nothing is left in a file system. */
static void listen_hub(struct hub_rig *rig)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    rig->addr.sun_family = AF_UNIX;
    snprintf(rig->addr.sun_path + 1, 20, "xl-hub-%011d", (int)getpid());
    assert_int_equal(
        bind(fd, (struct sockaddr *)&rig->addr, sizeof(sa_family_t) + 20), 0);
    assert_int_equal(listen(fd, 32), 0);
    assert_int_equal(libxl__agent_hub_listen(&rig->hub, fd), 0);
}

static void attach(struct hub_rig *rig, bool qga)
{
    libxl__egc egc;
    int sv[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv),
        0);
    rig->guest = sv[1];
    libxl__egc_begin(rig->f->ctx, &egc);
    assert_int_equal(qga ? libxl__agent_hub_attach_qga(&egc, &rig->hub, sv[0])
                         : libxl__agent_hub_attach(&egc, &rig->hub, sv[0]),
                     0);
    libxl__egc_end(&egc);
}

static int setup(void **state)
{
    struct hub_rig *rig = calloc(1, sizeof(*rig));
    void *f;
    int i;

    fixture_setup(&f);
    rig->f = f;
    rig->hub.ctx = rig->f->ctx;
    rig->hub.domid = 7;
    rig->guest = -1;
    libxl__agent_hub_init(&rig->hub);
    listen_hub(rig);
    for (i = 0; i < CLIENTS; i++) {
        open_client(rig, &rig->clients[i]);
        fixture_run_until(rig->f, &rig->clients[i].ups);
    }
    *state = rig;
    return 0;
}

static void close_hub(struct hub_rig *rig)
{
    libxl__egc egc;

    libxl__egc_begin(rig->f->ctx, &egc);
    libxl__agent_hub_close(&egc, &rig->hub);
    libxl__agent_hub_close(&egc, &rig->hub);
    libxl__egc_end(&egc);
}

static int teardown(void **state)
{
    struct hub_rig *rig = *state;
    void *f = rig->f;
    int i;

    close_hub(rig);
    for (i = 0; i < CLIENTS; i++)
        close_client(rig, &rig->clients[i]);
    if (rig->guest >= 0)
        close(rig->guest);
    free(rig);
    return fixture_teardown(&f);
}

static void start(struct hub_rig *rig, int client, struct arig_call *call,
                  const char *method, const char *params)
{
    struct arig_end end = {.peer = rig->clients[client].peer};

    assert_int_equal(arig_call(&end, call, method, params, LONG_MS), 0);
}

/* ---- the guest, by hand ---- */

static void say(struct hub_rig *rig, const char *text)
{
    size_t n = strlen(text);

    while (n) {
        ssize_t part = send(rig->guest, text, n, MSG_NOSIGNAL);

        fixture_turn(rig->f, 1);
        if (part > 0) {
            text += part;
            n -= (size_t)part;
        } else {
            assert_int_equal(errno, EAGAIN);
        }
    }
    fixture_turn(rig->f, 3);
}

static char *heard(struct hub_rig *rig, const char *what)
{
    static char text[65536];
    struct pollfd pfd = {.fd = libxl_ctx_fd(rig->f->ctx), .events = POLLIN};
    uint64_t end = libxl__now_ms(rig->f->ctx) + 120000;
    size_t have = 0;
    ssize_t n;
    char *at;

    for (;;) {
        text[have] = '\0';
        at = memmem(text, have, what, strlen(what));
        if (at && (strchr(at, '\n') || strchr(at, '}')))
            return at;
        assert_true(libxl__now_ms(rig->f->ctx) < end);
        fixture_turn(rig->f, 1);
        n = recv(rig->guest, text + have, sizeof(text) - 1 - have, 0);
        if (n > 0)
            have += (size_t)n;
        else
            poll(&pfd, 1, 5);
    }
}

static void sync_qga(struct hub_rig *rig)
{
    uint64_t id = strtoull(
        strstr(heard(rig, "guest-sync-delimited"), "\"id\":") + 5, NULL, 10);
    char text[160];

    snprintf(text, sizeof(text),
             "{\"error\":{\"class\":\"GenericError\",\"desc\":\"JSON\"}}\n"
             "\xff{\"return\": %" PRIu64 "}\n",
             id);
    say(rig, text);
}

static void qga_guest(struct hub_rig *rig)
{
    attach(rig, true);
    sync_qga(rig);
    assert_true(libxl__agent_qga_is_up(&rig->hub.qga));
}

/* ---- qemu-ga ---- */

static void a_ping_is_translated(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call call;

    qga_guest(rig);
    start(rig, 0, &call, "agent.ping", NULL);
    heard(rig, "guest-ping");
    say(rig, "{\"return\": {}}\n");
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, 0);
}

static void commands_of_all_go_one_after_the_other(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call calls[CLIENTS];
    int i;

    qga_guest(rig);
    for (i = 0; i < CLIENTS; i++)
        start(rig, i, &calls[i], "agent.ping", NULL);
    for (i = 0; i < CLIENTS; i++) {
        heard(rig, "guest-ping");
        fixture_turn(rig->f, 3);
        assert_int_equal(recv(rig->guest, (char[9]){0}, 9, 0), -1);
        say(rig, "{\"return\": {}}\n");
    }
    for (i = 0; i < CLIENTS; i++) {
        fixture_run_until(rig->f, &calls[i].done);
        assert_int_equal(calls[i].code, 0);
    }
}

static void qgas_error_is_handed_on(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call call;

    qga_guest(rig);
    start(rig, 0, &call, "guest.viewfile", "{\"path\":\"/none\"}");
    heard(rig, "guest-file-open");
    say(rig,
        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"not there\"}}\n");
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, AGENT_E_SYSTEM);
    assert_string_equal(call.text, "not there");
}

static void a_file_comes_in_pieces(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call call;

    qga_guest(rig);
    start(rig, 0, &call, "guest.viewfile", "{\"path\":\"/a\"}");
    heard(rig, "guest-file-open");
    say(rig, "{\"return\": 1000}\n");
    heard(rig, "guest-file-read");
    say(rig, "{\"return\":{\"count\":3,\"buf-b64\":\"YWJj\",\"eof\":false}}\n");
    heard(rig, "guest-file-read");
    say(rig, "{\"return\":{\"count\":1,\"buf-b64\":\"ZA==\",\"eof\":true}}\n");
    heard(rig, "guest-file-close");
    say(rig, "{\"return\":{}}\n");
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, 0);
    assert_int_equal(call.data_bytes, 4);
    assert_int_equal(call.first, 'a');
    assert_int_equal(call.last, 'd');
}

static void answers(struct hub_rig *rig, const char *method, const char *params,
                    const char *said, int code)
{
    struct arig_call call;

    start(rig, 0, &call, method, params);
    heard(rig, "\"execute\"");
    say(rig, said);
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, code);
}

static void answers_of_a_wrong_kind_are_errors(void **state)
{
    struct hub_rig *rig = *state;
    const char *path = "{\"path\":\"/a\"}";

    qga_guest(rig);
    answers(rig, "guest.viewfile", path, "{\"return\": -1}\n",
            AGENT_E_INTERNAL);
    answers(rig, "guest.viewfile", path, "{\"return\": \"x\"}\n",
            AGENT_E_INTERNAL);
    answers(rig, "guest.viewdmesg", NULL, "{\"return\": {}}\n",
            AGENT_E_INTERNAL);
    answers(rig, "guest.viewdmesg", NULL, "{\"return\": []}\n",
            AGENT_E_INTERNAL);
    answers(rig, "agent.ping", NULL, "{\"error\": 7}\n", AGENT_E_SYSTEM);
    answers(rig, "agent.ping", NULL, "{}\n", AGENT_E_SYSTEM);
    answers(rig, "agent.capabilities", NULL, "{\"return\": 5}\n", 0);
}

static void data_that_are_no_base64_are_an_error(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call call;

    qga_guest(rig);
    start(rig, 0, &call, "guest.viewfile", "{\"path\":\"/a\"}");
    heard(rig, "guest-file-open");
    say(rig, "{\"return\": 1}\n");
    heard(rig, "guest-file-read");
    say(rig, "{\"return\":{\"buf-b64\":\"Y=Jj\",\"eof\":false}}\n");
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, AGENT_E_INTERNAL);
}

static void garbage_begins_anew(void **state)
{
    struct hub_rig *rig = *state;

    qga_guest(rig);
    say(rig, "this is no JSON\n");
    assert_false(libxl__agent_qga_is_up(&rig->hub.qga));
    sync_qga(rig);
    assert_true(libxl__agent_qga_is_up(&rig->hub.qga));
    say(rig, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n");
    assert_false(libxl__agent_qga_is_up(&rig->hub.qga));
    sync_qga(rig);
    say(rig, "{\"return\": \"\xc3\x28\"}\n");
    assert_false(libxl__agent_qga_is_up(&rig->hub.qga));
}

/* The answer may have been in what was thrown away: nobody waits for it. */
static void garbage_ends_the_command_that_is_running(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call call, next;

    qga_guest(rig);
    start(rig, 0, &call, "agent.ping", NULL);
    heard(rig, "guest-ping");
    start(rig, 1, &next, "agent.ping", NULL);
    fixture_turn(rig->f, 3);
    say(rig, "this is no JSON\n");
    fixture_run_until(rig->f, &call.done);
    fixture_run_until(rig->f, &next.done);
    assert_int_equal(call.code, AGENT_E_RESET);
    assert_int_equal(next.code, AGENT_E_RESET);
    sync_qga(rig);
    answers(rig, "agent.ping", NULL, "{\"return\": {}}\n", 0);
}

/* dmesg is asked for again and again; nothing may be asked while out of
 * step. */
static void garbage_ends_a_call_between_two_commands(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call call;

    qga_guest(rig);
    start(rig, 0, &call, "guest.viewdmesg", NULL);
    heard(rig, "guest-exec");
    say(rig, "{\"return\":{\"pid\":3}}\n");
    heard(rig, "guest-exec-status");
    say(rig, "{\"return\":{\"exited\":false}}\nthis is no JSON\n");
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, AGENT_E_RESET);
    sync_qga(rig);
    answers(rig, "agent.ping", NULL, "{\"return\": {}}\n", 0);
}

static void a_sync_of_another_time_is_not_believed(void **state)
{
    struct hub_rig *rig = *state;

    attach(rig, true);
    heard(rig, "guest-sync-delimited");
    say(rig, "\xff{\"return\": 1}\n\xff{\"return\": \"x\"}\n");
    assert_false(libxl__agent_qga_is_up(&rig->hub.qga));
}

static void an_endless_line_is_bounded(void **state)
{
    struct hub_rig *rig = *state;
    char *line = malloc(100001);
    int i;

    qga_guest(rig);
    memset(line, 'x', 100000);
    line[100000] = '\0';
    say(rig, line);
    say(rig, line);
    assert_false(libxl__agent_qga_is_up(&rig->hub.qga));
    assert_true(rig->hub.qga.in_room <= LIBXL__QGA_LINE_MAX);
    /* and more of it: in rations */
    for (i = 0; i < 2000 && !libxl__ev_time_isregistered(&rig->hub.qga.pause);
         i++) {
        send(rig->guest, line, 100000, MSG_NOSIGNAL);
        fixture_turn(rig->f, 1);
    }
    assert_true(libxl__ev_time_isregistered(&rig->hub.qga.pause));
    assert_true(rig->hub.qga.in_room <= LIBXL__QGA_LINE_MAX);
    free(line);
}

static void a_flood_of_answers_is_rationed(void **state)
{
    struct hub_rig *rig = *state;
    int i;

    qga_guest(rig);
    for (i = 0; i < 20000 && !libxl__ev_time_isregistered(&rig->hub.qga.pause);
         i++) {
        send(rig->guest, "{\"return\": {}}\n", 15, MSG_NOSIGNAL);
        fixture_turn(rig->f, 1);
    }
    assert_true(libxl__ev_time_isregistered(&rig->hub.qga.pause));
}

static void a_guest_that_goes_ends_its_calls(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call call, queued;

    qga_guest(rig);
    start(rig, 0, &call, "agent.ping", NULL);
    start(rig, 1, &queued, "agent.ping", NULL);
    heard(rig, "guest-ping");
    close(rig->guest);
    rig->guest = -1;
    fixture_run_until(rig->f, &call.done);
    fixture_run_until(rig->f, &queued.done);
    assert_int_equal(call.code, AGENT_E_AWAY);
    assert_int_equal(queued.code, AGENT_E_AWAY);
}

static void a_guest_that_goes_when_told_to_has_obeyed(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call call;

    qga_guest(rig);
    start(rig, 0, &call, "guest.shutdown", "{\"mode\":\"reboot\"}");
    heard(rig, "guest-shutdown");
    close(rig->guest);
    rig->guest = -1;
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, 0);
}

static void a_wrong_mode_is_not_handed_on(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call call;

    qga_guest(rig);
    start(rig, 0, &call, "guest.shutdown", "{\"mode\":\"x\\\",\\\"y\"}");
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, AGENT_E_PARAMS);
}

/* ---- xl-agentd's wire ---- */

static void open_own_guest(struct hub_rig *rig, struct arig_end *end)
{
    attach(rig, false);
    memset(end, 0, sizeof(*end));
    arig_end_open(rig->f, end, rig->guest);
    fixture_run_until(rig->f, &end->ups);
}

static void close_own_guest(struct hub_rig *rig, struct arig_end *end)
{
    struct arig holder = {.f = rig->f};

    arig_close_end(&holder, end);
}

static void each_command_gets_its_own_answer(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_call calls[CLIENTS];
    struct arig_end guest;
    int i;

    open_own_guest(rig, &guest);
    for (i = 0; i < CLIENTS; i++)
        start(rig, i, &calls[i], i == 1 ? "fail" : "echo", "{\"x\":[1,\"y\"]}");
    for (i = 0; i < CLIENTS; i++) {
        fixture_run_until(rig->f, &calls[i].done);
        assert_int_equal(calls[i].code, i == 1 ? AGENT_E_METHOD : 0);
    }
    close_own_guest(rig, &guest);
}

static void a_command_that_goes_cancels_its_call(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_end guest;
    struct arig_call call;

    open_own_guest(rig, &guest);
    start(rig, 0, &call, "hold", NULL);
    fixture_run_until(rig->f, &guest.held_nr);
    close_client(rig, &rig->clients[0]);
    assert_int_equal(call.code, AGENT_E_AWAY);
    fixture_run_until(rig->f, &guest.stopped);
    close_own_guest(rig, &guest);
}

static void the_hub_knows_who_is_there(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_end guest;
    struct arig_call call;

    start(rig, 0, &call, "hub.status", NULL);
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, 0);
    start(rig, 0, &call, "agent.ping", NULL);
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, AGENT_E_AWAY);
    open_own_guest(rig, &guest);
    start(rig, 0, &call, "echo", NULL);
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, 0);
    close_own_guest(rig, &guest);
}

static void one_client_too_many_is_turned_away(void **state)
{
    struct hub_rig *rig = *state;
    int fds[LIBXL__AGENT_HUB_CLIENTS], i;
    char byte;

    for (i = 0; i < LIBXL__AGENT_HUB_CLIENTS - CLIENTS; i++)
        fds[i] = connect_hub(rig);
    fixture_turn(rig->f, 20);
    i = connect_hub(rig);
    fixture_turn(rig->f, 3);
    assert_int_equal(recv(i, &byte, 1, MSG_DONTWAIT), 0);
    close(i);
    for (i = 0; i < LIBXL__AGENT_HUB_CLIENTS - CLIENTS; i++)
        close(fds[i]);
    fixture_turn(rig->f, 5);
}

static void a_closing_hub_tells_the_commands_first(void **state)
{
    struct hub_rig *rig = *state;
    struct arig_end guest;
    struct arig_call call;

    open_own_guest(rig, &guest);
    start(rig, 0, &call, "hold", NULL);
    fixture_run_until(rig->f, &guest.held_nr);
    close_hub(rig);
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, AGENT_E_AWAY);
    fixture_run_until(rig->f, &rig->clients[0].gone);
    close_own_guest(rig, &guest);
}

/* ---- the small codecs ---- */

static void base64_is_strict(void **state)
{
    static const struct {
        const char *text, *bytes;
        ssize_t n;
    } rows[] = {
        {"", "", 0},        {"YQ==", "a", 1},        {"YWI=", "ab", 2},
        {"YWJj", "abc", 3}, {"YWJjZA==", "abcd", 4}, {"Y", "", -1},
        {"YQ=", "", -1},    {"YQ==YQ==", "", -1},    {"Y===", "", -1},
        {"=QQQ", "", -1},   {"YW J", "", -1},        {"YWJjZGVmZw==", "", -1},
    };
    char out[6];
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(libxl__base64_decode(rows[i].text, out, sizeof(out)),
                         rows[i].n);
        if (rows[i].n > 0)
            assert_memory_equal(out, rows[i].bytes, (size_t)rows[i].n);
    }
}

static void sha256_gives_the_standards_values(void **state)
{
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[LIBXL__SHA256_HEX + 1];
    struct libxl__sha256 s;
    size_t i, k;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        libxl__sha256_init(&s);
        for (k = 0; rows[i].text[k]; k++)
            libxl__sha256_add(&s, &rows[i].text[k], 1);
        libxl__sha256_hex(&s, hex);
        assert_string_equal(hex, rows[i].hex);
    }
    libxl__sha256_init(&s);
    for (i = 0; i < 1000; i++) {
        static const char thousand[1001] = {[0 ... 999] = 'a'};

        libxl__sha256_add(&s, thousand, 1000);
    }
    libxl__sha256_hex(&s, hex);
    assert_string_equal(
        hex,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_ping_is_translated),
        T(commands_of_all_go_one_after_the_other),
        T(qgas_error_is_handed_on),
        T(a_file_comes_in_pieces),
        T(answers_of_a_wrong_kind_are_errors),
        T(data_that_are_no_base64_are_an_error),
        T(garbage_begins_anew),
        T(garbage_ends_the_command_that_is_running),
        T(garbage_ends_a_call_between_two_commands),
        T(a_sync_of_another_time_is_not_believed),
        T(an_endless_line_is_bounded),
        T(a_flood_of_answers_is_rationed),
        T(a_guest_that_goes_ends_its_calls),
        T(a_guest_that_goes_when_told_to_has_obeyed),
        T(a_wrong_mode_is_not_handed_on),
        T(each_command_gets_its_own_answer),
        T(a_command_that_goes_cancels_its_call),
        T(the_hub_knows_who_is_there),
        T(one_client_too_many_is_turned_away),
        T(a_closing_hub_tells_the_commands_first),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(sha256_gives_the_standards_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
