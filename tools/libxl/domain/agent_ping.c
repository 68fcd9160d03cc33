/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_ping.c - start -> ready -> (answered -> next)* -> complete
 *
 * Some calls at a time; each that is answered makes place for the next.
 */
#include <time.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/agent_client.h"
#include "domain/agent_ops.h"

enum { PARALLEL_MAX = 16, TIMEOUT_MS = 10000 };

struct ping_op;
struct ping {
    struct ping_op *op;
    libxl__agent_call call;
    uint64_t began_ns;
};

struct ping_op {
    libxl__agent_client ac;
    uint64_t left; /* to be started */
    unsigned running, parallel;
    uint64_t began_ns, sum_ns;
    libxl_agent_ping_stats *out;
    struct ping pings[PARALLEL_MAX];
};

static struct ping_op *op_of_client(libxl__agent_client *ac)
{
    return CONTAINER_OF(ac, struct ping_op, ac);
}

static struct ping *ping_of_call(libxl__agent_call *call)
{
    return CONTAINER_OF(call, struct ping, call);
}

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void ended(libxl__egc *egc, libxl__agent_client *ac, int rc)
{
    libxl__ao_complete(egc, ac->ao, rc);
}

static void finish(libxl__egc *egc, struct ping_op *op, int rc)
{
    op->out->total_ns = now_ns() - op->began_ns;
    if (op->out->calls)
        op->out->mean_ns = op->sum_ns / op->out->calls;
    libxl__agent_client_close(egc, &op->ac);
    libxl__ao_complete(egc, op->ac.ao, rc);
}

static void note(struct ping_op *op, uint64_t ns)
{
    libxl_agent_ping_stats *out = op->out;

    if (!out->calls++ || ns < out->min_ns)
        out->min_ns = ns;
    if (ns > out->max_ns)
        out->max_ns = ns;
    op->sum_ns += ns;
}

static void answered(libxl__egc *egc, libxl__agent_call *call,
                     const struct libxl__agent_answer *answer);

static int ping(struct ping *p)
{
    struct ping_op *op = p->op;
    int rc;

    p->call.done = answered;
    p->began_ns = now_ns();
    rc = libxl__agent_call_start(&op->ac.peer, &p->call, "agent.ping", NULL,
                                 NULL, 0, TIMEOUT_MS);
    if (rc)
        return rc;
    op->left--;
    op->running++;
    return 0;
}

static void answered(libxl__egc *egc, libxl__agent_call *call,
                     const struct libxl__agent_answer *answer)
{
    struct ping *p = ping_of_call(call);
    struct ping_op *op = p->op;
    int rc;

    if (!op->ac.open)
        return;
    op->running--;
    rc = libxl__agent_client_rc(&op->ac, answer);
    if (!rc)
        note(op, now_ns() - p->began_ns);
    if (!rc && op->left)
        rc = ping(p);
    if (rc || !op->running)
        finish(egc, op, rc);
}

static void ready(libxl__egc *egc, libxl__agent_client *ac)
{
    struct ping_op *op = op_of_client(ac);
    unsigned i;
    int rc = 0;

    op->began_ns = now_ns();
    for (i = 0; i < op->parallel && op->left && !rc; i++) {
        op->pings[i].op = op;
        libxl__agent_call_init(&op->pings[i].call);
        rc = ping(&op->pings[i]);
    }
    if (rc)
        finish(egc, op, rc);
}

int libxl__agent_ping_start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    const struct libxl__agent_ping_params *p = params;
    struct ping_op *op;

    if (!p->count || !p->parallel || p->parallel > PARALLEL_MAX) {
        LOGD(libxl__ao_ctx(ao), libxl__ao_domid(ao), ERROR,
             "agent ping: at least one call, and 1 to %d at a time",
             PARALLEL_MAX);
        return ERROR_INVAL;
    }
    op = libxl__zalloc(libxl__ao_gc(ao), sizeof(*op));
    if (!op)
        return ERROR_NOMEM;
    op->left = p->count;
    op->parallel = p->parallel;
    op->out = p->out;
    *op->out = (libxl_agent_ping_stats){0};
    op->ac.ao = ao;
    op->ac.domid = libxl__ao_domid(ao);
    op->ac.wait_ms = p->wait_ms;
    op->ac.ready = ready;
    op->ac.ended = ended;
    return libxl__agent_client_start(egc, &op->ac);
}
