/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ev_child.c - fork, exec, and the death of a program, by pidfd: no SIGCHLD
 * handler, and only our own pids are reaped.
 *
 * spawn: fork -> exec answers on a pipe -> watch pidfd -> died -> callback
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "engine/ev_child_private.h"
#include "engine/ev_fd.h"
#include "engine/loop.h"

struct libxl__child_slot {
    libxl_ctx *ctx;
    pid_t pid;
    int pidfd;
    libxl__ev_fd death;
    libxl__ev_child *ch; /* NULL: forgotten */
    LIST_ENTRY(libxl__child_slot) entry;
};

static struct libxl__child_slot *slot_of_death(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__child_slot, death);
}

static void slot_free(struct libxl__child_slot *slot)
{
    libxl__ev_fd_deregister(slot->ctx, &slot->death);
    LIST_REMOVE(slot, entry);
    close(slot->pidfd);
    free(slot);
}

static void died(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                 short revents)
{
    struct libxl__child_slot *slot = slot_of_death(ev);
    libxl__ev_child *ch = slot->ch;
    pid_t pid = slot->pid, reaped;
    int status = 0;

    do
        reaped = waitpid(pid, &status, WNOHANG);
    while (reaped < 0 && errno == EINTR);
    if (!reaped)
        return;
    if (reaped < 0)
        LOGE(slot->ctx, ERROR, errno,
             "process %d has ended, but someone else took its exit status; "
             "it counts as killed",
             (int)pid);
    slot_free(slot);
    if (!ch)
        return;
    libxl__ev_child_init(ch);
    ch->callback(egc, ch, pid, reaped < 0 ? SIGKILL : status);
}

static void reap_now(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* With SIGCHLD ignored (which exec inherits) the kernel reaps children itself
 * and their exit status is lost. */
static int check_sigchld(libxl_ctx *ctx)
{
    struct sigaction now;

    if (sigaction(SIGCHLD, NULL, &now))
        return ERROR_FAIL;
    if (now.sa_handler != SIG_IGN && !(now.sa_flags & SA_NOCLDWAIT))
        return 0;
    LOG(ctx, ERROR,
        "this process ignores SIGCHLD, so no program can be run "
        "and waited for; set it to its default");
    return ERROR_INVAL;
}

static int open_plan(libxl_ctx *ctx, struct libxl__exec_plan *plan,
                     const struct libxl__spawn_params *params, int *answer_fd)
{
    int pipefd[2];
    size_t i;

    plan->params = params;
    plan->null_fd = -1;
    for (i = 0; i < params->nr_fds; i++)
        if (params->fds[i] < 0 && plan->null_fd < 0) {
            plan->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
            if (plan->null_fd < 0)
                goto fail;
        }
    if (pipe2(pipefd, O_CLOEXEC))
        goto fail;
    *answer_fd = pipefd[0];
    plan->error_fd = pipefd[1];
    return 0;
fail:
    LOGE(ctx, ERROR, errno, "cannot start %s", params->argv[0]);
    if (plan->null_fd >= 0)
        close(plan->null_fd);
    return ERROR_FAIL;
}

/* No signal handler of ours may run in the child before exec. */
static pid_t fork_quietly(const struct libxl__exec_plan *plan)
{
    sigset_t all, before;
    pid_t pid;
    int saved;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (!pid)
        libxl__child_exec(plan);
    saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return pid;
}

/* 0 when exec has happened, else its errno. Short: ends at exec. */
static int read_answer(int answer_fd)
{
    int errnoval = 0;
    ssize_t n;

    do
        n = read(answer_fd, &errnoval, sizeof(errnoval));
    while (n < 0 && errno == EINTR);
    return n == sizeof(errnoval) ? errnoval : 0;
}

static int fork_and_exec(libxl_ctx *ctx,
                         const struct libxl__spawn_params *params, pid_t *pid)
{
    struct libxl__exec_plan plan;
    int answer_fd, errnoval;
    int rc;

    rc = open_plan(ctx, &plan, params, &answer_fd);
    if (rc)
        return rc;
    *pid = fork_quietly(&plan);
    errnoval = *pid < 0 ? errno : 0;
    close(plan.error_fd);
    if (plan.null_fd >= 0)
        close(plan.null_fd);
    if (*pid > 0) {
        errnoval = read_answer(answer_fd);
        if (errnoval)
            reap_now(*pid);
    }
    close(answer_fd);
    if (!errnoval)
        return 0;
    LOGE(ctx, ERROR, errnoval, "cannot run %s", params->argv[0]);
    return ERROR_FAIL;
}

static int watch(libxl_ctx *ctx, struct libxl__child_slot *slot, pid_t pid)
{
    int rc;

    slot->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (slot->pidfd < 0) {
        LOGE(ctx, ERROR, errno, "cannot watch process %d", (int)pid);
        return ERROR_FAIL;
    }
    rc = libxl__ev_fd_register(ctx, &slot->death, died, slot->pidfd, POLLIN);
    if (rc)
        close(slot->pidfd);
    return rc;
}

void libxl__ev_child_init(libxl__ev_child *ch)
{
    ch->pid = -1;
    ch->slot = NULL;
}

int libxl__ev_child_spawn(libxl_ctx *ctx, libxl__ev_child *ch,
                          libxl__ev_child_callback *callback,
                          const struct libxl__spawn_params *params)
{
    struct libxl__child_slot *slot = NULL;
    pid_t pid;
    int rc;

    assert(!libxl__ctx_check(ctx));
    assert(!libxl__ev_child_inuse(ch));
    assert(params->nr_fds <= LIBXL__SPAWN_MAX_FDS);

    rc = check_sigchld(ctx);
    if (rc)
        return rc;
    slot = calloc(1, sizeof(*slot));
    if (!slot)
        return ERROR_NOMEM;
    libxl__ev_fd_init(&slot->death);
    rc = fork_and_exec(ctx, params, &pid);
    if (rc)
        goto out;
    rc = watch(ctx, slot, pid);
    if (rc) {
        kill(pid, SIGKILL); /* unreaped: the pid is still its own */
        reap_now(pid);
        goto out;
    }
    slot->ctx = ctx;
    slot->pid = pid;
    slot->ch = ch;
    LIST_INSERT_HEAD(&ctx->children, slot, entry);
    ch->pid = pid;
    ch->callback = callback;
    ch->slot = slot;
    slot = NULL;
out:
    free(slot);
    return rc;
}

int libxl__ev_child_kill(libxl__ev_child *ch, int signo)
{
    int r;

    assert(libxl__ev_child_inuse(ch));
    r = (int)syscall(SYS_pidfd_send_signal, ch->slot->pidfd, signo, NULL, 0);
    return !r || errno == ESRCH ? 0 : ERROR_FAIL;
}

/* Unreaped: the group's number is still its own. */
int libxl__ev_child_kill_session(libxl__ev_child *ch, int signo)
{
    assert(libxl__ev_child_inuse(ch));
    return !kill(-ch->pid, signo) || errno == ESRCH ? 0 : ERROR_FAIL;
}

void libxl__ev_child_forget(libxl__ev_child *ch)
{
    if (!ch->slot)
        return;
    ch->slot->ch = NULL;
    libxl__ev_child_init(ch);
}

bool libxl__ev_child_inuse(const libxl__ev_child *ch)
{
    return ch->slot;
}

void libxl__children_forget_all(libxl_ctx *ctx)
{
    struct libxl__child_slot *slot;

    while ((slot = LIST_FIRST(&ctx->children))) {
        /* The analyzer does not see that slot_free takes it off the list.
         * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        assert(!slot->ch); /* a child was neither waited for nor forgotten */
        slot_free(slot);
    }
}
