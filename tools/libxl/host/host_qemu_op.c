/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_op.c - host calls that are one QMP script. Chain:
 *
 *   start [-> before_done] [-> quiet_done]
 *         -> script_done [-> retry_now -> script_done ...]
 *         [-> after_done] [-> recreated] -> callback
 *   and where "cont" was not answered:  script_done -> ask_status -> script_done
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "host/host_qemu.h"

enum { STEP_TIMEOUT_MS = 60000, RETRY_MS = 20 };

static void script_done(libxl__egc *egc, libxl__qmp_script *s, int rc,
                        yajl_val last);
static void retry_now(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void before_done(libxl__egc *egc, libxl__dev_ask *ask, int rc);
static void after_done(libxl__egc *egc, libxl__dev_ask *ask, int rc);
static void quiet_done(libxl__egc *egc, libxl__qemu_pci *pci, int rc);
static void recreated(libxl__egc *egc, libxl__qemu_pci *pci, int rc);

static struct libxl__qemu_op *op_of_script(libxl__qmp_script *s)
{
    return CONTAINER_OF(s, struct libxl__qemu_op, script);
}

static struct libxl__qemu_op *op_of_retry(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__qemu_op, retry);
}

static struct libxl__qemu_op *op_of_dev(libxl__dev_ask *ask)
{
    return CONTAINER_OF(ask, struct libxl__qemu_op, dev);
}

static struct libxl__qemu_op *op_of_pci(libxl__qemu_pci *pci)
{
    return CONTAINER_OF(pci, struct libxl__qemu_op, pci);
}

static int find_process(struct libxl__qemu_op *op)
{
    struct libxl__host_qemu *hq = op->hq;
    uint32_t domid = op->call->domid;
    enum libxl__proc_state state = LIBXL__PROC_GONE;
    int rc;

    rc = libxl__qemu_ident_read(hq, domid, &op->ident);
    if (rc && rc != ERROR_DOMAIN_NOTFOUND)
        return rc;
    if (!rc)
        state = libxl__proc_id_state(&op->ident.proc);
    if (state == LIBXL__PROC_ALIVE)
        return hq->store->ops->open_dir(hq->store, domid, &op->dirfd);
    LOGD(hq->host.ctx, domid, ERROR, "%s (xl destroy removes what is left)",
         state == LIBXL__PROC_OTHER_BOOT
             ? "the guest ended when this host was restarted"
             : "the guest's QEMU process has ended");
    return ERROR_NOT_READY;
}

int libxl__qemu_op_new(libxl__host *h, libxl__host_call *call,
                       struct libxl__qemu_op **out)
{
    struct libxl__qemu_op *op = calloc(1, sizeof(*op));
    int rc;

    *out = NULL;
    if (!op)
        return ERROR_NOMEM;
    op->hq = libxl__host_qemu_of(h);
    op->call = call;
    op->dirfd = op->log_fd = op->own_fd = -1;
    libxl__gc_init(&op->gc, h->ctx);
    libxl__qmp_script_init(&op->script);
    libxl__ev_time_init(&op->retry);
    libxl__dev_ask_init(&op->dev);
    libxl__qemu_pci_init(&op->pci, h->ctx);
    op->script.ctx = h->ctx;
    op->script.domid = call->domid;
    op->script.steps = op->steps;
    op->script.timeout_ms = STEP_TIMEOUT_MS;
    rc = find_process(op);
    if (!rc) {
        rc = libxl__run_record_read(op->hq->store, call->domid, &op->run);
        if (rc == ERROR_NOTFOUND)
            rc = 0; /* just made: paused */
    }
    if (rc) {
        libxl__qemu_op_drop(op);
        return rc;
    }
    *out = op;
    return 0;
}

void libxl__qemu_op_drop(struct libxl__qemu_op *op)
{
    libxl__qmp_script_stop(&op->script);
    libxl__ev_time_deregister(op->hq->host.ctx, &op->retry);
    libxl__dev_ask_stop(&op->dev);
    libxl__qemu_pci_stop(&op->pci);
    if (op->dirfd >= 0)
        close(op->dirfd);
    if (op->log_fd >= 0)
        close(op->log_fd);
    if (op->own_fd >= 0)
        close(op->own_fd);
    libxl__gc_dispose(&op->gc);
    free(op);
}

void libxl__qemu_op_step(struct libxl__qemu_op *op, const char *command,
                         const char *args_json)
{
    struct libxl__qmp_step *step = &op->steps[op->script.nr_steps++];

    step->command = command;
    step->args_json = args_json;
}

/* A disk's process may have died while the guest did not run, and the keeper
 * leaves that to us. */
static int revive(libxl__dev_ask *ask, unsigned index)
{
    struct libxl__qemu_op *op = op_of_dev(ask);

    return libxl__qemu_restart_device(&op->hq->host, op->call->domid, index,
                                      false);
}

static int ask_devices(struct libxl__qemu_op *op, const char *request,
                       void (*done)(libxl__egc *egc, libxl__dev_ask *ask,
                                    int rc))
{
    op->dev.ctx = op->hq->host.ctx;
    op->dev.domid = op->call->domid;
    op->dev.dirfd = op->dirfd;
    op->dev.request = request;
    op->dev.revive = revive;
    op->dev.callback = done;
    return libxl__dev_ask_start(&op->dev);
}

static int start_pci(struct libxl__qemu_op *op, bool recreate,
                     void (*done)(libxl__egc *egc, libxl__qemu_pci *pci,
                                  int rc))
{
    op->pci.domid = op->call->domid;
    op->pci.dirfd = op->dirfd;
    op->pci.recreate = recreate;
    op->pci.callback = done;
    return libxl__qemu_pci_start(&op->pci);
}

/* The script; where devices have to be quiet for it, that first. */
static int run_script(libxl__egc *egc, struct libxl__qemu_op *op)
{
    int rc = ERROR_NOTFOUND;

    if (op->pci_quiet)
        rc = start_pci(op, false, quiet_done);
    return rc == ERROR_NOTFOUND ? libxl__qmp_script_start(egc, &op->script)
                                : rc;
}

int libxl__qemu_op_start(libxl__egc *egc, struct libxl__qemu_op *op)
{
    int rc;

    op->script.dirfd = op->dirfd;
    op->script.callback = script_done;
    op->script.quiet_errors = op->retries > 0;
    op->call->state = op;
    rc = ERROR_NOTFOUND;
    if (op->dev_before) {
        op->dev.without_dead = op->dev_without_dead;
        rc = ask_devices(op, op->dev_before, before_done);
    }
    if (rc == ERROR_NOTFOUND)
        rc = run_script(egc, op);
    if (rc) {
        op->call->state = NULL;
        if (op->done)
            rc = op->done(op, rc, NULL);
        libxl__qemu_op_drop(op);
    }
    return rc;
}

static void end(libxl__egc *egc, struct libxl__qemu_op *op, int rc)
{
    libxl__host_call *call = op->call;

    libxl__qemu_op_drop(op);
    call->state = NULL;
    call->callback(egc, call, rc);
}

static void finish(libxl__egc *egc, struct libxl__qemu_op *op, int rc,
                   yajl_val last)
{
    if (op->done)
        rc = op->done(op, rc, last);
    if (!rc && op->dev_after) {
        libxl__dev_ask_stop(&op->dev);
        libxl__dev_ask_init(&op->dev);
        rc = ask_devices(op, op->dev_after, after_done);
        if (!rc)
            return;
    }
    end(egc, op, rc == ERROR_NOTFOUND ? 0 : rc);
}

static void before_done(libxl__egc *egc, libxl__dev_ask *ask, int rc)
{
    struct libxl__qemu_op *op = op_of_dev(ask);

    if (!rc)
        rc = run_script(egc, op);
    if (rc)
        finish(egc, op, rc, NULL);
}

static void quiet_done(libxl__egc *egc, libxl__qemu_pci *pci, int rc)
{
    struct libxl__qemu_op *op = op_of_pci(pci);

    if (!rc)
        rc = libxl__qmp_script_start(egc, &op->script);
    if (rc)
        finish(egc, op, rc, NULL);
}

static void after_done(libxl__egc *egc, libxl__dev_ask *ask, int rc)
{
    struct libxl__qemu_op *op = op_of_dev(ask);

    if (!rc && op->pci_recreate) {
        rc = start_pci(op, true, recreated);
        if (!rc)
            return;
    }
    end(egc, op, rc);
}

static void recreated(libxl__egc *egc, libxl__qemu_pci *pci, int rc)
{
    end(egc, op_of_pci(pci), rc);
}

static bool is_cont(const struct libxl__qmp_step *step)
{
    return step->command && !strcmp(step->command, "cont");
}

/* Without an answer to "cont", or behind it, the guest may run. */
static bool may_run(const struct libxl__qemu_op *op, int rc)
{
    size_t at = op->script.at;

    while (at > 0 && !is_cont(&op->steps[at]))
        at--;
    if (!is_cont(&op->steps[at]))
        return false;
    return op->script.at > at ||
           (rc != ERROR_QMP_GENERIC_ERROR && rc != ERROR_LOCK_FAIL);
}

/* A command that QEMU is still at is done when this one is answered. */
static int ask_status(libxl__egc *egc, struct libxl__qemu_op *op, int rc)
{
    op->asking = true;
    op->unanswered_rc = rc;
    op->steps[0] = (struct libxl__qmp_step){.command = "query-status"};
    op->script.nr_steps = 1;
    return libxl__qmp_script_start(egc, &op->script);
}

static int look_at_status(struct libxl__qemu_op *op, int rc, yajl_val status)
{
    if (!rc && libxl__qemu_only_stopped(status))
        return op->unanswered_rc;
    if (!rc)
        return 0;
    LOGD(op->hq->host.ctx, op->call->domid, ERROR,
         "QEMU does not say whether the guest runs");
    return ERROR_BADFAIL;
}

static void script_done(libxl__egc *egc, libxl__qmp_script *s, int rc,
                        yajl_val last)
{
    struct libxl__qemu_op *op = op_of_script(s);

    if (op->early) {
        op->early_lost = true;
        return;
    }
    if (op->asking) {
        finish(egc, op, look_at_status(op, rc, last), last);
        return;
    }
    if (rc && op->must_know && may_run(op, rc)) {
        rc = ask_status(egc, op, rc);
        if (rc)
            finish(egc, op, look_at_status(op, rc, NULL), NULL);
        return;
    }
    if ((rc == ERROR_QMP_GENERIC_ERROR || rc == ERROR_LOCK_FAIL) &&
        op->retries) {
        op->retries--;
        rc = libxl__ev_time_register_rel(op->hq->host.ctx, NULL, &op->retry,
                                         retry_now, RETRY_MS);
        if (!rc)
            return;
    }
    finish(egc, op, rc, last);
}

static void retry_now(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct libxl__qemu_op *op = op_of_retry(ev);

    op->script.quiet_errors = op->retries > 0;
    rc = libxl__qmp_script_start(egc, &op->script);
    if (rc)
        finish(egc, op, rc, NULL);
}
