/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_send.c - the sending side of a migration. Chain, in order of time:
 *
 *   start -> ready -> greeted -> header_written -> stream_sent -> received
 *         -> (rename, journal GO) -> go_written -> reported
 *         -> destroyed -> link_closed                            well
 *   before GO:  fail [-> resumed] -> link_closed                 runs here
 *   after GO:   reported -> given_back -> resumed -> link_closed runs here
 *               lost -> link_closed                              unknown
 *
 * docs/specs/migration.md is the contract. GO counts as written when the
 * kernel has taken all of it: a receiver that cannot have all of GO never runs
 * the guest. From then on the guest runs here only when the receiver has given
 * it back; whoever finds the journal asks the receiver.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/dom_op.h"
#include "domain/dom_save.h"
#include "domain/domain.h"
#include "domain/names.h"
#include "domain/save_header.h"
#include "io/bufwriter.h"
#include "migrate/stop_rest.h"
#include "migrate/transport.h"

struct send {
    libxl__dom_op op;
    libxl_migrate_how how;
    libxl_migrate_stats *stats; /* the caller's; NULL: not wanted */
    struct libxl__journal journal;
    bool journaled, suspended, refused;
    libxl__transport link;
    libxl__bufwriter bw;
    libxl__dom_save stream;
    uint8_t status; /* the receiver's: 0, it runs there */
    uint64_t started_ms;
    int rc; /* of the whole, while the link is closed */
};

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc);
static libxl__transport_callback greeted, received, reported, given_back,
    link_closed;
static libxl__bufwriter_callback header_written, go_written;
static void answered(libxl__egc *egc, libxl__transport *tr,
                     const struct libxl__answer *answer);
static void stream_sent(libxl__egc *egc, libxl__dom_save *ds, int rc);
static void resumed(libxl__egc *egc, libxl__host_call *call, int rc);
static void destroyed(libxl__egc *egc, libxl__host_call *call, int rc);

static struct send *send_of_bw(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct send, bw);
}

/* ---- ways out ---- */

static void close_link(libxl__egc *egc, struct send *se, int rc)
{
    se->rc = rc;
    /* A receiver that has the guest may still be busy with its keeper. */
    libxl__transport_close(egc, &se->link, rc ? 2000 : 10000, link_closed);
}

static void link_closed(libxl__egc *egc, libxl__transport *tr, int rc)
{
    struct send *se = tr->user;

    libxl__dom_op_complete(egc, &se->op, se->rc);
}

/* The guest is as it was before; its name too. */
static int forget_journal(struct send *se)
{
    libxl__dom_op *op = &se->op;
    int rc = 0;

    if (!se->journaled)
        return 0;
    if (se->journal.name)
        rc = libxl__domain_set_name(op->host, op->gc, op->domid,
                                    se->journal.name);
    if (!rc)
        rc = libxl__dom_save_end_journal(&se->stream, op, &se->journal);
    return rc;
}

static void guest_is_stuck(libxl__egc *egc, struct send *se)
{
    LOGD(se->op.ctx, se->op.domid, ERROR,
         "the guest could not be resumed: `xl recover %u` tries again",
         se->op.domid);
    close_link(egc, se, ERROR_BADFAIL);
}

static void goes_on(libxl__egc *egc, struct send *se, int rc)
{
    if (rc) {
        guest_is_stuck(egc, se);
        return;
    }
    if (se->rc != ERROR_ABORTED)
        LOGD(se->op.ctx, se->op.domid, NOTICE,
             "migration failed: the guest stays here");
    close_link(egc, se, se->rc);
}

/* The guest is to run here, as before. */
static void fail(libxl__egc *egc, struct send *se, int rc)
{
    libxl__host *h = se->op.host;
    int resume_rc;

    if (se->stream.guest_lost) {
        guest_is_stuck(egc, se);
        return;
    }
    se->rc = rc;
    if (!se->suspended) {
        goes_on(egc, se, forget_journal(se));
        return;
    }
    resume_rc =
        h->ops->resume(egc, h, libxl__dom_op_call(&se->op, resumed, se));
    if (resume_rc)
        resumed(egc, &se->op.call, resume_rc);
}

static void resumed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct send *se = call->user;

    goes_on(egc, se, rc ? rc : forget_journal(se));
}

/* GO is out and no answer came: only the receiver knows. */
static void lost(libxl__egc *egc, struct send *se)
{
    LOGD(se->op.ctx, se->op.domid, ERROR,
         "the link broke after the guest was given away: it may run at the "
         "receiver. It stays suspended here as %s%s; `xl recover %u` asks "
         "the receiver and ends this",
         se->journal.name, LIBXL__NAME_AWAY, se->op.domid);
    close_link(egc, se, ERROR_BADFAIL);
}

/* ---- before anything is sent ---- */

int libxl__migrate_send_start(libxl__egc *egc, libxl__ao *ao,
                              const void *params)
{
    const struct libxl__migrate_send_params *p = params;
    struct send *se = libxl__zalloc(libxl__ao_gc(ao), sizeof(*se));

    if (!se)
        return ERROR_NOMEM;
    se->how = p->how;
    se->stats = p->stats;
    se->started_ms = libxl__now_ms(libxl__ao_ctx(ao));
    libxl__transport_init(&se->link);
    libxl__bufwriter_init(&se->bw);
    se->op.ao = ao;
    se->op.domid = libxl__ao_domid(ao);
    se->op.verb = "migrate";
    se->op.user = se;
    se->op.ready = ready;
    se->link.ao = ao;
    se->link.domid = se->op.domid;
    se->link.rune = p->how.rune;
    se->link.user = se;
    se->link.answered = answered;
    libxl__dom_op_begin(egc, &se->op);
    return 0;
}

static int check_state(struct send *se)
{
    libxl__dom_op *op = &se->op;
    libxl_dominfo info = {0};
    int rc = op->host->ops->dominfo(op->host, op->gc, op->domid, &info);

    if (!rc && (info.shutdown || info.dying)) {
        LOGD(op->ctx, op->domid, ERROR,
             "cannot migrate it: the guest has shut down");
        rc = ERROR_INVAL;
    }
    se->journal.was_running = !info.paused;
    libxl_dominfo_dispose(&info);
    return rc;
}

/* Which migration of this guest it is, should someone have to ask. */
static int draw_id(struct send *se)
{
    uint8_t id[LIBXL__HS_ID_BYTES];

    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id)) {
        LOGED(se->op.ctx, se->op.domid, ERROR, errno, "no random numbers");
        return ERROR_FAIL;
    }
    se->journal.migration = libxl__zalloc(se->op.gc, LIBXL__HS_ID_CHARS + 1);
    if (!se->journal.migration)
        return ERROR_NOMEM;
    libxl__hs_id_format(id, se->journal.migration);
    return 0;
}

static int check_saveable(struct send *se)
{
    libxl__dom_op *op = &se->op;
    libxl_domain_config config;
    int rc = libxl__dom_config_load(op->store, op->gc, op->domid, &config);

    if (!rc)
        rc = op->host->ops->check_saveable(op->host, op->domid, &config);
    if (!rc) {
        se->journal.name = libxl__strdup(op->gc, config.c_info.name);
        se->journal.peer_uuid = libxl__uuid_text(op->gc, &config.c_info.uuid);
        se->journal.peer = libxl__strdup(op->gc, se->how.rune);
        if (!se->journal.name || !se->journal.peer_uuid || !se->journal.peer)
            rc = ERROR_NOMEM;
    }
    if (!rc) {
        rc = draw_id(se);
    }
    libxl_domain_config_dispose(&config);
    return rc;
}

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc)
{
    struct send *se = op->user;

    if (rc) {
        libxl__ao_complete(egc, op->ao, rc);
        return;
    }
    rc = libxl__journal_init(&se->journal, JOURNAL_SEND, JSTEP_WRITING);
    if (!rc)
        rc = check_state(se);
    if (!rc)
        rc = check_saveable(se);
    if (!rc)
        rc = libxl__transport_start(&se->link);
    if (!rc)
        rc = libxl__transport_await(egc, &se->link, LIBXL__HS_BANNER, NULL,
                                    true, greeted);
    if (rc)
        fail(egc, se, rc);
}

/* ---- the stream ---- */

static int write_journal(struct send *se, enum libxl__journal_step step)
{
    int rc;

    se->journal.step = step;
    rc = libxl__journal_write(se->op.store, se->op.gc, se->op.domid,
                              &se->journal);
    if (!rc)
        se->journaled = true;
    return rc;
}

static int write_header(struct send *se)
{
    struct libxl__save_header_how how = {
        .config = se->how.config,
        .preserve_domid = se->how.preserve_domid,
        .migration = se->journal.migration,
        .assume_same_disks = se->how.assume_same_disks,
    };
    void *bytes;
    size_t nr;
    int rc = libxl__save_header(&se->op, &how, &bytes, &nr);

    if (rc)
        return rc;
    se->bw.ao = se->op.ao;
    se->bw.fd = se->link.out_fd;
    se->bw.what = "the migration receiver";
    se->bw.callback = header_written;
    return libxl__bufwriter_start_owned(&se->bw, bytes, nr);
}

static void greeted(libxl__egc *egc, libxl__transport *tr, int rc)
{
    struct send *se = tr->user;

    if (!rc)
        rc = write_journal(se, JSTEP_WRITING);
    if (!rc)
        rc = write_header(se);
    if (rc)
        fail(egc, se, rc);
}

static void header_written(libxl__egc *egc, libxl__bufwriter *bw,
                           const struct libxl__dc_result *res)
{
    struct send *se = send_of_bw(bw);
    int rc = libxl__dc_rc(res);

    if (!rc) {
        se->stream.ao = se->op.ao;
        se->stream.host = se->op.host;
        se->stream.domid = se->op.domid;
        se->stream.was_late = se->op.recover.awaited;
        se->stream.fd = se->link.out_fd;
        se->stream.flags = (unsigned)se->how.flags;
        se->stream.precopy = se->how.precopy;
        se->stream.what = "Migrating";
        se->stream.rest_ms = libxl__stop_rest_look(se->op.store, se->how.rune);
        se->stream.reader_answers = se->stream.guest_goes = true;
        se->stream.user = se;
        se->stream.callback = stream_sent;
        rc = libxl__dom_save_start(egc, &se->stream);
    }
    if (rc)
        fail(egc, se, rc);
}

/* A receiver of ours says early what is wrong; then it closes the link, which
 * ends the stream. */
static void answered(libxl__egc *egc, libxl__transport *tr,
                     const struct libxl__answer *answer)
{
    struct send *se = tr->user;

    if (answer->outcome != LIBXL__OUTCOME_NONE)
        return;
    if (answer->accepted && answer->zero_pages)
        libxl__dom_save_takes_xalloc(&se->stream);
    if (answer->accepted)
        return;
    se->refused = true;
    LOGD(se->op.ctx, se->op.domid, ERROR, "the migration receiver refuses: %s",
         answer->reason ? answer->reason : "it does not say why");
}

static void stream_sent(libxl__egc *egc, libxl__dom_save *ds, int rc)
{
    struct send *se = ds->user;

    se->suspended = !rc; /* on failure it is as it was */
    if (!rc)
        rc = libxl__transport_await(egc, &se->link, LIBXL__HS_READY, NULL, true,
                                    received);
    if (rc)
        fail(egc, se, rc);
}

/* ---- the point of no return ---- */

static int rename_away(struct send *se)
{
    libxl__dom_op *op = &se->op;
    char *away =
        libxl__sprintf(op->gc, "%s%s", se->journal.name, LIBXL__NAME_AWAY);

    if (!away)
        return ERROR_NOMEM;
    return libxl__domain_set_name(op->host, op->gc, op->domid, away);
}

static void received(libxl__egc *egc, libxl__transport *tr, int rc)
{
    struct send *se = tr->user;
    const struct libxl__hs_text *go = libxl__hs_text(LIBXL__HS_GO);

    if (!rc)
        rc = libxl__ao_aborting(se->op.ao);
    if (!rc)
        rc = rename_away(se);
    if (!rc)
        rc = write_journal(se, JSTEP_GO);
    if (!rc) {
        se->bw.callback = go_written;
        rc = libxl__bufwriter_start(&se->bw, go->bytes, go->n);
        if (rc) /* not a byte of it is out */
            write_journal(se, JSTEP_GIVEN_BACK);
    }
    if (rc)
        fail(egc, se, rc);
}

static void go_written(libxl__egc *egc, libxl__bufwriter *bw,
                       const struct libxl__dc_result *res)
{
    struct send *se = send_of_bw(bw);
    int rc = libxl__dc_rc(res);

    if (rc && res->bytes < libxl__hs_text(LIBXL__HS_GO)->n) {
        /* Nobody can have all of it: it is as if it had been given back. */
        write_journal(se, JSTEP_GIVEN_BACK);
        fail(egc, se, rc);
        return;
    }
    if (libxl__transport_await(egc, &se->link, LIBXL__HS_REPORT, &se->status,
                               false, reported))
        lost(egc, se);
}

/* ---- what became of it there ---- */

static void give_stats(struct send *se)
{
    libxl_ctx *ctx = se->op.ctx;
    const struct libxl__helper_results *r = &se->stream.results;

    if (!se->stats)
        return;
    *se->stats = (libxl_migrate_stats){
        .bytes = r->bytes,
        .data_pages = r->data_pages,
        .zero_pages = r->zero_pages,
        .passes = r->passes,
        .total_ms = libxl__now_ms(ctx) - se->started_ms,
        .downtime_ms = libxl__now_ms(ctx) - se->stream.suspended_at_ms,
    };
}

/* For the estimate of the next migration over this link. */
static void note_rest(struct send *se)
{
    const libxl__dom_save *ds = &se->stream;
    uint64_t all = libxl__now_ms(se->op.ctx) - ds->suspended_at_ms;
    uint64_t memory = ds->memory_sent_at_ms - ds->stood_at_ms;

    if (memory < all && all < UINT32_MAX)
        libxl__stop_rest_note(se->op.store, se->op.gc, se->how.rune,
                              (uint32_t)(all - memory));
}

static void reported(libxl__egc *egc, libxl__transport *tr, int rc)
{
    struct send *se = tr->user;
    libxl__host *h = se->op.host;
    libxl__host_call *call;

    if (rc) {
        lost(egc, se);
        return;
    }
    if (se->status) {
        LOGD(se->op.ctx, se->op.domid, ERROR,
             "the migration receiver could not run the guest (code %d)",
             -(int)se->status);
        if (libxl__transport_await(egc, tr, LIBXL__HS_GIVEN_BACK, NULL, false,
                                   given_back))
            lost(egc, se);
        return;
    }
    give_stats(se);
    note_rest(se);
    /* It runs there: that the journal cannot say so changes nothing, recovery
     * asks and hears the same. */
    write_journal(se, JSTEP_DONE);
    call = libxl__dom_op_call(&se->op, destroyed, se);
    call->memory_later = true;
    rc = h->ops->destroy(egc, h, call);
    if (rc)
        destroyed(egc, &se->op.call, rc);
}

static void given_back(libxl__egc *egc, libxl__transport *tr, int rc)
{
    struct send *se = tr->user;

    if (!rc)
        rc = write_journal(se, JSTEP_GIVEN_BACK);
    if (rc)
        lost(egc, se);
    else
        fail(egc, se, ERROR_FAIL);
}

static void destroyed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct send *se = call->user;

    if (!rc)
        rc = se->op.store->ops->remove(se->op.store, se->op.domid);
    if (rc)
        LOGD(se->op.ctx, se->op.domid, ERROR,
             "the guest runs at the receiver, but its suspended copy here "
             "could not be removed: `xl recover %u` tries again",
             se->op.domid);
    close_link(egc, se, rc ? ERROR_BADFAIL : 0);
}
