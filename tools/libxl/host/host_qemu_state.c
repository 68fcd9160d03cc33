/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_state.c - device and vCPU state of a stopped guest, out and in.
 *
 * QEMU's own migration with x-ignore-shared: the guest's RAM is a shared file
 * and stays out, everything else (vCPUs, devices, firmware, video memory) goes
 * through one fd. The end is told by the event MIGRATION. The capabilities for
 * this are set while no guest waits for it: by suspend, before it stops the
 * guest, and by create, for an incoming one.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "host/host_qemu.h"

enum { STATE_MS = 120000 };

#define FD_NAME "xl-state"

static bool migration_over(libxl__qmp_script *s, const char *event,
                           yajl_val data, int *rc_out)
{
    const char *status;

    if (strcmp(event, "MIGRATION"))
        return false;
    status = libxl__json_string(data, "status");
    if (!status)
        return false;
    if (!strcmp(status, "completed")) {
        *rc_out = 0;
        return true;
    }
    if (strcmp(status, "failed") && strcmp(status, "cancelled"))
        return false;
    *rc_out = ERROR_FAIL;
    return true;
}

static int new_state_op(libxl__host *h, libxl__host_call *call, int fd,
                        struct libxl__qemu_op **out)
{
    struct libxl__qemu_op *op;
    int rc;

    rc = libxl__qemu_op_new(h, call, &op);
    if (rc)
        return rc;
    if (lseek(fd, 0, SEEK_SET)) {
        LOGD(h->ctx, call->domid, ERROR, "the device state's fd cannot seek");
        libxl__qemu_op_drop(op);
        return ERROR_INVAL;
    }
    /* Not abortable: it takes milliseconds, and QEMU would go on with it. */
    op->script.pass_fd = fd;
    op->script.quiet_loss = true;
    op->script.until = migration_over;
    op->script.until_timeout_ms = STATE_MS;
    op->log_fd = libxl__qemu_open_proc(&op->ident.proc, "fd/2", O_RDONLY);
    *out = op;
    return 0;
}

static void pass_fd(struct libxl__qemu_op *op)
{
    op->steps[op->script.nr_steps].pass_fd = true;
    libxl__qemu_op_step(op, "getfd", "{\"fdname\":\"" FD_NAME "\"}");
}

static void explain(struct libxl__qemu_op *op, int rc, const char *verb)
{
    if (rc == ERROR_FAIL || rc == ERROR_NOT_READY)
        LOGD(op->hq->host.ctx, op->call->domid, ERROR,
             "QEMU could not %s the device state: %s", verb,
             libxl__qemu_log_reason(&op->gc, op->log_fd));
}

/* ---- out ---- */

static int save_done(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    explain(op, rc, "save");
    if (!rc && lseek(op->script.pass_fd, 0, SEEK_SET))
        rc = ERROR_FAIL;
    return rc == ERROR_NOT_READY ? ERROR_FAIL : rc;
}

int libxl__qemu_dm_save(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        int fd)
{
    struct libxl__qemu_op *op;
    int rc;

    rc = new_state_op(h, call, fd, &op);
    if (rc)
        return rc;
    op->run.state_taken = true;
    rc = libxl__run_record_write(op->hq->store, call->domid, &op->run);
    if (rc) {
        libxl__qemu_op_drop(op);
        return rc;
    }
    pass_fd(op);
    libxl__qemu_op_step(op, "migrate", "{\"uri\":\"fd:" FD_NAME "\"}");
    /* as QEMU does with its own disks when its state is out */
    op->dev_after = "inactivate";
    op->done = save_done;
    return libxl__qemu_op_start(egc, op);
}

/* ---- in ---- */

static int load_done(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    explain(op, rc, "load");
    return rc == ERROR_NOT_READY ? ERROR_FAIL : rc;
}

int libxl__qemu_dm_load(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        int fd)
{
    struct libxl__qemu_op *op;
    int rc;

    rc = new_state_op(h, call, fd, &op);
    if (rc)
        return rc;
    pass_fd(op);
    libxl__qemu_op_step(op, "migrate-incoming",
                        "{\"uri\":\"fd:" FD_NAME "\"}");
    op->done = load_done;
    return libxl__qemu_op_start(egc, op);
}
