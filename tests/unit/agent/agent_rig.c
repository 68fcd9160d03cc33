/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/agent_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "engine/loop.h"

static const char hello[] = "{\"version\":1,\"role\":\"host\",\"calls\":16}";

static void up(libxl__egc *egc, libxl__agent_peer *peer, yajl_val params)
{
    struct arig_end *end = peer->user;

    end->ups++;
}

static void gone(libxl__egc *egc, libxl__agent_peer *peer, int errnoval)
{
    struct arig_end *end = peer->user;

    end->gone++;
}

static void noted(libxl__egc *egc, libxl__agent_peer *peer, const char *method,
                  yajl_val params)
{
    struct arig_end *end = peer->user;

    end->notes++;
    snprintf(end->note, sizeof(end->note), "%s", method);
}

static void stop(libxl__egc *egc, libxl__agent_job *job)
{
    struct arig_end *end = job->user;

    end->stopped++;
}

static void serve(libxl__egc *egc, libxl__agent_peer *peer,
                  libxl__agent_job *job)
{
    struct arig_end *end = peer->user;

    end->served++;
    if (!strcmp(job->method, "echo")) {
        libxl__agent_job_result(egc, job, "{}", job->data, job->data_bytes);
    } else if (!strcmp(job->method, "hold")) {
        job->user = end;
        job->stop = stop;
        assert_true(end->held_nr < 64);
        end->held[end->held_nr++] = job;
    } else {
        libxl__agent_job_error(egc, job, AGENT_E_METHOD, NULL);
    }
}

void arig_end_open(struct fixture *f, struct arig_end *end, int fd)
{
    libxl__agent_peer_init(&end->peer);
    end->peer.ctx = f->ctx;
    end->peer.fd = fd;
    end->peer.domid = 7;
    end->peer.hello = hello;
    end->peer.user = end;
    end->peer.up = up;
    end->peer.serve = serve;
    end->peer.noted = noted;
    end->peer.gone = gone;
    assert_int_equal(libxl__agent_peer_open(&end->peer), 0);
}

void arig_open(struct arig *rig, struct fixture *f, bool with_guest)
{
    memset(rig, 0, sizeof(*rig));
    rig->f = f;
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rig->sv), 0);
    arig_end_open(f, &rig->host, rig->sv[0]);
    rig->host.peer.distrusted = !with_guest;
    if (with_guest)
        arig_end_open(f, &rig->guest, rig->sv[1]);
    else
        fcntl(rig->sv[1], F_SETFL, O_NONBLOCK);
}

void arig_close_end(struct arig *rig, struct arig_end *end)
{
    libxl__egc egc;
    int i;

    libxl__egc_begin(rig->f->ctx, &egc);
    libxl__agent_peer_close(&egc, &end->peer);
    for (i = 0; i < end->held_nr; i++)
        if (end->held[i])
            libxl__agent_job_result(&egc, end->held[i], "{}", NULL, 0);
    end->held_nr = 0;
    libxl__egc_end(&egc);
}

void arig_close(struct arig *rig)
{
    arig_close_end(rig, &rig->host);
    arig_close_end(rig, &rig->guest);
    close(rig->sv[0]);
    close(rig->sv[1]);
}

static struct arig_call *arig_call_of(libxl__agent_call *call)
{
    return CONTAINER_OF(call, struct arig_call, call);
}

static void done(libxl__egc *egc, libxl__agent_call *call,
                 const struct libxl__agent_answer *answer)
{
    struct arig_call *c = arig_call_of(call);

    c->done++;
    c->code = answer->code;
    snprintf(c->text, sizeof(c->text), "%s", answer->text ? answer->text : "");
    c->data_bytes = answer->data_bytes;
    if (answer->data_bytes) {
        c->first = answer->data[0];
        c->last = answer->data[answer->data_bytes - 1];
    }
}

int arig_call(struct arig_end *from, struct arig_call *call, const char *method,
              const char *params, uint32_t deadline_ms)
{
    memset(call, 0, sizeof(*call));
    libxl__agent_call_init(&call->call);
    call->call.done = done;
    return libxl__agent_call_start(&from->peer, &call->call, method, params,
                                   NULL, 0, deadline_ms);
}

void arig_stop(struct arig *rig, struct arig_call *call)
{
    libxl__egc egc;

    libxl__egc_begin(rig->f->ctx, &egc);
    libxl__agent_call_stop(&egc, &call->call);
    libxl__egc_end(&egc);
}

void arig_release(struct arig *rig, struct arig_end *end, int which)
{
    libxl__egc egc;

    libxl__egc_begin(rig->f->ctx, &egc);
    libxl__agent_job_result(&egc, end->held[which], "{}", NULL, 0);
    end->held[which] = NULL;
    libxl__egc_end(&egc);
}

void arig_until_up(struct arig *rig)
{
    fixture_run_until(rig->f, &rig->host.ups);
    fixture_run_until(rig->f, &rig->guest.ups);
}

/* ---- by hand ---- */

void arig_write(struct arig *rig, const void *bytes, size_t n)
{
    const char *p = bytes;
    ssize_t part;
    int patience;

    for (patience = 0; n && patience < 20000; patience++) {
        part = send(rig->sv[1], p, n, MSG_NOSIGNAL);
        if (part > 0) {
            p += part;
            n -= (size_t)part;
        }
        fixture_turn(rig->f, 1);
    }
    assert_int_equal(n, 0);
    fixture_turn(rig->f, 3);
}

void arig_say(struct arig *rig, const char *json)
{
    char text[2048];
    int n = snprintf(text, sizeof(text), "Content-Length: %zu\r\n\r\n%s",
                     strlen(json), json);

    arig_write(rig, text, (size_t)n);
}

const char *arig_read_until(struct arig *rig, const char *text)
{
    static char seen[1 << 20];
    struct pollfd pfd = {.fd = libxl_ctx_fd(rig->f->ctx), .events = POLLIN};
    uint64_t end = libxl__now_ms(rig->f->ctx) + 120000;
    size_t have = 0;
    ssize_t n;

    seen[0] = '\0';
    while (!memmem(seen, have, text, strlen(text))) {
        assert_true(libxl__now_ms(rig->f->ctx) < end);
        fixture_turn(rig->f, 1);
        n = read(rig->sv[1], seen + have, sizeof(seen) - 1 - have);
        if (n > 0)
            have += (size_t)n;
        else
            poll(&pfd, 1, 5);
        seen[have] = '\0';
    }
    return seen;
}

/* The last question counts: there may be older ones in the socket. */
void arig_answer_want(struct arig *rig)
{
    static char text[65536];
    char line[28] = {0}, *want = NULL, *next;
    size_t have;
    ssize_t n;

    have = strlen(strcpy(text, arig_read_until(rig, "XA1 want ")));
    fixture_turn(rig->f, 3);
    n = read(rig->sv[1], text + have, sizeof(text) - 1 - have);
    text[have + (n > 0 ? (size_t)n : 0)] = '\0';
    for (next = text; (next = strstr(next, "XA1 want ")); next++)
        want = next;
    memcpy(line, want - 1, 27);
    memcpy(line + 5, "here", 4);
    arig_write(rig, line, 27);
}

void arig_handshake(struct arig *rig)
{
    arig_answer_want(rig);
    arig_write(rig, "\xffXA1 want 0123456789abcdef\n", 27);
    arig_say(rig, "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{"
                  "\"version\":1,\"role\":\"guest\",\"calls\":8}}");
    arig_read_until(rig, "\"hello\"");
    assert_true(libxl__agent_peer_is_up(&rig->host.peer));
}
