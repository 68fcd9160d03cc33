/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_fake.c - SEAM 4 for tests: guests that are records in the store.
 *
 * Every op that can fail counts itself (enter), may be told to fail or to hang,
 * does its work at once and answers from a fresh event (answer_soon).
 */
#include "host/host_fake.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "host/fake_guest.h"
#include "host/fake_info.h"
#include "store/domain_record.h"

#define STUCK 2u
#define HANG_MS (UINT64_C(24) * 3600 * 1000)

struct fake_host {
    libxl__host host;           /* first: see fake_of */
    struct libxl__host_ops ops; /* fake_ops, as a QEMU host or as a Xen host */
    libxl__store *store;
    unsigned calls, fail_at;
    bool fail_on; /* and all calls behind fail_at */
    const char *hang;
    bool hanging;
    bool late;   /* a guest is told to suspend, and takes its time */
    bool asked;  /* it was asked by another toolstack behind that */
    bool half;   /* what create makes stays when it fails: always */
    const char *stuck; /* an op that fails at first, this often: */
    unsigned stuck_left;
    bool unsure; /* nobody can tell whether an unpaused guest runs */
};

/* Of one call: on the ao's gc, in call->state. */
struct fake_call {
    libxl__host_call *call;
    libxl__ev_immediate soon;
    libxl__ev_time never; /* of a call that hangs: it can only be aborted */
    int rc;
};

static void fake_close(libxl__host *h);

static struct fake_host *fake_of(const libxl__host *h)
{
    assert(h->ops->close == fake_close);
    return (struct fake_host *)h;
}

static struct fake_call *fake_call_of_soon(libxl__ev_immediate *soon)
{
    return CONTAINER_OF(soon, struct fake_call, soon);
}

static struct fake_call *fake_call_of_never(libxl__ev_time *never)
{
    return CONTAINER_OF(never, struct fake_call, never);
}

/* ---- faults ---- */

void libxl__host_fake_fail_at(libxl__host *h, unsigned k)
{
    fake_of(h)->calls = 0;
    fake_of(h)->fail_at = k;
    fake_of(h)->fail_on = false;
}

void libxl__host_fake_fail_from(libxl__host *h, unsigned k)
{
    libxl__host_fake_fail_at(h, k);
    fake_of(h)->fail_on = true;
}

unsigned libxl__host_fake_calls(const libxl__host *h)
{
    return fake_of(h)->calls;
}

void libxl__host_fake_hang(libxl__host *h, const char *op)
{
    fake_of(h)->hang = op;
    fake_of(h)->hanging = false;
}

void libxl__host_fake_asked(libxl__host *h, bool asked)
{
    fake_of(h)->asked = asked;
}

static bool fake_suspend_is_ours(libxl__host *h, libxl__gc *gc, uint32_t domid)
{
    return !fake_of(h)->asked;
}

void libxl__host_fake_late(libxl__host *h, bool late)
{
    fake_of(h)->late = late;
}

bool libxl__host_fake_hanging(libxl__host *h)
{
    return fake_of(h)->hanging;
}

/* Non-zero: this call is the one that has to fail. */
static int enter(libxl__host *h, uint32_t domid, const char *op)
{
    struct fake_host *fh = fake_of(h);

    fh->calls++;
    if (fh->stuck && fh->stuck_left && !strcmp(fh->stuck, op)) {
        fh->stuck_left--;
        return ERROR_TIMEDOUT;
    }
    if (!fh->fail_at || fh->calls < fh->fail_at ||
        (fh->calls > fh->fail_at && !fh->fail_on))
        return 0;
    LOGD(h->ctx, domid, ERROR, "fake host: call %u (%s) told to fail",
         fh->calls, op);
    return ERROR_FAIL;
}

/* ---- answering ---- */

static void answer(libxl__egc *egc, libxl__ev_immediate *soon)
{
    struct fake_call *fc = fake_call_of_soon(soon);

    fc->call->callback(egc, fc->call, fc->rc);
}

static void answer_aborted(libxl__egc *egc, libxl__ev_time *never, int rc)
{
    struct fake_call *fc = fake_call_of_never(never);

    fc->call->callback(egc, fc->call, rc);
}

/* What the op has come to (rc) goes to its callback. */
static int answer_soon(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       const char *op, int rc)
{
    struct fake_call *fc = libxl__zalloc(libxl__ao_gc(call->ao), sizeof(*fc));

    if (!fc)
        return ERROR_NOMEM;
    call->state = fc;
    fc->call = call;
    fc->rc = rc;
    if (fake_of(h)->hang && !strcmp(fake_of(h)->hang, op)) {
        fake_of(h)->hanging = true;
        libxl__ev_time_init(&fc->never);
        return libxl__ev_time_register_rel(h->ctx, call->ao, &fc->never,
                                           answer_aborted, HANG_MS);
    }
    fc->soon.callback = answer;
    libxl__egc_immediate(egc, &fc->soon);
    return 0;
}

/* ---- asking ---- */

static libxl__store *fake_store(libxl__host *h)
{
    return fake_of(h)->store;
}

static bool fake_has_dm(libxl__host *h, uint32_t domid)
{
    return true;
}

/* ---- life ---- */

static int fake_check_config(libxl__host *h, libxl_domain_config *config,
                             bool restore)
{
    if (config->c_info.type == LIBXL_DOMAIN_TYPE_INVALID)
        config->c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    if (config->c_info.type != LIBXL_DOMAIN_TYPE_HVM) {
        LOG(h->ctx, ERROR, "the fake host runs type = \"hvm\" alone");
        return ERROR_INVAL;
    }
    return enter(h, INVALID_DOMID, "check_config");
}

static int fake_create(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       const libxl_domain_config *config, bool incoming)
{
    int rc = enter(h, call->domid, "create");

    if (!rc)
        rc = libxl__fake_guest_set(fake_of(h)->store, call->domid, FAKE_PAUSED,
                                   FAKE_NONE);
    if (!rc && fake_of(h)->half)
        rc = ERROR_FAIL;
    return answer_soon(egc, h, call, "create", rc);
}

static int fake_destroy(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    int rc = enter(h, call->domid, "destroy");

    if (!rc)
        rc = libxl__fake_guest_erase(fake_of(h)->store, call->domid);
    return answer_soon(egc, h, call, "destroy", rc);
}

/* A guest that has ended, or was never built, cannot be paused or resumed. */
static int living(libxl__host *h, uint32_t domid, struct libxl__fake_guest *g)
{
    int rc = libxl__fake_guest_read(fake_of(h)->store, domid, g);

    if (rc)
        return rc;
    if (g->state == FAKE_PAUSED || g->state == FAKE_RUNNING)
        return 0;
    LOGD(h->ctx, domid, ERROR, "the guest has ended");
    return ERROR_DOMAIN_DESTROYED;
}

static int fake_pause(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__fake_guest g;
    int rc = enter(h, call->domid, "pause");

    if (!rc)
        rc = living(h, call->domid, &g);
    if (!rc)
        rc = libxl__fake_guest_set(fake_of(h)->store, call->domid, FAKE_PAUSED,
                                   g.was ? FAKE_PAUSED : FAKE_NONE);
    return answer_soon(egc, h, call, "pause", rc);
}

static int mark_started(libxl__host *h, libxl__gc *gc, uint32_t domid)
{
    libxl__store *st = fake_of(h)->store;
    struct libxl__domain_record rec;
    int rc = libxl__domain_record_read(st, gc, domid, &rec);

    if (rc || !rec.never_started)
        return rc;
    rec.never_started = false;
    return libxl__domain_record_write(st, gc, &rec);
}

static int fake_unpause(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__fake_guest g;
    int rc = enter(h, call->domid, "unpause");

    if (!rc)
        rc = living(h, call->domid, &g);
    if (!rc)
        rc = mark_started(h, libxl__ao_gc(call->ao), call->domid);
    if (!rc)
        rc = libxl__fake_guest_set(fake_of(h)->store, call->domid, FAKE_RUNNING,
                                   FAKE_NONE);
    if (!rc && fake_of(h)->unsure)
        rc = ERROR_BADFAIL;
    return answer_soon(egc, h, call, "unpause", rc);
}

static int fake_suspend(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__fake_guest g;
    int rc = enter(h, call->domid, "suspend");

    if (!rc)
        rc = living(h, call->domid, &g);
    if (!rc && fake_of(h)->late)
        rc = ERROR_TIMEDOUT;
    if (!rc && !g.was)
        rc = libxl__fake_guest_set(fake_of(h)->store, call->domid, FAKE_PAUSED,
                                   g.state);
    return answer_soon(egc, h, call, "suspend", rc);
}

static int fake_resume(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__fake_guest g;
    int rc = enter(h, call->domid, "resume");

    if (!rc)
        rc = living(h, call->domid, &g);
    if (!rc && g.was)
        rc = libxl__fake_guest_set(fake_of(h)->store, call->domid, g.was,
                                   FAKE_NONE);
    return answer_soon(egc, h, call, "resume", rc);
}

static int fake_shutdown(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call, bool reboot)
{
    struct libxl__fake_guest g;
    int rc = enter(h, call->domid, "shutdown");

    if (!rc)
        rc = living(h, call->domid, &g);
    if (!rc && !reboot) {
        g.state = FAKE_SHUTDOWN;
        g.reason = LIBXL_SHUTDOWN_REASON_POWEROFF;
        rc = libxl__fake_guest_write(fake_of(h)->store, call->domid, &g);
    }
    return answer_soon(egc, h, call, "shutdown", rc);
}

static int fake_trigger(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        libxl_trigger trigger, uint32_t vcpuid)
{
    return answer_soon(egc, h, call, "trigger",
                       enter(h, call->domid, "trigger"));
}

static int fake_sysrq(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      char key)
{
    return answer_soon(egc, h, call, "sysrq", enter(h, call->domid, "sysrq"));
}

static int fake_set_memory(libxl__egc *egc, libxl__host *h,
                           libxl__host_call *call, uint64_t target_kb)
{
    return answer_soon(egc, h, call, "set_memory",
                       enter(h, call->domid, "set_memory"));
}

static int fake_rename(libxl__host *h, uint32_t domid, const char *new_name)
{
    return enter(h, domid, "rename");
}

/* ---- for save and restore ---- */

static int fake_check_saveable(libxl__host *h, uint32_t domid,
                               const libxl_domain_config *config)
{
    struct libxl__fake_guest g;
    int rc = enter(h, domid, "check_saveable");

    return rc ? rc : living(h, domid, &g);
}

static int fake_helper_guest(libxl__host *h, uint32_t domid, bool live,
                             struct libxl__helper_guest *out)
{
    int rc = enter(h, domid, "helper_guest");

    memset(out, 0, sizeof(*out));
    out->hv = h->ops->qemu_image ? "fake" : "fake-xen";
    out->domid = domid;
    out->memory_fd = out->pagemap_fd = out->uffd = out->clear_refs_fd = -1;
    out->dev_log_fd = -1;
    return rc ? rc
              : libxl__fake_guest_memory(fake_of(h)->store, domid,
                                         !h->ops->qemu_image,
                                         &out->memory_bytes);
}

static void fake_helper_guest_done(libxl__host *h,
                                   struct libxl__helper_guest *g)
{
}

static int fake_dm_save(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        int fd)
{
    int rc = enter(h, call->domid, "dm_save");

    if (!rc)
        rc = libxl__fake_dm_write(h->ctx, call->domid, fd);
    return answer_soon(egc, h, call, "dm_save", rc);
}

static int fake_dm_load(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        int fd)
{
    int rc = enter(h, call->domid, "dm_load");

    if (!rc)
        rc = libxl__fake_dm_check(h->ctx, call->domid, fd);
    return answer_soon(egc, h, call, "dm_load", rc);
}

static void fake_close(libxl__host *h)
{
    struct fake_host *fh = fake_of(h);

    fh->store->ops->close(fh->store);
    free(fh);
}

static const struct libxl__host_ops fake_ops = {
    .name = "fake",
    .title = "fake host",
    .qemu_image = true,
    .store = fake_store,
    .has_dm = fake_has_dm,
    .suspend_is_ours = fake_suspend_is_ours,
    .dominfo = libxl__fake_dominfo,
    .pulse = libxl__fake_pulse,
    .facts = libxl__fake_facts,
    .vcpus = libxl__fake_vcpus,
    .check_config = fake_check_config,
    .create = fake_create,
    .destroy = fake_destroy,
    .pause = fake_pause,
    .unpause = fake_unpause,
    .suspend = fake_suspend,
    .resume = fake_resume,
    .shutdown = fake_shutdown,
    .trigger = fake_trigger,
    .sysrq = fake_sysrq,
    .set_memory = fake_set_memory,
    .rename = fake_rename,
    .check_saveable = fake_check_saveable,
    .helper_guest = fake_helper_guest,
    .helper_guest_done = fake_helper_guest_done,
    .dm_save = fake_dm_save,
    .dm_load = fake_dm_load,
    .close = fake_close,
};

static bool is_keeper(void)
{
    return !strcmp(program_invocation_short_name, "xl-keeper");
}

/* Faults are for the operation that is tested, not for the keeper that it has
 * started. */
static const char *fault(const char *name)
{
    return is_keeper() ? NULL : getenv(name);
}

static libxl__host *open_fake(libxl_ctx *ctx, bool qemu_image)
{
    const char *fail = fault("XL_FAKE_FAIL");
    struct fake_host *fh = calloc(1, sizeof(*fh));

    if (!fh)
        return NULL;
    fh->ops = fake_ops;
    fh->ops.qemu_image = fh->ops.dm_apart = qemu_image;
    fh->host.ops = &fh->ops;
    fh->host.ctx = ctx;
    fh->fail_at = fail ? (unsigned)strtoul(fail, NULL, 10) : 0;
    fh->hang = fault("XL_FAKE_HANG");
    fh->unsure = fault("XL_FAKE_UNSURE");
    fh->half = is_keeper() && getenv("XL_FAKE_HALF");
    fh->stuck = is_keeper() ? getenv("XL_FAKE_STUCK") : NULL;
    fh->stuck_left = STUCK;
    fh->host.poll_ms = getenv("XL_FAKE_POLL") ? 20 : 0;
    fh->host.no_keeper = !getenv("XL_FAKE_KEEPER");
    fh->store = libxl__store_files_open(ctx);
    if (!fh->store) {
        free(fh);
        return NULL;
    }
    return &fh->host;
}

libxl__host *libxl__host_fake_open(libxl_ctx *ctx)
{
    return open_fake(ctx, true);
}

libxl__host *libxl__host_fake_xen_open(libxl_ctx *ctx)
{
    return open_fake(ctx, false);
}
