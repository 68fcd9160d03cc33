/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper_record.c - codec of the record "keeper".
 */
#include "domain/keeper_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"

#define KEEPER_RECORD_FORMAT 1

int libxl__keeper_record_read(libxl__store *st, uint32_t domid,
                              struct libxl__keeper_record *out)
{
    uint64_t format;
    yajl_val root;
    char *text;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = st->ops->read(st, domid, "keeper", &text);
    if (rc)
        return rc;
    root = libxl__json_parse(st->ctx, domid, "the record \"keeper\"", text);
    free(text);
    if (!root)
        return ERROR_FAIL;
    if (!libxl__json_u64(root, "format", &format) ||
        format != KEEPER_RECORD_FORMAT ||
        !libxl__json_bool(root, "restart", &out->restart) ||
        libxl__proc_id_from_json(libxl__json_get(root, "process"),
                                 &out->process)) {
        LOGD(st->ctx, domid, ERROR, "the record \"keeper\" is damaged");
        rc = ERROR_FAIL;
    }
    yajl_tree_free(root);
    return rc;
}

int libxl__keeper_record_write(libxl__store *st, uint32_t domid,
                               const struct libxl__keeper_record *rec)
{
    struct libxl__json_writer w;
    libxl__gc gc;
    char *text, *process;
    int rc = ERROR_NOMEM;

    libxl__gc_init(&gc, st->ctx);
    process = libxl__proc_id_to_json(&gc, &rec->process);
    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_u64(&w, "format", KEEPER_RECORD_FORMAT);
    libxl__json_put_raw(&w, "process", process);
    libxl__json_put_bool(&w, "restart", rec->restart);
    libxl__json_close(&w);
    text = process ? libxl__json_finish(&w, &gc) : NULL;
    libxl__json_writer_dispose(&w);
    if (text)
        rc = st->ops->write(st, domid, "keeper", text);
    libxl__gc_dispose(&gc);
    return rc;
}
