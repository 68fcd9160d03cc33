/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * domain_record.c - codec of the record "domain".
 */
#include "store/domain_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"

#define DOMAIN_RECORD_FORMAT 1

char *libxl__uuid_text(libxl__gc *gc, const libxl_uuid *uuid)
{
    const uint8_t *b = uuid->uuid;

    return libxl__sprintf(gc,
                          "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                          "%02x%02x%02x%02x%02x%02x",
                          b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8],
                          b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool libxl__uuid_parse(const char *text, libxl_uuid *out)
{
    unsigned i, at = 0;
    int high, low;

    for (i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
            return false;
        high = hex_digit(text[at]);
        low = high < 0 ? -1 : hex_digit(text[at + 1]);
        if (low < 0)
            return false;
        out->uuid[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return !text[at];
}

bool libxl__uuid_is_nil(const libxl_uuid *uuid)
{
    static const libxl_uuid nil;

    return !memcmp(uuid, &nil, sizeof(nil));
}

static bool decode_ids(yajl_val root, uint32_t domid,
                       struct libxl__domain_record *out)
{
    const char *uuid = libxl__json_string(root, "uuid");
    uint64_t format, id;

    if (!libxl__json_u64(root, "format", &format) ||
        format != DOMAIN_RECORD_FORMAT)
        return false;
    if (!libxl__json_u64(root, "domid", &id) || id != domid)
        return false;
    out->domid = domid;
    return uuid && libxl__uuid_parse(uuid, &out->uuid);
}

static int decode(libxl__gc *gc, yajl_val root, uint32_t domid,
                  struct libxl__domain_record *out)
{
    const char *name = libxl__json_string(root, "name");
    yajl_val config = libxl__json_get(root, "config");
    yajl_val qemu = libxl__json_get(root, "qemu");

    if (!decode_ids(root, domid, out) || !name || !YAJL_IS_OBJECT(config) ||
        !libxl__json_bool(root, "never_started", &out->never_started) ||
        !libxl__json_i64(root, "created_at", &out->created_at))
        return ERROR_FAIL;
    out->name = libxl__strdup(gc, name);
    out->config_json = libxl__json_text(gc, config);
    if (!out->name || !out->config_json)
        return ERROR_NOMEM;
    if (!qemu)
        return 0;
    out->qemu_json = libxl__json_text(gc, qemu);
    return out->qemu_json ? 0 : ERROR_NOMEM;
}

int libxl__domain_record_read(libxl__store *st, libxl__gc *gc, uint32_t domid,
                              struct libxl__domain_record *out)
{
    char *text;
    yajl_val root;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = st->ops->read(st, domid, "domain", &text);
    if (rc)
        return rc;
    root = libxl__json_parse(st->ctx, domid, "the record \"domain\"", text);
    free(text);
    if (!root)
        return ERROR_FAIL;
    rc = decode(gc, root, domid, out);
    yajl_tree_free(root);
    if (rc == ERROR_FAIL)
        LOGD(st->ctx, domid, ERROR,
             "the record \"domain\" is damaged: a field is missing or wrong");
    return rc;
}

static void encode(struct libxl__json_writer *w,
                   const struct libxl__domain_record *rec, const char *uuid)
{
    libxl__json_open(w, NULL);
    libxl__json_put_u64(w, "format", DOMAIN_RECORD_FORMAT);
    libxl__json_put_u64(w, "domid", rec->domid);
    libxl__json_put_string(w, "name", rec->name);
    libxl__json_put_string(w, "uuid", uuid);
    libxl__json_put_raw(w, "config", rec->config_json);
    libxl__json_put_raw(w, "qemu", rec->qemu_json);
    libxl__json_put_bool(w, "never_started", rec->never_started);
    libxl__json_put_i64(w, "created_at", rec->created_at);
    libxl__json_close(w);
}

const char *libxl__domain_record_text(libxl__gc *gc,
                                      const struct libxl__domain_record *rec)
{
    struct libxl__json_writer w;
    char *uuid = libxl__uuid_text(gc, &rec->uuid);
    char *text;

    if (!uuid)
        return NULL;
    libxl__json_writer_init(&w);
    encode(&w, rec, uuid);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    return text;
}

int libxl__domain_record_write(libxl__store *st, libxl__gc *gc,
                               const struct libxl__domain_record *rec)
{
    const char *text = libxl__domain_record_text(gc, rec);

    return text ? st->ops->write(st, rec->domid, "domain", text) : ERROR_NOMEM;
}
