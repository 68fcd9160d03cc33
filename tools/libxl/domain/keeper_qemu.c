/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper_qemu.c - what QEMU tells: events by QMP, and its death by a pidfd.
 *
 * attach -> connected -> status_known; then event ... and died
 *
 * An event changes the record "run", and then the keeper settles.
 */
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/keeper.h"
#include "store/domain_record.h"
#include "store/run_record.h"

#define QMP_MS 10000
#define RECONNECT_MS 1000

static void connected(libxl__egc *egc, libxl__qmp *qmp, int rc,
                      yajl_val result);
static void status_known(libxl__egc *egc, libxl__qmp *qmp, int rc,
                         yajl_val result);
static void event(libxl__egc *egc, libxl__qmp *qmp, const char *name,
                  yajl_val data);
static void lost(libxl__egc *egc, libxl__qmp *qmp, int rc);
static void connect_again(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void died(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                 short revents);

static libxl__keeper *keeper_of_death(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__keeper, qemu_death);
}

static libxl__keeper *keeper_of_reconnect(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__keeper, reconnect);
}

/* ---- the record "run" ---- */

/* The guest has ended by itself. */
static void guest_ended(libxl__egc *egc, libxl__keeper *kp,
                        libxl_shutdown_reason reason)
{
    struct libxl__run_record run;

    if (!libxl__run_record_read(kp->store, kp->domid, &run) &&
        run.state == LIBXL__RUN_SHUTDOWN)
        return; /* the first reason is the true one */
    if (reason == LIBXL_SHUTDOWN_REASON_POWEROFF &&
        libxl__reboot_wish_take(kp->store, kp->domid))
        reason = LIBXL_SHUTDOWN_REASON_REBOOT;
    run = (struct libxl__run_record){
        .state = LIBXL__RUN_SHUTDOWN,
        .reason = reason,
    };
    libxl__run_record_write(kp->store, kp->domid, &run);
    kp->left = false;
    libxl__keeper_settle(egc, kp);
}

static libxl_shutdown_reason reason_of(yajl_val data)
{
    const char *reason = libxl__json_string(data, "reason");

    if (reason && !strcmp(reason, "guest-reset"))
        return LIBXL_SHUTDOWN_REASON_REBOOT;
    if (reason && !strcmp(reason, "guest-panic"))
        return LIBXL_SHUTDOWN_REASON_CRASH;
    return LIBXL_SHUTDOWN_REASON_POWEROFF;
}

static bool told_to_end(yajl_val data)
{
    const char *reason = data ? libxl__json_string(data, "reason") : NULL;

    /* Its process ends: see died. But for `xl trigger DOMAIN reset`, which
     * has left a wish. */
    return reason && !strncmp(reason, "host-", 5) &&
           strcmp(reason, "host-qmp-system-reset");
}

static void event(libxl__egc *egc, libxl__qmp *qmp, const char *name,
                  yajl_val data)
{
    libxl__keeper *kp = qmp->user;

    if (!strcmp(name, "SHUTDOWN")) {
        if (data && !told_to_end(data))
            guest_ended(egc, kp, reason_of(data));
    } else if (!strcmp(name, "GUEST_PANICKED")) {
        guest_ended(egc, kp, LIBXL_SHUTDOWN_REASON_CRASH);
    } else if (!strcmp(name, "WATCHDOG")) {
        guest_ended(egc, kp, LIBXL_SHUTDOWN_REASON_WATCHDOG);
    } else if (!strcmp(name, "RESUME")) {
        kp->started_ms = libxl__now_ms(kp->ctx);
        kp->left = kp->stopped = false;
        libxl__keeper_dev_resumed(kp);
    } else if (!strcmp(name, "STOP")) {
        kp->stopped = true;
    }
}

/* ---- what happened while no keeper was there ---- */

static void status_known(libxl__egc *egc, libxl__qmp *qmp, int rc,
                         yajl_val result)
{
    libxl__keeper *kp = qmp->user;
    const char *status = rc ? NULL : libxl__json_string(result, "status");

    kp->stopped = status && strcmp(status, "running");
    if (status && !strcmp(status, "shutdown"))
        guest_ended(egc, kp, LIBXL_SHUTDOWN_REASON_POWEROFF);
    else if (status && !strcmp(status, "guest-panicked"))
        guest_ended(egc, kp, LIBXL_SHUTDOWN_REASON_CRASH);
    else if (status && !strcmp(status, "watchdog"))
        guest_ended(egc, kp, LIBXL_SHUTDOWN_REASON_WATCHDOG);
    else if (kp->stopped)
        libxl__keeper_settle(egc, kp);
}

static void connected(libxl__egc *egc, libxl__qmp *qmp, int rc, yajl_val result)
{
    if (!rc)
        rc = libxl__qmp_command(egc, qmp, "query-status", NULL, -1, QMP_MS,
                                status_known);
    if (rc)
        lost(egc, qmp, rc);
}

static int connect_events(libxl__egc *egc, libxl__keeper *kp)
{
    libxl__qmp_close(&kp->events);
    libxl__qmp_init(&kp->events);
    kp->events.ctx = kp->ctx;
    kp->events.ao = NULL;
    kp->events.domid = kp->domid;
    kp->events.user = kp;
    kp->events.event = event;
    kp->events.quiet_loss = true;
    kp->events.lost = lost;
    return libxl__qmp_connect(egc, &kp->events, kp->dirfd, "qmp-event", QMP_MS,
                              connected);
}

/* Its death is seen by the pidfd; this is for a QEMU that lives. */
static void lost(libxl__egc *egc, libxl__qmp *qmp, int rc)
{
    libxl__keeper *kp = qmp->user;

    libxl__qmp_close(qmp);
    if (!kp->qemu_gone && !libxl__ev_time_isregistered(&kp->reconnect))
        libxl__ev_time_register_rel(kp->ctx, NULL, &kp->reconnect,
                                    connect_again, RECONNECT_MS);
}

static void connect_again(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__keeper *kp = keeper_of_reconnect(ev);

    rc = kp->qemu_gone ? 0 : connect_events(egc, kp);
    if (rc)
        lost(egc, &kp->events, rc);
}

/* ---- its process ---- */

static void died(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                 short revents)
{
    libxl__keeper *kp = keeper_of_death(ev);

    libxl__ev_fd_deregister(kp->ctx, &kp->qemu_death);
    kp->qemu_gone = true;
    kp->left = false;
    libxl__keeper_settle(egc, kp);
}

static int read_identity(libxl__keeper *kp)
{
    struct libxl__domain_record rec;
    yajl_val root;
    libxl__gc gc;
    int rc;

    libxl__gc_init(&gc, kp->ctx);
    rc = libxl__domain_record_read(kp->store, &gc, kp->domid, &rec);
    if (!rc && !rec.qemu_json)
        rc = ERROR_NOTFOUND;
    if (!rc) {
        root = libxl__json_parse(kp->ctx, kp->domid, "QEMU's identity",
                                 rec.qemu_json);
        rc = root ? libxl__proc_id_from_json(root, &kp->qemu) : ERROR_FAIL;
        yajl_tree_free(root);
    }
    libxl__gc_dispose(&gc);
    return rc;
}

void libxl__keeper_qemu_init(libxl__keeper *kp)
{
    kp->qemu_known = kp->qemu_gone = kp->stopped = false;
    kp->qemu_pidfd = -1;
    libxl__ev_fd_init(&kp->qemu_death);
    libxl__qmp_init(&kp->events);
    libxl__ev_time_init(&kp->reconnect);
}

int libxl__keeper_qemu_attach(libxl__egc *egc, libxl__keeper *kp)
{
    int rc;

    libxl__keeper_qemu_close(kp);
    kp->started_ms = 0; /* not seen: long ago */
    rc = read_identity(kp);
    if (rc)
        return rc;
    kp->qemu_known = true;
    rc = libxl__proc_id_open(&kp->qemu, &kp->qemu_pidfd);
    kp->qemu_gone = rc == ERROR_NOTFOUND;
    if (rc)
        return kp->qemu_gone ? 0 : rc;
    rc = libxl__ev_fd_register(kp->ctx, &kp->qemu_death, died, kp->qemu_pidfd,
                               POLLIN);
    return rc ? rc : connect_events(egc, kp);
}

void libxl__keeper_qemu_close(libxl__keeper *kp)
{
    libxl__qmp_close(&kp->events);
    libxl__ev_time_deregister(kp->ctx, &kp->reconnect);
    libxl__ev_fd_deregister(kp->ctx, &kp->qemu_death);
    if (kp->qemu_pidfd >= 0)
        close(kp->qemu_pidfd);
    kp->qemu_pidfd = -1;
    kp->qemu_known = kp->qemu_gone = kp->stopped = false;
}
