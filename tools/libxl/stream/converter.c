/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* converter.c - chain: start -> (out_fd is read by the caller) -> died */
#include "stream/converter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "base/paths.h"

#define PROGRAM "convert-legacy-stream"

static libxl__converter *converter_of_child(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, libxl__converter, child);
}

static void died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status)
{
    libxl__converter *cv = converter_of_child(ch);
    libxl_ctx *ctx = libxl__ao_ctx(cv->ao);
    int rc = 0;

    (void)fcntl(cv->fd, F_SETFL, cv->fd_flags);
    if (status && !cv->stopped) {
        rc = ERROR_FAIL;
        if (WIFEXITED(status))
            LOGD(ctx, cv->domid, ERROR,
                 PROGRAM " [%d] could not convert the legacy stream (exit "
                 "status %d)", (int)pid, WEXITSTATUS(status));
        else
            LOGD(ctx, cv->domid, ERROR,
                 PROGRAM " [%d] was killed by signal %d", (int)pid,
                 WTERMSIG(status));
    }
    cv->callback(egc, cv, rc);
}

static int spawn(libxl__converter *cv, int write_fd)
{
    libxl_ctx *ctx = libxl__ao_ctx(cv->ao);
    const char *argv[] = {
        libxl__libexec_path(libxl__ao_gc(cv->ao), PROGRAM),
        "--in", "0", "--out", "1", "--format", "libxl", "--guest-type",
        cv->hvm ? "hvm" : "pv", NULL,
    };
    const int fds[] = {cv->fd, write_fd, STDERR_FILENO};
    struct libxl__spawn_params params = {
        .argv = argv,
        .fds = fds,
        .nr_fds = sizeof(fds) / sizeof(fds[0]),
    };

    if (!argv[0])
        return ERROR_NOMEM;
    return libxl__ev_child_spawn(ctx, &cv->child, died, &params);
}

/* The child blocks in its reads. */
static int lend_fd(libxl__converter *cv)
{
    cv->fd_flags = fcntl(cv->fd, F_GETFL);
    if (cv->fd_flags >= 0 &&
        fcntl(cv->fd, F_SETFL, cv->fd_flags & ~O_NONBLOCK) == 0)
        return 0;
    LOGED(libxl__ao_ctx(cv->ao), cv->domid, ERROR, errno,
          "cannot hand the legacy stream's fd %d to " PROGRAM, cv->fd);
    return ERROR_FAIL;
}

int libxl__converter_start(libxl__converter *cv)
{
    libxl_ctx *ctx = libxl__ao_ctx(cv->ao);
    int pair[2], rc;

    cv->out_fd = -1;
    cv->stopped = false;
    libxl__ev_child_init(&cv->child);
    rc = lend_fd(cv);
    if (rc)
        return rc;
    if (pipe2(pair, O_CLOEXEC)) {
        LOGED(ctx, cv->domid, ERROR, errno, "cannot make a pipe for " PROGRAM);
        rc = ERROR_FAIL;
        goto out;
    }
    rc = spawn(cv, pair[1]);
    close(pair[1]);
    if (rc)
        close(pair[0]);
    else
        cv->out_fd = pair[0];
out:
    if (rc)
        (void)fcntl(cv->fd, F_SETFL, cv->fd_flags);
    return rc;
}

void libxl__converter_stop(libxl__converter *cv)
{
    cv->stopped = true;
    (void)libxl__ev_child_kill(&cv->child, SIGTERM);
}
