/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_freeze.c - file systems held still for a snapshot, and let go by
 * themselves: a host that never comes back must not stop the guest for ever.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/agentd_core.h"
#include "base/container.h"

enum { SECONDS_DEFAULT = 10, SECONDS_MAX = 60, WHY_BYTES = 300 };

struct frozen {
    unsigned count;
    const char *refused; /* the last one */
};

static agentd *agentd_of_thaw(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, agentd, thaw);
}

/* Later mounts lie on earlier ones: they are let go from the bottom. What is
 * not frozen refuses, and is not counted. */
static unsigned thaw_points(agentd *d, char *const points[], size_t n)
{
    unsigned done = 0;
    size_t i;

    for (i = 0; i < n; i++)
        done += !d->mounts->thaw(points[i]);
    return done;
}

/* EBUSY: mounted twice, or frozen by somebody else: it is still. EOPNOTSUPP:
 * it cannot be still, and the others are of use without it. */
static bool passed_over(int errnoval)
{
    return errnoval == EBUSY || errnoval == EOPNOTSUPP;
}

/* From the top. All or nothing: a host must not take a guest that is half
 * frozen, or not at all, for a still one. */
static int freeze_points(agentd *d, struct agentd_points *points,
                         struct frozen *out)
{
    size_t i, held = points->n; /* from there on: frozen here */
    int errnoval = 0;

    for (i = points->n; i-- > 0 && (!errnoval || passed_over(errnoval));) {
        int this_one = d->mounts->freeze(points->at[i]);

        if (!this_one) {
            points->at[--held] = points->at[i];
            out->count++;
            continue;
        }
        errnoval = this_one;
        out->refused = points->at[i];
    }
    if (!errnoval || (out->count && passed_over(errnoval)))
        return 0;
    thaw_points(d, points->at + held, points->n - held);
    return errnoval;
}

static unsigned thaw(agentd *d)
{
    struct agentd_points points;
    libxl__gc gc;
    unsigned n;

    libxl__gc_init(&gc, d->ctx);
    d->mounts->list(&gc, &points); /* what could be found is let go */
    n = thaw_points(d, points.at, points.n);
    libxl__gc_dispose(&gc);
    libxl__ev_time_deregister(d->ctx, &d->thaw);
    d->frozen = false;
    return n;
}

static void thaw_by_itself(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    agentd *d = agentd_of_thaw(ev);

    thaw(d);
    agentd_log(d, "thawed: the host has not done it in time");
}

static void freeze(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    struct frozen frozen = {.refused = "/proc/self/mounts"};
    struct agentd_points points;
    char text[WHY_BYTES];
    libxl__gc gc;
    int errnoval;

    d->frozen = true; /* the log falls silent before the first is held */
    libxl__gc_init(&gc, d->ctx);
    errnoval = d->mounts->list(&gc, &points);
    if (!errnoval)
        errnoval = freeze_points(d, &points, &frozen);
    if (errnoval) {
        libxl__ev_time_deregister(d->ctx, &d->thaw);
        d->frozen = false;
        snprintf(text, sizeof(text), "cannot freeze %.200s: %s", frozen.refused,
                 strerror(errnoval));
        libxl__agent_job_error(egc, job, AGENT_E_SYSTEM, text);
    } else {
        snprintf(text, sizeof(text), "{\"frozen\":%u}", frozen.count);
        libxl__agent_job_result(egc, job, text, NULL, 0);
    }
    libxl__gc_dispose(&gc);
}

void libxl__agentd_fsfreeze(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    uint64_t seconds = SECONDS_DEFAULT;

    if (libxl__json_get(job->params, "seconds") &&
        (!libxl__json_u64(job->params, "seconds", &seconds) || !seconds ||
         seconds > SECONDS_MAX)) {
        libxl__agent_job_error(egc, job, AGENT_E_PARAMS, "seconds: 1 to 60");
        return;
    }
    if (d->frozen) {
        libxl__agent_job_error(egc, job, AGENT_E_SYSTEM, "frozen already");
        return;
    }
    if (libxl__ev_time_register_rel(d->ctx, NULL, &d->thaw, thaw_by_itself,
                                    seconds * 1000)) {
        libxl__agentd_fail_errno(egc, job, ENOMEM);
        return;
    }
    freeze(egc, d, job);
}

void libxl__agentd_fsthaw(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    char text[48];

    snprintf(text, sizeof(text), "{\"thawed\":%u}", thaw(d));
    libxl__agent_job_result(egc, job, text, NULL, 0);
}
