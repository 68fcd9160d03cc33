/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save.c - `xl save`, whole. Chain, in order of time:
 *   start -> ready -> target_opened -> header_written -> stream_written
 *         -> target_synced -> (journal, rename, journal) -> follow_up
 *         -> ended | paused -> resumed -> finish
 *   and before the rename, when anything fails: [unsuspend ->] fail
 *
 * Before the commit every way out leaves the guest as it was and no file;
 * behind it every way out leaves the file, and the journal until what was to
 * follow is done.
 */
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/dom_op.h"
#include "domain/dom_save.h"
#include "domain/domain.h"
#include "domain/save_header.h"
#include "domain/save_target.h"
#include "domain/unfinished.h"
#include "io/bufwriter.h"

struct save {
    libxl__dom_op op;
    libxl_save_how how;
    struct libxl__journal journal;
    bool journaled;
    int rc; /* while unsuspend runs */
    libxl__save_target target;
    libxl__bufwriter header;
    libxl__dom_save stream;
};

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc);
static void target_opened(libxl__egc *egc, libxl__save_target *t, int rc);
static void header_written(libxl__egc *egc, libxl__bufwriter *bw,
                           const struct libxl__dc_result *res);
static void stream_written(libxl__egc *egc, libxl__dom_save *ds, int rc);
static void target_synced(libxl__egc *egc, libxl__save_target *t, int rc);
static void unsuspend(libxl__egc *egc, struct save *sa, int rc);
static void unsuspended(libxl__egc *egc, libxl__host_call *call, int rc);
static void follow_up(libxl__egc *egc, struct save *sa);
static void ended(libxl__egc *egc, libxl__host_call *call, int rc);
static void paused(libxl__egc *egc, libxl__host_call *call, int rc);
static void resume_guest(libxl__egc *egc, struct save *sa);
static void resumed(libxl__egc *egc, libxl__host_call *call, int rc);

static struct save *save_of_header(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct save, header);
}

int libxl__domain_save_file_start(libxl__egc *egc, libxl__ao *ao,
                                  const void *params)
{
    struct save *sa = libxl__zalloc(libxl__ao_gc(ao), sizeof(*sa));

    if (!sa)
        return ERROR_NOMEM;
    sa->how = *(const libxl_save_how *)params;
    libxl__save_target_init(&sa->target);
    sa->target.ao = ao;
    sa->target.domid = libxl__ao_domid(ao);
    libxl__bufwriter_init(&sa->header);
    sa->op.ao = ao;
    sa->op.domid = libxl__ao_domid(ao);
    sa->op.verb = "save";
    sa->op.user = sa;
    sa->op.ready = ready;
    libxl__dom_op_begin(egc, &sa->op);
    return 0;
}

static void fail(libxl__egc *egc, struct save *sa, int rc)
{
    libxl__save_target_abandon(&sa->target);
    if (sa->journal.temp_path)
        libxl__unfinished_forget(sa->op.store, sa->journal.temp_path);
    if (sa->stream.guest_lost)
        LOGD(sa->op.ctx, sa->op.domid, ERROR,
             "the guest could not be resumed: `xl recover %u` tries again",
             sa->op.domid);
    else if (sa->journaled)
        libxl__dom_save_end_journal(&sa->stream, &sa->op, &sa->journal);
    libxl__dom_op_complete(egc, &sa->op,
                           sa->stream.guest_lost ? ERROR_BADFAIL : rc);
}

/* ---- before anything is written ---- */

static int check_state(struct save *sa)
{
    libxl__dom_op *op = &sa->op;
    libxl_dominfo info = {0};
    int rc = op->host->ops->dominfo(op->host, op->gc, op->domid, &info);

    if (!rc && ((info.shutdown &&
                 info.shutdown_reason != LIBXL_SHUTDOWN_REASON_SUSPEND) ||
                info.dying)) {
        LOGD(op->ctx, op->domid, ERROR,
             "cannot save it: the guest has shut down");
        rc = ERROR_INVAL;
    }
    sa->journal.was_running = !info.paused;
    libxl_dominfo_dispose(&info);
    return rc;
}

static int check_saveable(struct save *sa)
{
    libxl__dom_op *op = &sa->op;
    libxl_domain_config config;
    int rc = libxl__dom_config_load(op->store, op->gc, op->domid, &config);

    if (!rc)
        rc = op->host->ops->check_saveable(op->host, op->domid, &config);
    libxl_domain_config_dispose(&config);
    return rc;
}

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc)
{
    struct save *sa = op->user;

    if (!rc)
        rc = libxl__journal_init(&sa->journal, JOURNAL_SAVE, JSTEP_WRITING);
    if (!rc)
        rc = check_state(sa);
    if (!rc)
        rc = check_saveable(sa);
    if (!rc) {
        sa->target.path = sa->how.path;
        sa->target.given_fd = sa->how.fd;
        sa->target.user = sa;
        sa->target.callback = target_opened;
        rc = libxl__save_target_open(egc, &sa->target);
    }
    if (rc)
        fail(egc, sa, rc);
}

/* ---- writing ---- */

static int write_journal(struct save *sa, enum libxl__journal_step step)
{
    sa->journal.step = step;
    return libxl__journal_write(sa->op.store, sa->op.gc, sa->op.domid,
                                &sa->journal);
}

static int begin_journal(struct save *sa)
{
    int rc;

    sa->journal.then = sa->how.then;
    sa->journal.path = sa->target.final_path;
    sa->journal.temp_path = sa->target.temp_path;
    if (!sa->target.regular)
        sa->journal.path = sa->journal.temp_path = NULL;
    sa->journal.file_dev = sa->target.dev;
    sa->journal.file_ino = sa->target.ino;
    rc = write_journal(sa, JSTEP_WRITING);
    sa->journaled = !rc;
    if (!rc && sa->journal.temp_path)
        libxl__unfinished_note(sa->op.store, sa->op.gc, sa->journal.temp_path,
                               sa->target.ino);
    return rc;
}

static int write_header(struct save *sa)
{
    libxl__dom_op *op = &sa->op;
    struct libxl__save_header_how how = {
        .config = sa->how.config,
        .preserve_domid = sa->how.preserve_domid,
        .native = sa->how.native,
    };
    void *bytes;
    size_t nr;
    int rc = libxl__save_header(op, &how, &bytes, &nr);

    if (rc)
        return rc;
    sa->header.ao = op->ao;
    sa->header.fd = sa->target.fd;
    sa->header.what = sa->how.path;
    sa->header.callback = header_written;
    return libxl__bufwriter_start_owned(&sa->header, bytes, nr);
}

static void target_opened(libxl__egc *egc, libxl__save_target *t, int rc)
{
    struct save *sa = t->user;

    if (!rc)
        rc = begin_journal(sa);
    if (!rc)
        rc = write_header(sa);
    if (rc)
        fail(egc, sa, rc);
}

static void header_written(libxl__egc *egc, libxl__bufwriter *bw,
                           const struct libxl__dc_result *res)
{
    struct save *sa = save_of_header(bw);
    int rc = libxl__dc_rc(res);

    if (!rc) {
        sa->stream.ao = sa->op.ao;
        sa->stream.host = sa->op.host;
        sa->stream.domid = sa->op.domid;
        sa->stream.was_late = sa->op.recover.awaited;
        sa->stream.fd = sa->target.fd;
        sa->stream.flags = (unsigned)sa->how.flags;
        sa->stream.precopy = sa->how.precopy;
        sa->stream.zero_as_xalloc = sa->how.native;
        sa->stream.guest_goes = sa->how.then == LIBXL_SAVE_THEN_DESTROY;
        sa->stream.user = sa;
        sa->stream.callback = stream_written;
        rc = libxl__dom_save_start(egc, &sa->stream);
    }
    if (rc)
        fail(egc, sa, rc);
}

static void stream_written(libxl__egc *egc, libxl__dom_save *ds, int rc)
{
    struct save *sa = ds->user;

    if (rc) { /* the guest is as it was */
        fail(egc, sa, rc);
        return;
    }
    sa->target.callback = target_synced;
    rc = libxl__save_target_sync(egc, &sa->target);
    if (rc)
        target_synced(egc, &sa->target, rc);
}

/* From here the guest is suspended: a failure has to resume it. */
static int put_in_place(struct save *sa)
{
    libxl__save_target *t = &sa->target;
    int rc = libxl__ao_aborting(sa->op.ao);

    if (rc)
        return rc;
    if (!t->regular)
        return libxl__save_target_close(t);
    /* It is whole: whatever happens now, nobody but its journal's reader may
     * remove it. */
    libxl__unfinished_forget(sa->op.store, t->temp_path);
    rc = write_journal(sa, JSTEP_COMMITTED);
    return rc ? rc : libxl__save_target_publish(t);
}

static void target_synced(libxl__egc *egc, libxl__save_target *t, int rc)
{
    struct save *sa = t->user;

    if (!rc)
        rc = put_in_place(sa);
    if (rc) {
        unsuspend(egc, sa, rc);
        return;
    }
    /* It is saved. A journal that cannot be written does not change that of a
     * file: the step "committed" finds it by its inode. */
    rc = write_journal(sa, JSTEP_SAVED);
    if (rc && !t->regular) {
        unsuspend(egc, sa, rc);
        return;
    }
    libxl__save_target_close(t);
    follow_up(egc, sa);
}

static void unsuspend(libxl__egc *egc, struct save *sa, int rc)
{
    libxl__host *h = sa->op.host;

    sa->rc = rc;
    rc = h->ops->resume(egc, h, libxl__dom_op_call(&sa->op, unsuspended, sa));
    if (rc)
        unsuspended(egc, &sa->op.call, rc);
}

static void unsuspended(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct save *sa = call->user;

    sa->stream.guest_lost =
        rc && !libxl__guest_has_ended(sa->op.host, sa->op.gc, sa->op.domid);
    fail(egc, sa, sa->rc);
}

/* ---- what follows the rename ---- */

static void follow_up(libxl__egc *egc, struct save *sa)
{
    libxl__host *h = sa->op.host;
    int rc;

    switch (sa->how.then) {
    case LIBXL_SAVE_THEN_DESTROY:
        rc = h->ops->destroy(egc, h, libxl__dom_op_call(&sa->op, ended, sa));
        if (rc)
            ended(egc, &sa->op.call, rc);
        return;
    case LIBXL_SAVE_THEN_PAUSE:
        rc = h->ops->pause(egc, h, libxl__dom_op_call(&sa->op, paused, sa));
        if (rc)
            paused(egc, &sa->op.call, rc);
        return;
    case LIBXL_SAVE_THEN_RESUME:
        resume_guest(egc, sa);
        return;
    }
}

/* rc: of what was to follow. The file is good in any case. */
static void finish(libxl__egc *egc, struct save *sa, int rc)
{
    if (!rc && sa->how.then != LIBXL_SAVE_THEN_DESTROY)
        rc = libxl__journal_erase(sa->op.store, sa->op.domid);
    if (rc)
        LOGD(sa->op.ctx, sa->op.domid, ERROR,
             "the guest is saved in %s, but what was to follow failed: "
             "`xl recover %u` tries again",
             sa->how.path, sa->op.domid);
    libxl__dom_op_complete(egc, &sa->op, rc ? ERROR_BADFAIL : 0);
}

static void ended(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct save *sa = call->user;

    if (!rc)
        rc = sa->op.store->ops->remove(sa->op.store, sa->op.domid);
    finish(egc, sa, rc);
}

static void paused(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct save *sa = call->user;

    if (rc)
        finish(egc, sa, rc);
    else
        resume_guest(egc, sa);
}

static void resume_guest(libxl__egc *egc, struct save *sa)
{
    libxl__host *h = sa->op.host;
    int rc;

    rc = h->ops->resume(egc, h, libxl__dom_op_call(&sa->op, resumed, sa));
    if (rc)
        resumed(egc, &sa->op.call, rc);
}

static void resumed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    finish(egc, call->user, rc);
}
