/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_exec.c - a program that the configuration names, and its
 * output.
 *
 * call -> spawn -> (output)* -> end of output and death -> answer
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/agent_wire.h"
#include "agent/agentd_core.h"
#include "base/container.h"

enum { ARGS_MAX = 64 };

struct exec_call {
    agentd *d;
    libxl__agent_job *job;
    libxl__ev_child ch;
    libxl__ev_fd out;
    int fd; /* -1: ended */
    int status;
    bool died, truncated;
    uint8_t *buf;
    size_t have;
};

static struct exec_call *call_of_ch(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, struct exec_call, ch);
}

static struct exec_call *call_of_out(libxl__ev_fd *out)
{
    return CONTAINER_OF(out, struct exec_call, out);
}

static void end_output(struct exec_call *x)
{
    if (x->fd < 0)
        return;
    libxl__ev_fd_deregister(x->d->ctx, &x->out);
    close(x->fd);
    x->fd = -1;
}

static void call_free(struct exec_call *x)
{
    end_output(x);
    free(x->buf);
    free(x);
}

/* What the program left running may hold the pipe: its death is the end. */
static void answer(libxl__egc *egc, struct exec_call *x)
{
    char *text = libxl__sprintf(
        libxl__egc_gc(egc), "{\"status\":%d,\"length\":%zu,\"truncated\":%s}",
        x->status, x->have, x->truncated ? "true" : "false");

    if (text)
        libxl__agent_job_result(egc, x->job, text, x->buf, x->have);
    else
        libxl__agentd_fail_errno(egc, x->job, ENOMEM);
    call_free(x);
}

/* false: nothing is there now, or nothing will come any more. */
static bool take_output(struct exec_call *x)
{
    char rest[4096];
    bool full = x->have == LIBXL__AGENT_DATA_MAX;
    ssize_t n =
        full ? read(x->fd, rest, sizeof(rest))
             : read(x->fd, x->buf + x->have, LIBXL__AGENT_DATA_MAX - x->have);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        end_output(x);
        return false;
    }
    if (full)
        x->truncated = true;
    else
        x->have += (size_t)n;
    return true;
}

static void output(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                   short revents)
{
    take_output(call_of_out(ev));
}

static void died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status)
{
    struct exec_call *x = call_of_ch(ch);
    int reads;

    x->status = status;
    for (reads = 0; x->fd >= 0 && reads < 256 && take_output(x); reads++)
        ;
    answer(egc, x);
}

static void stop(libxl__egc *egc, libxl__agent_job *job)
{
    struct exec_call *x = job->user;

    libxl__ev_child_kill(&x->ch, SIGKILL);
}

static bool take_argv(libxl__agent_job *job, const char *argv[ARGS_MAX + 1])
{
    yajl_val list = libxl__json_get(job->params, "argv");
    size_t i;

    if (!YAJL_IS_ARRAY(list) || !list->u.array.len ||
        list->u.array.len > ARGS_MAX)
        return false;
    for (i = 0; i < list->u.array.len; i++) {
        argv[i] = YAJL_GET_STRING(list->u.array.values[i]);
        if (!argv[i])
            return false;
    }
    argv[i] = NULL;
    return true;
}

static int start(struct exec_call *x, const char *const *argv)
{
    int pipefd[2], fds[3];
    const struct libxl__spawn_params params = {
        .argv = argv, .fds = fds, .nr_fds = 3, .new_session = true};
    int rc;

    if (pipe2(pipefd, O_CLOEXEC))
        return ERROR_FAIL;
    fds[0] = -1;
    fds[1] = fds[2] = pipefd[1];
    rc = libxl__ev_fd_register(x->d->ctx, &x->out, output, pipefd[0], POLLIN);
    if (rc) {
        close(pipefd[0]);
    } else {
        x->fd = pipefd[0];
        rc = libxl__ev_child_spawn(x->d->ctx, &x->ch, died, &params);
    }
    close(pipefd[1]);
    return rc;
}

void libxl__agentd_exec(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    const char *argv[ARGS_MAX + 1];
    struct exec_call *x;

    if (!take_argv(job, argv)) {
        libxl__agent_job_error(egc, job, AGENT_E_PARAMS, "argv");
        return;
    }
    if (!libxl__agentd_list_has(&d->conf.exec, argv[0])) {
        agentd_log(d, "refused to run %s", argv[0]);
        libxl__agent_job_error(egc, job, AGENT_E_REFUSED, NULL);
        return;
    }
    x = calloc(1, sizeof(*x));
    if (x)
        x->buf = malloc(LIBXL__AGENT_DATA_MAX);
    if (!x || !x->buf) {
        free(x);
        libxl__agentd_fail_errno(egc, job, ENOMEM);
        return;
    }
    x->d = d;
    x->job = job;
    x->fd = -1;
    libxl__ev_fd_init(&x->out);
    libxl__ev_child_init(&x->ch);
    job->user = x;
    job->stop = stop;
    if (start(x, argv)) {
        libxl__agent_job_error(egc, job, AGENT_E_SYSTEM, "cannot be run");
        call_free(x);
    }
}
