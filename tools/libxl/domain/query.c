/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * query.c - questions, answered from files: no lock, and no wait for a guest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "domain/dom_op.h"
#include "domain/domain.h"
#include "domain/names.h"
#include "domain/stale.h"

int libxl__domain_info(libxl_ctx *ctx, uint32_t domid, libxl_dominfo *out)
{
    libxl__host *h = libxl__host_get(ctx);
    libxl__gc gc;
    int rc;

    memset(out, 0, sizeof(*out));
    if (!h)
        return ERROR_FAIL;
    libxl__gc_init(&gc, ctx);
    rc = libxl__stale_sweep(h, &gc, domid)
             ? ERROR_DOMAIN_NOTFOUND
             : h->ops->dominfo(h, &gc, domid, out);
    libxl__gc_dispose(&gc);
    return rc;
}

static int fill_list(libxl_ctx *ctx, const uint32_t *domids, int nr,
                     libxl_dominfo *list, int *filled)
{
    int i, rc;

    for (i = 0, *filled = 0; i < nr; i++) {
        rc = libxl__domain_info(ctx, domids[i], &list[*filled]);
        if (!rc)
            (*filled)++;
        else if (rc != ERROR_DOMAIN_NOTFOUND) /* gone meanwhile */
            return rc;
    }
    return 0;
}

int libxl__domain_list(libxl_ctx *ctx, libxl_dominfo **out, int *nr)
{
    libxl__host *h = libxl__host_get(ctx);
    libxl_dominfo *list = NULL;
    libxl__store *st;
    uint32_t *domids;
    libxl__gc gc;
    int rc, n;

    *out = NULL;
    *nr = 0;
    if (!h)
        return ERROR_FAIL;
    st = h->ops->store(h);
    libxl__gc_init(&gc, ctx);
    libxl__stale_sweep_all(h, &gc);
    rc = st->ops->list(st, &gc, &domids, &n);
    if (rc)
        goto out;
    list = calloc((size_t)n + 1, sizeof(*list));
    rc = list ? fill_list(ctx, domids, n, list, nr) : ERROR_NOMEM;
    if (rc)
        libxl_dominfo_list_free(list, *nr);
    else
        *out = list;
out:
    libxl__gc_dispose(&gc);
    return rc;
}

static bool parse_number(const char *text, uint32_t *out)
{
    unsigned long n;
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    n = strtoul(text, &end, 10);
    if (*end || n >= INVALID_DOMID)
        return false;
    *out = (uint32_t)n;
    return true;
}

int libxl__domain_find(libxl_ctx *ctx, const char *text, bool name_only,
                       uint32_t *domid_out)
{
    libxl__host *h = libxl__host_get(ctx);
    libxl__store *st;
    libxl_uuid uuid;
    libxl__gc gc;
    int rc;

    *domid_out = INVALID_DOMID;
    if (!h)
        return ERROR_FAIL;
    if (!name_only && parse_number(text, domid_out))
        return 0;
    st = h->ops->store(h);
    libxl__gc_init(&gc, ctx);
    rc = libxl__name_to_domid(st, &gc, text, domid_out);
    if (rc == ERROR_NOTFOUND && !name_only && libxl__uuid_parse(text, &uuid))
        rc = libxl__uuid_to_domid(st, &gc, &uuid, domid_out);
    libxl__gc_dispose(&gc);
    return rc == ERROR_NOTFOUND ? ERROR_DOMAIN_NOTFOUND : rc;
}

int libxl__domain_config(libxl_ctx *ctx, uint32_t domid,
                         libxl_domain_config *out)
{
    libxl__host *h = libxl__host_get(ctx);
    libxl__gc gc;
    int rc;

    libxl_domain_config_init(out);
    if (!h)
        return ERROR_FAIL;
    libxl__gc_init(&gc, ctx);
    rc = libxl__dom_config_load(h->ops->store(h), &gc, domid, out);
    libxl__gc_dispose(&gc);
    return rc;
}

char *libxl__domain_file_path(libxl_ctx *ctx, uint32_t domid, const char *file)
{
    libxl__host *h = libxl__host_get(ctx);
    libxl__store *st;
    char *path;
    int fd, rc;

    if (!h)
        return NULL;
    st = h->ops->store(h);
    rc = st->ops->open_dir(st, domid, &fd);
    if (rc) {
        LOGD(ctx, domid, ERROR, "there is no such domain, or it has no %s",
             file);
        return NULL;
    }
    close(fd);
    if (asprintf(&path, "%s/%u/%s", libxl__store_files_path(st), domid, file) <
        0)
        return NULL;
    return path;
}
