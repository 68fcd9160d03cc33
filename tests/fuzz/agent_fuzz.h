/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent_fuzz.h - what the fuzz targets of the agent channel's movers share: a
 * ctx on a socket pair, a clock that the input moves, and the input, read as
 * a script.
 *
 * Owns:      all of it; static, so that each target is one file.
 * Rule:      an input must leave no work behind that wakes the loop: whoever
 *            is asked to do nothing sleeps.
 */
#ifndef AGENT_FUZZ_H
#define AGENT_FUZZ_H

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/loop.h"

#define FUZZ_TURNS_MAX 4000
#define FUZZ_OPS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the clock: libuv's calls come here, too ---- */

static uint64_t fuzz_ahead_ms;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    int r = (int)syscall(SYS_clock_gettime, clock, ts);

    if (r || clock == CLOCK_REALTIME)
        return r;
    ts->tv_sec += (time_t)(fuzz_ahead_ms / 1000);
    ts->tv_nsec += (long)(fuzz_ahead_ms % 1000) * 1000000;
    if (ts->tv_nsec >= 1000000000) {
        ts->tv_nsec -= 1000000000;
        ts->tv_sec++;
    }
    return 0;
}

/* ---- the input ---- */

struct script {
    const uint8_t *p;
    size_t left;
};

static uint8_t script_byte(struct script *s)
{
    if (!s->left)
        return 0;
    s->left--;
    return *s->p++;
}

/* At most max bytes, in place. */
static const uint8_t *script_bytes(struct script *s, size_t max, size_t *bytes)
{
    const uint8_t *p = s->p;

    *bytes = max < s->left ? max : s->left;
    s->p += *bytes;
    s->left -= *bytes;
    return p;
}

/* ---- the host and its guest ---- */

struct fuzz_rig {
    libxl_ctx *ctx;
    libxl_logger logger;
    int host, guest;       /* the ends of the pair */
    libxl__ev_time anchor; /* a loop without any handle claims to be busy */
};

static void fuzz_no_message(libxl_logger *lg, libxl_loglevel level,
                            uint32_t domid, const char *text)
{
}

static void fuzz_never(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    abort();
}

static void fuzz_rig_open(struct fuzz_rig *rig)
{
    const int room = 4608; /* so that a guest that does not read is felt */
    int sv[2];

    fuzz_ahead_ms = 0;
    rig->logger.message = fuzz_no_message;
    if (libxl_ctx_alloc(&rig->ctx, LIBXL_VERSION, 0, &rig->logger) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv))
        abort();
    setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    libxl__ev_time_init(&rig->anchor);
    if (libxl__ev_time_register_rel(rig->ctx, NULL, &rig->anchor, fuzz_never,
                                    UINT64_C(1) << 50))
        abort();
    rig->host = sv[0];
    rig->guest = sv[1];
}

static void fuzz_turn(struct fuzz_rig *rig, unsigned turns)
{
    libxl_event *event;

    while (turns--)
        if (libxl_event_check(rig->ctx, &event, 0, NULL, NULL) !=
            ERROR_NOT_READY)
            abort();
}

/* Turns until nothing is to be done now. */
static void fuzz_settle(struct fuzz_rig *rig)
{
    struct pollfd pfd = {.fd = libxl_ctx_fd(rig->ctx), .events = POLLIN};
    unsigned turns;

    for (turns = 0; turns < FUZZ_TURNS_MAX; turns++) {
        fuzz_turn(rig, 1);
        if (libxl_ctx_timeout_ms(rig->ctx) && poll(&pfd, 1, 0) == 0)
            return;
    }
    abort(); /* it spins */
}

static void fuzz_pass(struct fuzz_rig *rig, uint8_t how_long)
{
    static const unsigned ms[] = {1,    150,   600,   2100,
                                  5100, 11000, 70000, 700000};

    fuzz_ahead_ms += ms[how_long % 8];
    fuzz_settle(rig);
}

static void fuzz_write(struct fuzz_rig *rig, const void *bytes, size_t n)
{
    const char *p = bytes;
    unsigned tries;
    ssize_t part;

    for (tries = 0; n && tries < 64; tries++) {
        part = send(rig->guest, p, n, MSG_NOSIGNAL);
        if (part > 0) {
            p += part;
            n -= (size_t)part;
        }
        fuzz_turn(rig, 1);
    }
}

/* The guest reads; what it reads is of no use to it. */
static void fuzz_read(struct fuzz_rig *rig, unsigned times)
{
    static char away[65536];

    while (times-- && read(rig->guest, away, sizeof(away)) > 0)
        fuzz_turn(rig, 1);
}

/* The host's end is the owner's to close. */
static void fuzz_rig_close(struct fuzz_rig *rig)
{
    close(rig->guest);
    fuzz_settle(rig);
    libxl__ev_time_deregister(rig->ctx, &rig->anchor);
    if (libxl_ctx_free(rig->ctx))
        abort();
    fuzz_ahead_ms = 0;
}

#endif
