// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that does as it likes to the host's end of the agent channel: replies
 * to calls never made, calls without end, never reading, falling silent. The
 * input is a script of what the guest does, what the host calls, and how much
 * time passes. Each call of the host must end exactly once, each queue stay
 * within its bound, and a host that has nothing to do must sleep.
 */
#include <inttypes.h>
#include <stdio.h>

#include "agent/agent_peer.h"
#include "agent/agent_peer_private.h"
#include "agent_fuzz.h"
#include "base/container.h"

enum {
    CALLS = 80, /* more than may be queued */
    HELD = LIBXL__AGENT_JOBS * 4,
};
/* What one read may hold is answered before reading stops. */
#define OUT_MESSAGES_MAX (128u + (64u + 512u + 64u) * 1024 / 24)
#define OUT_BYTES_MAX (16u * 1024 * 1024)
#define ROOM_MAX (LIBXL__AGENT_JSON_MAX + LIBXL__AGENT_DATA_MAX + 65536)

struct one_call {
    libxl__agent_call call;
    bool running;
};

struct world {
    struct fuzz_rig rig;
    struct script script;
    libxl__agent_peer peer;
    struct one_call calls[CALLS];
    libxl__agent_job *held[HELD];
    unsigned held_nr;
    bool close_in_done;
};

static struct one_call *one_of_call(libxl__agent_call *call)
{
    return CONTAINER_OF(call, struct one_call, call);
}

static void done(libxl__egc *egc, libxl__agent_call *call,
                 const struct libxl__agent_answer *answer)
{
    struct one_call *one = one_of_call(call);
    struct world *w = call->user;

    if (!one->running || (!answer->code && !answer->result))
        abort();
    one->running = false;
    if (w->close_in_done)
        libxl__agent_peer_close(egc, &w->peer);
}

static void serve(libxl__egc *egc, libxl__agent_peer *peer,
                  libxl__agent_job *job)
{
    struct world *w = peer->user;

    if (!strcmp(job->method, "hold") && w->held_nr < HELD)
        w->held[w->held_nr++] = job;
    else if (!strcmp(job->method, "echo"))
        libxl__agent_job_result(egc, job, "{}", job->data, job->data_bytes);
    else
        libxl__agent_job_error(egc, job, AGENT_E_METHOD, NULL);
}

static void gone(libxl__egc *egc, libxl__agent_peer *peer, int errnoval)
{
}

static void check(const struct world *w)
{
    const struct libxl__agent_peer_state *st = w->peer.state;

    if (!st)
        return;
    if (st->jobs_nr > LIBXL__AGENT_JOBS + HELD ||
        st->calls_nr > LIBXL__AGENT_CALLS_QUEUED ||
        st->calls_out > st->calls_nr || st->reader.room > ROOM_MAX ||
        st->out_messages > OUT_MESSAGES_MAX || st->out_bytes > OUT_BYTES_MAX)
        abort();
}

/* ---- what the guest says ---- */

static void say(struct world *w, const char *json, const void *data,
                size_t data_bytes)
{
    char header[LIBXL__AGENT_HEADER_MAX];
    size_t n = libxl__agent_put_header(header, strlen(json), data_bytes);

    fuzz_write(&w->rig, header, n);
    fuzz_write(&w->rig, json, strlen(json));
    fuzz_write(&w->rig, data, data_bytes);
}

static void say_raw(struct world *w)
{
    size_t n;
    const uint8_t *p = script_bytes(&w->script, script_byte(&w->script), &n);

    fuzz_write(&w->rig, p, n);
}

static void say_framed(struct world *w)
{
    char json[257] = "";
    size_t n;
    const uint8_t *p = script_bytes(&w->script, script_byte(&w->script), &n);

    memcpy(json, p, n);
    say(w, json, NULL, 0);
}

static void say_here(struct world *w)
{
    char line[LIBXL__AGENT_LINE_BYTES];

    if (!w->peer.state)
        return;
    libxl__agent_put_line(line, AGENT_ITEM_HERE, w->peer.state->reader.token);
    fuzz_write(&w->rig, line, sizeof(line));
}

static void say_want(struct world *w)
{
    char line[LIBXL__AGENT_LINE_BYTES];

    libxl__agent_put_line(line, AGENT_ITEM_WANT, script_byte(&w->script));
    fuzz_write(&w->rig, line, sizeof(line));
}

static void say_hello(struct world *w)
{
    char json[128];

    snprintf(json, sizeof(json),
             "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{"
             "\"version\":1,\"calls\":%u}}",
             script_byte(&w->script) % 66);
    say(w, json, NULL, 0);
}

/* To a call that is on its way, or never was. */
static void say_answer(struct world *w, bool error)
{
    static const uint8_t data[4096];
    uint8_t id = script_byte(&w->script);
    char json[128];

    snprintf(json, sizeof(json), "{\"jsonrpc\":\"2.0\",\"id\":%u,%s}", id,
             error ? "\"error\":{\"code\":-7,\"message\":\"no\"}"
                   : "\"result\":{}");
    say(w, json, data, id % 16 ? 0 : sizeof(data));
}

static void say_request(struct world *w)
{
    static const char *const methods[] = {"echo", "hold", "none", "hello"};
    static const uint8_t data[65536];
    uint8_t id = script_byte(&w->script), how = script_byte(&w->script);
    char json[128];

    snprintf(json, sizeof(json),
             "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\"}", id,
             methods[how % 4]);
    say(w, json, data, (size_t)(how / 4) * 1024);
}

static void say_cancel(struct world *w)
{
    char json[128];

    snprintf(json, sizeof(json),
             "{\"jsonrpc\":\"2.0\",\"method\":\"rpc.cancel\",\"params\":{"
             "\"id\":%u}}",
             script_byte(&w->script));
    say(w, json, NULL, 0);
}

/* ---- what the host does ---- */

static void start_call(struct world *w)
{
    static const uint8_t data[65536];
    struct one_call *one = &w->calls[script_byte(&w->script) % CALLS];
    uint8_t how = script_byte(&w->script);

    if (one->running)
        return;
    libxl__agent_call_init(&one->call);
    one->call.user = w;
    one->call.done = done;
    one->running = !libxl__agent_call_start(
        &w->peer, &one->call, "guest.do", how % 2 ? "{\"a\":1}" : NULL, data,
        (size_t)(how / 16) * 4096, 1000u << (how / 2 % 8));
}

static void stop_call(libxl__egc *egc, struct world *w)
{
    libxl__agent_call_stop(egc,
                           &w->calls[script_byte(&w->script) % CALLS].call);
}

static void finish_job(libxl__egc *egc, struct world *w)
{
    uint8_t how = script_byte(&w->script);
    unsigned which = w->held_nr ? how % w->held_nr : 0;
    libxl__agent_job *job = w->held[which];

    if (!w->held_nr)
        return;
    w->held[which] = w->held[w->held_nr - 1];
    w->held_nr--;
    if (how & 0x80)
        libxl__agent_job_error(egc, job, AGENT_E_SYSTEM, "no");
    else
        libxl__agent_job_result(egc, job, "{}", NULL, 0);
}

static void host_does(struct world *w, uint8_t op)
{
    libxl__egc egc;

    libxl__egc_begin(w->rig.ctx, &egc);
    switch (op % 4) {
    case 0:
        stop_call(&egc, w);
        break;
    case 1:
        finish_job(&egc, w);
        break;
    case 2:
        libxl__agent_note(&w->peer, "event", NULL);
        break;
    default:
        w->close_in_done = script_byte(&w->script) > 0xf0;
        break;
    }
    libxl__egc_end(&egc);
}

static void do_one(struct world *w)
{
    uint8_t op = script_byte(&w->script);

    switch (op % 16) {
    case 0:
        say_raw(w);
        break;
    case 1:
        say_framed(w);
        break;
    case 2:
    case 3:
        say_here(w);
        say_hello(w);
        break;
    case 4:
        say_want(w);
        break;
    case 5:
        say_hello(w);
        break;
    case 6:
    case 7:
        say_answer(w, op & 1);
        break;
    case 8:
    case 9:
        say_request(w);
        break;
    case 10:
        say_cancel(w);
        break;
    case 11:
    case 12:
        start_call(w);
        break;
    case 13:
        host_does(w, op / 16);
        break;
    case 14:
        fuzz_read(&w->rig, op / 16 + 1u);
        break;
    default:
        fuzz_pass(&w->rig, op / 16);
        break;
    }
}

/* ---- life ---- */

static void open_world(struct world *w, const uint8_t *data, size_t size)
{
    static const char hello[] = "{\"version\":1,\"role\":\"host\","
                                "\"calls\":16}";
    int i;

    memset(w, 0, sizeof(*w));
    w->script = (struct script){.p = data, .left = size};
    fuzz_rig_open(&w->rig);
    for (i = 0; i < CALLS; i++)
        libxl__agent_call_init(&w->calls[i].call);
    libxl__agent_peer_init(&w->peer);
    w->peer.ctx = w->rig.ctx;
    w->peer.fd = w->rig.host;
    w->peer.hello = hello;
    w->peer.tells_time = true;
    w->peer.distrusted = script_byte(&w->script) & 1;
    w->peer.user = w;
    w->peer.serve = serve;
    w->peer.gone = gone;
    if (libxl__agent_peer_open(&w->peer))
        abort();
}

static void close_world(struct world *w)
{
    libxl__egc egc;
    int i;

    libxl__egc_begin(w->rig.ctx, &egc);
    libxl__agent_peer_close(&egc, &w->peer);
    for (i = 0; i < CALLS; i++)
        if (w->calls[i].running)
            abort();
    while (w->held_nr)
        libxl__agent_job_result(&egc, w->held[--w->held_nr], "{}", NULL, 0);
    libxl__egc_end(&egc);
    fuzz_rig_close(&w->rig);
    close(w->rig.host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    unsigned ops;

    open_world(&w, data, size);
    for (ops = 0; ops < FUZZ_OPS_MAX && w.script.left; ops++) {
        do_one(&w);
        check(&w);
    }
    fuzz_settle(&w.rig);
    fuzz_pass(&w.rig, 7);
    check(&w);
    close_world(&w);
    return 0;
}
