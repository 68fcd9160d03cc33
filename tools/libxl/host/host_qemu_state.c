/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_state.c - device and vCPU state of a stopped guest, out and in.
 *
 * QEMU's own migration with x-ignore-shared: the guest's RAM is a shared file
 * and stays out, everything else (vCPUs, devices, firmware, video memory) goes
 * through one fd: "fd:", or for a QEMU that takes no file that way (since 10.0)
 * "file:" and a set of one descriptor. The end is told by the event MIGRATION. The capabilities for
 * this are set while no guest waits for it: by suspend, before it stops the
 * guest, and by create, for an incoming one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "host/host_qemu.h"

enum { STATE_MS = 120000 };

#define FD_NAME "xl-state"
#define SET_ARGS "{\"fdset-id\":77}"
#define SET_ID 77

/* The places in its script of what the QEMU's version decides. */
enum { STEP_VERSION, STEP_SETS, STEP_DROP, STEP_FD, STEP_MIGRATE };

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

static struct libxl__qemu_op *op_of(libxl__qmp_script *s)
{
    return s->user;
}

static int choose_way(libxl__qmp_script *s, yajl_val answer)
{
    static const char *path[] = { "qemu", "major", NULL };
    yajl_val major = YAJL_IS_OBJECT(answer)
                         ? yajl_tree_get(answer, path, yajl_t_number)
                         : NULL;
    struct libxl__qmp_step *steps = op_of(s)->steps;

    if (!major || !YAJL_IS_INTEGER(major)) {
        LOGD(s->ctx, s->domid, ERROR, "QEMU does not say its version");
        return ERROR_FAIL;
    }
    if (YAJL_GET_INTEGER(major) < 9)
        return 0;
    steps[STEP_SETS].command = "query-fdsets";
    steps[STEP_FD].command = "add-fd";
    steps[STEP_FD].args_json = SET_ARGS;
    steps[STEP_MIGRATE].args_json = "{\"uri\":\"file:/dev/fdset/77\"}";
    return 0;
}

/* A set stays until it is removed: the one of an earlier save. */
static int find_old_set(libxl__qmp_script *s, yajl_val answer)
{
    struct libxl__qmp_step *drop = &op_of(s)->steps[STEP_DROP];
    static const char *path[] = { "fdset-id", NULL };

    for (size_t i = 0; YAJL_IS_ARRAY(answer) && i < answer->u.array.len; i++) {
        yajl_val id = YAJL_IS_OBJECT(answer->u.array.values[i])
                          ? yajl_tree_get(answer->u.array.values[i], path,
                                          yajl_t_number)
                          : NULL;

        if (id && YAJL_IS_INTEGER(id) && YAJL_GET_INTEGER(id) == SET_ID) {
            drop->command = "remove-fd";
            drop->args_json = SET_ARGS;
        }
    }
    return 0;
}

/* As a description of its own: a set's has to be opened for just one way. */
static int lend(struct libxl__qemu_op *op, int fd, int flags)
{
    char path[40];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    op->script.pass_fd = open(path, flags | O_CLOEXEC);
    if (op->script.pass_fd >= 0)
        return 0;
    LOGED(op->hq->host.ctx, op->call->domid, ERROR, errno,
          "the device state's memory cannot be opened");
    return ERROR_FAIL;
}

static int new_state_op(libxl__host *h, libxl__host_call *call, int fd,
                        int flags, struct libxl__qemu_op **out)
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
    rc = lend(op, fd, flags);
    if (rc) {
        libxl__qemu_op_drop(op);
        return rc;
    }
    /* Not abortable: it takes milliseconds, and QEMU would go on with it. */
    op->script.user = op;
    op->own_fd = op->script.pass_fd;
    op->script.quiet_loss = true;
    op->script.until = migration_over;
    op->script.until_timeout_ms = STATE_MS;
    op->log_fd = libxl__qemu_open_proc(&op->ident.proc, "fd/2", O_RDONLY);
    *out = op;
    return 0;
}

static void add_steps(struct libxl__qemu_op *op, const char *command)
{
    op->steps[STEP_VERSION].check = choose_way;
    libxl__qemu_op_step(op, "query-version", NULL);
    op->steps[STEP_SETS].check = find_old_set;
    libxl__qemu_op_step(op, NULL, NULL); /* query-fdsets, */
    libxl__qemu_op_step(op, NULL, NULL); /* remove-fd: where there are sets */
    op->steps[STEP_FD].pass_fd = true;
    libxl__qemu_op_step(op, "getfd", "{\"fdname\":\"" FD_NAME "\"}");
    libxl__qemu_op_step(op, command, "{\"uri\":\"fd:" FD_NAME "\"}");
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
    return rc == ERROR_NOT_READY ? ERROR_FAIL : rc;
}

int libxl__qemu_dm_save(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        int fd)
{
    struct libxl__qemu_op *op;
    int rc;

    rc = new_state_op(h, call, fd, O_WRONLY, &op);
    if (rc)
        return rc;
    op->run.state_taken = true;
    rc = libxl__run_record_write(op->hq->store, call->domid, &op->run);
    if (rc) {
        libxl__qemu_op_drop(op);
        return rc;
    }
    add_steps(op, "migrate");
    /* as QEMU does with its own disks when its state is out */
    op->dev_after = "inactivate";
    op->pci_quiet = true;
    op->done = save_done;
    return libxl__qemu_op_start(egc, op);
}

/* ---- in ---- */

static int load_done(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    explain(op, rc, "load");
    return rc == ERROR_NOT_READY ? ERROR_FAIL : rc;
}

/* All but the last step can be done before the state is there. */
static int start_load(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      int fd, bool early)
{
    struct libxl__qemu_op *op;
    int rc;

    rc = new_state_op(h, call, fd, O_RDONLY, &op);
    if (rc)
        return rc;
    add_steps(op, "migrate-incoming");
    op->early = early;
    op->script.hold_at = early ? STEP_MIGRATE : 0;
    /* the devices' own state came behind QEMU's in the stream, and is in */
    op->dev_after = "loaded";
    op->pci_recreate = true;
    op->done = load_done;
    return libxl__qemu_op_start(egc, op);
}

int libxl__qemu_dm_get_ready(libxl__egc *egc, libxl__host *h,
                             libxl__host_call *call, int fd)
{
    return start_load(egc, h, call, fd, true);
}

void libxl__qemu_dm_let_go(libxl__host *h, libxl__host_call *call)
{
    if (call->state)
        libxl__qemu_op_drop(call->state);
    call->state = NULL;
}

int libxl__qemu_dm_load(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        int fd)
{
    struct libxl__qemu_op *op = call->state;

    if (op && !op->early_lost) {
        op->early = false;
        if (!libxl__qmp_script_go(egc, &op->script))
            return 0;
    }
    libxl__qemu_dm_let_go(h, call);
    return start_load(egc, h, call, fd, false);
}
