/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * api_query.c - entry points: questions.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "domain/domain.h"
#include "domain/keep.h"
#include "engine/ctx.h"
#include "host/host.h"

libxl_dominfo *libxl_list_domain(libxl_ctx *ctx, int *nb_domain_out)
{
    libxl_dominfo *list;

    *nb_domain_out = 0;
    if (libxl__ctx_check(ctx) || libxl__domain_list(ctx, &list, nb_domain_out))
        return NULL;
    return list;
}

int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *out, uint32_t domid)
{
    int rc = libxl__ctx_check(ctx);

    memset(out, 0, sizeof(*out));
    return rc ? rc : libxl__domain_info(ctx, domid, out);
}

int libxl_name_to_domid(libxl_ctx *ctx, const char *name, uint32_t *domid_out)
{
    int rc = libxl__ctx_check(ctx);

    return rc ? rc : libxl__domain_find(ctx, name, true, domid_out);
}

int libxl_domain_qualifier_to_domid(libxl_ctx *ctx, const char *text,
                                    uint32_t *domid_out)
{
    int rc = libxl__ctx_check(ctx);

    return rc ? rc : libxl__domain_find(ctx, text, false, domid_out);
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    libxl_dominfo info;
    char *name = NULL;

    if (!libxl_domain_info(ctx, &info, domid)) {
        name = info.name;
        info.name = NULL;
    }
    libxl_dominfo_dispose(&info);
    return name;
}

struct config_params {
    libxl_domain_config *out;
};

static int config_start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    const struct config_params *p = params;
    int rc =
        libxl__domain_config(libxl__ao_ctx(ao), libxl__ao_domid(ao), p->out);

    if (!rc)
        libxl__ao_complete(egc, ao, 0);
    return rc;
}

int libxl_retrieve_domain_configuration(libxl_ctx *ctx, uint32_t domid,
                                        libxl_domain_config *out,
                                        const libxl_asyncop_how *ao_how)
{
    struct config_params p = {out};

    return libxl__ao_run(ctx, domid, ao_how, config_start, &p);
}

libxl_vcpuinfo *libxl_list_vcpu(libxl_ctx *ctx, uint32_t domid, int *nr_out)
{
    libxl__host *h = libxl__ctx_check(ctx) ? NULL : libxl__host_get(ctx);

    *nr_out = 0;
    return h ? h->ops->vcpus(h, domid, nr_out) : NULL;
}

int libxl_get_host_facts(libxl_ctx *ctx, libxl_host_fact **out, int *nr_out)
{
    libxl__host *h = libxl__ctx_check(ctx) ? NULL : libxl__host_get(ctx);

    *out = NULL;
    *nr_out = 0;
    return h ? h->ops->facts(h, out, nr_out) : ERROR_FAIL;
}

bool libxl_console_is_program(libxl_ctx *ctx)
{
    libxl__host *h = libxl__ctx_check(ctx) ? NULL : libxl__host_get(ctx);

    return h && h->ops->console_exec;
}

int libxl_primary_console_exec(libxl_ctx *ctx, uint32_t domid)
{
    libxl__host *h = libxl__ctx_check(ctx) ? NULL : libxl__host_get(ctx);

    if (!h)
        return ERROR_FAIL;
    return h->ops->console_exec ? h->ops->console_exec(h, domid) : ERROR_NI;
}

char *libxl_console_log_path(libxl_ctx *ctx, uint32_t domid)
{
    if (libxl__ctx_check(ctx) || libxl_console_is_program(ctx))
        return NULL;
    return libxl__domain_file_path(ctx, domid, "console-log");
}

/* Whoever asks is going to connect: the keeper has to be there. */
char *libxl_console_socket_path(libxl_ctx *ctx, uint32_t domid)
{
    enum libxl__keep_policy policy = KEEP_AS_IT_WAS;

    if (libxl__ao_run(ctx, domid, NULL, libxl__domain_keep_start, &policy))
        return NULL;
    return libxl__domain_file_path(ctx, domid, "console.sock");
}

static int sched(libxl_ctx *ctx, uint32_t domid, const libxl_sched_params *in,
                 libxl_sched_params *out)
{
    libxl__host *h = libxl__ctx_check(ctx) ? NULL : libxl__host_get(ctx);

    if (!h)
        return ERROR_FAIL;
    if (h->ops->sched)
        return h->ops->sched(h, domid, in, out);
    LOGD(ctx, domid, ERROR,
         "there is no scheduler to ask on a %s: see nice(1), and cgroups",
         h->ops->title);
    return ERROR_NI;
}

int libxl_domain_sched_params_get(libxl_ctx *ctx, uint32_t domid,
                                  libxl_sched_params *out)
{
    return sched(ctx, domid, NULL, out);
}

int libxl_domain_sched_params_set(libxl_ctx *ctx, uint32_t domid,
                                  const libxl_sched_params *in)
{
    libxl_sched_params now;

    return sched(ctx, domid, in, &now);
}
