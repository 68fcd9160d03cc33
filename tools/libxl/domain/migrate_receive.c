/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_receive.c - the receiving side of a migration, up to the complete
 * guest. Chain, in order of time:
 *
 *   start -> greeted -> header_read -> [question -> outcome_known -> complete]
 *         -> optional_read -> (checks, the new domain, the stream)
 *         [-> made -> kept] -> came -> libxl__migrate_takeover
 *   fail -> undone -> refuse -> complete
 *
 * docs/specs/migration.md is the contract.
 */
#include "domain/migrate_receive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/domain.h"
#include "domain/names.h"
#include "io/write_quiet.h"
#include "migrate/answer.h"
#include "migrate/received.h"
#include "migrate/sender_facts.h"

static libxl__bufwriter_callback greeted, outcome_told;
static libxl__bufreader_callback header_read, optional_read;
static void outcome_known(libxl__egc *egc, struct libxl__migrate_outcome *mo,
                          enum libxl__outcome outcome);
static void made(libxl__egc *egc, libxl__dom_restore *dr);
static void kept(libxl__egc *egc, libxl__keep *ke, int rc);
static void came(libxl__egc *egc, libxl__dom_restore *dr, int rc);
static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc);

static struct libxl__migrate_receive *receive_of_bw(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct libxl__migrate_receive, bw);
}

static struct libxl__migrate_receive *receive_of_br(libxl__bufreader *br)
{
    return CONTAINER_OF(br, struct libxl__migrate_receive, br);
}

/* ---- helpers ---- */

void libxl__migrate_receive_complete(libxl__egc *egc,
                                     struct libxl__migrate_receive *re, int rc)
{
    if (re->configured)
        libxl_domain_config_dispose(&re->config);
    free(re->optional);
    libxl__ao_complete(egc, re->ao, rc);
}

int libxl__migrate_receive_write(struct libxl__migrate_receive *re,
                                 const void *bytes, size_t n,
                                 libxl__bufwriter_callback *done)
{
    re->bw.callback = done;
    return libxl__bufwriter_start(&re->bw, bytes, n);
}

int libxl__migrate_receive_read(struct libxl__migrate_receive *re, void *buf,
                                size_t n, libxl__bufreader_callback *done)
{
    re->br.callback = done;
    return libxl__bufreader_start(&re->br, buf, n);
}

static int write_answer(struct libxl__migrate_receive *re,
                        const struct libxl__answer *answer,
                        libxl__bufwriter_callback *done)
{
    char *line = libxl__answer_encode(re->gc, answer);

    return line ? libxl__migrate_receive_write(re, line, strlen(line), done)
                : ERROR_NOMEM;
}

/* ---- before there is a domain ---- */

int libxl__migrate_receive_start(libxl__egc *egc, libxl__ao *ao,
                                 const void *params)
{
    const struct libxl__migrate_receive_params *p = params;
    const struct libxl__hs_text *banner = libxl__hs_text(LIBXL__HS_BANNER);
    struct libxl__migrate_receive *re =
        libxl__zalloc(libxl__ao_gc(ao), sizeof(*re));

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
    return libxl__migrate_receive_write(re, banner->bytes, banner->n, greeted);
}

static void greeted(libxl__egc *egc, libxl__bufwriter *bw,
                    const struct libxl__dc_result *res)
{
    struct libxl__migrate_receive *re = receive_of_bw(bw);
    int rc = libxl__dc_rc(res);

    if (!rc)
        rc = libxl__migrate_receive_read(re, re->raw, sizeof(re->raw),
                                         header_read);
    if (rc)
        libxl__migrate_receive_complete(egc, re, rc);
}

/* One line to a sender that listens. Small enough for any pipe: it waits for no
 * reader, and what it meets does not matter. */
static void answer_sender(struct libxl__migrate_receive *re,
                          const struct libxl__answer *answer)
{
    char *line = libxl__answer_encode(re->gc, answer);

    if (re->listens && line)
        (void)libxl__write_quiet(re->how.out_fd, line, strlen(line));
}

/* The sender hears why; then the link is closed on it. */
static void refuse(libxl__egc *egc, struct libxl__migrate_receive *re, int rc,
                   const char *reason)
{
    answer_sender(re, &(struct libxl__answer){.reason = reason});
    libxl__migrate_receive_complete(egc, re, rc);
}

static int check_header(struct libxl__migrate_receive *re, const char **reason)
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
    struct libxl__migrate_receive *re = receive_of_br(br);
    const char *reason = NULL;
    int rc = libxl__dc_rc(res);

    if (rc) {
        libxl__migrate_receive_complete(egc, re, rc);
        return;
    }
    if (libxl__hs_decode_query(re->raw, &re->outcome.query)) {
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
    rc = re->optional ? libxl__migrate_receive_read(re, re->optional,
                                                    re->header.optional_bytes,
                                                    optional_read)
                      : ERROR_NOMEM;
    if (rc)
        refuse(egc, re, rc, "no memory for the configuration");
}

/* ---- a sender's question ---- */

static void outcome_known(libxl__egc *egc, struct libxl__migrate_outcome *mo,
                          enum libxl__outcome outcome)
{
    struct libxl__migrate_receive *re = mo->user;
    struct libxl__answer answer = {.outcome = outcome};
    int rc = ERROR_FAIL;

    if (outcome != LIBXL__OUTCOME_NONE)
        rc = write_answer(re, &answer, outcome_told);
    if (rc)
        libxl__migrate_receive_complete(egc, re, rc);
}

static void outcome_told(libxl__egc *egc, libxl__bufwriter *bw,
                         const struct libxl__dc_result *res)
{
    libxl__migrate_receive_complete(egc, receive_of_bw(bw), libxl__dc_rc(res));
}

/* ---- the domain ---- */

/* *reason: which of the checks it was; the log says more. */
static int take_config(struct libxl__migrate_receive *re, const char **reason)
{
    const char *json;
    char *incoming;
    size_t n;
    int rc = libxl__savefile_config(re->optional, re->header.optional_bytes,
                                    true, &json, &n, reason);

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
    if (asprintf(&incoming, "%s%s", re->name ? re->name : "",
                 LIBXL__NAME_INCOMING) < 0)
        incoming = NULL;
    if (!re->name || !re->uuid || !incoming) {
        free(incoming);
        return ERROR_NOMEM;
    }
    free(re->config.c_info.name);
    re->config.c_info.name = incoming;
    return 0;
}

/* What the sender tells of itself, against this host. */
static int check_facts(struct libxl__migrate_receive *re, const char **reason)
{
    const char *facts;
    int rc;

    libxl__savefile_facts(re->optional, re->header.optional_bytes, &facts);
    if (!facts)
        return 0;
    re->migration = libxl__sender_facts_id(re->gc, facts);
    rc = libxl__sender_facts_check(re->gc, facts, &re->config, reason);
    if (rc)
        LOG(re->ctx, ERROR, "migration of %s: %s", re->name, *reason);
    return rc;
}

static int make_domain(struct libxl__migrate_receive *re, const char **reason)
{
    int rc = take_config(re, reason);

    if (!rc)
        rc = check_facts(re, reason);
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
    re->nd.journal.migration = (char *)re->migration;
    re->nd.journal.was_running = !re->how.paused;
    return 0;
}

/* What there is of a domain goes; nothing is said to an upstream sender. */
void libxl__migrate_receive_fail(libxl__egc *egc,
                                 struct libxl__migrate_receive *re, int rc)
{
    libxl__new_domain_undo(egc, &re->nd, rc, undone);
}

static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc)
{
    refuse(egc, nd->user, rc,
           "the guest could not be loaded: the receiver's own messages say "
           "why");
}

/* A keeper before the guest runs: none of its output is lost, and it has its
 * restart policy whatever becomes of us. It comes up while memory is filled. */
static void made(libxl__egc *egc, libxl__dom_restore *dr)
{
    struct libxl__migrate_receive *re = dr->user;

    re->keeping = true;
    re->keep = (libxl__keep){
        .ao = re->ao,
        .host = re->nd.host,
        .domid = re->nd.domid,
        .policy = re->how.restart ? KEEP_RESTART : KEEP_AS_IT_WAS,
        .user = re,
        .callback = kept,
    };
    libxl__keep_start(egc, &re->keep);
}

/* A whole guest is not given up for the want of a keeper (which was logged). */
static void kept(libxl__egc *egc, libxl__keep *ke, int rc)
{
    struct libxl__migrate_receive *re = ke->user;

    re->keeping = false;
    if (re->came)
        libxl__migrate_takeover(egc, re, re->came_rc);
}

static void came(libxl__egc *egc, libxl__dom_restore *dr, int rc)
{
    struct libxl__migrate_receive *re = dr->user;

    re->came = true;
    re->came_rc = rc;
    if (!re->keeping)
        libxl__migrate_takeover(egc, re, rc);
}

static int start_restore(libxl__egc *egc, struct libxl__migrate_receive *re)
{
    int rc = 0;

    if (re->migration)
        rc = libxl__received_begin(re->nd.store, re->uuid, re->migration);
    if (rc)
        return rc;
    re->guest.ao = re->ao;
    re->guest.host = re->nd.host;
    re->guest.domid = re->nd.domid;
    re->guest.config = &re->config;
    re->guest.fd = re->how.in_fd;
    re->guest.what = "Receiving";
    re->guest.user = re;
    re->guest.made = made;
    re->guest.callback = came;
    return libxl__dom_restore_start(egc, &re->guest);
}

static void optional_read(libxl__egc *egc, libxl__bufreader *br,
                          const struct libxl__dc_result *res)
{
    struct libxl__migrate_receive *re = receive_of_br(br);
    const char *reason = NULL;
    int rc = libxl__dc_rc(res);

    if (rc) {
        libxl__migrate_receive_complete(egc, re, rc);
        return;
    }
    rc = make_domain(re, &reason);
    if (rc) {
        refuse(egc, re, rc, reason);
        return;
    }
    answer_sender(re, &(struct libxl__answer){
                          .accepted = true,
                          .zero_pages = true,
                      });
    rc = start_restore(egc, re);
    if (rc)
        libxl__migrate_receive_fail(egc, re, rc);
}
