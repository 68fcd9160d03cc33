/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_takeover.c - the receiving side of a migration, from the complete
 * guest on. Chain, in order of time:
 *
 *   (journal READY) -> ready_written -> go_read -> (journal GO)
 *         -> unpaused -> (report) -> complete                       runs here
 *   wrong GO, or it cannot run:
 *         give_back -> given_undone -> (report) -> complete
 *   nobody can tell whether it runs:  leave_it -> complete
 *
 * The guest never runs here before the journal says GO, and is given back only
 * when nothing of it is left.
 */
#include "domain/migrate_receive.h"

#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/names.h"
#include "io/write_quiet.h"
#include "migrate/received.h"

static libxl__bufwriter_callback ready_written;
static libxl__bufreader_callback go_read;
static void unpaused(libxl__egc *egc, libxl__host_call *call, int rc);
static void runs_here(libxl__egc *egc, struct libxl__migrate_receive *re);
static void given_undone(libxl__egc *egc, libxl__new_domain *nd, int rc);

static struct libxl__migrate_receive *receive_of_bw(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct libxl__migrate_receive, bw);
}

static struct libxl__migrate_receive *receive_of_br(libxl__bufreader *br)
{
    return CONTAINER_OF(br, struct libxl__migrate_receive, br);
}

static int write_journal(struct libxl__migrate_receive *re,
                         enum libxl__journal_step step)
{
    re->nd.journal.step = step;
    return libxl__journal_write(re->nd.store, re->gc, re->nd.domid,
                                &re->nd.journal);
}

void libxl__migrate_takeover(libxl__egc *egc,
                             struct libxl__migrate_receive *re, int rc)
{
    const struct libxl__hs_text *word = libxl__hs_text(LIBXL__HS_READY);

    if (!rc)
        rc = write_journal(re, JSTEP_READY);
    if (!rc)
        rc = libxl__migrate_receive_write(re, word->bytes, word->n,
                                          ready_written);
    if (rc)
        libxl__migrate_receive_fail(egc, re, rc);
}

static void ready_written(libxl__egc *egc, libxl__bufwriter *bw,
                          const struct libxl__dc_result *res)
{
    struct libxl__migrate_receive *re = receive_of_bw(bw);
    int rc = libxl__dc_rc(res);

    if (!rc)
        rc = libxl__migrate_receive_read(
            re, re->go, libxl__hs_text(LIBXL__HS_GO)->n, go_read);
    if (rc)
        libxl__migrate_receive_fail(egc, re, rc);
}

/* The report and what follows it, also when the operation was aborted: less
 * than any pipe holds, and nobody waits for it but the sender. */
static bool say_last(struct libxl__migrate_receive *re, size_t n)
{
    return libxl__write_quiet(re->how.out_fd, re->report, n) == (ssize_t)n;
}

/* It does not run here and never will: when nothing of it is left, the sender
 * is told. */
static void give_back(libxl__egc *egc, struct libxl__migrate_receive *re,
                      int rc)
{
    write_journal(re, JSTEP_GIVEN_UP);
    if (re->migration)
        libxl__received_clear(re->nd.store, re->uuid, re->migration);
    libxl__new_domain_undo(egc, &re->nd, rc, given_undone);
}

static void given_undone(libxl__egc *egc, libxl__new_domain *nd, int rc)
{
    struct libxl__migrate_receive *re = nd->user;
    const struct libxl__hs_text *report = libxl__hs_text(LIBXL__HS_REPORT);
    const struct libxl__hs_text *back = libxl__hs_text(LIBXL__HS_GIVEN_BACK);
    char *at = re->report;

    re->rc = rc;
    if (nd->undo_failed) { /* it is still here: the sender must not have it */
        libxl__migrate_receive_complete(egc, re, rc);
        return;
    }
    memcpy(at, report->bytes, report->n);
    at[report->n] = (char)-rc;
    memcpy(at + report->n + 1, back->bytes, back->n);
    say_last(re, report->n + 1 + back->n);
    libxl__migrate_receive_complete(egc, re, rc);
}

/* The journal first: a mark without it would say "it ran" of a copy that
 * recovery removes. */
static int take_over(struct libxl__migrate_receive *re)
{
    int rc = write_journal(re, JSTEP_GO);

    if (!rc && re->migration) /* another sender never asks */
        rc = libxl__received_set(re->nd.store, re->uuid, re->migration);
    if (!rc)
        rc =
            libxl__domain_set_name(re->nd.host, re->gc, re->nd.domid, re->name);
    return rc;
}

static void go_read(libxl__egc *egc, libxl__bufreader *br,
                    const struct libxl__dc_result *res)
{
    struct libxl__migrate_receive *re = receive_of_br(br);
    const struct libxl__hs_text *go = libxl__hs_text(LIBXL__HS_GO);
    libxl__host *h = re->nd.host;
    int rc = libxl__dc_rc(res);

    if (!rc && memcmp(re->go, go->bytes, go->n)) {
        LOGD(re->ctx, re->nd.domid, ERROR,
             "migration sender sent unexpected data instead of its %s",
             go->name);
        rc = ERROR_FAIL;
    }
    if (!rc)
        rc = take_over(re);
    if (rc) {
        give_back(egc, re, rc);
        return;
    }
    if (re->how.paused) {
        runs_here(egc, re);
        return;
    }
    re->call = (libxl__host_call){
        .ao = re->ao,
        .domid = re->nd.domid,
        .user = re,
        .callback = unpaused,
    };
    rc = h->ops->unpause(egc, h, &re->call);
    if (rc)
        unpaused(egc, &re->call, rc);
}

/* It may have run, so it is not the sender's any more: the journal says GO, and
 * whoever finds it lets the guest run. */
static void leave_it(libxl__egc *egc, struct libxl__migrate_receive *re)
{
    LOGD(re->ctx, re->nd.domid, ERROR,
         "nobody can tell whether the guest runs: `xl recover %u` tries again",
         re->nd.domid);
    libxl__domain_lock_release(re->nd.lock);
    re->nd.lock = NULL;
    libxl__migrate_receive_complete(egc, re, ERROR_BADFAIL);
}

static void unpaused(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct libxl__migrate_receive *re = call->user;

    if (!rc)
        runs_here(egc, re);
    else if (rc == ERROR_BADFAIL)
        leave_it(egc, re);
    else
        give_back(egc, re, rc);
}

/* From here nothing takes it away again: what fails is said, and no more. */
static void runs_here(libxl__egc *egc, struct libxl__migrate_receive *re)
{
    const struct libxl__hs_text *report = libxl__hs_text(LIBXL__HS_REPORT);

    *re->domid_out = re->nd.domid;
    libxl__new_domain_done(&re->nd);
    memcpy(re->report, report->bytes, report->n);
    re->report[report->n] = 0;
    if (!say_last(re, report->n + 1))
        LOGD(re->ctx, *re->domid_out, WARN,
             "the guest runs here, but the sender could not be told: "
             "`xl recover` there will find out");
    libxl__migrate_receive_complete(egc, re, 0);
}
