/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_peer.c - the fd: open -> ready -> read, dispatch | write -> ... gone
 *
 * While lost: ask -> (retry: ask again)* -> found -> hello -> up.
 */
#include "agent/agent_peer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "agent/agent_peer_private.h"
#include "base/container.h"
#include "base/log.h"

enum {
    RETRY_FIRST_MS = 2000,
    RETRY_DOUBLINGS = 5, /* up to 64 s */
    STALL_MS = 5000,
};

static struct libxl__agent_peer_state *state_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__agent_peer_state, ev);
}

static struct libxl__agent_peer_state *state_of_retry(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__agent_peer_state, retry);
}

static struct libxl__agent_peer_state *state_of_stall(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__agent_peer_state, stall);
}

static struct libxl__agent_peer_state *state_of_pause(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__agent_peer_state, pause);
}

void libxl__agent_watch(struct libxl__agent_peer_state *st)
{
    bool was_reading = st->reading;
    short events = 0;

    st->throttled = libxl__agent_out_full(st);
    st->reading = !st->throttled && !libxl__ev_time_isregistered(&st->pause);
    if (st->reading && !was_reading)
        st->progress_ms = libxl__now_ms(st->ctx); /* it was we who stalled */
    if (st->reading)
        events |= POLLIN;
    if (!STAILQ_EMPTY(&st->out))
        events |= POLLOUT;
    libxl__ev_fd_modify(st->ctx, &st->ev, events);
}

/* ---- lost and found ---- */

static uint64_t random_token(void)
{
    uint64_t token = 0;

    while (getrandom(&token, sizeof(token), 0) != sizeof(token))
        ;
    return token;
}

static void ask(struct libxl__agent_peer_state *st);

static void ask_again(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    ask(state_of_retry(ev));
}

/* A question that could not be written yet is not asked twice. */
static void ask(struct libxl__agent_peer_state *st)
{
    unsigned doublings =
        st->asked < RETRY_DOUBLINGS ? st->asked : RETRY_DOUBLINGS;
    uint64_t token;

    if (!st->asked || STAILQ_EMPTY(&st->out)) {
        token = random_token();
        libxl__agent_reader_lose(&st->reader, token);
        if (!libxl__agent_out_line(st, AGENT_ITEM_WANT, token))
            libxl__agent_say_hello(st);
        st->asked++;
    }
    libxl__ev_time_deregister(st->ctx, &st->retry);
    libxl__ev_time_register_rel(st->ctx, NULL, &st->retry, ask_again,
                                (uint64_t)RETRY_FIRST_MS << doublings);
}

void libxl__agent_get_lost(struct libxl__agent_peer_state *st, const char *why)
{
    LOGD(st->ctx, st->peer->domid, DEBUG,
         "agent channel: lost: %s; asking the other end to begin anew", why);
    st->up = false;
    st->peer_calls = 0;
    st->asked = 0;
    ask(st);
}

static void check_stall(libxl__egc *egc, libxl__ev_time *ev, int rc);

static void watch_stall(struct libxl__agent_peer_state *st)
{
    if (st->reader.lost || !libxl__agent_reader_partial(&st->reader) ||
        libxl__ev_time_isregistered(&st->stall))
        return;
    libxl__ev_time_register_rel(st->ctx, NULL, &st->stall, check_stall,
                                STALL_MS);
}

static void check_stall(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct libxl__agent_peer_state *st = state_of_stall(ev);

    if (st->reading && !st->reader.lost &&
        libxl__agent_reader_partial(&st->reader) &&
        libxl__now_ms(st->ctx) - st->progress_ms >= STALL_MS)
        libxl__agent_get_lost(st, "a message does not go on");
    watch_stall(st);
}

/* ---- reading ---- */

void libxl__agent_spend(struct libxl__agent_peer_state *st, size_t bytes)
{
    libxl__agent_budget_spend(&st->budget, libxl__now_ms(st->ctx), bytes);
}

static void pause_over(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__agent_watch(state_of_pause(ev));
}

static void pause_if_spent(struct libxl__agent_peer_state *st)
{
    uint32_t ms =
        libxl__agent_budget_pause_ms(&st->budget, libxl__now_ms(st->ctx));

    if (!ms || libxl__ev_time_isregistered(&st->pause))
        return;
    libxl__ev_time_register_rel(st->ctx, NULL, &st->pause, pause_over, ms);
}

/* false: the peer is closed. */
static bool take_items(libxl__egc *egc, struct libxl__agent_peer_state *st)
{
    struct libxl__agent_item item;

    do {
        libxl__agent_reader_next(&st->reader, &item);
        if (!libxl__agent_dispatch(egc, st, &item))
            return false;
    } while (item.kind != AGENT_ITEM_NONE);
    return true;
}

static void gone(libxl__egc *egc, struct libxl__agent_peer_state *st,
                 int errnoval)
{
    libxl__agent_peer *peer = st->peer;

    libxl__agent_peer_close(egc, peer);
    peer->gone(egc, peer, errnoval);
}

static bool read_some(libxl__egc *egc, struct libxl__agent_peer_state *st)
{
    size_t room;
    void *to = libxl__agent_reader_room(&st->reader, &room);
    ssize_t n;

    if (!to) {
        gone(egc, st, ENOMEM);
        return false;
    }
    n = read(st->peer->fd, to, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0) {
        gone(egc, st, n ? errno : 0);
        return false;
    }
    st->progress_ms = libxl__now_ms(st->ctx);
    if (st->reader.lost)
        libxl__agent_spend(st, (size_t)n);
    libxl__agent_reader_got(&st->reader, (size_t)n);
    libxl__agent_out_cork(st, true);
    if (!take_items(egc, st))
        return false;
    libxl__agent_out_cork(st, false);
    watch_stall(st);
    pause_if_spent(st);
    return true;
}

static void ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                  short revents)
{
    struct libxl__agent_peer_state *st = state_of_ev(ev);
    bool alive = true;
    int errnoval;

    if (revents & (POLLOUT | POLLERR)) {
        errnoval = libxl__agent_out_write(egc, st, &alive);
        if (!alive)
            return;
        if (errnoval) {
            gone(egc, st, errnoval);
            return;
        }
    }
    if ((revents & (POLLIN | POLLERR)) && !read_some(egc, st))
        return;
    libxl__agent_watch(st);
}

/* ---- life ---- */

void libxl__agent_peer_init(libxl__agent_peer *peer)
{
    peer->state = NULL;
}

int libxl__agent_peer_open(libxl__agent_peer *peer)
{
    struct libxl__agent_peer_state *st;
    int rc;

    assert(!peer->state);
    st = calloc(1, sizeof(*st));
    if (!st)
        return ERROR_NOMEM;
    st->peer = peer;
    st->ctx = peer->ctx;
    STAILQ_INIT(&st->out);
    libxl__ev_fd_init(&st->ev);
    libxl__ev_time_init(&st->retry);
    libxl__ev_time_init(&st->stall);
    libxl__ev_time_init(&st->pause);
    libxl__agent_budget_init(&st->budget, libxl__now_ms(st->ctx));
    libxl__agent_reader_init(&st->reader, 0);
    rc = libxl__ev_fd_register(st->ctx, &st->ev, ready, peer->fd, POLLIN);
    if (rc) {
        free(st);
        return rc;
    }
    peer->state = st;
    ask(st);
    return 0;
}

void libxl__agent_peer_close(libxl__egc *egc, libxl__agent_peer *peer)
{
    struct libxl__agent_peer_state *st = peer->state;

    if (!st)
        return;
    peer->state = NULL;
    st->up = false;
    libxl__ev_fd_deregister(st->ctx, &st->ev);
    libxl__ev_time_deregister(st->ctx, &st->retry);
    libxl__ev_time_deregister(st->ctx, &st->stall);
    libxl__ev_time_deregister(st->ctx, &st->pause);
    libxl__agent_jobs_close(egc, st);
    libxl__agent_calls_close(egc, st);
    libxl__agent_out_drop_all(st);
    libxl__agent_reader_dispose(&st->reader);
    free(st);
}

bool libxl__agent_peer_is_up(const libxl__agent_peer *peer)
{
    return peer->state && peer->state->up;
}

int libxl__agent_note(libxl__agent_peer *peer, const char *method,
                      const char *params)
{
    struct libxl__agent_out *out = NULL;
    libxl__gc gc;
    char *json;

    if (!libxl__agent_peer_is_up(peer))
        return ERROR_NOT_READY;
    if (libxl__agent_out_full(peer->state))
        return ERROR_BUFFERFULL;
    libxl__gc_init(&gc, peer->ctx);
    json = libxl__agent_msg_request(&gc, 0, method, params);
    if (json)
        out = libxl__agent_out_make(json, NULL, 0);
    libxl__gc_dispose(&gc);
    if (!out)
        return ERROR_NOMEM;
    libxl__agent_out_queue(peer->state, out);
    return 0;
}
