/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devctl.c - requests of the toolstack. Chain:
 *
 *   on_listen -> on_conn -> take_lines -> an answer at once
 *                                      -> move -> moved -> the answer
 */
#include "ring/devctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"

#define CONFIG_BYTES 64u /* what "config" answers: the standard header */
#define SEND_BUFFER (4 << 20) /* what is read ahead in pre-copy, at most */

static struct devctl_conn *conn_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct devctl_conn, ev);
}

static struct devctl *control_of_acceptor(libxl__acceptor *ac)
{
    return CONTAINER_OF(ac, struct devctl, acceptor);
}

/* One request: what state it brings the device to, and what follows. */
struct devctl_request {
    const char *name;
    enum devmig_state to;
    void (*then)(libxl__egc *egc, struct devctl_conn *conn);
};

static void moved(libxl__egc *egc, void *user, int r);

static enum devmig_state state_of(const struct devctl *c)
{
    return c->pci->mig.state;
}

static bool is_running(const struct devctl *c)
{
    return state_of(c) == DEVMIG_RUNNING || state_of(c) == DEVMIG_PRE_COPY;
}

/* An asker that does not read its answers gets none. */
static void say_text(struct devctl_conn *conn, const char *text, size_t bytes)
{
    if (send(conn->fd, text, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return;
}

void devctl_say(struct devctl_conn *conn, const char *wrong)
{
    char out[256];
    int n = snprintf(out, sizeof(out), "%s%s\n", wrong ? "error " : "ok",
                     wrong ? wrong : "");

    say_text(conn, out, (size_t)n);
}

static void wake_streams(struct devctl *c)
{
    for (unsigned i = 0; i < DEVCTL_CONNS; i++)
        if (c->conns[i].fd >= 0 && c->conns[i].mode == DEVCTL_SAVE)
            devctl_stream_wake(&c->conns[i]);
}

/* ---- what needs the device to be idle ---- */

static void move(libxl__egc *egc, struct devctl_conn *conn,
                 const struct devctl_request *request, enum devmig_state to)
{
    struct devctl *c = conn->c;

    if (c->moving) {
        devctl_say(conn, "another request is under way");
        return;
    }
    conn->asked = true;
    c->mover = conn;
    c->moving = request;
    libxl__vfu_move(egc, c->pci, to, moved, c);
}

/* Whoever read the state in pre-copy has gone: nobody wants it any more. */
static void run_on(libxl__egc *egc, struct devctl *c)
{
    static const struct devctl_request nobody = {.name = ""};

    if (c->moving) {
        c->move_on = true;
        return;
    }
    c->moving = &nobody;
    libxl__vfu_move(egc, c->pci, DEVMIG_RUNNING, moved, c);
}

static void take_lines(libxl__egc *egc, struct devctl_conn *conn);

static void moved(libxl__egc *egc, void *user, int r)
{
    struct devctl *c = user;
    const struct devctl_request *request = c->moving;
    struct devctl_conn *conn = c->mover;

    c->mover = NULL;
    c->moving = NULL;
    wake_streams(c);
    if (conn) {
        conn->asked = false;
        if (r || !request->then)
            devctl_say(conn, r ? strerror(-r) : NULL);
        else
            request->then(egc, conn);
        if (conn->fd >= 0)
            take_lines(egc, conn);
    }
    if (c->move_on && !c->moving) {
        c->move_on = false;
        if (state_of(c) == DEVMIG_PRE_COPY)
            run_on(egc, c);
    }
}

/* ---- requests ---- */

static void begin_stream(libxl__egc *egc, struct devctl_conn *conn,
                         enum devctl_mode mode)
{
    int bytes = SEND_BUFFER;

    if (!devctl_stream_begin(conn, mode)) {
        devctl_say(conn, "no memory");
        return;
    }
    if (mode == DEVCTL_SAVE) /* without right to so much it gets less */
        setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    devctl_say(conn, NULL);
    if (mode == DEVCTL_SAVE)
        devctl_stream_wake(conn);
}

static void then_save(libxl__egc *egc, struct devctl_conn *conn)
{
    begin_stream(egc, conn, DEVCTL_SAVE);
}

static void then_load(libxl__egc *egc, struct devctl_conn *conn)
{
    begin_stream(egc, conn, DEVCTL_LOAD);
}

static const struct devctl_request activate = {"activate", DEVMIG_RUNNING,
                                               NULL};
static const struct devctl_request stop = {"stop", DEVMIG_STOP, NULL};
static const struct devctl_request save_live = {"save live", DEVMIG_PRE_COPY,
                                                then_save};
static const struct devctl_request load = {"load", DEVMIG_RESUMING, then_load};
static const struct devctl_request loaded = {"loaded", DEVMIG_STOP, NULL};

static void do_activate(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;
    const char *wrong = c->set_active(c->user, true);

    if (wrong || !c->pci || state_of(c) == DEVMIG_RUNNING)
        devctl_say(conn, wrong);
    else
        move(egc, conn, &activate, DEVMIG_RUNNING);
}

static void do_inactivate(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;

    if (c->pci && is_running(c))
        devctl_say(conn, "it has not stopped");
    else
        devctl_say(conn, c->set_active(c->user, false));
}

static void do_stop(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;

    if (!c->pci || (!is_running(c) && state_of(c) != DEVMIG_RESUMING))
        devctl_say(conn, NULL);
    else if (state_of(c) == DEVMIG_RESUMING)
        devctl_say(conn, "it is being loaded");
    else
        move(egc, conn, &stop,
             state_of(c) == DEVMIG_PRE_COPY ? DEVMIG_STOP_COPY : DEVMIG_STOP);
}

static void say_none(struct devctl_conn *conn)
{
    say_text(conn, "none\n", 5);
}

static void do_save(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;

    if (!c->pci)
        say_none(conn);
    else if (!c->pci->mig.ops)
        devctl_say(conn, "it cannot be migrated");
    else
        begin_stream(egc, conn, DEVCTL_SAVE);
}

static void do_save_live(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;

    if (!c->pci || !c->pci->mig.ops || !is_running(c))
        do_save(egc, conn);
    else
        move(egc, conn, &save_live, DEVMIG_PRE_COPY);
}

static void do_load(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;

    if (!c->pci || !c->pci->mig.ops)
        devctl_say(conn, "it has no state to be loaded");
    else
        move(egc, conn, &load, DEVMIG_RESUMING);
}

static void do_loaded(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;

    if (!c->pci)
        devctl_say(conn, NULL);
    else if (state_of(c) != DEVMIG_RESUMING)
        devctl_say(conn, "no state was loaded into it");
    else
        move(egc, conn, &loaded, DEVMIG_STOP);
}

static void do_config(libxl__egc *egc, struct devctl_conn *conn)
{
    char out[3 + 2 * CONFIG_BYTES + 2] = "ok ";

    if (!conn->c->pci) {
        say_none(conn);
        return;
    }
    for (unsigned i = 0; i < CONFIG_BYTES; i++)
        snprintf(out + 3 + 2 * i, 3, "%02x", conn->c->pci->config.bytes[i]);
    out[sizeof(out) - 2] = '\n';
    say_text(conn, out, sizeof(out) - 1);
}

static void do_status(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;
    char out[64];
    int n = snprintf(out, sizeof(out), "ok %s%s%s\n",
                     c->is_active(c->user) ? "active" : "inactive",
                     c->pci ? ", " : "",
                     c->pci ? libxl__devmig_name(state_of(c)) : "");

    say_text(conn, out, (size_t)n);
}

/* The one that came last: an earlier one's keeper is gone. */
static void do_watch(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;

    for (unsigned i = 0; i < DEVCTL_CONNS; i++)
        if (c->conns[i].watches && &c->conns[i] != conn)
            devctl_hang_up(egc, &c->conns[i]);
    conn->watches = true;
    devctl_say(conn, NULL);
}

static const struct {
    const char *name;
    void (*act)(libxl__egc *egc, struct devctl_conn *conn);
} requests[] = {
    {"activate", do_activate}, {"inactivate", do_inactivate},
    {"status", do_status},     {"stop", do_stop},
    {"save", do_save},         {"save live", do_save_live},
    {"load", do_load},         {"loaded", do_loaded},
    {"config", do_config},     {"watch", do_watch},
};

static void act(libxl__egc *egc, struct devctl_conn *conn, const char *line)
{
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        if (!strcmp(line, requests[i].name)) {
            requests[i].act(egc, conn);
            return;
        }
    }
    devctl_say(conn, "unknown request");
}

/* ---- connections ---- */

static void forget(struct devctl_conn *conn)
{
    libxl__ev_fd_deregister(conn->c->ctx, &conn->ev);
    close(conn->fd);
    free(conn->frame);
    if (conn->c->mover == conn)
        conn->c->mover = NULL;
    *conn = (struct devctl_conn){.c = conn->c, .fd = -1};
    libxl__ev_fd_init(&conn->ev);
}

void devctl_hang_up(libxl__egc *egc, struct devctl_conn *conn)
{
    struct devctl *c = conn->c;
    bool was_saving = conn->mode == DEVCTL_SAVE;

    forget(conn);
    if (was_saving && state_of(c) == DEVMIG_PRE_COPY)
        run_on(egc, c);
}

/* One at a time: a request that waits for the device holds up those behind. */
static void take_lines(libxl__egc *egc, struct devctl_conn *conn)
{
    char line[DEVCTL_LINE_BYTES], *end;

    while (conn->fd >= 0 && conn->mode == DEVCTL_LINES && !conn->asked &&
           (end = memchr(conn->line, '\n', conn->got))) {
        size_t used = (size_t)(end - conn->line) + 1;

        memcpy(line, conn->line, used);
        line[used - 1] = '\0';
        conn->got -= used;
        memmove(conn->line, conn->line + used, conn->got);
        act(egc, conn, line);
    }
    if (conn->got == sizeof(conn->line) && !conn->asked)
        devctl_hang_up(egc, conn);
}

static void read_lines(libxl__egc *egc, struct devctl_conn *conn)
{
    ssize_t r;

    if (conn->got == sizeof(conn->line)) { /* and a request is under way */
        devctl_hang_up(egc, conn);
        return;
    }
    r = recv(conn->fd, conn->line + conn->got,
             sizeof(conn->line) - conn->got, MSG_DONTWAIT);
    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (r <= 0) {
        devctl_hang_up(egc, conn);
        return;
    }
    conn->got += (size_t)r;
    take_lines(egc, conn);
}

static void on_conn(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                    short revents)
{
    struct devctl_conn *conn = conn_of_ev(ev);

    if (conn->mode == DEVCTL_LOAD)
        devctl_stream_in(egc, conn);
    else if (conn->mode == DEVCTL_SAVE)
        devctl_stream_out(egc, conn);
    else
        read_lines(egc, conn);
}

static struct devctl_conn *room(libxl__egc *egc, struct devctl *c)
{
    struct devctl_conn *conn;

    for (unsigned i = 0; i < DEVCTL_CONNS; i++)
        if (c->conns[i].fd < 0)
            return &c->conns[i];
    /* an asker that died may still be connected */
    do
        conn = &c->conns[c->next++ % DEVCTL_CONNS];
    while (conn->watches);
    devctl_hang_up(egc, conn);
    return conn;
}

static void on_listen(libxl__egc *egc, libxl__acceptor *ac, int fd)
{
    struct devctl *c = control_of_acceptor(ac);
    struct devctl_conn *conn = room(egc, c);

    conn->fd = fd;
    if (libxl__ev_fd_register(c->ctx, &conn->ev, on_conn, fd, POLLIN)) {
        close(fd);
        conn->fd = -1;
    }
}

int devctl_start(struct devctl *c, int listen_fd)
{
    c->listen_fd = listen_fd;
    c->mover = NULL;
    c->moving = NULL;
    c->move_on = false;
    c->next = 0;
    libxl__acceptor_init(&c->acceptor);
    for (unsigned i = 0; i < DEVCTL_CONNS; i++) {
        c->conns[i] = (struct devctl_conn){.c = c, .fd = -1};
        libxl__ev_fd_init(&c->conns[i].ev);
    }
    return libxl__acceptor_start(c->ctx, &c->acceptor, on_listen, listen_fd,
                                 "the control socket");
}

void devctl_stop(struct devctl *c)
{
    for (unsigned i = 0; i < DEVCTL_CONNS; i++)
        if (c->conns[i].fd >= 0)
            forget(&c->conns[i]);
    libxl__acceptor_stop(&c->acceptor);
    close(c->listen_fd);
}
