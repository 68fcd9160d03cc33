/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_life.c - what the hypervisor does at once. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "host/xen_dev.h"
#include "host/xen_dm.h"
#include "host/xen_dm_start.h"
#include "host/xen_host.h"
#include "store/domain_record.h"

/* Its QEMU may have something to write; then it has as long when killed. */
#define GONE_MS 10000u
#define KILLED_MS 5000u
enum phase { ASKED, KILLED };

/* ---- pause, unpause ---- */

/* ERROR_DOMAIN_DESTROYED, logged: it has ended. */
static int find_living(struct libxl__host_xen *hx, uint32_t domid,
                       struct libxl__xen_domain *d)
{
    int rc = libxl__xen_domain(hx, domid, d);

    if (!rc && !d->dying && (!d->shutdown || libxl__xen_is_suspended(d)))
        return 0;
    LOGD(hx->host.ctx, domid, ERROR, "the guest has ended");
    return ERROR_DOMAIN_DESTROYED;
}

int libxl__xen_pause(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_domain d;
    int rc = find_living(hx, call->domid, &d);

    if (!rc && !d.paused) /* the hypervisor counts */
        rc = libxl__xen_failed(hx, call->domid,
                               hx->calls->pause(hx->xen, call->domid),
                               "cannot pause it");
    return libxl__xen_answer(egc, h, call, rc);
}

static int mark_started(struct libxl__host_xen *hx, libxl__gc *gc,
                        uint32_t domid)
{
    struct libxl__domain_record rec;
    int rc = libxl__domain_record_read(hx->store, gc, domid, &rec);

    if (rc || !rec.never_started)
        return rc == ERROR_NOTFOUND ? 0 : rc;
    rec.never_started = false;
    return libxl__domain_record_write(hx->store, gc, &rec);
}

static int unpause_domain(struct libxl__host_xen *hx, uint32_t domid)
{
    return libxl__xen_failed(hx, domid, hx->calls->unpause(hx->xen, domid),
                             "cannot unpause it");
}

static void devices_run(libxl__egc *egc, libxl__xen_dm *dm, int rc)
{
    if (!rc)
        rc = unpause_domain(libxl__host_xen_of(dm->h), dm->call->domid);
    dm->call->callback(egc, dm->call, rc);
}

/* A save has left it so, or it was late for one. It runs from the resume on. */
static int resume_too(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      const struct libxl__xen_domain *d)
{
    int rc = d->paused ? unpause_domain(libxl__host_xen_of(h), d->domid) : 0;

    return rc ? rc : libxl__xen_resume_served(egc, h, call);
}

int libxl__xen_unpause(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_domain d;
    int rc = find_living(hx, call->domid, &d);

    if (!rc)
        rc = mark_started(hx, libxl__ao_gc(call->ao), call->domid);
    if (!rc && libxl__xen_is_suspended(&d))
        return resume_too(egc, h, call, &d);
    if (!rc && d.paused && h->ops->has_dm(h, call->domid))
        return libxl__xen_dm_cont(egc, h, call, devices_run);
    if (!rc && d.paused)
        rc = unpause_domain(hx, call->domid);
    return libxl__xen_answer(egc, h, call, rc);
}

/* ---- destroy ---- */

/* Our new domain's number may have been taken by another toolstack. */
static bool is_anothers(struct libxl__host_xen *hx, libxl__gc *gc,
                        uint32_t domid, const uint8_t *uuid)
{
    libxl__store *files = hx->store->files;
    struct libxl__domain_record own;

    return !libxl__domain_record_read(files, gc, domid, &own) &&
           memcmp(own.uuid.uuid, uuid, sizeof(own.uuid.uuid));
}

/* The hypervisor has forgotten it, xenstore perhaps not: who destroyed it may
 * have been killed in between. */
static bool nodes_are_anothers(struct libxl__host_xen *hx, libxl__gc *gc,
                               uint32_t domid)
{
    const char *vm = libxl__xs_read(&hx->xs, gc, "/local/domain/%u/vm", domid);
    const char *slash = vm ? strrchr(vm, '/') : NULL;
    libxl_uuid uuid;

    return slash && libxl__uuid_parse(slash + 1, &uuid) &&
           is_anothers(hx, gc, domid, uuid.uuid);
}

/* What xenstore says of it goes; the record stays, for who starts it again. A
 * guest whose record cannot be kept has to end all the same. */
static void keep_record(struct libxl__host_xen *hx, libxl__gc *gc,
                        uint32_t domid)
{
    struct libxl__domain_record rec;
    int rc = libxl__domain_record_read(hx->store, gc, domid, &rec);

    if (!rc)
        rc = libxl__domain_record_write(hx->store->files, gc, &rec);
    if (rc && rc != ERROR_NOTFOUND)
        LOGD(hx->host.ctx, domid, WARN,
             "its record cannot be kept; destroying it all the same");
}

static void remove_nodes(struct libxl__host_xen *hx, uint32_t domid)
{
    libxl__xs_remove(&hx->xs, "/local/domain/0/backend/console/%u", domid);
    libxl__xs_remove(&hx->xs, "/local/domain/0/backend/vkbd/%u", domid);
    libxl__xs_remove(&hx->xs, "/local/domain/0/device-model/%u", domid);
    libxl__xs_remove(&hx->xs, "/local/domain/%u/control", domid);
    libxl__xs_remove(&hx->xs, "/local/domain/%u/device", domid);
    libxl__xs_remove(&hx->xs, "/local/domain/%u/data", domid);
}

/* Who maps its pages lets go of them soon: a moment later it is no more. Its
 * QEMU has closed its disks then: another one may open them, and not before. */
static int look_gone(libxl__egc *egc, struct libxl__xen_wait *w, int rc_wait)
{
    libxl_ctx *ctx = w->hx->host.ctx;
    uint32_t domid = w->call->domid;
    libxl__gc *gc = libxl__egc_gc(egc);
    struct libxl__xen_domain d;
    bool qemu = libxl__xen_dm_is_there(w->hx, gc, domid);
    bool gone = libxl__xen_domain(w->hx, domid, &d) == ERROR_DOMAIN_NOTFOUND;
    uint64_t now = libxl__now_ms(ctx);

    if (gone && !qemu) {
        libxl__xs_remove(&w->hx->xs, "/local/domain/0/backend/qdisk/%u", domid);
        return 0;
    }
    if (qemu && w->phase == ASKED && now + KILLED_MS >= w->deadline_ms) {
        LOGD(ctx, domid, WARN,
             "its QEMU does not end when it is told to: it "
             "is killed");
        w->phase = KILLED;
        libxl__xen_dm_kill(w->hx, gc, domid, SIGKILL);
    }
    if (now < w->deadline_ms)
        return ERROR_NOT_READY;
    LOGD(ctx, domid, ERROR, "it is destroyed, but %s",
         qemu ? "its QEMU does not end, and may have its disks open"
              : "somebody still has pages of it");
    return ERROR_TIMEDOUT;
}

static void cleaned(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct libxl__xen_wait *w = call->user;

    remove_nodes(w->hx, call->domid);
    w->look = look_gone;
    w->deadline_ms = libxl__now_ms(w->hx->host.ctx) + GONE_MS;
    rc = libxl__xen_wait_start(egc, w);
    if (rc)
        w->call->callback(egc, w->call, rc);
}

/* The domain is no more; what it had goes too. */
static int clean(libxl__egc *egc, libxl__host *h, struct libxl__xen_wait *w)
{
    libxl__host_call *inner =
        libxl__zalloc(libxl__ao_gc(w->call->ao), sizeof(*inner));

    if (!inner)
        return ERROR_NOMEM;
    *inner = (libxl__host_call){
        .ao = w->call->ao,
        .domid = w->call->domid,
        .user = w,
        .callback = cleaned,
    };
    return libxl__xen_dev_clean(egc, h, inner);
}

static int end_domain(struct libxl__host_xen *hx, libxl__gc *gc, uint32_t domid)
{
    int r;

    keep_record(hx, gc, domid);
    libxl__xen_dm_kill(hx, gc, domid, SIGTERM);
    r = hx->calls->destroy(hx->xen, domid);
    return libxl__xen_failed(hx, domid, r == -ESRCH ? 0 : r,
                             "cannot destroy it");
}

int libxl__xen_destroy(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__xen_wait *w = libxl__xen_wait_new(h, call);
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    libxl__gc *gc = libxl__ao_gc(call->ao);
    uint32_t domid = call->domid;
    struct libxl__xen_domain d;
    int rc;

    if (!w)
        return ERROR_NOMEM;
    rc = libxl__xen_domain(hx, domid, &d);
    if (rc && rc != ERROR_DOMAIN_NOTFOUND)
        return rc;
    if (rc ? nodes_are_anothers(hx, gc, domid)
           : is_anothers(hx, gc, domid, d.uuid))
        return libxl__xen_answer(egc, h, call, 0);
    if (rc)
        libxl__xen_dm_kill(hx, gc, domid, SIGTERM);
    else
        rc = end_domain(hx, gc, domid);
    return rc && rc != ERROR_DOMAIN_NOTFOUND ? rc : clean(egc, h, w);
}

/* ---- others ---- */

int libxl__xen_trigger(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       libxl_trigger trigger, uint32_t vcpuid)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    int r = hx->calls->trigger(hx->xen, call->domid, (unsigned)trigger, vcpuid);

    return libxl__xen_answer(
        egc, h, call,
        libxl__xen_failed(hx, call->domid, r,
                          "this kind of guest does not take that trigger"));
}

/* The store's record is the name. */
int libxl__xen_rename(libxl__host *h, uint32_t domid, const char *new_name)
{
    return 0;
}
