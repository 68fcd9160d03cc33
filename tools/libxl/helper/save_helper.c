/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save_helper.c - toolstack side of the save helper (operation).
 *
 *   start -> spawn, SETUP -> control_readable: LOG, PROGRESS, requests ...
 *         -> COMPLETE -> helper_died -> (an outstanding request is answered)
 *         -> finish -> callback
 *
 * The child ends by itself after COMPLETE; its death ends everything, also
 * when it comes early. A request that the owner has not answered yet holds the
 * callback back: the owner never sees the struct die under its hands.
 */
#include "helper/save_helper.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "helper/helper_inbox.h"
#include "helper/helper_spawn.h"

#define KILL_AFTER_MS 10000
#define MESSAGES_PER_TURN 64 /* others have work to do too */

struct libxl__sh_state {
    libxl__save_helper *sh;
    libxl__ev_child child;
    libxl__ev_fd control;
    libxl__ao_abortable abrt;
    libxl__ev_time kill_timer;
    libxl__ev_immediate finish_soon;
    int control_fd;
    int stream_flags; /* of the lent fd, to be given back */
    struct libxl__helper_inbox inbox;
    struct libxl__hw_msg msg; /* the one being handled */
    bool asking;              /* a request waits for its reply */
    bool dead, complete, results, broken;
    int stop_rc; /* 0: nobody asked to stop */
    int complete_r, status;
    pid_t pid;
};

static struct libxl__sh_state *st_of_child(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, struct libxl__sh_state, child);
}

static struct libxl__sh_state *st_of_control(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__sh_state, control);
}

static struct libxl__sh_state *st_of_abrt(libxl__ao_abortable *abrt)
{
    return CONTAINER_OF(abrt, struct libxl__sh_state, abrt);
}

static struct libxl__sh_state *st_of_kill_timer(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__sh_state, kill_timer);
}

static struct libxl__sh_state *st_of_finish_soon(libxl__ev_immediate *ei)
{
    return CONTAINER_OF(ei, struct libxl__sh_state, finish_soon);
}

static void helper_died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                        int status);
static void control_readable(libxl__egc *egc, libxl__ev_fd *ev, int fd,
                             short events, short revents);
static void aborted(libxl__egc *egc, libxl__ao_abortable *abrt, int rc);
static void kill_time(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void finish_now(libxl__egc *egc, libxl__ev_immediate *ei);

static libxl_ctx *ctx_of(struct libxl__sh_state *st)
{
    return libxl__ao_ctx(st->sh->ao);
}

/* ---- lending the stream ---- */

/* The helper blocks in its reads and writes. */
static int lend_stream(struct libxl__sh_state *st)
{
    int fd = st->sh->stream_fd;

    st->stream_flags = fcntl(fd, F_GETFL);
    if (st->stream_flags < 0 ||
        fcntl(fd, F_SETFL, st->stream_flags & ~O_NONBLOCK) < 0) {
        LOGED(ctx_of(st), st->sh->domid, ERROR, errno,
              "cannot hand the stream's fd %d to the save helper", fd);
        return ERROR_FAIL;
    }
    return 0;
}

static void take_stream_back(struct libxl__sh_state *st)
{
    if (st->stream_flags >= 0 && st->stream_flags & O_NONBLOCK)
        (void)fcntl(st->sh->stream_fd, F_SETFL, st->stream_flags);
    st->stream_flags = -1;
}

/* ---- life ---- */

void libxl__save_helper_init(libxl__save_helper *sh)
{
    memset(sh, 0, sizeof(*sh));
    sh->stream_fd = -1;
}

static struct libxl__sh_state *state_new(libxl__save_helper *sh)
{
    struct libxl__sh_state *st = calloc(1, sizeof(*st));

    if (!st)
        return NULL;
    st->sh = sh;
    st->control_fd = -1;
    st->stream_flags = -1;
    libxl__ev_child_init(&st->child);
    libxl__ev_fd_init(&st->control);
    libxl__ao_abortable_init(&st->abrt);
    libxl__ev_time_init(&st->kill_timer);
    st->abrt.ao = sh->ao;
    st->abrt.callback = aborted;
    st->finish_soon.callback = finish_now;
    return st;
}

/* Everything but the child, which must be gone. Idempotent. */
static void state_free(struct libxl__sh_state *st)
{
    libxl_ctx *ctx = ctx_of(st);

    libxl__ao_abortable_deregister(&st->abrt);
    libxl__ev_time_deregister(ctx, &st->kill_timer);
    libxl__ev_fd_deregister(ctx, &st->control);
    if (st->control_fd >= 0)
        close(st->control_fd);
    take_stream_back(st);
    st->sh->state = NULL;
    free(st);
}

int libxl__save_helper_start(libxl__egc *egc, libxl__save_helper *sh)
{
    libxl_ctx *ctx = libxl__ao_ctx(sh->ao);
    struct libxl__sh_state *st = state_new(sh);
    int rc;

    if (!st)
        return ERROR_NOMEM;
    sh->state = st;
    rc = libxl__ao_abortable_register(&st->abrt);
    if (rc)
        goto out;
    rc = lend_stream(st);
    if (rc)
        goto out;
    rc = libxl__helper_spawn(sh, &st->child, helper_died, &st->control_fd);
    if (rc)
        goto out;
    st->pid = st->child.pid;
    rc = libxl__ev_fd_register(ctx, &st->control, control_readable,
                               st->control_fd, POLLIN);
    if (rc) {
        /* Started already: let it die first. */
        st->broken = true;
        libxl__ev_child_kill(&st->child, SIGKILL);
    }
    return 0;

out:
    state_free(st);
    return rc;
}

pid_t libxl__save_helper_pid(const libxl__save_helper *sh)
{
    return sh->state && !sh->state->dead ? sh->state->pid : 0;
}

/* ---- stopping it ---- */

void libxl__save_helper_stop(libxl__egc *egc, libxl__save_helper *sh, int rc)
{
    struct libxl__sh_state *st = sh->state;

    if (!st || st->dead || st->stop_rc)
        return;
    st->stop_rc = rc;
    libxl__ev_child_kill(&st->child, SIGTERM);
    if (libxl__ev_time_register_rel(ctx_of(st), NULL, &st->kill_timer,
                                    kill_time, KILL_AFTER_MS))
        libxl__ev_child_kill(&st->child, SIGKILL);
}

static void aborted(libxl__egc *egc, libxl__ao_abortable *abrt, int rc)
{
    libxl__save_helper_stop(egc, st_of_abrt(abrt)->sh, rc);
}

static void kill_time(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct libxl__sh_state *st = st_of_kill_timer(ev);

    LOGD(ctx_of(st), st->sh->domid, WARN,
         "save helper (pid %d) does not end: killing it", (int)st->pid);
    libxl__ev_child_kill(&st->child, SIGKILL);
}

static void protocol_error(struct libxl__sh_state *st, int errnoval)
{
    if (!st->broken)
        LOGED(ctx_of(st), st->sh->domid, ERROR, errnoval,
              "save helper (pid %d) sent what no save helper sends",
              (int)st->pid);
    st->broken = true;
    libxl__ev_fd_deregister(ctx_of(st), &st->control);
    if (!st->dead)
        libxl__ev_child_kill(&st->child, SIGKILL);
}

/* ---- what it says ---- */

static void heard_log(struct libxl__sh_state *st,
                      const struct libxl__hw_log *log)
{
    static const libxl_loglevel levels[] = {
        LIBXL_LOG_DEBUG,
        LIBXL_LOG_INFO,
        LIBXL_LOG_WARN,
        LIBXL_LOG_ERROR,
    };
    libxl_loglevel level = LIBXL_LOG_ERROR;

    if (log->level < sizeof(levels) / sizeof(levels[0]))
        level = levels[log->level];
    /* Its stream was taken away: that it fails is no news. */
    if (st->stop_rc)
        level = LIBXL_LOG_DEBUG;
    /* Its text has the errno's text in it, where that says more. */
    libxl__log(ctx_of(st), level, 0, st->sh->domid, "%s", log->text.s);
}

static void heard_progress(struct libxl__sh_state *st,
                           const struct libxl__hw_progress *from)
{
    libxl_progress p = {
        .what = st->sh->what,
        .pass = from->pass,
        .done_pages = from->done_pages,
        .total_pages = from->total_pages,
        .bytes = from->bytes,
        .rate_bps = from->rate_bps,
        .dirty_pages_per_s = from->dirty_pages_per_s,
        .downtime_estimate_ms = from->downtime_estimate_ms,
        .finished = from->finished,
    };

    libxl__progress(ctx_of(st), st->sh->domid, &p);
}

static void heard_results(libxl__egc *egc, struct libxl__sh_state *st,
                          const struct libxl__hw_results *from)
{
    libxl__save_helper *sh = st->sh;

    if (st->results) {
        protocol_error(st, EPROTO);
        return;
    }
    st->results = true;
    sh->results = (struct libxl__helper_results){
        .store_pfn = from->store_pfn,
        .console_pfn = from->console_pfn,
        .bytes = from->bytes,
        .data_pages = from->data_pages,
        .zero_pages = from->zero_pages,
        .passes = from->passes,
    };
    if (!sh->written || st->stop_rc)
        return;
    take_stream_back(st);
    sh->written(egc, sh);
}

/* Asks the owner; without one that cares, yes. */
static void heard_request(libxl__egc *egc, struct libxl__sh_state *st)
{
    libxl__save_helper *sh = st->sh;
    const struct libxl__hw_msg *msg = &st->msg;

    if (st->dead)
        return; /* nobody is left to hear the answer */
    if (st->asking) {
        protocol_error(st, EPROTO);
        return;
    }
    st->asking = true;
    if (msg->number == LIBXL__HW_SUSPEND && st->stop_rc)
        libxl__save_helper_reply(egc, sh, -ECANCELED);
    else if (msg->number == LIBXL__HW_SUSPEND && sh->suspend)
        sh->suspend(egc, sh);
    else if (msg->number == LIBXL__HW_SWITCH_DM_LOGDIRTY &&
             sh->switch_dm_logdirty)
        sh->switch_dm_logdirty(egc, sh, msg->u.logdirty.enable);
    else if (msg->number == LIBXL__HW_STATIC_DATA_DONE && sh->static_data_done)
        sh->static_data_done(egc, sh, msg->u.static_data.missing);
    else
        libxl__save_helper_reply(egc, sh, 0);
}

static void dispatch(libxl__egc *egc, struct libxl__sh_state *st)
{
    const struct libxl__hw_msg *msg = &st->msg;

    switch (msg->number) {
    case LIBXL__HW_LOG:
        heard_log(st, &msg->u.log);
        break;
    case LIBXL__HW_PROGRESS:
        heard_progress(st, &msg->u.progress);
        break;
    case LIBXL__HW_RESULTS:
        heard_results(egc, st, &msg->u.results);
        break;
    case LIBXL__HW_COMPLETE:
        st->complete = true;
        st->complete_r = msg->u.complete.r;
        break;
    default:
        heard_request(egc, st);
    }
}

/* Up to 'most' messages. 0: go on waiting; -EPIPE: no more will come. */
static int hear(libxl__egc *egc, struct libxl__sh_state *st, unsigned most)
{
    int r = 0;

    for (unsigned n = 0; n < most && !st->broken; n++) {
        r = libxl__helper_inbox_take(&st->inbox, st->control_fd, &st->msg);
        if (r <= 0)
            break;
        if (st->complete)
            r = -EPROTO; /* nothing follows COMPLETE */
        else
            dispatch(egc, st);
        if (r < 0)
            break;
    }
    if (r < 0 && r != -EPIPE)
        protocol_error(st, -r);
    return r < 0 ? r : 0;
}

static void control_readable(libxl__egc *egc, libxl__ev_fd *ev, int fd,
                             short events, short revents)
{
    struct libxl__sh_state *st = st_of_control(ev);

    if (hear(egc, st, MESSAGES_PER_TURN) && !st->broken)
        /* Its end is closed: its death is all that is left to wait for. */
        libxl__ev_fd_deregister(ctx_of(st), &st->control);
}

void libxl__save_helper_reply(libxl__egc *egc, libxl__save_helper *sh,
                              int reply)
{
    struct libxl__sh_state *st = sh->state;
    struct libxl__hw_msg msg = {.number = LIBXL__HW_REPLY};
    int r;

    assert(st && st->asking);
    st->asking = false;
    if (st->dead) {
        libxl__egc_immediate(egc, &st->finish_soon);
        return;
    }
    msg.u.reply.r = reply;
    r = libxl__helper_tell(st->control_fd, &msg);
    if (r && r != -EPIPE && r != -ECONNRESET)
        protocol_error(st, -r);
}

/* A helper that does not hear it, because it is about to end, needs it no more.
 */
void libxl__save_helper_takes_xalloc(libxl__save_helper *sh)
{
    struct libxl__sh_state *st = sh->state;
    struct libxl__hw_msg msg = {.number = LIBXL__HW_TAKES_XALLOC};

    if (st && !st->dead && !st->broken && !sh->zero_as_xalloc && !sh->restore)
        (void)libxl__helper_tell(st->control_fd, &msg);
    sh->zero_as_xalloc = true;
}

/* ---- the end ---- */

static void log_early_death(struct libxl__sh_state *st)
{
    libxl_ctx *ctx = ctx_of(st);
    uint32_t domid = st->sh->domid;

    if (WIFSIGNALED(st->status))
        LOGD(ctx, domid, ERROR, "save helper (pid %d) was killed by signal %d",
             (int)st->pid, WTERMSIG(st->status));
    else
        LOGD(ctx, domid, ERROR,
             "save helper (pid %d) ended with status %d before it was done",
             (int)st->pid, WEXITSTATUS(st->status));
}

/* The child has said why, when its operation failed. */
static int rc_of_failure(int r)
{
    switch (r) {
    case -ENOMEM:
        return ERROR_NOMEM;
    case -ECANCELED:
        return ERROR_ABORTED;
    case -ETIMEDOUT:
        return ERROR_TIMEDOUT;
    default:
        return ERROR_FAIL;
    }
}

static int outcome(struct libxl__sh_state *st)
{
    if (st->stop_rc)
        return st->stop_rc;
    if (st->broken)
        return ERROR_FAIL;
    if (st->complete && st->complete_r)
        return rc_of_failure(st->complete_r);
    if (!st->complete || !st->results || st->status) {
        log_early_death(st);
        return ERROR_FAIL;
    }
    return 0;
}

static void finish(libxl__egc *egc, struct libxl__sh_state *st)
{
    libxl__save_helper *sh = st->sh;
    int rc = outcome(st);

    state_free(st);
    sh->callback(egc, sh, rc);
}

static void finish_now(libxl__egc *egc, libxl__ev_immediate *ei)
{
    finish(egc, st_of_finish_soon(ei));
}

static void helper_died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                        int status)
{
    struct libxl__sh_state *st = st_of_child(ch);

    st->dead = true;
    st->status = status;
    libxl__ev_time_deregister(ctx_of(st), &st->kill_timer);
    libxl__ao_abortable_deregister(&st->abrt);
    /* Its last words may still lie in the socket: at most its buffer. */
    if (!st->broken)
        hear(egc, st, UINT32_MAX);
    libxl__ev_fd_deregister(ctx_of(st), &st->control);
    if (!st->asking)
        finish(egc, st);
}
