/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp_script.c - chain, in order of time:
 *
 *   start -> connected -> step_done ... [-> (go)] step_done ... [-> on_event]
 *         -> finish
 */
#include "dm/qmp_script.h"

#include <string.h>

#include "base/container.h"
#include "base/log.h"

static void connected(libxl__egc *egc, libxl__qmp *qmp, int rc, yajl_val v);
static void step_done(libxl__egc *egc, libxl__qmp *qmp, int rc, yajl_val v);
static void on_event(libxl__egc *egc, libxl__qmp *qmp, const char *name,
                     yajl_val data);
static void on_lost(libxl__egc *egc, libxl__qmp *qmp, int rc);
static void until_timeout(libxl__egc *egc, libxl__ev_time *ev, int rc);

static libxl__qmp_script *script_of_qmp(libxl__qmp *qmp)
{
    return CONTAINER_OF(qmp, libxl__qmp_script, qmp);
}

static libxl__qmp_script *script_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__qmp_script, until_deadline);
}

void libxl__qmp_script_init(libxl__qmp_script *s)
{
    memset(s, 0, sizeof(*s));
    s->dirfd = s->pass_fd = -1;
    libxl__qmp_init(&s->qmp);
    libxl__ev_time_init(&s->until_deadline);
}

void libxl__qmp_script_stop(libxl__qmp_script *s)
{
    libxl__qmp_close(&s->qmp);
    if (s->ctx)
        libxl__ev_time_deregister(s->ctx, &s->until_deadline);
}

static void finish(libxl__egc *egc, libxl__qmp_script *s, int rc, yajl_val last)
{
    libxl__qmp_script_stop(s);
    s->callback(egc, s, rc, rc ? NULL : last);
}

int libxl__qmp_script_start(libxl__egc *egc, libxl__qmp_script *s)
{
    s->at = 0;
    s->over_early = s->holding = false;
    s->qmp.ctx = s->ctx;
    s->qmp.ao = s->ao;
    s->qmp.domid = s->domid;
    s->qmp.event = s->until ? on_event : NULL;
    s->qmp.lost = on_lost;
    s->qmp.quiet_loss = s->quiet_loss;
    s->qmp.quiet_errors = s->quiet_errors;
    return libxl__qmp_connect(egc, &s->qmp, s->dirfd,
                              s->socket ? s->socket : "qmp-cmd", s->timeout_ms,
                              connected);
}

static int say(libxl__egc *egc, libxl__qmp_script *s)
{
    const struct libxl__qmp_step *step = &s->steps[s->at];

    return libxl__qmp_command(egc, &s->qmp, step->command, step->args_json,
                              step->pass_fd ? s->pass_fd : -1, s->timeout_ms,
                              step_done);
}

int libxl__qmp_script_go(libxl__egc *egc, libxl__qmp_script *s)
{
    bool waits = s->holding;

    s->hold_at = 0;
    s->holding = false;
    if (!waits)
        return 0;
    return libxl__qmp_usable(&s->qmp) ? say(egc, s) : ERROR_NOT_READY;
}

static void next_step(libxl__egc *egc, libxl__qmp_script *s, yajl_val last)
{
    int rc;

    while (s->at < s->nr_steps && !s->steps[s->at].command)
        s->at++;
    if (s->hold_at && s->at == s->hold_at) {
        s->holding = true;
        return;
    }
    if (s->at < s->nr_steps) {
        rc = say(egc, s);
        if (rc)
            finish(egc, s, rc, NULL);
        return;
    }
    if (!s->until || s->over_early) {
        finish(egc, s, s->over_rc, last);
        return;
    }
    rc = libxl__ev_time_register_rel(s->ctx, s->ao, &s->until_deadline,
                                     until_timeout, s->until_timeout_ms);
    if (rc)
        finish(egc, s, rc, NULL);
}

static void connected(libxl__egc *egc, libxl__qmp *qmp, int rc, yajl_val v)
{
    libxl__qmp_script *s = script_of_qmp(qmp);

    if (rc)
        finish(egc, s, rc, NULL);
    else
        next_step(egc, s, NULL);
}

static void step_done(libxl__egc *egc, libxl__qmp *qmp, int rc, yajl_val v)
{
    libxl__qmp_script *s = script_of_qmp(qmp);

    if (!rc && s->steps[s->at].check)
        rc = s->steps[s->at].check(s, v);
    if (rc) {
        finish(egc, s, rc, NULL);
        return;
    }
    s->at++;
    next_step(egc, s, v);
}

static void on_event(libxl__egc *egc, libxl__qmp *qmp, const char *name,
                     yajl_val data)
{
    libxl__qmp_script *s = script_of_qmp(qmp);

    if (s->over_early || !s->until(s, name, data, &s->over_rc))
        return;
    s->over_early = true;
    if (s->at == s->nr_steps)
        finish(egc, s, s->over_rc, NULL);
}

static void on_lost(libxl__egc *egc, libxl__qmp *qmp, int rc)
{
    finish(egc, script_of_qmp(qmp), rc, NULL);
}

static void until_timeout(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__qmp_script *s = script_of_deadline(ev);

    if (rc == ERROR_TIMEDOUT)
        LOGD(s->ctx, s->domid, ERROR, "QEMU did not end %s within %u s",
             s->steps[s->nr_steps - 1].command, s->until_timeout_ms / 1000);
    finish(egc, s, rc, NULL);
}
