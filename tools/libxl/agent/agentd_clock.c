/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_clock.c - the guest's clock: set by the host, and put right after the
 * guest has stood still without knowing (saved, restored, migrated).
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent/agentd_core.h"

static const int64_t second = 1000000000;

static int64_t clock_ns(clockid_t clock)
{
    struct timespec ts = {0};

    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * second + ts.tv_nsec;
}

static int set_clock(int64_t ns)
{
    const struct timespec ts = {.tv_sec = ns / second, .tv_nsec = ns % second};

    return clock_settime(CLOCK_REALTIME, &ts) ? errno : 0;
}

void libxl__agentd_settime(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    uint64_t ns;
    int errnoval;

    if (!libxl__json_u64(job->params, "time_ns", &ns) || ns > INT64_MAX) {
        libxl__agent_job_error(egc, job, AGENT_E_PARAMS, "time_ns");
        return;
    }
    errnoval = set_clock((int64_t)ns);
    if (errnoval)
        libxl__agentd_fail_errno(egc, job, errnoval);
    else
        libxl__agent_job_result(egc, job, "{}", NULL, 0);
}

/* How long the guest stood still: what passed on the host's clock between two
 * hellos, and not on our own. A clock that somebody has put right meanwhile is
 * left alone: it is stepped by what it is behind the host, at most. */
void libxl__agentd_hello(libxl__egc *egc, libxl__agent_peer *peer,
                         yajl_val hello)
{
    agentd *d = peer->user;
    int64_t own = clock_ns(CLOCK_BOOTTIME), host, lost, behind;
    uint64_t ns;
    int errnoval;

    if (!libxl__json_u64(hello, "time_ns", &ns) || ns > INT64_MAX)
        return;
    host = (int64_t)ns;
    lost = d->host_ns ? (host - d->host_ns) - (own - d->own_ns) : 0;
    behind = host - clock_ns(CLOCK_REALTIME);
    d->host_ns = host;
    d->own_ns = own;
    if (lost < second || behind < second ||
        libxl__agentd_list_has(&d->conf.disable, "guest.settime"))
        return;
    if (behind < lost)
        lost = behind;
    errnoval = set_clock(clock_ns(CLOCK_REALTIME) + lost);
    agentd_log(d, "the guest stood still for %lld s; its clock is %s",
               (long long)(lost / second),
               errnoval ? strerror(errnoval) : "put right");
}
