/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * api_event.c - entry points: domain events.
 */
#include "base/log.h"
#include "domain/death_watch.h"
#include "engine/ctx.h"
#include "host/host.h"

struct enable_params {
    libxl_ev_user user;
    libxl_evgen_domain_death **out;
};

/* An ao that is over at once: it gives an egc to report through. */
static int enable_start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    const struct enable_params *p = params;
    libxl_ctx *ctx = libxl__ao_ctx(ao);
    int rc = ERROR_FAIL;

    if (libxl__host_get(ctx))
        rc = libxl__death_watch_enable(egc, ctx, libxl__ao_domid(ao), p->user,
                                       p->out);
    if (!rc)
        libxl__ao_complete(egc, ao, 0);
    return rc;
}

int libxl_evenable_domain_death(libxl_ctx *ctx, uint32_t domid,
                                libxl_ev_user user,
                                libxl_evgen_domain_death **evgen_out)
{
    struct enable_params p = {user, evgen_out};

    *evgen_out = NULL;
    return libxl__ao_run(ctx, domid, NULL, enable_start, &p);
}

void libxl_evdisable_domain_death(libxl_ctx *ctx,
                                  libxl_evgen_domain_death *evgen)
{
    if (!libxl__ctx_check(ctx))
        libxl__death_watch_disable(evgen);
}
