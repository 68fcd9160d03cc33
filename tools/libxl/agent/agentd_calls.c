/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agentd_calls.c - which calls there are, and which are allowed. */
#include <errno.h>
#include <string.h>

#include "agent/agentd_core.h"

static void ping(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    libxl__agent_job_result(egc, job, "{}", NULL, 0);
}

static void capabilities(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    libxl__agent_job_result(egc, job, d->hello, NULL, 0);
}

/* configured: refused unless the configuration names something for it. */
static const struct {
    const char *method;
    agentd_call *call;
    enum { OPEN, WRITES, EXECUTES } needs;
} table[] = {
    {"agent.ping", ping, OPEN},
    {"agent.capabilities", capabilities, OPEN},
    {"guest.getfile", libxl__agentd_getfile, OPEN},
    {"guest.viewfile", libxl__agentd_viewfile, OPEN},
    {"guest.viewdmesg", libxl__agentd_viewdmesg, OPEN},
    {"guest.info", libxl__agentd_info, OPEN},
    {"guest.shutdown", libxl__agentd_shutdown, OPEN},
    {"guest.fsfreeze", libxl__agentd_fsfreeze, OPEN},
    {"guest.fsthaw", libxl__agentd_fsthaw, OPEN},
    {"guest.settime", libxl__agentd_settime, OPEN},
    {"guest.putfile", libxl__agentd_putfile, WRITES},
    {"guest.exec", libxl__agentd_exec, EXECUTES},
};

enum { METHODS = sizeof(table) / sizeof(table[0]) };

static bool allowed(const agentd *d, size_t i)
{
    if (libxl__agentd_list_has(&d->conf.disable, table[i].method))
        return false;
    switch (table[i].needs) {
    case OPEN:
        return true;
    case WRITES:
        return d->conf.write.n;
    case EXECUTES:
        return d->conf.exec.n;
    }
    return false;
}

char *libxl__agentd_methods(agentd *d, libxl__gc *gc)
{
    char *text = libxl__strdup(gc, "");
    size_t i;

    for (i = 0; i < METHODS && text; i++)
        if (allowed(d, i))
            text = libxl__sprintf(gc, "%s%s\"%s\"", text, *text ? "," : "",
                                  table[i].method);
    return text ? libxl__sprintf(gc, "[%s]", text) : NULL;
}

void libxl__agentd_fail_errno(libxl__egc *egc, libxl__agent_job *job,
                              int errnoval)
{
    char text[128];

    libxl__agent_job_error(egc, job, AGENT_E_SYSTEM,
                           strerror_r(errnoval, text, sizeof(text)));
}

/* Pings come by the thousand, and say nothing. */
static void log_call(agentd *d, const libxl__agent_job *job)
{
    const char *path = libxl__json_string(job->params, "path");

    if (strcmp(job->method, "agent.ping"))
        agentd_log(d, "call %s%s%s", job->method, path ? " " : "",
                   path ? path : "");
}

void libxl__agentd_serve(libxl__egc *egc, libxl__agent_peer *peer,
                         libxl__agent_job *job)
{
    agentd *d = peer->user;
    size_t i;

    for (i = 0; i < METHODS; i++)
        if (!strcmp(table[i].method, job->method))
            break;
    log_call(d, job);
    if (i == METHODS) {
        libxl__agent_job_error(egc, job, AGENT_E_METHOD, NULL);
    } else if (!allowed(d, i)) {
        agentd_log(d, "refused %s: not in the configuration", job->method);
        libxl__agent_job_error(egc, job, AGENT_E_REFUSED, NULL);
    } else {
        table[i].call(egc, d, job);
    }
}
