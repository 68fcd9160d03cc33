/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* child_cancel.c - SIGTERM to the save helper. */
#include "helper/child_cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "helper/helper_wire.h"

#define FD_DEAD LIBXL__HW_NR_FDS /* O_PATH: reads and writes get EBADF */

/* A signal handler reaches nothing but what is global. */
static volatile sig_atomic_t asked;

static void on_sigterm(int signo)
{
    int saved = errno;

    asked = 1;
    dup2(FD_DEAD, LIBXL__HW_FD_STREAM);
    errno = saved;
}

static int open_dead_fd(void)
{
    int fd = open("/dev/null", O_PATH | O_CLOEXEC);
    int r = 0;

    if (fd < 0)
        return -errno;
    if (fd == FD_DEAD)
        return 0;
    if (dup3(fd, FD_DEAD, O_CLOEXEC) < 0)
        r = -errno;
    close(fd);
    return r;
}

int child_cancel_arm(pid_t parent)
{
    struct sigaction act;
    int r = open_dead_fd();

    if (r)
        return r;
    memset(&act, 0, sizeof(act));
    act.sa_handler = on_sigterm; /* no SA_RESTART: blocked calls must end */
    sigemptyset(&act.sa_mask);
    if (sigaction(SIGTERM, &act, NULL))
        return -errno;
    /* A dead peer or a limit of file size is an error, not death. */
    act.sa_handler = SIG_IGN;
    if (sigaction(SIGPIPE, &act, NULL) || sigaction(SIGXFSZ, &act, NULL))
        return -errno;
    /* The terminal's: the parent hears them too, and decides. */
    if (sigaction(SIGINT, &act, NULL) || sigaction(SIGHUP, &act, NULL))
        return -errno;
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0))
        return -errno;
    if (getppid() != parent)
        raise(SIGTERM);
    return 0;
}

bool child_cancel_asked(void)
{
    return asked;
}
