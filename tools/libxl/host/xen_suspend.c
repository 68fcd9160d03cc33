/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_suspend.c - a guest stops for a save, and goes on.
 *
 * suspend -> asked (xenstore says "suspend") -> acknowledged (the guest has
 *         taken the word away) -> suspended
 *    or   -> notified (by the channel that the guest offers) -> suspended
 *
 * Until it has acknowledged it can be told to forget it, in a transaction: its
 * last-moment acknowledgement wins. After that, and after a notification, it
 * will suspend, so the end is waited for also when nobody wants it any more:
 * the caller resumes it then. Of one that takes too long the caller leaves a
 * note (journal.md, "late"), for whoever finds it suspended.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "host/xen_dm.h"
#include "host/xen_dm_start.h"
#include "host/xen_host.h"

#define ASKED_MS 60000u
#define ACKNOWLEDGED_MS 60000u
#define REMOTE_MS 10000u
#define WORD "suspend"
#define MARK "late"
#define TRIES 25u

/* TAKING_BACK, ABORTING: it has been asked, and is told to forget it. */
enum phase {
    ASKED,
    TAKING_BACK,
    ABORTING,
    ACKNOWLEDGED,
    NOTIFIED,
    REMOTE,
    ABORTED
};

static char *read_word(struct libxl__host_xen *hx, libxl__gc *gc,
                       uint32_t domid)
{
    return libxl__xs_read(&hx->xs, gc,
                          "/local/domain/%" PRIu32 "/control/shutdown", domid);
}

static int write_word(struct libxl__host_xen *hx, libxl__gc *gc, uint32_t domid,
                      const char *word)
{
    struct libxl__xs_writer w = {
        .xs = &hx->xs,
        .gc = gc,
        .guest = domid,
        .base = libxl__sprintf(gc, "/local/domain/%" PRIu32, domid),
    };

    if (!w.base)
        return ERROR_NOMEM;
    libxl__xs_put(&w, LIBXL__XS_GUEST_OWNS, "control/shutdown", "%s", word);
    return w.rc;
}

/* One try. ERROR_NOT_READY: somebody was quicker. *other: it is another word,
 * or none, and stays. */
static int replace_word(struct libxl__host_xen *hx, libxl__gc *gc,
                        uint32_t domid, const char *from, const char *to,
                        bool *other)
{
    const char *word;
    int rc = libxl__xs_begin(&hx->xs);

    *other = false;
    if (rc)
        return rc;
    word = read_word(hx, gc, domid);
    *other = !word || strcmp(word, from);
    if (!*other)
        rc = write_word(hx, gc, domid, to);
    if (!*other && !rc)
        return libxl__xs_commit(&hx->xs);
    libxl__xs_rollback(&hx->xs);
    return rc;
}

/* In place of the word that the guest has taken, one that no guest knows: as
 * long as it stands there nobody else has asked it for anything, and if it
 * suspends, it is for us to resume it. */
static bool leave_mark(struct libxl__xen_wait *w)
{
    bool other;

    return !w->channel &&
           !replace_word(w->hx, libxl__ao_gc(w->call->ao), w->call->domid, "",
                         MARK, &other) &&
           !other;
}

static void go_to(struct libxl__xen_wait *w, enum phase phase, unsigned ms)
{
    w->phase = phase;
    w->deadline_ms = libxl__now_ms(w->hx->host.ctx) + ms;
}

static bool is_aborted(const struct libxl__xen_wait *w)
{
    return w->phase == ABORTING || w->phase == ABORTED;
}

/* One try a look. A guest that writes the word over and over again could keep
 * every one of them from succeeding: then it is not asked for its opinion. */
static int take_back(struct libxl__xen_wait *w)
{
    libxl_ctx *ctx = w->hx->host.ctx;
    uint32_t domid = w->call->domid;
    bool heard;
    int rc = replace_word(w->hx, libxl__ao_gc(w->call->ao), domid, WORD, "",
                          &heard);

    if (heard) { /* see it through */
        go_to(w, is_aborted(w) ? ABORTED : ACKNOWLEDGED, ACKNOWLEDGED_MS);
        return ERROR_NOT_READY;
    }
    if (rc == ERROR_NOT_READY && ++w->tries < TRIES)
        return rc;
    if (rc == ERROR_NOT_READY)
        (void)write_word(w->hx, libxl__ao_gc(w->call->ao), domid, "");
    if (is_aborted(w))
        return ERROR_ABORTED;
    LOGD(
        ctx, domid, ERROR,
        "the guest does not suspend: it has not answered for %u s, and goes on",
        ASKED_MS / 1000);
    return ERROR_GUEST_TIMEDOUT;
}

/* What the hypervisor says of it. ERROR_NOT_READY: it runs. */
static int check_domain(struct libxl__xen_wait *w)
{
    struct libxl__xen_domain d;
    int rc = libxl__xen_domain(w->hx, w->call->domid, &d);

    if (!rc && libxl__xen_is_suspended(&d))
        return is_aborted(w) ? ERROR_ABORTED : 0;
    if (!rc && !d.shutdown && !d.dying)
        return ERROR_NOT_READY;
    LOGD(w->hx->host.ctx, w->call->domid, ERROR,
         "the guest has ended instead of suspending");
    return ERROR_DOMAIN_DESTROYED;
}

static bool has_acknowledged(libxl__egc *egc, struct libxl__xen_wait *w)
{
    const char *word = read_word(w->hx, libxl__egc_gc(egc), w->call->domid);

    return !word || strcmp(word, WORD);
}

static const char *what_it_heard(const struct libxl__xen_wait *w)
{
    return w->channel ? "has been told to suspend by its event channel"
                      : "has said that it suspends";
}

static void note_abort(struct libxl__xen_wait *w, int rc_wait)
{
    if (rc_wait != ERROR_ABORTED)
        return;
    w->phase =
        w->phase == ASKED || w->phase == TAKING_BACK ? ABORTING : ABORTED;
}

static int look_at_it(libxl__egc *egc, struct libxl__xen_wait *w, int rc_wait)
{
    libxl_ctx *ctx = w->hx->host.ctx;
    int rc = check_domain(w);

    if (rc != ERROR_NOT_READY)
        return rc;
    note_abort(w, rc_wait);
    if (w->phase == ASKED && has_acknowledged(egc, w))
        go_to(w, ACKNOWLEDGED, ACKNOWLEDGED_MS);
    if (w->phase == ASKED && libxl__now_ms(ctx) >= w->deadline_ms)
        w->phase = TAKING_BACK;
    if (w->phase == TAKING_BACK || w->phase == ABORTING)
        return take_back(w);
    if (libxl__now_ms(ctx) < w->deadline_ms)
        return ERROR_NOT_READY;
    rc = leave_mark(w) ? ERROR_TIMEDOUT : ERROR_GUEST_TIMEDOUT;
    LOGD(ctx, w->call->domid, ERROR,
         "the guest %s, and has not done so for %u s: if it does later, it is "
         "resumed then, by %s`xl unpause`",
         what_it_heard(w), ACKNOWLEDGED_MS / 1000,
         rc == ERROR_TIMEDOUT ? "its keeper or by " : "");
    return rc;
}

/* ---- the channel that a guest may offer ---- */

static struct libxl__xen_wait *wait_of_told(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__xen_wait, told);
}

static void close_channel(struct libxl__xen_wait *w)
{
    libxl__ev_fd_deregister(w->hx->host.ctx, &w->told);
    w->hx->calls->channel_close(w->channel);
    w->channel = NULL;
}

/* The first event may be a stray one: the hypervisor has the last word. */
static void told(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                 short revents)
{
    struct libxl__xen_wait *w = wait_of_told(ev);

    if (w->hx->calls->channel_take(w->channel))
        libxl__ev_fd_deregister(w->hx->host.ctx, ev); /* the looks remain */
    libxl__xen_wait_look(egc, w);
}

static int look(libxl__egc *egc, struct libxl__xen_wait *w, int rc_wait)
{
    int rc = look_at_it(egc, w, rc_wait);

    if (rc != ERROR_NOT_READY)
        close_channel(w);
    return rc;
}

/* The port that it has made for this; 0: none. */
static uint32_t offered_port(struct libxl__xen_wait *w)
{
    const char *text =
        libxl__xs_read(&w->hx->xs, libxl__ao_gc(w->call->ao),
                       "/local/domain/%" PRIu32 "/device/suspend/event-channel",
                       w->call->domid);
    char *end;
    unsigned long port = text && text[0] ? strtoul(text, &end, 10) : 0;

    return port && !*end && port < UINT32_MAX ? (uint32_t)port : 0;
}

/* false: there is none, or somebody else has it; the guest knows of nothing. */
static bool notify(struct libxl__xen_wait *w)
{
    const struct libxl__xen_calls *calls = w->hx->calls;
    libxl_ctx *ctx = w->hx->host.ctx;
    uint32_t port = offered_port(w);
    int fd,
        r = port ? calls->channel_open(w->call->domid, port, &w->channel, &fd)
                 : -ENOENT;

    if (!r && !libxl__ev_fd_register(ctx, &w->told, told, fd, POLLIN)) {
        r = calls->channel_notify(w->channel);
        if (!r)
            return true;
    }
    if (port)
        LOGED(ctx, w->call->domid, DEBUG, -r,
              "its suspend channel (port %" PRIu32 ") cannot be used: it is "
              "asked through xenstore",
              port);
    close_channel(w);
    return false;
}

/* ---- asking ---- */

/* A guest that listens is asked, the other one just stopped. */
static int ask(struct libxl__xen_wait *w, const struct libxl__xen_domain *d)
{
    struct libxl__host_xen *hx = w->hx;
    bool deaf;
    int rc = libxl__xen_is_deaf(hx, d, &deaf);

    if (rc)
        return rc;
    if (deaf) {
        go_to(w, REMOTE, REMOTE_MS);
        return libxl__xen_failed(
            hx, d->domid,
            hx->calls->shutdown(hx->xen, d->domid, LIBXL__XEN_SUSPEND),
            "the hypervisor does not suspend it");
    }
    if (notify(w)) {
        go_to(w, NOTIFIED, ACKNOWLEDGED_MS);
        return 0;
    }
    go_to(w, ASKED, ASKED_MS);
    return write_word(hx, libxl__ao_gc(w->call->ao), d->domid, WORD);
}

int libxl__xen_suspend(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__xen_wait *w = libxl__xen_wait_new(h, call);
    struct libxl__xen_domain d;
    int rc;

    if (!w)
        return ERROR_NOMEM;
    rc = libxl__xen_domain(w->hx, call->domid, &d);
    if (rc)
        return rc;
    if (libxl__xen_is_suspended(&d))
        return libxl__xen_answer(egc, h, call, 0);
    rc = ask(w, &d);
    if (rc)
        return rc;
    w->look = look;
    w->abortable = true;
    rc = libxl__xen_wait_start(egc, w);
    if (rc)
        close_channel(w);
    return rc;
}

/* ---- resume ---- */

bool libxl__xen_suspend_is_ours(libxl__host *h, libxl__gc *gc, uint32_t domid)
{
    const char *word = read_word(libxl__host_xen_of(h), gc, domid);

    return word && !strcmp(word, MARK);
}

/* What a process that was killed has asked for, and the guest has not taken up
 * yet; or the mark. Whoever changes it meanwhile knows better. */
static void forget_word(struct libxl__host_xen *hx, libxl__gc *gc,
                        uint32_t domid, const char *ours)
{
    bool other;

    (void)replace_word(hx, gc, domid, ours, "", &other);
}

/* The guest finds its suspend call cancelled, and goes on with all that it
 * has: devices, channels, watches. */
static int resume_domain(struct libxl__host_xen *hx, libxl__gc *gc,
                         uint32_t domid)
{
    int rc;

    forget_word(hx, gc, domid, MARK);
    rc = libxl__xen_failed(hx, domid, hx->calls->resume(hx->xen, domid),
                           "the hypervisor does not resume it");
    if (!rc) /* so that its end will be told again */
        (void)hx->xs.calls->resumed(hx->xs.handle, domid);
    return rc;
}

static void devices_run(libxl__egc *egc, libxl__xen_dm *dm, int rc)
{
    if (!rc)
        rc = resume_domain(libxl__host_xen_of(dm->h),
                           libxl__ao_gc(dm->call->ao), dm->call->domid);
    dm->call->callback(egc, dm->call, rc);
}

/* A guest whose QEMU has ended has its memory still, and perhaps disks that the
 * kernel serves: it is not left standing for that. */
static bool has_qemu(libxl__host *h, libxl__host_call *call)
{
    if (!h->ops->has_dm(h, call->domid))
        return false;
    if (libxl__xen_dm_is_there(libxl__host_xen_of(h), libxl__ao_gc(call->ao),
                               call->domid))
        return true;
    LOGD(h->ctx, call->domid, WARN,
         "its device model has ended: the guest goes on without it");
    return false;
}

int libxl__xen_resume(libxl__egc *egc, libxl__host *h, libxl__host_call *call)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_domain d;
    int rc = libxl__xen_domain(hx, call->domid, &d);

    if (!rc && (d.dying || (d.shutdown && !libxl__xen_is_suspended(&d)))) {
        LOGD(h->ctx, call->domid, ERROR, "the guest has ended");
        rc = ERROR_DOMAIN_DESTROYED;
    }
    if (!rc && !libxl__xen_is_suspended(&d))
        forget_word(hx, libxl__ao_gc(call->ao), call->domid, WORD);
    if (rc || !libxl__xen_is_suspended(&d))
        return libxl__xen_answer(egc, h, call, rc);
    if (has_qemu(h, call))
        return libxl__xen_dm_cont(egc, h, call, devices_run);
    rc = resume_domain(hx, libxl__ao_gc(call->ao), call->domid);
    return libxl__xen_answer(egc, h, call, rc);
}
