/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_client.c - chain: start -> kept -> (hello) up
 *                         -> probed (-> probe again)* -> ready
 *
 * The probe, a ping, is only sent by who wants to wait for an agent that is
 * still to come: others see by their own call whether it is there.
 */
#include "domain/agent_client.h"

#include <errno.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "base/sock_at.h"

enum { HELLO_MS = 10000, PROBE_MS = 5000, AGAIN_MS = 500 };

static const char hello[] =
    "{\"version\":1,\"role\":\"host\",\"agent\":\"xl\",\"calls\":1}";

static libxl__agent_client *client_of_keep(libxl__keep *ke)
{
    return CONTAINER_OF(ke, libxl__agent_client, keep);
}

static libxl__agent_client *client_of_abrt(libxl__ao_abortable *abrt)
{
    return CONTAINER_OF(abrt, libxl__agent_client, abrt);
}

static libxl__agent_client *client_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__agent_client, deadline);
}

static libxl__agent_client *client_of_again(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__agent_client, again);
}

static libxl__agent_client *client_of_probe(libxl__agent_call *call)
{
    return CONTAINER_OF(call, libxl__agent_client, probe);
}

static void end(libxl__egc *egc, libxl__agent_client *ac, int rc)
{
    if (!ac->open)
        return;
    libxl__agent_client_close(egc, ac);
    ac->ended(egc, ac, rc);
}

static void aborted(libxl__egc *egc, libxl__ao_abortable *abrt, int rc)
{
    end(egc, client_of_abrt(abrt), rc);
}

static void no_hello(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__agent_client *ac = client_of_deadline(ev);

    LOGD(libxl__ao_ctx(ac->ao), ac->domid, ERROR,
         "the domain's keeper does not answer on its agent socket");
    end(egc, ac, ERROR_TIMEDOUT);
}

static void gone(libxl__egc *egc, libxl__agent_peer *peer, int errnoval)
{
    libxl__agent_client *ac = peer->user;

    LOGD(libxl__ao_ctx(ac->ao), ac->domid, ERROR,
         "the domain's keeper has closed the agent connection: it has ended, "
         "or serves too many");
    end(egc, ac, ERROR_FAIL);
}

/* ---- is the guest's agent there? ---- */

static void probe(libxl__egc *egc, libxl__agent_client *ac);

static void probe_again(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    probe(egc, client_of_again(ev));
}

static void probed(libxl__egc *egc, libxl__agent_call *call,
                   const struct libxl__agent_answer *answer)
{
    libxl__agent_client *ac = client_of_probe(call);
    libxl_ctx *ctx = libxl__ao_ctx(ac->ao);
    int rc;

    if (!ac->open)
        return;
    if (!answer->code || libxl__now_ms(ctx) >= ac->give_up_ms) {
        ac->ready(egc, ac); /* its own call tells, if nobody is there */
        return;
    }
    rc = libxl__ev_time_register_rel(ctx, NULL, &ac->again, probe_again,
                                     AGAIN_MS);
    if (rc)
        end(egc, ac, rc);
}

static void probe(libxl__egc *egc, libxl__agent_client *ac)
{
    int rc;

    ac->probe.done = probed;
    rc = libxl__agent_call_start(&ac->peer, &ac->probe, "agent.ping", NULL,
                                 NULL, 0, PROBE_MS);
    if (rc)
        end(egc, ac, rc);
}

static void up(libxl__egc *egc, libxl__agent_peer *peer, yajl_val params)
{
    libxl__agent_client *ac = peer->user;

    if (!libxl__ev_time_isregistered(&ac->deadline))
        return; /* the hub began anew: calls on the way have been told */
    libxl__ev_time_deregister(libxl__ao_ctx(ac->ao), &ac->deadline);
    if (ac->wait_ms)
        probe(egc, ac);
    else
        ac->ready(egc, ac);
}

/* ---- the connection ---- */

static int open_socket(libxl__agent_client *ac)
{
    libxl__host *host = ac->keep.host;
    libxl__store *st = host->ops->store(host);
    int rc, dirfd;

    rc = st->ops->open_dir(st, ac->domid, &dirfd);
    if (rc)
        return rc;
    ac->fd = libxl__connect_at(dirfd, "agent.sock");
    if (ac->fd < 0 && !ac->quiet)
        LOGED(host->ctx, ac->domid, ERROR, errno,
              "cannot reach the domain's keeper on its agent socket");
    if (ac->fd < 0)
        rc = ERROR_NOT_READY;
    close(dirfd);
    return rc;
}

static int connect_hub(libxl__agent_client *ac)
{
    libxl__agent_peer *p = &ac->peer;
    int rc = open_socket(ac);

    if (rc)
        return rc;
    p->ctx = libxl__ao_ctx(ac->ao);
    p->fd = ac->fd;
    p->domid = ac->domid;
    p->hello = hello;
    p->user = ac;
    p->up = up;
    p->gone = gone;
    rc = libxl__agent_peer_open(p);
    if (rc)
        return rc;
    return libxl__ev_time_register_rel(p->ctx, NULL, &ac->deadline, no_hello,
                                       HELLO_MS);
}

static void kept(libxl__egc *egc, libxl__keep *ke, int rc)
{
    libxl__agent_client *ac = client_of_keep(ke);

    /* until here the keep's own waits have listened to an abort */
    if (!rc)
        rc = libxl__ao_abortable_register(&ac->abrt);
    if (!rc)
        rc = connect_hub(ac);
    if (rc)
        end(egc, ac, rc);
}

int libxl__agent_client_start(libxl__egc *egc, libxl__agent_client *ac)
{
    libxl_ctx *ctx = libxl__ao_ctx(ac->ao);

    ac->fd = -1;
    ac->give_up_ms = libxl__now_ms(ctx) + ac->wait_ms;
    libxl__agent_peer_init(&ac->peer);
    libxl__agent_call_init(&ac->probe);
    libxl__ev_time_init(&ac->deadline);
    libxl__ev_time_init(&ac->again);
    libxl__ao_abortable_init(&ac->abrt);
    ac->abrt.ao = ac->ao;
    ac->abrt.callback = aborted;
    ac->keep.ao = ac->ao;
    ac->keep.domid = ac->domid;
    ac->keep.policy = KEEP_AS_IT_WAS;
    ac->keep.callback = kept;
    ac->keep.host = libxl__host_get(ctx);
    if (!ac->keep.host)
        return ERROR_FAIL;
    ac->open = true;
    libxl__keep_start(egc, &ac->keep);
    return 0;
}

void libxl__agent_client_close(libxl__egc *egc, libxl__agent_client *ac)
{
    libxl_ctx *ctx = libxl__ao_ctx(ac->ao);

    if (!ac->open)
        return;
    ac->open = false;
    libxl__ao_abortable_deregister(&ac->abrt);
    libxl__ev_time_deregister(ctx, &ac->deadline);
    libxl__ev_time_deregister(ctx, &ac->again);
    libxl__agent_peer_close(egc, &ac->peer);
    if (ac->fd >= 0)
        close(ac->fd);
    ac->fd = -1;
}

int libxl__agent_client_rc(libxl__agent_client *ac,
                           const struct libxl__agent_answer *answer)
{
    libxl_ctx *ctx = libxl__ao_ctx(ac->ao);

    if (!answer->code)
        return 0;
    if (answer->code == AGENT_E_CANCELLED && libxl__ao_aborting(ac->ao))
        return ERROR_ABORTED;
    if (ac->quiet && answer->code == AGENT_E_AWAY)
        return ERROR_NOT_READY;
    if (answer->code == AGENT_E_AWAY)
        LOGD(ctx, ac->domid, ERROR,
             "nobody answers on the guest's agent channel: is xl-agentd "
             "running in the guest?");
    else
        LOGD(ctx, ac->domid, ERROR, "the guest's agent: %.200s",
             answer->text && *answer->text
                 ? answer->text
                 : libxl__agent_error_text(answer->code));
    switch (answer->code) {
    case AGENT_E_AWAY:
    case AGENT_E_RESET:
        return ERROR_NOT_READY;
    case AGENT_E_METHOD:
    case AGENT_E_REFUSED:
        return ERROR_NI;
    case AGENT_E_TIMEDOUT:
        return ERROR_TIMEDOUT;
    default:
        return ERROR_FAIL;
    }
}
