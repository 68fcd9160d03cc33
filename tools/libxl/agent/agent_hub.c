/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_hub.c
 *
 * a command's call: served -> handed on -> answered -> back to the command
 */
#include "agent/agent_hub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"

enum {
    CALL_MS = 600000, /* a command has a deadline of its own, below */
    AWAY_MS = 2000,   /* a guest that is not up may be just coming up */
    EVENTS_SAID = 20,
};

static const char hello[] =
    "{\"version\":1,\"role\":\"host\",\"agent\":\"xl\",\"calls\":16}";

/* A call on its way through: a job on one side, a call on the other. */
struct passing {
    libxl__agent_hub *hub;
    libxl__agent_job *job;
    libxl__agent_call call;
};

static struct passing *passing_of_call(libxl__agent_call *call)
{
    return CONTAINER_OF(call, struct passing, call);
}

static libxl__agent_hub *hub_of_acceptor(libxl__acceptor *ac)
{
    return CONTAINER_OF(ac, libxl__agent_hub, acceptor);
}

/* ---- calls of commands ---- */

static void answered(libxl__egc *egc, libxl__agent_call *call,
                     const struct libxl__agent_answer *answer)
{
    struct passing *p = passing_of_call(call);
    char *text = NULL;
    int code = answer->code;

    if (code == AGENT_E_TIMEDOUT && !libxl__agent_peer_is_up(&p->hub->guest))
        code = AGENT_E_AWAY;
    if (!code)
        text = libxl__json_text(libxl__egc_gc(egc), answer->result);
    if (text)
        libxl__agent_job_result(egc, p->job, text, answer->data,
                                answer->data_bytes);
    else
        libxl__agent_job_error(egc, p->job, code ? code : AGENT_E_INTERNAL,
                               code == answer->code ? answer->text : NULL);
    free(p);
}

static void command_stopped(libxl__egc *egc, libxl__agent_job *job)
{
    struct passing *p = job->user;

    libxl__agent_call_stop(egc, &p->call);
}

static int hand_on(libxl__egc *egc, libxl__agent_hub *hub, struct passing *p)
{
    libxl__agent_job *job = p->job;
    char *params = NULL;

    if (job->params) {
        params = libxl__json_text(libxl__egc_gc(egc), job->params);
        if (!params)
            return ERROR_NOMEM;
    }
    return libxl__agent_call_start(
        &hub->guest, &p->call, job->method, params, job->data, job->data_bytes,
        libxl__agent_peer_is_up(&hub->guest) ? CALL_MS : AWAY_MS);
}

/* The hub's own call, for who does not want to wait for a guest. */
static void tell_status(libxl__egc *egc, libxl__agent_hub *hub,
                        libxl__agent_job *job)
{
    bool up = libxl__agent_peer_is_up(&hub->guest) ||
              libxl__agent_qga_is_up(&hub->qga);

    libxl__agent_job_result(egc, job, up ? "{\"up\":true}" : "{\"up\":false}",
                            NULL, 0);
}

static void served(libxl__egc *egc, libxl__agent_peer *peer,
                   libxl__agent_job *job)
{
    struct libxl__agent_hub_client *client = peer->user;
    struct passing *p;
    int rc;

    if (!strcmp(job->method, "hub.status")) {
        tell_status(egc, client->hub, job);
        return;
    }
    if (!libxl__agent_peer_is_up(&client->hub->guest) &&
        libxl__agent_qga_is_up(&client->hub->qga)) {
        libxl__agent_qga_serve(egc, &client->hub->qga, job);
        return;
    }
    p = calloc(1, sizeof(*p));
    if (!p) {
        libxl__agent_job_error(egc, job, AGENT_E_BUSY, NULL);
        return;
    }
    p->hub = client->hub;
    p->job = job;
    p->call.done = answered;
    libxl__agent_call_init(&p->call);
    rc = hand_on(egc, client->hub, p);
    if (!rc) {
        job->user = p;
        job->stop = command_stopped;
        return;
    }
    libxl__agent_job_error(
        egc, job, rc == ERROR_NOT_READY ? AGENT_E_AWAY : AGENT_E_BUSY, NULL);
    free(p);
}

static void command_gone(libxl__egc *egc, libxl__agent_peer *peer, int errnoval)
{
    struct libxl__agent_hub_client *client = peer->user;

    close(client->fd);
    client->fd = -1;
}

static void greet(libxl__agent_hub *hub, struct libxl__agent_hub_client *client,
                  int fd)
{
    client->hub = hub;
    client->fd = fd;
    libxl__agent_peer_init(&client->peer);
    client->peer.ctx = hub->ctx;
    client->peer.fd = fd;
    client->peer.domid = hub->domid;
    client->peer.hello = hello;
    client->peer.user = client;
    client->peer.serve = served;
    client->peer.gone = command_gone;
    if (libxl__agent_peer_open(&client->peer)) {
        close(fd);
        client->fd = -1;
    }
}

static void accepted(libxl__egc *egc, libxl__acceptor *ac, int fd)
{
    libxl__agent_hub *hub = hub_of_acceptor(ac);
    int i;

    for (i = 0; i < LIBXL__AGENT_HUB_CLIENTS; i++)
        if (hub->clients[i].fd < 0) {
            greet(hub, &hub->clients[i], fd);
            return;
        }
    close(fd); /* the command sees the end at once, and says "busy" */
}

/* ---- the guest ---- */

static void guest_up(libxl__egc *egc, libxl__agent_peer *peer, yajl_val params)
{
    libxl__agent_hub *hub = peer->user;

    hub->events = 0;
}

static void guest_noted(libxl__egc *egc, libxl__agent_peer *peer,
                        const char *method, yajl_val params)
{
    libxl__agent_hub *hub = peer->user;
    const char *name = libxl__json_string(params, "name");

    if (hub->events++ < EVENTS_SAID)
        LOGD(hub->ctx, hub->domid, NOTICE, "the guest's agent says: %.60s %.60s%s",
             method, name ? name : "",
             hub->events == EVENTS_SAID ? " (more will not be noted)" : "");
}

static void guest_gone(libxl__egc *egc, libxl__agent_peer *peer, int errnoval)
{
    libxl__agent_hub *hub = peer->user;

    close(hub->guest_fd);
    hub->guest_fd = -1;
}

int libxl__agent_hub_attach(libxl__egc *egc, libxl__agent_hub *hub, int fd)
{
    int rc;

    libxl__agent_peer_close(egc, &hub->guest);
    if (hub->guest_fd >= 0)
        close(hub->guest_fd);
    hub->guest_fd = fd;
    hub->guest.ctx = hub->ctx;
    hub->guest.fd = fd;
    hub->guest.domid = hub->domid;
    hub->guest.hello = hello;
    hub->guest.tells_time = true;
    hub->guest.distrusted = true;
    hub->guest.user = hub;
    hub->guest.up = guest_up;
    hub->guest.noted = guest_noted;
    hub->guest.gone = guest_gone;
    rc = libxl__agent_peer_open(&hub->guest);
    if (rc) {
        close(fd);
        hub->guest_fd = -1;
    }
    return rc;
}

int libxl__agent_hub_attach_qga(libxl__egc *egc, libxl__agent_hub *hub, int fd)
{
    libxl__agent_qga_close(egc, &hub->qga);
    return libxl__agent_qga_open(&hub->qga, fd);
}

/* ---- life ---- */

void libxl__agent_hub_init(libxl__agent_hub *hub)
{
    int i;

    libxl__agent_peer_init(&hub->guest);
    hub->qga.ctx = hub->ctx;
    hub->qga.domid = hub->domid;
    libxl__agent_qga_init(&hub->qga);
    libxl__acceptor_init(&hub->acceptor);
    hub->guest_fd = hub->listen_fd = -1;
    for (i = 0; i < LIBXL__AGENT_HUB_CLIENTS; i++) {
        libxl__agent_peer_init(&hub->clients[i].peer);
        hub->clients[i].fd = -1;
    }
}

int libxl__agent_hub_listen(libxl__agent_hub *hub, int fd)
{
    int rc = libxl__acceptor_start(hub->ctx, &hub->acceptor, accepted, fd,
                                   "agent.sock");

    if (rc)
        close(fd);
    else
        hub->listen_fd = fd;
    return rc;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The guest's side first: the commands are still told how their calls end. */
void libxl__agent_hub_close(libxl__egc *egc, libxl__agent_hub *hub)
{
    int i;

    libxl__agent_peer_close(egc, &hub->guest);
    libxl__agent_qga_close(egc, &hub->qga);
    close_fd(&hub->guest_fd);
    for (i = 0; i < LIBXL__AGENT_HUB_CLIENTS; i++) {
        libxl__agent_peer_close(egc, &hub->clients[i].peer);
        close_fd(&hub->clients[i].fd);
    }
    libxl__acceptor_stop(&hub->acceptor);
    close_fd(&hub->listen_fd);
}
