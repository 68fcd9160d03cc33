/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_qemu_request.c - what a guest is asked to do: shut down, reboot, answer
 * a trigger or a SysRq key, give memory back. */
#include <ctype.h>
#include <inttypes.h>

#include "base/log.h"
#include "host/host_qemu.h"

static int new_request(libxl__host *h, libxl__host_call *call,
                       struct libxl__qemu_op **op)
{
    int rc = libxl__qemu_op_new(h, call, op);

    if (!rc)
        (*op)->script.ao = call->ao;
    return rc;
}

static int refuse(struct libxl__qemu_op *op, const char *what)
{
    LOGD(op->hq->host.ctx, op->call->domid, ERROR,
         "%s is not offered on a QEMU host", what);
    libxl__qemu_op_drop(op);
    return ERROR_NI;
}

/* QEMU can press the power button, and nothing else: a reboot is a poweroff
 * with a wish on record, which makes the keeper start the guest again. */
int libxl__qemu_shutdown(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call, bool reboot)
{
    libxl__store *st = libxl__host_qemu_of(h)->store;
    struct libxl__qemu_op *op;
    int rc;

    rc = new_request(h, call, &op);
    if (rc)
        return rc;
    if (reboot)
        rc = libxl__reboot_wish_set(st, call->domid);
    else
        rc = st->ops->erase(st, call->domid, "wish");
    if (rc) {
        libxl__qemu_op_drop(op);
        return rc;
    }
    libxl__qemu_op_step(op, "system_powerdown", NULL);
    return libxl__qemu_op_start(egc, op);
}

static int reset_done(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    libxl__store *st = op->hq->store;

    if (rc)
        st->ops->erase(st, op->call->domid, "wish");
    return rc;
}

/* Stops the guest, as a reset of its own does, with a wish on record: the
 * keeper does what on_reboot says. A reset in place would not do: SeaBIOS
 * answers it by another one, at a time of its choice. */
static int add_reset(struct libxl__qemu_op *op)
{
    libxl__qemu_op_step(op, "system_reset", NULL);
    op->done = reset_done;
    return libxl__reboot_wish_set(op->hq->store, op->call->domid);
}

int libxl__qemu_trigger(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        libxl_trigger trigger, uint32_t vcpuid)
{
    struct libxl__qemu_op *op;
    int rc;

    rc = new_request(h, call, &op);
    if (rc)
        return rc;
    switch (trigger) {
    case LIBXL_TRIGGER_POWER:
        libxl__qemu_op_step(op, "system_powerdown", NULL);
        break;
    case LIBXL_TRIGGER_NMI:
        libxl__qemu_op_step(op, "inject-nmi", NULL);
        break;
    case LIBXL_TRIGGER_RESET:
        rc = add_reset(op);
        if (rc) {
            libxl__qemu_op_drop(op);
            return rc;
        }
        break;
    case LIBXL_TRIGGER_S3RESUME:
        libxl__qemu_op_step(op, "system_wakeup", NULL);
        break;
    case LIBXL_TRIGGER_SLEEP:
        return refuse(op, "the trigger \"sleep\"");
    case LIBXL_TRIGGER_INIT:
        return refuse(op, "the trigger \"init\"");
    }
    return libxl__qemu_op_start(egc, op);
}

/* Alt-SysRq-key on the guest's keyboard. */
int libxl__qemu_sysrq(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      char key)
{
    struct libxl__qemu_op *op;
    char *args;
    int rc;

    rc = new_request(h, call, &op);
    if (rc)
        return rc;
    if (!isalnum((unsigned char)key))
        return refuse(op, "a SysRq key that is no letter or digit");
    args = libxl__sprintf(&op->gc,
                          "{\"keys\":[{\"type\":\"qcode\",\"data\":\"alt\"},"
                          "{\"type\":\"qcode\",\"data\":\"sysrq\"},"
                          "{\"type\":\"qcode\",\"data\":\"%c\"}]}",
                          tolower((unsigned char)key));
    if (!args) {
        libxl__qemu_op_drop(op);
        return ERROR_NOMEM;
    }
    libxl__qemu_op_step(op, "send-key", args);
    return libxl__qemu_op_start(egc, op);
}

/* The configuration keeps the target: for list, and through save, restore and
 * migration, which carry the balloon itself in the device state. */
static int record_target(struct libxl__qemu_op *op, uint64_t target_kb)
{
    libxl_ctx *ctx = op->hq->host.ctx;
    struct libxl__domain_record rec;
    libxl_domain_config config;
    int rc;

    rc = libxl__domain_record_read(op->hq->store, &op->gc, op->call->domid,
                                   &rec);
    if (rc)
        return rc;
    rc = libxl_domain_config_from_json(ctx, &config, rec.config_json);
    if (!rc) {
        config.b_info.target_memkb = target_kb;
        rec.config_json = libxl__gc_take(
            &op->gc, libxl_domain_config_to_json(ctx, &config));
        rc = rec.config_json ? 0 : ERROR_NOMEM;
    }
    if (!rc)
        rc = libxl__domain_record_write(op->hq->store, &op->gc, &rec);
    libxl_domain_config_dispose(&config);
    return rc;
}

static int set_memory_done(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    return rc ? rc : record_target(op, op->target_kb);
}

int libxl__qemu_set_memory(libxl__egc *egc, libxl__host *h,
                           libxl__host_call *call, uint64_t target_kb)
{
    struct libxl__qemu_op *op;
    uint64_t max_kb;
    char *args;
    int rc;

    rc = new_request(h, call, &op);
    if (rc)
        return rc;
    max_kb = op->ident.memory_bytes >> 10;
    args = libxl__sprintf(&op->gc, "{\"value\":%" PRIu64 "}", target_kb << 10);
    rc = args ? 0 : ERROR_NOMEM;
    if (!target_kb || target_kb > max_kb) {
        LOGD(h->ctx, call->domid, ERROR,
             "memory of %" PRIu64 " MiB is not in 1..%" PRIu64
             " MiB, what the guest was made with (maxmem)",
             target_kb >> 10, max_kb >> 10);
        rc = ERROR_INVAL;
    }
    if (rc) {
        libxl__qemu_op_drop(op);
        return rc;
    }
    op->target_kb = target_kb;
    op->done = set_memory_done;
    libxl__qemu_op_step(op, "balloon", args);
    return libxl__qemu_op_start(egc, op);
}
