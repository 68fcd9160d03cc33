/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * restore.c - chain, in order of time:
 *   start -> restored, converted -> conclude
 *   and when anything fails: fail -> undone
 *
 * A legacy stream comes through a child that converts it; either of the two
 * may end first.
 *
 * The guest stays paused. The journal says "building" from before the first
 * byte of a guest until all of it is there.
 */
#include <unistd.h>

#include "base/log.h"
#include "domain/dom_restore.h"
#include "domain/domain.h"
#include "domain/new_domain.h"
#include "stream/converter.h"

struct restore {
    libxl__new_domain nd;
    libxl__dom_restore guest;
    libxl__converter converter;
    bool converting, reading; /* what has not ended yet */
    int rc;                   /* the first that failed */
    uint32_t *domid_out;
    libxl_asyncprogress_how console_how;
};

static void restored(libxl__egc *egc, libxl__dom_restore *dr, int rc);
static void converted(libxl__egc *egc, libxl__converter *cv, int rc);
static void conclude(libxl__egc *egc, struct restore *re, int rc);
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
    libxl__host *h = libxl__host_get(ctx);

    if (!h)
        return ERROR_FAIL;
    if (version == 2 || (version == 1 && !h->ops->qemu_image))
        return 0;
    if (version == 1)
        LOG(ctx, ERROR,
            "a legacy stream (Xen 4.5 or older) on a %s: restore it on a Xen "
            "host", h->ops->title);
    else
        LOG(ctx, ERROR,
            "a libxl stream of version %d: versions 1 and 2 can be restored",
            version);
    return ERROR_INVAL;
}

/* Version 1: what the guest is read from is the converter's output. */
static int start_converter(struct restore *re, bool hvm)
{
    int rc;

    re->converter.ao = re->nd.ao;
    re->converter.domid = re->nd.domid;
    re->converter.fd = re->guest.fd;
    re->converter.hvm = hvm;
    re->converter.user = re;
    re->converter.callback = converted;
    rc = libxl__converter_start(&re->converter);
    if (rc)
        return rc;
    re->converting = true;
    re->guest.fd = re->converter.out_fd;
    re->guest.whole_file = false;
    return 0;
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
    re->reading = true;
    re->converter.out_fd = -1;
    if (p->stream_version == 1)
        rc = start_converter(re, p->config->c_info.type !=
                                     LIBXL_DOMAIN_TYPE_PV);
    if (!rc)
        rc = libxl__dom_restore_start(egc, &re->guest);
    if (rc)
        restored(egc, &re->guest, rc);
    return 0;
}

static void restored(libxl__egc *egc, libxl__dom_restore *dr, int rc)
{
    struct restore *re = dr->user;

    re->reading = false;
    if (re->converter.out_fd >= 0)
        close(re->converter.out_fd);
    if (rc && re->converting)
        libxl__converter_stop(&re->converter);
    conclude(egc, re, rc);
}

static void converted(libxl__egc *egc, libxl__converter *cv, int rc)
{
    struct restore *re = cv->user;

    re->converting = false;
    conclude(egc, re, rc);
}

static void conclude(libxl__egc *egc, struct restore *re, int rc)
{
    if (!re->rc)
        re->rc = rc;
    if (re->reading || re->converting)
        return;
    rc = re->rc;
    if (!rc)
        rc = libxl__new_domain_done(&re->nd);
    if (rc) {
        fail(egc, re, rc);
        return;
    }
    libxl__new_domain_complete(egc, &re->nd, re->domid_out, &re->console_how);
}
