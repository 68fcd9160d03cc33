/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_ask.c - chain, in order of time:
 *   start -> greeted -> asked -> answered -> link_closed
 *   and when anything fails: no_answer -> link_closed
 */
#include "domain/migrate_ask.h"

#include "base/container.h"

#define CLOSE_MS 2000

static libxl__transport_callback greeted, no_answer, link_closed;
static void asked(libxl__egc *egc, libxl__bufwriter *bw,
                  const struct libxl__dc_result *res);

static struct libxl__migrate_ask *ask_of_bw(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct libxl__migrate_ask, bw);
}

static void end(libxl__egc *egc, struct libxl__migrate_ask *ma)
{
    if (ma->closing)
        return;
    ma->closing = true;
    libxl__bufwriter_kill(&ma->bw); /* it writes to the link's fd */
    libxl__transport_close(egc, &ma->link, CLOSE_MS, link_closed);
}

static void answered(libxl__egc *egc, libxl__transport *tr,
                     const struct libxl__answer *answer)
{
    struct libxl__migrate_ask *ma = tr->user;

    if (!ma->closing) /* the first one counts */
        ma->outcome = answer->outcome;
    end(egc, ma);
}

void libxl__migrate_ask_start(libxl__egc *egc, struct libxl__migrate_ask *ma)
{
    ma->outcome = LIBXL__OUTCOME_NONE;
    ma->closing = false;
    libxl__bufwriter_init(&ma->bw);
    libxl__transport_init(&ma->link);
    ma->link.ao = ma->bw.ao = ma->ao;
    ma->link.domid = ma->domid;
    ma->link.rune = ma->peer;
    ma->link.user = ma;
    ma->link.answered = answered;
    if (libxl__transport_start(&ma->link) ||
        libxl__transport_await(egc, &ma->link, LIBXL__HS_BANNER, NULL, true,
                               greeted))
        end(egc, ma);
}

static void greeted(libxl__egc *egc, libxl__transport *tr, int rc)
{
    struct libxl__migrate_ask *ma = tr->user;
    uint8_t query[LIBXL__HS_QUERY_BYTES];

    if (!rc) {
        libxl__hs_encode_query(&ma->query, query);
        ma->bw.fd = tr->out_fd;
        ma->bw.what = "the migration receiver";
        ma->bw.callback = asked;
        rc = libxl__bufwriter_start(&ma->bw, query, sizeof(query));
    }
    if (rc)
        end(egc, ma);
}

static void asked(libxl__egc *egc, libxl__bufwriter *bw,
                  const struct libxl__dc_result *res)
{
    struct libxl__migrate_ask *ma = ask_of_bw(bw);

    /* What comes is an answer; a word, or the end, is none. */
    if (ma->closing)
        return;
    if (libxl__dc_rc(res) ||
        libxl__transport_await(egc, &ma->link, LIBXL__HS_READY, NULL, true,
                               no_answer))
        end(egc, ma);
}

static void no_answer(libxl__egc *egc, libxl__transport *tr, int rc)
{
    end(egc, tr->user);
}

static void link_closed(libxl__egc *egc, libxl__transport *tr, int rc)
{
    struct libxl__migrate_ask *ma = tr->user;

    ma->callback(egc, ma, ma->outcome);
}
