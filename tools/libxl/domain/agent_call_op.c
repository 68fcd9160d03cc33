/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent_call_op.c - one call: start -> ready -> answered -> complete */
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/agent_client.h"
#include "domain/agent_ops.h"

enum { TIMEOUT_MS = 10000 };

struct call_op {
    libxl__agent_client ac;
    libxl__agent_call call;
    const libxl_agent_how *how;
    libxl_agent_reply *reply;
};

static struct call_op *op_of_client(libxl__agent_client *ac)
{
    return CONTAINER_OF(ac, struct call_op, ac);
}

static struct call_op *op_of_call(libxl__agent_call *call)
{
    return CONTAINER_OF(call, struct call_op, call);
}

static void ended(libxl__egc *egc, libxl__agent_client *ac, int rc)
{
    libxl__ao_complete(egc, ac->ao, rc);
}

static int take_reply(libxl__egc *egc, libxl_agent_reply *reply,
                      const struct libxl__agent_answer *answer)
{
    char *text = libxl__json_text(libxl__egc_gc(egc), answer->result);

    reply->result_json = text ? strdup(text) : NULL;
    if (!reply->result_json)
        return ERROR_NOMEM;
    if (!answer->data_bytes)
        return 0;
    reply->data = malloc(answer->data_bytes);
    if (!reply->data)
        return ERROR_NOMEM;
    memcpy(reply->data, answer->data, answer->data_bytes);
    reply->data_bytes = answer->data_bytes;
    return 0;
}

static void answered(libxl__egc *egc, libxl__agent_call *call,
                     const struct libxl__agent_answer *answer)
{
    struct call_op *op = op_of_call(call);
    int rc;

    if (!op->ac.open)
        return; /* ended comes next */
    rc = libxl__agent_client_rc(&op->ac, answer);
    if (!rc)
        rc = take_reply(egc, op->reply, answer);
    libxl__agent_client_close(egc, &op->ac);
    libxl__ao_complete(egc, op->ac.ao, rc);
}

static void ready(libxl__egc *egc, libxl__agent_client *ac)
{
    struct call_op *op = op_of_client(ac);
    uint32_t ms = op->how->timeout_ms ? op->how->timeout_ms : TIMEOUT_MS;
    int rc;

    op->call.done = answered;
    rc = libxl__agent_call_start(&ac->peer, &op->call, op->how->method,
                                 op->how->params_json, op->how->data,
                                 op->how->data_bytes, ms);
    if (!rc)
        return;
    LOGD(libxl__ao_ctx(ac->ao), ac->domid, ERROR,
         "the call %s cannot be sent to the guest's agent", op->how->method);
    libxl__agent_client_close(egc, ac);
    libxl__ao_complete(egc, ac->ao, rc);
}

int libxl__agent_call_op_start(libxl__egc *egc, libxl__ao *ao,
                               const void *params)
{
    const struct libxl__agent_call_params *p = params;
    struct call_op *op = libxl__zalloc(libxl__ao_gc(ao), sizeof(*op));

    if (!op)
        return ERROR_NOMEM;
    op->how = p->how;
    op->reply = p->reply;
    op->ac.ao = ao;
    op->ac.domid = libxl__ao_domid(ao);
    op->ac.wait_ms = p->how->wait_ms;
    op->ac.quiet = p->how->quiet;
    op->ac.ready = ready;
    op->ac.ended = ended;
    libxl__agent_call_init(&op->call);
    return libxl__agent_client_start(egc, &op->ac);
}
