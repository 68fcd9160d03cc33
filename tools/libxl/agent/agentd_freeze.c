/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_freeze.c - file systems held still for a snapshot, and let go by
 * themselves: a host that never comes back must not stop the guest for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/agentd_core.h"
#include "base/container.h"

enum { MOUNTS_MAX = 256, SECONDS_DEFAULT = 10, SECONDS_MAX = 60 };

static agentd *agentd_of_thaw(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, agentd, thaw);
}

/* /proc/self/mounts writes blanks and backslashes in octal. */
static void unescape(char *s)
{
    char *to = s;

    for (; *s; s++, to++) {
        if (s[0] == '\\' && s[1] && s[2] && s[3]) {
            *to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
            s += 3;
        } else {
            *to = *s;
        }
    }
    *to = '\0';
}

/* Mount points of block devices, in order of mounting; from gc. */
static size_t mounts(libxl__gc *gc, char *points[MOUNTS_MAX])
{
    FILE *f = fopen("/proc/self/mounts", "re");
    char *line = NULL, *point, *save;
    size_t room = 0, n = 0;

    while (f && n < MOUNTS_MAX && getline(&line, &room, f) > 0) {
        if (strncmp(line, "/dev/", 5))
            continue;
        strtok_r(line, " ", &save);
        point = strtok_r(NULL, " ", &save);
        if (!point)
            continue;
        unescape(point);
        points[n] = libxl__strdup(gc, point);
        n += points[n] != NULL;
    }
    free(line);
    if (f)
        fclose(f);
    return n;
}

static bool mount_ioctl(const char *point, unsigned long request)
{
    int fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (fd < 0)
        return false;
    r = ioctl(fd, request, 0);
    close(fd);
    return !r;
}

/* Later mounts lie on earlier ones: freeze from the top. */
static unsigned on_all(agentd *d, unsigned long request)
{
    char *points[MOUNTS_MAX];
    unsigned done = 0;
    libxl__gc gc;
    size_t i, n;

    libxl__gc_init(&gc, d->ctx);
    n = mounts(&gc, points);
    for (i = 0; i < n; i++)
        done +=
            mount_ioctl(points[request == FIFREEZE ? n - 1 - i : i], request);
    libxl__gc_dispose(&gc);
    return done;
}

static unsigned thaw(agentd *d)
{
    unsigned n = on_all(d, FITHAW);

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

void libxl__agentd_fsfreeze(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    uint64_t seconds = SECONDS_DEFAULT;
    char text[48];

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
    d->frozen = true;
    snprintf(text, sizeof(text), "{\"frozen\":%u}", on_all(d, FIFREEZE));
    libxl__agent_job_result(egc, job, text, NULL, 0);
}

void libxl__agentd_fsthaw(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    char text[48];

    snprintf(text, sizeof(text), "{\"thawed\":%u}", thaw(d));
    libxl__agent_job_result(egc, job, text, NULL, 0);
}
