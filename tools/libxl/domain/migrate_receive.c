/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_receive.c - the receiving side of a migration. Chain, in order of
 * time:
 *
 *   start -> greeted -> header_read -> [question -> outcome_known -> complete]
 *         -> optional_read -> (checks, the new domain) -> restored
 *         -> (journal READY) -> ready_written -> go_read -> (journal GO)
 *         -> unpaused -> (report) -> complete                       runs here
 *   before GO:  fail -> undone -> complete
 *   wrong GO, or it cannot run:
 *               give_back -> given_undone -> (report) -> complete
 *
 * docs/specs/migration.md is the contract: the guest never runs here before
 * the journal says GO, and is given back only when nothing of it is left.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/dom_restore.h"
#include "domain/domain.h"
#include "domain/migrate_outcome.h"
#include "domain/names.h"
#include "domain/new_domain.h"
#include "io/bufreader.h"
#include "io/bufwriter.h"
#include "io/write_quiet.h"
#include "migrate/answer.h"
#include "migrate/handshake.h"
#include "migrate/received.h"
#include "migrate/savefile.h"

#define INCOMING_SUFFIX "--incoming"

struct receive {
    libxl__ao *ao;
    libxl_ctx *ctx;
    libxl__gc *gc;
    libxl_migrate_receive_how how;
    uint32_t *domid_out;
    uint8_t raw[LIBXL__SAVEFILE_HEADER_BYTES];
    struct libxl__savefile_header header;
    char *optional;  /* malloc'ed */
    bool listens;    /* the sender hears answers */
    bool configured; /* config is to be disposed */
    libxl_domain_config config;
    const char *name, *uuid;
    libxl__new_domain nd;
    libxl__dom_restore guest;
    struct libxl__migrate_outcome outcome;
    libxl__bufreader br;
    libxl__bufwriter bw;
    char go[LIBXL__HS_WORD_MAX];
    char report[2 * LIBXL__HS_WORD_MAX];
    libxl__host_call call;
    int rc;
};

static libxl__bufwriter_callback greeted, outcome_told, ready_written,
    refusal_written;
static libxl__bufreader_callback header_read, optional_read, go_read;
static void outcome_known(libxl__egc *egc, struct libxl__migrate_outcome *mo,
                          enum libxl__outcome outcome);
static void restored(libxl__egc *egc, libxl__dom_restore *dr, int rc);
static void unpaused(libxl__egc *egc, libxl__host_call *call, int rc);
static void runs_here(libxl__egc *egc, struct receive *re);
static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc);
static void given_undone(libxl__egc *egc, libxl__new_domain *nd, int rc);

static struct receive *receive_of_bw(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct receive, bw);
}

static struct receive *receive_of_br(libxl__bufreader *br)
{
    return CONTAINER_OF(br, struct receive, br);
}

/* ---- helpers ---- */

static void complete(libxl__egc *egc, struct receive *re, int rc)
{
    if (re->configured)
        libxl_domain_config_dispose(&re->config);
    free(re->optional);
    libxl__ao_complete(egc, re->ao, rc);
}

static int write_bytes(struct receive *re, const void *bytes, size_t n,
                       libxl__bufwriter_callback *done)
{
    re->bw.callback = done;
    return libxl__bufwriter_start(&re->bw, bytes, n);
}

static int read_bytes(struct receive *re, void *buf, size_t n,
                      libxl__bufreader_callback *done)
{
    re->br.callback = done;
    return libxl__bufreader_start(&re->br, buf, n);
}

static int write_answer(struct receive *re, const struct libxl__answer *answer,
                        libxl__bufwriter_callback *done)
{
    char *line = libxl__answer_encode(re->gc, answer);

    return line ? write_bytes(re, line, strlen(line), done) : ERROR_NOMEM;
}

/* ---- before there is a domain ---- */

int libxl__migrate_receive_start(libxl__egc *egc, libxl__ao *ao,
                                 const void *params)
{
    const struct libxl__migrate_receive_params *p = params;
    const struct libxl__hs_text *banner = libxl__hs_text(LIBXL__HS_BANNER);
    struct receive *re = libxl__zalloc(libxl__ao_gc(ao), sizeof(*re));

    *p->domid_out = INVALID_DOMID;
    if (!re)
        return ERROR_NOMEM;
    re->ao = ao;
    re->ctx = libxl__ao_ctx(ao);
    re->gc = libxl__ao_gc(ao);
    re->how = p->how;
    re->domid_out = p->domid_out;
    libxl__bufreader_init(&re->br);
    libxl__bufwriter_init(&re->bw);
    re->br.ao = re->bw.ao = ao;
    re->br.fd = p->how.in_fd;
    re->bw.fd = p->how.out_fd;
    re->br.what = re->bw.what = "the migration sender";
    if (!libxl__host_get(re->ctx))
        return ERROR_FAIL;
    return write_bytes(re, banner->bytes, banner->n, greeted);
}

static void greeted(libxl__egc *egc, libxl__bufwriter *bw,
                    const struct libxl__dc_result *res)
{
    struct receive *re = receive_of_bw(bw);
    int rc = libxl__dc_rc(res);

    if (!rc)
        rc = read_bytes(re, re->raw, sizeof(re->raw), header_read);
    if (rc)
        complete(egc, re, rc);
}

/* The sender hears why, if it listens; then the link is closed on it. */
static void refuse(libxl__egc *egc, struct receive *re, int rc,
                   const char *reason)
{
    struct libxl__answer answer = {.accepted = false, .reason = reason};

    re->rc = rc;
    if (!re->listens || libxl__ao_aborting(re->ao) ||
        write_answer(re, &answer, refusal_written))
        complete(egc, re, rc);
}

static void refusal_written(libxl__egc *egc, libxl__bufwriter *bw,
                            const struct libxl__dc_result *res)
{
    struct receive *re = receive_of_bw(bw);

    complete(egc, re, re->rc);
}

static int check_header(struct receive *re, const char **reason)
{
    libxl__host *h = libxl__host_get(re->ctx);
    bool qemu;
    int rc = libxl__savefile_decode(re->raw, &re->header, reason);

    if (rc)
        return rc;
    re->listens = re->header.optional & LIBXL__SAVEFILE_BACK_CHANNEL;
    qemu = re->header.mandatory & LIBXL__SAVEFILE_QEMU_HOST;
    if (qemu != h->ops->qemu_image)
        *reason = qemu ? "the guest is a QEMU host's, and this is a Xen host"
                       : "the guest is a Xen host's, and this is a QEMU host";
    else if (!(re->header.mandatory & LIBXL__SAVEFILE_STREAM_V2))
        *reason = "the sender is too old: its stream is not version 2";
    else if (!(re->header.mandatory & LIBXL__SAVEFILE_JSON) ||
             !re->header.optional_bytes)
        *reason = "the sender sent no configuration in JSON";
    return *reason ? ERROR_INVAL : 0;
}

static void header_read(libxl__egc *egc, libxl__bufreader *br,
                        const struct libxl__dc_result *res)
{
    struct receive *re = receive_of_br(br);
    const char *reason = NULL;
    int rc = libxl__dc_rc(res);

    if (rc) {
        complete(egc, re, rc);
        return;
    }
    if (libxl__hs_decode_query(re->raw, re->outcome.uuid.uuid)) {
        re->outcome.ao = re->ao;
        re->outcome.callback = outcome_known;
        re->outcome.user = re;
        libxl__migrate_outcome_start(egc, &re->outcome);
        return;
    }
    rc = check_header(re, &reason);
    if (rc) {
        LOG(re->ctx, ERROR, "migration: xl header: %s", reason);
        refuse(egc, re, rc, reason);
        return;
    }
    re->optional = malloc(re->header.optional_bytes); /* at most 16 MiB */
    rc = re->optional ? read_bytes(re, re->optional, re->header.optional_bytes,
                                   optional_read)
                      : ERROR_NOMEM;
    if (rc)
        refuse(egc, re, rc, "no memory for the configuration");
}

/* ---- a sender's question ---- */

static void outcome_known(libxl__egc *egc, struct libxl__migrate_outcome *mo,
                          enum libxl__outcome outcome)
{
    struct receive *re = mo->user;
    struct libxl__answer answer = {.outcome = outcome};
    int rc = ERROR_FAIL;

    if (outcome != LIBXL__OUTCOME_NONE)
        rc = write_answer(re, &answer, outcome_told);
    if (rc)
        complete(egc, re, rc);
}

static void outcome_told(libxl__egc *egc, libxl__bufwriter *bw,
                         const struct libxl__dc_result *res)
{
    complete(egc, receive_of_bw(bw), libxl__dc_rc(res));
}

/* ---- the domain ---- */

/* *reason: which of the checks it was; the log says more. */
static int take_config(struct receive *re, const char **reason)
{
    const char *json;
    char *incoming;
    size_t n;
    int rc = libxl__savefile_config(re->optional, re->header.optional_bytes,
                                    &json, &n, reason);

    if (rc) {
        LOG(re->ctx, ERROR, "migration: xl header: %s", *reason);
        return rc;
    }
    *reason = "the configuration cannot be read";
    rc = libxl_domain_config_from_json(re->ctx, &re->config, json);
    re->configured = true;
    if (rc)
        return rc;
    re->name = libxl__strdup(
        re->gc, re->config.c_info.name ? re->config.c_info.name : "");
    re->uuid = libxl__uuid_text(re->gc, &re->config.c_info.uuid);
    incoming = NULL;
    if (asprintf(&incoming, "%s%s", re->name ? re->name : "", INCOMING_SUFFIX) <
        0)
        incoming = NULL;
    if (!re->name || !re->uuid || !incoming) {
        free(incoming);
        return ERROR_NOMEM;
    }
    free(re->config.c_info.name);
    re->config.c_info.name = incoming;
    return 0;
}

static int make_domain(struct receive *re, const char **reason)
{
    int rc = take_config(re, reason);

    if (rc)
        return rc;
    re->nd.ao = re->ao;
    re->nd.config = &re->config;
    re->nd.verb = JOURNAL_RECEIVE;
    re->nd.final_name = re->name;
    re->nd.user = re;
    *reason = "this host cannot take the guest (memory, machine, devices, "
              "name or uuid): the receiver's own messages say why";
    rc = libxl__new_domain_begin(&re->nd);
    if (rc)
        return rc;
    re->nd.journal.name = (char *)re->name;
    re->nd.journal.peer_uuid = (char *)re->uuid;
    re->nd.journal.was_running = !re->how.paused;
    return 0;
}

/* What there is of a domain goes; nothing is said to an upstream sender. */
static void fail(libxl__egc *egc, struct receive *re, int rc)
{
    libxl__new_domain_undo(egc, &re->nd, rc, undone);
}

static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc)
{
    refuse(egc, nd->user, rc,
           "the guest could not be loaded: the receiver's own messages say "
           "why");
}

static int start_restore(libxl__egc *egc, struct receive *re)
{
    re->guest.ao = re->ao;
    re->guest.host = re->nd.host;
    re->guest.domid = re->nd.domid;
    re->guest.config = &re->config;
    re->guest.fd = re->how.in_fd;
    re->guest.what = "Receiving";
    re->guest.user = re;
    re->guest.callback = restored;
    return libxl__dom_restore_start(egc, &re->guest);
}

/* The one line that a sender which listens gets at once. Small enough for any
 * pipe: it does not wait for a reader, and what it meets does not matter. */
static void accept_sender(struct receive *re)
{
    struct libxl__answer answer = {.accepted = true};
    char *line = libxl__answer_encode(re->gc, &answer);

    if (re->listens && line)
        (void)libxl__write_quiet(re->how.out_fd, line, strlen(line));
}

static void optional_read(libxl__egc *egc, libxl__bufreader *br,
                          const struct libxl__dc_result *res)
{
    struct receive *re = receive_of_br(br);
    const char *reason = NULL;
    int rc = libxl__dc_rc(res);

    if (rc) {
        complete(egc, re, rc);
        return;
    }
    rc = make_domain(re, &reason);
    if (rc) {
        refuse(egc, re, rc, reason);
        return;
    }
    accept_sender(re);
    rc = start_restore(egc, re);
    if (rc)
        fail(egc, re, rc);
}

/* ---- ready, go ---- */

static int write_journal(struct receive *re, enum libxl__journal_step step)
{
    re->nd.journal.step = step;
    return libxl__journal_write(re->nd.store, re->gc, re->nd.domid,
                                &re->nd.journal);
}

static void restored(libxl__egc *egc, libxl__dom_restore *dr, int rc)
{
    struct receive *re = dr->user;
    const struct libxl__hs_text *word = libxl__hs_text(LIBXL__HS_READY);

    /* An earlier migration of this guest to here is history. */
    if (!rc)
        rc = libxl__received_clear(re->nd.store, re->uuid);
    if (!rc)
        rc = write_journal(re, JSTEP_READY);
    if (!rc)
        rc = write_bytes(re, word->bytes, word->n, ready_written);
    if (rc)
        fail(egc, re, rc);
}

static void ready_written(libxl__egc *egc, libxl__bufwriter *bw,
                          const struct libxl__dc_result *res)
{
    struct receive *re = receive_of_bw(bw);
    int rc = libxl__dc_rc(res);

    if (!rc)
        rc = read_bytes(re, re->go, libxl__hs_text(LIBXL__HS_GO)->n, go_read);
    if (rc)
        fail(egc, re, rc);
}

/* The report and what follows it, also when the operation was aborted: less
 * than any pipe holds, and nobody waits for it but the sender. */
static bool say_last(struct receive *re, size_t n)
{
    return libxl__write_quiet(re->how.out_fd, re->report, n) == (ssize_t)n;
}

/* It does not run here and never will: when nothing of it is left, the sender
 * is told. */
static void give_back(libxl__egc *egc, struct receive *re, int rc)
{
    write_journal(re, JSTEP_GIVEN_UP);
    libxl__received_clear(re->nd.store, re->uuid);
    libxl__new_domain_undo(egc, &re->nd, rc, given_undone);
}

static void given_undone(libxl__egc *egc, libxl__new_domain *nd, int rc)
{
    struct receive *re = nd->user;
    const struct libxl__hs_text *report = libxl__hs_text(LIBXL__HS_REPORT);
    const struct libxl__hs_text *back = libxl__hs_text(LIBXL__HS_GIVEN_BACK);
    char *at = re->report;

    re->rc = rc;
    if (nd->undo_failed) { /* it is still here: the sender must not have it */
        complete(egc, re, rc);
        return;
    }
    memcpy(at, report->bytes, report->n);
    at[report->n] = (char)-rc;
    memcpy(at + report->n + 1, back->bytes, back->n);
    say_last(re, report->n + 1 + back->n);
    complete(egc, re, rc);
}

static int take_over(struct receive *re)
{
    int rc = libxl__received_set(re->nd.store, re->uuid);

    if (!rc)
        rc = write_journal(re, JSTEP_GO);
    if (!rc)
        rc =
            libxl__domain_set_name(re->nd.host, re->gc, re->nd.domid, re->name);
    return rc;
}

static void go_read(libxl__egc *egc, libxl__bufreader *br,
                    const struct libxl__dc_result *res)
{
    struct receive *re = receive_of_br(br);
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
        give_back(egc, re, rc);
}

static void unpaused(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct receive *re = call->user;

    if (rc)
        give_back(egc, re, rc);
    else
        runs_here(egc, re);
}

/* From here nothing takes it away again: what fails is said, and no more. */
static void runs_here(libxl__egc *egc, struct receive *re)
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
    complete(egc, re, 0);
}
