/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_power.c - power off, halt, reboot: answered first, then done, in the
 * way of the init that is there.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "agent/agentd_core.h"

struct power {
    const char *mode;
    int systemd_signal; /* above SIGRTMIN, to process 1 */
    int busybox_signal; /* to process 1 */
    const char *option; /* of /sbin/shutdown */
    int magic;          /* of reboot(2) */
};

static const struct power modes[] = {
    {"powerdown", 4, SIGUSR2, "-P", RB_POWER_OFF},
    {"halt", 3, SIGUSR1, "-H", RB_HALT_SYSTEM},
    {"reboot", 5, SIGTERM, "-r", RB_AUTOBOOT},
};

static bool init_is_busybox(void)
{
    char name[64] = "";
    ssize_t n = readlink("/proc/1/exe", name, sizeof(name) - 1);

    return n > 0 && strstr(name, "busybox");
}

static void ignore_death(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                         int status)
{
}

static bool run_shutdown(agentd *d, const struct power *p)
{
    const char *const argv[] = {"/sbin/shutdown", p->option, "now", NULL};
    const int fds[] = {-1, -1, -1};
    const struct libxl__spawn_params params = {
        .argv = argv, .fds = fds, .nr_fds = 3, .new_session = true};
    libxl__ev_child ch;

    if (access(argv[0], X_OK))
        return false;
    libxl__ev_child_init(&ch);
    if (libxl__ev_child_spawn(d->ctx, &ch, ignore_death, &params))
        return false;
    libxl__ev_child_forget(&ch);
    return true;
}

static const struct power *mode_of(const char *mode)
{
    size_t i;

    for (i = 0; mode && i < sizeof(modes) / sizeof(modes[0]); i++)
        if (!strcmp(modes[i].mode, mode))
            return &modes[i];
    return NULL;
}

bool libxl__agentd_power(agentd *d, const char *mode)
{
    const struct power *p = mode_of(mode);

    if (!p)
        return false;
    if (!access("/run/systemd/system", F_OK)) {
        kill(1, SIGRTMIN + p->systemd_signal);
    } else if (init_is_busybox()) {
        kill(1, p->busybox_signal);
    } else if (!run_shutdown(d, p)) {
        sync();
        reboot(p->magic);
    }
    return true;
}

static void carry_out(libxl__egc *egc, libxl__agent_job *job)
{
    libxl__agent_peer *peer = libxl__agent_job_peer(job);

    libxl__agentd_power(peer->user, job->user);
}

void libxl__agentd_shutdown(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    const struct power *p = mode_of(libxl__json_string(job->params, "mode"));

    if (!p) {
        libxl__agent_job_error(egc, job, AGENT_E_PARAMS,
                               "mode: powerdown, halt or reboot");
        return;
    }
    job->user = (void *)p->mode;
    job->sent = carry_out;
    libxl__agent_job_result(egc, job, "{}", NULL, 0);
}
