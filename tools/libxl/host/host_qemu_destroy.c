/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_destroy.c - the end of a guest. Chain, in order of time:
 *
 *   destroy (SIGTERM) -> dead | polite_over (SIGKILL) -> dead | kill_over
 *
 * SIGTERM makes QEMU close its disks; no QMP is used, so that a stuck QEMU, or
 * one whose monitor is taken, ends too. Death is seen through the pidfd.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "host/host_qemu.h"
#include "host/memory_end.h"

enum { POLITE_MS = 3000, KILL_MS = 20000 };

#define MEMORY_NAME "fd/3"
static_assert(LIBXL__QEMU_MEMORY_FD == 3, "as it is named above");

struct qemu_destroy {
    struct libxl__host_qemu *hq;
    libxl__host_call *call;
    libxl__ev_fd death;
    libxl__ev_time deadline;
    struct libxl__memory_end memory;
    int pidfd;
    pid_t pid;
};

static void dead(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                 short revents);
static void gone_already(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void polite_over(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void kill_over(libxl__egc *egc, libxl__ev_time *ev, int rc);

static struct qemu_destroy *destroy_of_death(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct qemu_destroy, death);
}

static struct qemu_destroy *destroy_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct qemu_destroy, deadline);
}

static void drop(struct qemu_destroy *d)
{
    libxl_ctx *ctx = d->hq->host.ctx;

    libxl__ev_fd_deregister(ctx, &d->death);
    libxl__ev_time_deregister(ctx, &d->deadline);
    libxl__memory_end_let_go(&d->memory);
    if (d->pidfd >= 0)
        close(d->pidfd);
    free(d);
}

static void finish(libxl__egc *egc, struct qemu_destroy *d, int rc)
{
    libxl__host_call *call = d->call;

    drop(d);
    call->state = NULL;
    call->callback(egc, call, rc);
}

static int send_signal(struct qemu_destroy *d, int signo)
{
    return (int)syscall(SYS_pidfd_send_signal, d->pidfd, signo, NULL, 0);
}

static int watch_death(struct qemu_destroy *d)
{
    libxl_ctx *ctx = d->hq->host.ctx;
    int rc;

    rc = libxl__ev_fd_register(ctx, &d->death, dead, d->pidfd, POLLIN);
    if (rc)
        return rc;
    if (send_signal(d, SIGTERM) && errno == EPERM) {
        LOGED(ctx, d->call->domid, ERROR, EPERM,
              "cannot end QEMU (pid %ld): it belongs to another user",
              (long)d->pid);
        return ERROR_FAIL;
    }
    return libxl__ev_time_register_rel(ctx, NULL, &d->deadline, polite_over,
                                       POLITE_MS);
}

/* The caller does not wait for the memory. */
static void hold_memory(struct qemu_destroy *d, const struct libxl__proc_id *id)
{
    int fd = libxl__qemu_open_proc(id, MEMORY_NAME, O_RDONLY);

    if (fd < 0)
        return;
    libxl__memory_end_hold(d->hq->host.ctx, &d->memory, fd);
    close(fd);
}

int libxl__qemu_destroy(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__host_qemu *hq = libxl__host_qemu_of(h);
    struct libxl__qemu_ident ident;
    struct qemu_destroy *d;
    int rc;

    rc = libxl__qemu_ident_read(hq, call->domid, &ident);
    if (rc && rc != ERROR_DOMAIN_NOTFOUND)
        return rc;
    d = calloc(1, sizeof(*d));
    if (!d)
        return ERROR_NOMEM;
    d->hq = hq;
    d->call = call;
    d->pidfd = -1;
    d->pid = ident.proc.pid;
    libxl__ev_fd_init(&d->death);
    libxl__ev_time_init(&d->deadline);
    libxl__memory_end_init(&d->memory);
    if (!rc)
        rc = libxl__proc_id_open(&ident.proc, &d->pidfd);
    if (rc == ERROR_NOTFOUND || rc == ERROR_DOMAIN_NOTFOUND)
        rc = libxl__ev_time_register_rel(h->ctx, NULL, &d->deadline,
                                         gone_already, 0);
    if (!rc && d->pidfd >= 0) {
        if (call->memory_later)
            hold_memory(d, &ident.proc);
        rc = watch_death(d);
    }
    if (rc) {
        drop(d);
        return rc;
    }
    call->state = d;
    return 0;
}

static void gone_already(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    finish(egc, destroy_of_deadline(ev), 0);
}

static void dead(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                 short revents)
{
    finish(egc, destroy_of_death(ev), 0);
}

static void polite_over(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct qemu_destroy *d = destroy_of_deadline(ev);

    send_signal(d, SIGKILL);
    rc = libxl__ev_time_register_rel(d->hq->host.ctx, NULL, &d->deadline,
                                     kill_over, KILL_MS);
    if (rc)
        finish(egc, d, rc);
}

static void kill_over(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct qemu_destroy *d = destroy_of_deadline(ev);

    LOGD(d->hq->host.ctx, d->call->domid, ERROR,
         "QEMU (pid %ld) does not die, not even of SIGKILL: a disk or network "
         "file system that it waits for may be stuck",
         (long)d->pid);
    finish(egc, d, ERROR_TIMEDOUT);
}
