/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * restore.c - chain, in order of time:
 *   start -> restored -> complete
 *   and when anything fails: fail -> undone
 *
 * The guest stays paused. The journal says "building" from before the first
 * byte of a guest until all of it is there.
 */
#include "base/log.h"
#include "domain/dom_restore.h"
#include "domain/domain.h"
#include "domain/new_domain.h"

struct restore {
    libxl__new_domain nd;
    libxl__dom_restore guest;
    uint32_t *domid_out;
    libxl_asyncprogress_how console_how;
};

static void restored(libxl__egc *egc, libxl__dom_restore *dr, int rc);
static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc);

static void fail(libxl__egc *egc, struct restore *re, int rc)
{
    libxl__new_domain_undo(egc, &re->nd, rc, undone);
}

static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc)
{
    libxl__ao_complete(egc, nd->ao, rc);
}

static int check_version(libxl_ctx *ctx, int version)
{
    if (version == 2)
        return 0;
    LOG(ctx, ERROR,
        "a libxl stream of version %d: only version 2 can be restored",
        version);
    return ERROR_INVAL;
}

int libxl__domain_restore_start(libxl__egc *egc, libxl__ao *ao,
                                const void *params)
{
    const struct libxl__restore_params *p = params;
    struct restore *re = libxl__zalloc(libxl__ao_gc(ao), sizeof(*re));
    int rc;

    *p->domid_out = INVALID_DOMID;
    if (!re)
        return ERROR_NOMEM;
    re->domid_out = p->domid_out;
    libxl__ao_progress_gethow(&re->console_how, p->console_how);
    re->nd.ao = ao;
    re->nd.config = p->config;
    re->nd.verb = JOURNAL_RESTORE;
    re->nd.user = re;
    rc = check_version(libxl__ao_ctx(ao), p->stream_version);
    if (!rc)
        rc = libxl__new_domain_begin(&re->nd);
    if (rc)
        return rc;
    re->guest.ao = ao;
    re->guest.host = re->nd.host;
    re->guest.domid = re->nd.domid;
    re->guest.config = p->config;
    re->guest.fd = p->fd;
    re->guest.what = "Restoring";
    re->guest.whole_file = true;
    re->guest.user = re;
    re->guest.callback = restored;
    rc = libxl__dom_restore_start(egc, &re->guest);
    if (rc)
        fail(egc, re, rc);
    return 0;
}

static void restored(libxl__egc *egc, libxl__dom_restore *dr, int rc)
{
    struct restore *re = dr->user;

    if (!rc)
        rc = libxl__new_domain_done(&re->nd);
    if (rc) {
        fail(egc, re, rc);
        return;
    }
    libxl__new_domain_complete(egc, &re->nd, re->domid_out, &re->console_how);
}
