/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * suspend.c - the fd-level save: start -> ready -> written -> complete
 *
 * The journal covers it while it runs. When it has succeeded, the suspended
 * guest is the caller's to resume or destroy.
 */
#include "domain/dom_op.h"
#include "domain/dom_save.h"
#include "domain/domain.h"

struct suspend {
    libxl__dom_op op;
    struct libxl__suspend_params p;
    struct libxl__journal journal;
    bool journaled;
    libxl__dom_save stream;
};

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc);
static void written(libxl__egc *egc, libxl__dom_save *ds, int rc);

int libxl__domain_suspend_start(libxl__egc *egc, libxl__ao *ao,
                                const void *params)
{
    struct suspend *su = libxl__zalloc(libxl__ao_gc(ao), sizeof(*su));

    if (!su)
        return ERROR_NOMEM;
    su->p = *(const struct libxl__suspend_params *)params;
    su->op.ao = ao;
    su->op.domid = libxl__ao_domid(ao);
    su->op.verb = "save";
    su->op.user = su;
    su->op.ready = ready;
    libxl__dom_op_begin(egc, &su->op);
    return 0;
}

static int check(struct suspend *su)
{
    libxl__dom_op *op = &su->op;
    libxl_domain_config config;
    int rc = libxl__dom_config_load(op->store, op->gc, op->domid, &config);

    if (!rc)
        rc = op->host->ops->check_saveable(op->host, op->domid, &config);
    libxl_domain_config_dispose(&config);
    return rc;
}

static int begin_journal(struct suspend *su)
{
    int rc = libxl__journal_init(&su->journal, JOURNAL_SAVE, JSTEP_WRITING);

    if (rc)
        return rc;
    su->journal.then = LIBXL_SAVE_THEN_RESUME;
    rc = libxl__journal_write(su->op.store, su->op.gc, su->op.domid,
                              &su->journal);
    su->journaled = !rc;
    return rc;
}

static void finish(libxl__egc *egc, struct suspend *su, int rc)
{
    if (su->journaled && !su->stream.guest_lost)
        libxl__dom_save_end_journal(&su->stream, &su->op, &su->journal);
    libxl__dom_op_complete(egc, &su->op,
                           su->stream.guest_lost ? ERROR_BADFAIL : rc);
}

static void ready(libxl__egc *egc, libxl__dom_op *op, int rc)
{
    struct suspend *su = op->user;

    if (!rc)
        rc = check(su);
    if (!rc)
        rc = begin_journal(su);
    if (!rc) {
        su->stream.ao = op->ao;
        su->stream.host = op->host;
        su->stream.domid = op->domid;
        su->stream.was_late = op->recover.awaited;
        su->stream.fd = su->p.fd;
        su->stream.flags = su->p.flags;
        su->stream.precopy = su->p.precopy;
        su->stream.user = su;
        su->stream.callback = written;
        rc = libxl__dom_save_start(egc, &su->stream);
    }
    if (rc)
        finish(egc, su, rc);
}

static void written(libxl__egc *egc, libxl__dom_save *ds, int rc)
{
    finish(egc, ds->user, rc);
}
