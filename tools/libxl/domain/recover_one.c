/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * recover_one.c - chain, in order of time:
 *   start [-> ask_peer -> peer_answered]
 *         -> resume_guest  -> resumed   -> finish
 *         -> pause_guest   -> paused    -> resume_guest ...
 *         -> run_guest     -> running   -> finish
 *         -> destroy_guest -> destroyed -> finish
 *         -> end_guest     -> ended     -> finish
 *
 * The journal is erased last: a recovery that is itself killed is done again.
 */
#include "domain/recover_one.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "domain/names.h"
#include "domain/recover_question.h"
#include "domain/unfinished.h"
#include "migrate/received.h"
#include "store/domain_record.h"
#include "store/run_record.h"

static void act(libxl__egc *egc, libxl__recover_one *ro);
static void peer_answered(libxl__egc *egc, struct libxl__migrate_ask *ma,
                          enum libxl__outcome outcome);
static void resume_guest(libxl__egc *egc, libxl__recover_one *ro);
static void resumed(libxl__egc *egc, libxl__host_call *call, int rc);
static void pause_guest(libxl__egc *egc, libxl__recover_one *ro);
static void paused(libxl__egc *egc, libxl__host_call *call, int rc);
static void run_guest(libxl__egc *egc, libxl__recover_one *ro);
static void running(libxl__egc *egc, libxl__host_call *call, int rc);
static void destroy_guest(libxl__egc *egc, libxl__recover_one *ro);
static void destroyed(libxl__egc *egc, libxl__host_call *call, int rc);
static void end_guest(libxl__egc *egc, libxl__recover_one *ro);
static void ended(libxl__egc *egc, libxl__host_call *call, int rc);

static libxl__store *store_of(libxl__recover_one *ro)
{
    return ro->host->ops->store(ro->host);
}

static libxl__host_call *make_call(libxl__recover_one *ro,
                                   libxl__host_callback *callback)
{
    ro->call = (libxl__host_call){
        .ao = ro->ao,
        .domid = ro->domid,
        .user = ro,
        .callback = callback,
    };
    return &ro->call;
}

/* The guest as it should be: the journal has served. */
static void finish(libxl__egc *egc, libxl__recover_one *ro, int rc)
{
    if (!rc && !ro->gone)
        rc = libxl__journal_erase(store_of(ro), ro->domid);
    ro->callback(egc, ro, rc);
}

static bool guest_has_ended(libxl__recover_one *ro)
{
    return libxl__guest_has_ended(ro->host, libxl__ao_gc(ro->ao), ro->domid);
}

static bool is_the_temporary_file(const struct libxl__journal *j,
                                  const char *path)
{
    struct stat st;

    return !lstat(path, &st) && S_ISREG(st.st_mode) &&
           st.st_dev == j->file_dev && st.st_ino == j->file_ino;
}

/* What was changed for the time of a migration. */
static int name_back(libxl__recover_one *ro)
{
    if (!ro->journal.name)
        return 0;
    return libxl__domain_set_name(ro->host, libxl__ao_gc(ro->ao), ro->domid,
                                  ro->journal.name);
}

/* Never a file that merely has the name of ours. */
static void remove_temporary_file(libxl__recover_one *ro)
{
    const struct libxl__journal *j = &ro->journal;

    if (!j->temp_path)
        return;
    if (is_the_temporary_file(j, j->temp_path) && unlink(j->temp_path))
        LOGED(ro->host->ctx, ro->domid, WARN, errno,
              "cannot remove the unfinished file %s: remove it yourself",
              j->temp_path);
    libxl__unfinished_forget(store_of(ro), j->temp_path);
}

/* A question that the journal alone cannot answer; unpausing answers it. */
static void ask(libxl__egc *egc, libxl__recover_one *ro)
{
    if (ro->policy != RECOVER_RUN) {
        libxl__question_log(ro->host->ctx, ro->domid, &ro->journal);
        ro->callback(egc, ro, ERROR_NOT_READY);
        return;
    }
    finish(egc, ro, name_back(ro));
}

static void follow_up(libxl__egc *egc, libxl__recover_one *ro)
{
    switch (ro->journal.then) {
    case LIBXL_SAVE_THEN_DESTROY:
        destroy_guest(egc, ro);
        return;
    case LIBXL_SAVE_THEN_RESUME:
        resume_guest(egc, ro);
        return;
    case LIBXL_SAVE_THEN_PAUSE:
        pause_guest(egc, ro);
        return;
    }
}

static void look(libxl__egc *egc, libxl__recover_one *ro)
{
    const struct libxl__journal *j = &ro->journal;

    if (j->path && is_the_temporary_file(j, j->path))
        follow_up(egc, ro);
    else if (j->temp_path && is_the_temporary_file(j, j->temp_path))
        resume_guest(egc, ro);
    else
        ask(egc, ro);
}

/* On record first: the answer will not be given twice. */
static int note_step(libxl__recover_one *ro, enum libxl__journal_step step)
{
    ro->journal.step = step;
    return libxl__journal_write(store_of(ro), libxl__ao_gc(ro->ao), ro->domid,
                                &ro->journal);
}

/* What a sender that asks is told when no copy is left here: on record before
 * the guest runs, and no more when it is given up. */
static int note_taken_over(libxl__recover_one *ro, bool taken)
{
    const struct libxl__journal *j = &ro->journal;

    if (j->verb != JOURNAL_RECEIVE || !j->peer_uuid || !j->migration)
        return 0;
    return taken ? libxl__received_set(store_of(ro), j->peer_uuid, j->migration)
                 : libxl__received_clear(store_of(ro), j->peer_uuid,
                                         j->migration);
}

/* `xl unpause` of a copy that waits for GO: the user has given it. */
static void take_over(libxl__egc *egc, libxl__recover_one *ro)
{
    int rc = note_step(ro, JSTEP_GO);

    if (rc)
        ro->callback(egc, ro, rc);
    else
        act(egc, ro);
}

/* The target, ready and never told to go. On the source's own host the source
 * is there to see, and the guest is the source's. */
static void look_for_the_source(libxl__egc *egc, libxl__recover_one *ro)
{
    const struct libxl__journal *j = &ro->journal;
    libxl__gc *gc = libxl__ao_gc(ro->ao);
    libxl_uuid uuid;

    if (ro->policy == RECOVER_RUN)
        take_over(egc, ro);
    else if (!j->peer_uuid || !libxl__uuid_parse(j->peer_uuid, &uuid) ||
             !libxl__source_is_here(store_of(ro), gc, &uuid, ro->domid,
                                    j->migration) ||
             note_step(ro, JSTEP_GIVEN_UP))
        ask(egc, ro);
    else
        act(egc, ro);
}

/* The source, having given the guest away: only the receiver knows. */
static void ask_peer(libxl__egc *egc, libxl__recover_one *ro)
{
    const struct libxl__journal *j = &ro->journal;

    if (j->verb == JOURNAL_RECEIVE) {
        look_for_the_source(egc, ro);
        return;
    }
    if (ro->policy != RECOVER_REACH || j->verb != JOURNAL_SEND || !j->peer ||
        !libxl__question_make(j, &ro->question.query)) {
        ask(egc, ro);
        return;
    }
    LOGD(ro->host->ctx, ro->domid, NOTICE,
         "asking the receiver what became of the guest: %s", j->peer);
    ro->question.ao = ro->ao;
    ro->question.domid = ro->domid;
    ro->question.peer = j->peer;
    ro->question.user = ro;
    ro->question.callback = peer_answered;
    libxl__migrate_ask_start(egc, &ro->question);
}

static void peer_answered(libxl__egc *egc, struct libxl__migrate_ask *ma,
                          enum libxl__outcome outcome)
{
    libxl__recover_one *ro = ma->user;
    int rc;

    switch (outcome) {
    case LIBXL__OUTCOME_RAN:
        rc = note_step(ro, JSTEP_DONE);
        break;
    case LIBXL__OUTCOME_NEVER_RAN:
        rc = note_step(ro, JSTEP_GIVEN_BACK);
        break;
    case LIBXL__OUTCOME_BUSY:
        LOGD(ro->host->ctx, ro->domid, ERROR,
             "the receiver is still at work on the guest: ask again in a "
             "moment, by `xl recover %u`",
             ro->domid);
        ro->callback(egc, ro, ERROR_NOT_READY);
        return;
    case LIBXL__OUTCOME_NONE:
    default:
        ask(egc, ro);
        return;
    }
    if (rc)
        ro->callback(egc, ro, rc);
    else
        act(egc, ro);
}

static void act(libxl__egc *egc, libxl__recover_one *ro)
{
    switch (libxl__journal_action(ro->journal.verb, ro->journal.step)) {
    case JACT_DESTROY:
        destroy_guest(egc, ro);
        return;
    case JACT_RESUME:
    case JACT_AWAIT:
        resume_guest(egc, ro);
        return;
    case JACT_LOOK:
        look(egc, ro);
        return;
    case JACT_FINISH:
        follow_up(egc, ro);
        return;
    case JACT_RUN:
        run_guest(egc, ro);
        return;
    case JACT_END:
        end_guest(egc, ro);
        return;
    case JACT_ASK:
        ask_peer(egc, ro);
        return;
    case JACT_IMPOSSIBLE: /* the codec has refused it */
        ask(egc, ro);
        return;
    }
}

/* What is named nowhere else. The journal goes with the domain's records: until
 * the guest has ended it says what the guest is. */
static void forget(libxl__egc *egc, libxl__recover_one *ro)
{
    int rc = 0;

    remove_temporary_file(ro); /* not one that has got its own name since */
    if (ro->journal.step == JSTEP_GIVEN_UP)
        rc = note_taken_over(ro, false);
    ro->callback(egc, ro, rc);
}

static bool says_running(libxl__recover_one *ro)
{
    struct libxl__run_record run;

    return !libxl__run_record_read(store_of(ro), ro->domid, &run) &&
           run.state == LIBXL__RUN_RUNNING;
}

void libxl__recover_one_start(libxl__egc *egc, libxl__recover_one *ro)
{
    libxl__gc *gc = libxl__ao_gc(ro->ao);
    int rc;

    ro->had_journal = ro->gone = false;
    rc = libxl__journal_read(store_of(ro), gc, ro->domid, &ro->journal);
    if (rc == ERROR_NOTFOUND) {
        if (ro->check_run && says_running(ro))
            resume_guest(egc, ro);
        else
            ro->callback(egc, ro, 0);
        return;
    }
    ro->had_journal = true;
    if (rc == ERROR_INVAL && ro->policy != RECOVER_ASK &&
        ro->policy != RECOVER_REACH) {
        finish(egc, ro,
               ro->policy == RECOVER_RUN
                   ? libxl__domain_own_name(ro->host, gc, ro->domid)
                   : 0);
        return;
    }
    if (rc) {
        ro->callback(egc, ro, rc == ERROR_INVAL ? ERROR_NOT_READY : rc);
        return;
    }
    if (libxl__guest_is_awaited(ro)) {
        ro->had_journal = false;
        ro->callback(egc, ro, 0);
        return;
    }
    LOGD(ro->host->ctx, ro->domid, NOTICE,
         "a %s by pid %d ended at step \"%s\": recovering",
         libxl__journal_verb_name(ro->journal.verb), (int)ro->journal.owner.pid,
         libxl__journal_step_name(ro->journal.step));
    if (ro->policy == RECOVER_FORGET) {
        forget(egc, ro);
        return;
    }
    act(egc, ro);
}

/* ---- the ways on ---- */

static void resume_guest(libxl__egc *egc, libxl__recover_one *ro)
{
    int rc;

    remove_temporary_file(ro);
    if (guest_has_ended(ro)) { /* and may be started again, by on_crash, */
        (void)name_back(ro);   /* under another name if that one is taken */
        finish(egc, ro, 0);
        return;
    }
    rc = ro->host->ops->resume(egc, ro->host, make_call(ro, resumed));
    if (rc)
        resumed(egc, &ro->call, rc);
}

static void resumed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__recover_one *ro = call->user;

    if (rc && guest_has_ended(ro))
        rc = 0;
    if (!rc && ro->had_journal)
        rc = name_back(ro);
    if (!rc && ro->had_journal)
        LOGD(ro->host->ctx, ro->domid, NOTICE, "the guest goes on");
    finish(egc, ro, rc);
}

static void pause_guest(libxl__egc *egc, libxl__recover_one *ro)
{
    int rc = ro->host->ops->pause(egc, ro->host, make_call(ro, paused));

    if (rc)
        paused(egc, &ro->call, rc);
}

static void paused(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__recover_one *ro = call->user;

    if (rc)
        finish(egc, ro, guest_has_ended(ro) ? 0 : rc);
    else
        resume_guest(egc, ro);
}

/* A migrated guest whose process died between GO and its first instruction
 * here: the sender's copy is as good as it was. */
static bool died_before_it_ran(libxl__recover_one *ro)
{
    struct libxl__domain_record rec;

    return ro->journal.verb == JOURNAL_RECEIVE && guest_has_ended(ro) &&
           !libxl__domain_record_read(store_of(ro), libxl__ao_gc(ro->ao),
                                      ro->domid, &rec) &&
           rec.never_started;
}

static void give_up(libxl__egc *egc, libxl__recover_one *ro)
{
    int rc = note_step(ro, JSTEP_GIVEN_UP);

    if (rc)
        finish(egc, ro, rc);
    else
        destroy_guest(egc, ro);
}

static void run_guest(libxl__egc *egc, libxl__recover_one *ro)
{
    int rc;

    if (died_before_it_ran(ro)) {
        give_up(egc, ro);
        return;
    }
    rc = note_taken_over(ro, true);
    if (!rc)
        rc = name_back(ro);
    if (rc || !ro->journal.was_running) {
        finish(egc, ro, rc);
        return;
    }
    rc = ro->host->ops->unpause(egc, ro->host, make_call(ro, running));
    if (rc)
        running(egc, &ro->call, rc);
}

static void running(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__recover_one *ro = call->user;

    if (rc && guest_has_ended(ro))
        rc = 0;
    finish(egc, ro, rc);
}

static void destroy_guest(libxl__egc *egc, libxl__recover_one *ro)
{
    int rc = 0;

    if (ro->journal.step == JSTEP_GIVEN_UP)
        rc = note_taken_over(ro, false);
    if (!rc)
        rc = ro->host->ops->destroy(egc, ro->host, make_call(ro, destroyed));
    if (rc)
        finish(egc, ro, rc);
}

static void destroyed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__recover_one *ro = call->user;

    if (!rc)
        rc = store_of(ro)->ops->remove(store_of(ro), ro->domid);
    if (!rc) {
        ro->gone = true;
        LOGD(ro->host->ctx, ro->domid, NOTICE, "%s",
             ro->journal.step == JSTEP_BUILDING
                 ? "removed: it was only half built"
                 : "removed: the operation that was to end it had succeeded");
    }
    finish(egc, ro, rc);
}

/* A guest that was being started again: what there is of the new one goes, and
 * the keeper finds the end of the old one, with its reason, once more. */
static void end_guest(libxl__egc *egc, libxl__recover_one *ro)
{
    int rc = ro->host->ops->destroy(egc, ro->host, make_call(ro, ended));

    if (rc)
        ended(egc, &ro->call, rc);
}

static void ended(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__recover_one *ro = call->user;
    const struct libxl__run_record run = {
        .state = LIBXL__RUN_SHUTDOWN,
        .reason = ro->journal.reason,
    };

    if (!rc)
        rc = libxl__run_record_write(store_of(ro), ro->domid, &run);
    finish(egc, ro, rc);
}
