/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_life.c - pause, unpause, suspend, resume.
 *
 * The record "run" is written before a command lets the guest act, and before
 * a suspend stops it: whoever is killed in between leaves a record from which
 * resume does the right thing, and what the guest does next is written later,
 * by the keeper. None of these is abortable: they are short, and cleaning up
 * after an abort needs them.
 */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "host/host_qemu.h"

enum { CONT_RETRIES = 500, RUNNING_RETRIES = 50 };

static int write_run(struct libxl__qemu_op *op, enum libxl__run_state state,
                     bool was_running)
{
    const struct libxl__run_record rec = {
        .state = state,
        .was_running = was_running,
        .reason = LIBXL_SHUTDOWN_REASON_UNKNOWN,
        .state_taken = op->run.state_taken && state != LIBXL__RUN_RUNNING,
    };

    return libxl__run_record_write(op->hq->store, op->call->domid, &rec);
}

/* query-status says whether the guest has only been stopped, or has ended by
 * itself before the stop: then the keeper's record stands. */
bool libxl__qemu_only_stopped(yajl_val status)
{
    static const char *const stopped[] = { "paused", "prelaunch", "postmigrate",
                                           "finish-migrate", "inmigrate",
                                           "suspended", "save-vm" };
    const char *s = YAJL_IS_OBJECT(status)
                        ? libxl__json_string(status, "status")
                        : NULL;
    size_t i;

    for (i = 0; s && i < sizeof(stopped) / sizeof(*stopped); i++)
        if (!strcmp(s, stopped[i]))
            return true;
    return false;
}

/* Whoever let the state be taken may have been killed, and QEMU be still at it:
 * it would accept "cont", and stop the guest again, for good, when the state is
 * out. */
static int state_is_out(libxl__qmp_script *s, yajl_val answer)
{
    static const char *const at_rest[] = { "none", "completed", "failed",
                                           "cancelled" };
    const char *status = YAJL_IS_OBJECT(answer)
                             ? libxl__json_string(answer, "status")
                             : NULL;
    size_t i;

    if (!status)
        return 0; /* there was never any */
    for (i = 0; i < sizeof(at_rest) / sizeof(*at_rest); i++)
        if (!strcmp(status, at_rest[i]))
            return 0;
    if (!s->quiet_errors)
        LOGD(s->ctx, s->domid, ERROR,
             "QEMU does not come to the end of a migration (\"%s\"): the guest "
             "cannot run on before", status);
    return ERROR_LOCK_FAIL;
}

/* Let the guest run, once QEMU is ready for it: that takes milliseconds. */
static void add_cont(struct libxl__qemu_op *op)
{
    if (op->run.state_taken) /* nobody waits for it any more */
        libxl__qemu_op_step(op, "migrate_cancel", NULL);
    op->steps[op->script.nr_steps].check = state_is_out;
    libxl__qemu_op_step(op, "query-migrate", NULL);
    libxl__qemu_op_step(op, "cont", NULL);
    op->dev_before = "activate";
    op->retries = CONT_RETRIES;
}

/* ---- pause ---- */

static int pause_done(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    if (rc || !libxl__qemu_only_stopped(last))
        return rc;
    if (op->run.state == LIBXL__RUN_SUSPENDED)
        return write_run(op, LIBXL__RUN_SUSPENDED, false);
    return write_run(op, LIBXL__RUN_PAUSED, false);
}

int libxl__qemu_pause(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__qemu_op *op;
    int rc;

    rc = libxl__qemu_op_new(h, call, &op);
    if (rc)
        return rc;
    libxl__qemu_op_step(op, "stop", NULL);
    libxl__qemu_op_step(op, "query-status", NULL);
    op->done = pause_done;
    return libxl__qemu_op_start(egc, op);
}

/* ---- unpause ---- */

static int refuse_ended(struct libxl__qemu_op *op)
{
    LOGD(op->hq->host.ctx, op->call->domid, ERROR,
         "the guest has shut down: it cannot run on (xl destroy removes it)");
    return ERROR_INVAL;
}

static int unpause_done(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    /* Nothing ran: the record is as wrong as it was right before. */
    if (rc && rc != ERROR_BADFAIL)
        libxl__run_record_write(op->hq->store, op->call->domid, &op->run);
    return rc;
}

/* From here on the guest counts as having run, whatever happens: a receiver
 * that could not tell would have to ask. */
static int mark_started(struct libxl__qemu_op *op)
{
    struct libxl__domain_record rec;
    libxl__store *st = op->hq->store;
    int rc;

    rc = libxl__domain_record_read(st, &op->gc, op->call->domid, &rec);
    if (rc || !rec.never_started)
        return rc;
    rec.never_started = false;
    rc = libxl__domain_record_write(st, &op->gc, &rec);
    /* Switches learn where a guest that came from elsewhere is now. */
    if (!rc)
        libxl__qemu_op_step(op, "announce-self",
                            "{\"initial\":50,\"max\":550,\"rounds\":5,"
                            "\"step\":50}");
    return rc;
}

int libxl__qemu_unpause(libxl__egc *egc, libxl__host *h,
                        libxl__host_call *call)
{
    struct libxl__qemu_op *op;
    int rc;

    rc = libxl__qemu_op_new(h, call, &op);
    if (rc)
        return rc;
    add_cont(op);
    op->must_know = true;
    op->done = unpause_done;
    if (op->run.state == LIBXL__RUN_SHUTDOWN)
        rc = refuse_ended(op);
    if (!rc)
        rc = mark_started(op);
    if (!rc)
        rc = write_run(op, LIBXL__RUN_RUNNING, true);
    if (rc) {
        libxl__qemu_op_drop(op);
        return rc;
    }
    return libxl__qemu_op_start(egc, op);
}

/* ---- suspend and resume ---- */

/* The guest ended before the stop, and the record of its suspension may have
 * been written over a keeper's. What a keeper has written since then stands. */
static void note_end(struct libxl__qemu_op *op, yajl_val status)
{
    libxl__store *st = op->hq->store;
    uint32_t domid = op->call->domid;
    struct libxl__run_record run;
    const char *s = YAJL_IS_OBJECT(status)
                        ? libxl__json_string(status, "status")
                        : NULL;

    if (!s || libxl__run_record_read(st, domid, &run) ||
        run.state == LIBXL__RUN_SHUTDOWN)
        return;
    run = (struct libxl__run_record){
        .state = LIBXL__RUN_SHUTDOWN,
        .reason = !strcmp(s, "shutdown")   ? LIBXL_SHUTDOWN_REASON_POWEROFF
                  : !strcmp(s, "watchdog") ? LIBXL_SHUTDOWN_REASON_WATCHDOG
                                           : LIBXL_SHUTDOWN_REASON_CRASH,
    };
    libxl__run_record_write(st, domid, &run);
}

static int suspend_done(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    if (rc || libxl__qemu_only_stopped(last))
        return rc;
    note_end(op, last);
    LOGD(op->hq->host.ctx, op->call->domid, ERROR,
         "the guest has shut down or crashed: there is nothing to save");
    return ERROR_FAIL;
}

int libxl__qemu_suspend(libxl__egc *egc, libxl__host *h,
                        libxl__host_call *call)
{
    struct libxl__qemu_op *op;
    bool was_running;
    int rc;

    rc = libxl__qemu_op_new(h, call, &op);
    if (rc)
        return rc;
    libxl__qemu_op_step(op, "migrate-set-capabilities",
                        LIBXL__QEMU_CAPABILITIES);
    /* Nobody else needs the bandwidth while the guest stands still. */
    libxl__qemu_op_step(op, "migrate-set-parameters",
                        "{\"max-bandwidth\":1000000000000}");
    /* After a migration QEMU has let go of its disks, and refuses another one,
     * until it has run: a guest that was saved while paused and is saved
     * again runs for the moment between these two. */
    if (op->run.state_taken)
        add_cont(op);
    libxl__qemu_op_step(op, "stop", NULL);
    libxl__qemu_op_step(op, "query-status", NULL);
    /* with the guest, and before its last pages are looked at */
    op->dev_after = "stop";
    op->done = suspend_done;
    was_running = op->run.state == LIBXL__RUN_RUNNING ||
                  (op->run.state == LIBXL__RUN_SUSPENDED &&
                   op->run.was_running);
    if (op->run.state != LIBXL__RUN_SHUTDOWN)
        rc = write_run(op, LIBXL__RUN_SUSPENDED, was_running);
    if (rc) {
        libxl__qemu_op_drop(op);
        return rc;
    }
    return libxl__qemu_op_start(egc, op);
}

static int resume_done(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    /* It ran by its record, and has ended meanwhile: that is the keeper's. */
    if (rc == ERROR_QMP_GENERIC_ERROR && op->run.state == LIBXL__RUN_RUNNING)
        return 0;
    if (rc)
        libxl__run_record_write(op->hq->store, op->call->domid, &op->run);
    return rc;
}

int libxl__qemu_resume(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__qemu_op *op;
    int rc;

    rc = libxl__qemu_op_new(h, call, &op);
    if (rc)
        return rc;
    op->done = resume_done;
    op->dev_without_dead = true;
    if (op->run.state == LIBXL__RUN_RUNNING ||
        (op->run.state == LIBXL__RUN_SUSPENDED && op->run.was_running)) {
        add_cont(op);
        /* A record that says "running" may be from a resume that was killed
         * before QEMU heard of it; a guest that runs does not mind. */
        if (op->run.state == LIBXL__RUN_RUNNING)
            op->retries = RUNNING_RETRIES;
        rc = write_run(op, LIBXL__RUN_RUNNING, true);
    } else {
        libxl__qemu_op_step(op, "query-status", NULL);
        if (op->run.state == LIBXL__RUN_SUSPENDED)
            rc = write_run(op, LIBXL__RUN_PAUSED, false);
    }
    if (rc) {
        libxl__qemu_op_drop(op);
        return rc;
    }
    return libxl__qemu_op_start(egc, op);
}
