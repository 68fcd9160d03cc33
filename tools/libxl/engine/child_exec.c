/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * child_exec.c - between fork and exec. The process is a copy of one thread of
 * a threaded one: async-signal-safe calls only, no malloc, no log.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "engine/ev_child_private.h"

extern char **environ;

/* exec keeps ignored signals and the mask: a program must not inherit ours. */
static int reset_signals(void)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigset_t none;
    int signo;

    for (signo = 1; signo < NSIG; signo++)
        sigaction(signo, &dfl, NULL); /* KILL, STOP and libc's own refuse */
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Sources and targets may overlap in any way: all sources go above the targets
 * first. The error pipe ends just above the last target; all else is closed. */
static int place_fds(const struct libxl__exec_plan *plan, int *error_fd)
{
    const struct libxl__spawn_params *params = plan->params;
    int moved[LIBXL__SPAWN_MAX_FDS];
    int above = (int)params->nr_fds + 1;
    size_t i;
    int fd;

    *error_fd = fcntl(plan->error_fd, F_DUPFD_CLOEXEC, above);
    if (*error_fd < 0)
        return -1;
    for (i = 0; i < params->nr_fds; i++) {
        fd = params->fds[i] < 0 ? plan->null_fd : params->fds[i];
        moved[i] = fcntl(fd, F_DUPFD_CLOEXEC, above);
        if (moved[i] < 0)
            return -1;
    }
    for (i = 0; i < params->nr_fds; i++)
        if (dup2(moved[i], (int)i) < 0)
            return -1;
    fd = dup3(*error_fd, (int)params->nr_fds, O_CLOEXEC);
    if (fd < 0)
        return -1;
    *error_fd = fd;
    return close_range((unsigned)above, ~0u, 0);
}

static void report(int error_fd, int errnoval)
{
    ssize_t n;

    do
        n = write(error_fd, &errnoval, sizeof(errnoval));
    while (n < 0 && errno == EINTR);
}

_Noreturn void libxl__child_exec(const struct libxl__exec_plan *plan)
{
    const struct libxl__spawn_params *params = plan->params;
    char **envp = params->envp ? (char **)params->envp : environ;
    int error_fd = plan->error_fd;

    if (reset_signals())
        goto fail;
    if (params->new_session && setsid() < 0)
        goto fail;
    if (params->cwd && chdir(params->cwd))
        goto fail;
    if (place_fds(plan, &error_fd))
        goto fail;
    execve(params->argv[0], (char **)params->argv, envp);
fail:
    report(error_fd, errno);
    _exit(127);
}
