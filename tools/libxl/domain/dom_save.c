/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dom_save.c - chain, in order of time:
 *   start [-> dev_begun] -> run_libxc [-> sh_suspend -> suspended]
 *         -> sh_written -> get_emulator -> emulator_saved
 *         [-> get_piece -> dev_piece]... -> stream_done -> finish
 *   beside it, once suspended:  [take_state -> emulator_saved], -> sh_done
 *   and when it has failed:  finish -> resumed -> callback
 *
 * The stream owns the order; the helper and the host are called from it. The
 * guest stands still from "suspended" on: where the host allows it, its device
 * state is taken while its last pages are sent, and nobody waits for a helper
 * that only tidies up. finish waits for both.
 */
#include "domain/dom_save.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"

#define EMULATOR_ID_QEMU 2 /* libxl stream: qemu-xen, "upstream QEMU" */

static void run_libxc(libxl__egc *egc, libxl__stream_write *sw);
static void sh_suspend(libxl__egc *egc, libxl__save_helper *sh);
static void suspended(libxl__egc *egc, libxl__host_call *call, int rc);
static void take_state(libxl__egc *egc, libxl__dom_save *ds);
static void sh_logdirty(libxl__egc *egc, libxl__save_helper *sh, bool enable);
static void sh_written(libxl__egc *egc, libxl__save_helper *sh);
static void sh_done(libxl__egc *egc, libxl__save_helper *sh, int rc);
static void libxc_over(libxl__egc *egc, libxl__dom_save *ds);
static void get_emulator(libxl__egc *egc, libxl__stream_write *sw);
static void emulator_saved(libxl__egc *egc, libxl__host_call *call, int rc);
static void write_state(libxl__egc *egc, libxl__dom_save *ds);
static void dev_begun(libxl__egc *egc, libxl__dev_save *dev, int rc);
static void get_piece(libxl__egc *egc, libxl__stream_write *sw);
static void dev_piece(libxl__egc *egc, libxl__dev_save *dev, int rc);
static void stream_done(libxl__egc *egc, libxl__stream_write *sw, int rc);
static void finish_if_over(libxl__egc *egc, libxl__dom_save *ds);
static void resumed(libxl__egc *egc, libxl__host_call *call, int rc);

static libxl__dom_save *dom_save_of_sh(libxl__save_helper *sh)
{
    return CONTAINER_OF(sh, libxl__dom_save, sh);
}

static libxl__host_call *fill_call(libxl__dom_save *ds, libxl__host_call *call,
                                   libxl__host_callback *callback)
{
    *call = (libxl__host_call){
        .ao = ds->ao,
        .domid = ds->domid,
        .user = ds,
        .callback = callback,
    };
    return call;
}

static libxl__host_call *make_call(libxl__dom_save *ds,
                                   libxl__host_callback *callback)
{
    return fill_call(ds, &ds->call, callback);
}

static void close_devices(libxl__dom_save *ds)
{
    if (ds->dev_open)
        libxl__dev_save_stop(&ds->dev);
    ds->dev_open = false;
    if (ds->dirfd >= 0)
        close(ds->dirfd);
    ds->dirfd = -1;
}

/* Devices first: one that cannot be saved is refused while the guest runs, and
 * one that can is read ahead as far as it likes. */
static int open_devices(libxl__dom_save *ds)
{
    libxl__store *store = ds->host->ops->store(ds->host);
    int rc = store->ops->open_dir(store, ds->domid, &ds->dirfd);

    if (rc)
        return rc;
    libxl__dev_save_init(&ds->dev);
    ds->dev.ao = ds->ao;
    ds->dev.domid = ds->domid;
    ds->dev.dirfd = ds->dirfd;
    ds->dev.live = ds->flags & LIBXL_SUSPEND_LIVE;
    ds->dev.begun = dev_begun;
    ds->dev.piece = dev_piece;
    ds->dev.user = ds;
    rc = libxl__dev_save_begin(&ds->dev);
    ds->dev_open = !rc;
    return rc;
}

static int start_stream(libxl__egc *egc, libxl__dom_save *ds)
{
    bool live = ds->flags & LIBXL_SUSPEND_LIVE;
    int rc;

    rc = ds->host->ops->helper_guest(ds->host, ds->domid, live, &ds->guest);
    if (rc)
        return rc;
    ds->guest_open = true;
    libxl__stream_write_init(&ds->sw);
    ds->sw.ao = ds->ao;
    ds->sw.domid = ds->domid;
    ds->sw.fd = ds->fd;
    ds->sw.user = ds;
    ds->sw.run_libxc = run_libxc;
    ds->sw.get_emulator =
        ds->host->ops->has_dm(ds->host, ds->domid) ? get_emulator : NULL;
    ds->sw.get_piece = ds->dev_open ? get_piece : NULL;
    ds->sw.callback = stream_done;
    rc = libxl__stream_write_start(egc, &ds->sw);
    if (rc) {
        ds->host->ops->helper_guest_done(ds->host, &ds->guest);
        ds->guest_open = false;
    }
    return rc;
}

int libxl__dom_save_start(libxl__egc *egc, libxl__dom_save *ds)
{
    int rc;

    ds->emulator_fd = ds->dirfd = -1;
    ds->guest_open = ds->helper_running = false;
    ds->guest_lost = ds->guest_late = ds->dev_open = false;
    ds->memory_out = ds->stream_over = ds->state_wanted = false;
    ds->state = DOM_SAVE_STATE_NONE;
    ds->suspended_at_ms = ds->stood_at_ms = ds->memory_sent_at_ms = 0;
    ds->helper_rc = 0;
    rc = open_devices(ds);
    if (rc == ERROR_NOTFOUND)
        rc = start_stream(egc, ds);
    if (rc)
        close_devices(ds);
    return rc;
}

static void dev_begun(libxl__egc *egc, libxl__dev_save *dev, int rc)
{
    libxl__dom_save *ds = dev->user;

    if (!rc)
        rc = start_stream(egc, ds);
    if (!rc)
        return;
    close_devices(ds);
    ds->callback(egc, ds, rc);
}

/* ---- memory ---- */

static void run_libxc(libxl__egc *egc, libxl__stream_write *sw)
{
    libxl__dom_save *ds = sw->user;
    int rc;

    libxl__save_helper_init(&ds->sh);
    ds->sh.ao = ds->ao;
    ds->sh.domid = ds->domid;
    ds->sh.restore = false;
    ds->sh.stream_fd = ds->fd;
    ds->sh.guest = &ds->guest;
    ds->sh.flags = ds->flags;
    ds->sh.precopy = ds->precopy;
    ds->sh.zero_as_xalloc = ds->zero_as_xalloc;
    ds->sh.rest_ms = ds->rest_ms;
    ds->sh.what = ds->what ? ds->what : "Saving";
    ds->sh.suspend = sh_suspend;
    ds->sh.switch_dm_logdirty =
        ds->sw.get_emulator && ds->host->ops->dm_logdirty ? sh_logdirty : NULL;
    ds->sh.static_data_done = NULL;
    ds->sh.written = sh_written;
    ds->sh.by_reference = ds->reader_answers;
    ds->sh.leave_log = ds->guest_goes && ds->host->ops->log_may_stay;
    ds->sh.callback = sh_done;
    rc = libxl__save_helper_start(egc, &ds->sh);
    if (rc)
        libxl__stream_write_libxc_done(egc, sw, rc);
    else
        ds->helper_running = true;
}

void libxl__dom_save_takes_xalloc(libxl__dom_save *ds)
{
    ds->zero_as_xalloc = true;
    if (ds->helper_running)
        libxl__save_helper_takes_xalloc(&ds->sh);
}

static void sh_suspend(libxl__egc *egc, libxl__save_helper *sh)
{
    libxl__dom_save *ds = dom_save_of_sh(sh);
    int rc;

    ds->suspended_at_ms = libxl__now_ms(ds->host->ctx);
    rc = ds->host->ops->suspend(egc, ds->host, make_call(ds, suspended));
    if (rc)
        libxl__save_helper_reply(egc, sh, -EIO);
}

static void suspended(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__dom_save *ds = call->user;

    ds->stood_at_ms = libxl__now_ms(ds->host->ctx);
    ds->guest_late = rc == ERROR_TIMEDOUT;
    libxl__save_helper_reply(egc, &ds->sh, rc ? -EIO : 0);
    if (!rc && ds->host->ops->dm_apart && ds->sw.get_emulator && !ds->dev_open)
        take_state(egc, ds);
}

static void log_switched(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__dom_save *ds = call->user;

    libxl__save_helper_reply(egc, &ds->sh, rc ? -EIO : 0);
}

static void sh_logdirty(libxl__egc *egc, libxl__save_helper *sh, bool enable)
{
    libxl__dom_save *ds = dom_save_of_sh(sh);
    libxl__host *h = ds->host;
    int rc = h->ops->dm_logdirty(egc, h, make_call(ds, log_switched), enable);

    if (rc)
        libxl__save_helper_reply(egc, sh, -EIO);
}

static void sh_written(libxl__egc *egc, libxl__save_helper *sh)
{
    libxl__dom_save *ds = dom_save_of_sh(sh);

    ds->results = sh->results;
    libxc_over(egc, ds);
}

static void sh_done(libxl__egc *egc, libxl__save_helper *sh, int rc)
{
    libxl__dom_save *ds = dom_save_of_sh(sh);

    ds->helper_running = false;
    ds->helper_rc = rc;
    ds->results = sh->results;
    if (ds->memory_out)
        finish_if_over(egc, ds);
    else
        libxc_over(egc, ds);
}

static void libxc_over(libxl__egc *egc, libxl__dom_save *ds)
{
    int rc = ds->helper_rc;

    ds->memory_out = true;
    ds->memory_sent_at_ms = libxl__now_ms(ds->host->ctx);
    if (!rc && !ds->suspended_at_ms) {
        LOGD(ds->host->ctx, ds->domid, ERROR,
             "the save helper ended without having the guest suspended");
        rc = ERROR_FAIL;
    }
    libxl__stream_write_libxc_done(egc, &ds->sw, rc);
}

/* ---- the device model's state ---- */

static void take_state(libxl__egc *egc, libxl__dom_save *ds)
{
    int rc;

    ds->state = DOM_SAVE_STATE_TAKING;
    ds->emulator_fd = memfd_create("dm-state", MFD_CLOEXEC);
    if (ds->emulator_fd < 0) {
        LOGED(ds->host->ctx, ds->domid, ERROR, errno,
              "no memory for the device model's state");
        emulator_saved(egc, fill_call(ds, &ds->dm_call, NULL), ERROR_FAIL);
        return;
    }
    rc = ds->host->ops->dm_save(egc, ds->host,
                                fill_call(ds, &ds->dm_call, emulator_saved),
                                ds->emulator_fd);
    if (rc)
        emulator_saved(egc, &ds->dm_call, rc);
}

static void get_emulator(libxl__egc *egc, libxl__stream_write *sw)
{
    libxl__dom_save *ds = sw->user;

    ds->state_wanted = true;
    if (ds->state == DOM_SAVE_STATE_NONE)
        take_state(egc, ds);
    else if (ds->state == DOM_SAVE_STATE_TAKEN)
        write_state(egc, ds);
}

static void emulator_saved(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__dom_save *ds = call->user;
    struct stat st;

    if (!rc && (fstat(ds->emulator_fd, &st) || !st.st_size)) {
        LOGD(ds->host->ctx, ds->domid, ERROR, "the device model gave no state");
        rc = ERROR_FAIL;
    }
    ds->state = DOM_SAVE_STATE_TAKEN;
    ds->state_rc = rc;
    if (!rc)
        ds->emulator = (struct libxl__emulator_state){
            .id = EMULATOR_ID_QEMU,
            .index = 0,
            .fd = ds->emulator_fd,
            .bytes = (uint64_t)st.st_size,
        };
    if (ds->state_wanted)
        write_state(egc, ds);
    else
        finish_if_over(egc, ds);
}

static void write_state(libxl__egc *egc, libxl__dom_save *ds)
{
    const void *keys = NULL;
    size_t bytes = 0;
    int rc = ds->state_rc;

    if (!rc && ds->host->ops->dm_keys)
        rc = ds->host->ops->dm_keys(ds->host, libxl__ao_gc(ds->ao), ds->domid,
                                    &keys, &bytes);
    libxl__stream_write_emulator_done(egc, &ds->sw, rc, &ds->emulator, 1, keys,
                                      bytes);
}

/* ---- devices' state ---- */

static void get_piece(libxl__egc *egc, libxl__stream_write *sw)
{
    libxl__dom_save *ds = sw->user;
    int rc = ds->dev.nr ? libxl__dev_save_next(&ds->dev) : 0;

    if (rc || !ds->dev.nr)
        libxl__stream_write_piece(egc, sw, rc, NULL);
}

static void dev_piece(libxl__egc *egc, libxl__dev_save *dev, int rc)
{
    libxl__dom_save *ds = dev->user;
    struct libxl__emulator_state piece = {
        .id = EMULATOR_ID_QEMU,
        .index = dev->index,
        .fd = dev->fd,
        .bytes = dev->bytes,
        .from_here = true,
    };

    libxl__stream_write_piece(egc, &ds->sw, rc, dev->end ? NULL : &piece);
}

/* ---- the end ---- */

static void stream_done(libxl__egc *egc, libxl__stream_write *sw, int rc)
{
    libxl__dom_save *ds = sw->user;

    ds->stream_over = true;
    ds->rc = rc;
    finish_if_over(egc, ds);
}

/* As long as it has not suspended there is nothing to resume. */
static bool is_late(libxl__dom_save *ds)
{
    if (ds->guest_late)
        ds->guest_late =
            libxl__guest_is_up(ds->host, libxl__ao_gc(ds->ao), ds->domid);
    return ds->guest_late;
}

/* What still works for us holds the guest's fds, or this struct. */
static void finish_if_over(libxl__egc *egc, libxl__dom_save *ds)
{
    int rc;

    if (!ds->stream_over || ds->helper_running ||
        ds->state == DOM_SAVE_STATE_TAKING)
        return;
    ds->host->ops->helper_guest_done(ds->host, &ds->guest);
    ds->guest_open = false;
    close_devices(ds);
    if (ds->emulator_fd >= 0)
        close(ds->emulator_fd);
    ds->emulator_fd = -1;
    if (!ds->rc)
        ds->rc = ds->helper_rc;
    if (ds->was_late && !ds->suspended_at_ms)
        ds->guest_late = true;
    ds->was_late = false;
    if (!ds->rc || (!ds->suspended_at_ms && !ds->guest_late) || is_late(ds)) {
        ds->callback(egc, ds, ds->rc);
        return;
    }
    rc = ds->host->ops->resume(egc, ds->host, make_call(ds, resumed));
    if (rc)
        resumed(egc, &ds->call, rc);
}

static void resumed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__dom_save *ds = call->user;

    ds->guest_lost = rc && !libxl__guest_has_ended(
                               ds->host, libxl__ao_gc(ds->ao), ds->domid);
    ds->callback(egc, ds, ds->rc);
}

/* ---- the caller's journal ---- */

int libxl__dom_save_end_journal(const libxl__dom_save *ds, libxl__dom_op *op,
                                struct libxl__journal *j)
{
    bool never_began = !ds->ao;

    if (!ds->guest_late && !ds->was_late &&
        !(never_began && op->recover.awaited))
        return libxl__journal_erase(op->store, op->domid);
    j->step = JSTEP_LATE;
    j->name = NULL; /* it has it, and may be renamed until then */
    return libxl__journal_write(op->store, op->gc, op->domid, j);
}
