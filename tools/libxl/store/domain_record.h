/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * domain_record.h - the record "domain": who a domain is, and of what it is
 * made.
 *
 *   {"format": 1, "domid": 3, "name": "web", "uuid": "....", "config": {...},
 *    "qemu": {...}, "never_started": false, "created_at": 1700000000}
 *
 * The operation that makes the domain writes it before the host's create; the
 * host then puts its own part ("qemu": identity of the process) into it. Read,
 * changed and written back whole, under the domain's lock.
 *
 * Owns:      nothing: strings come from the gc that was given.
 * Thread:    loop thread only.
 * Errors:    rc. ERROR_NOTFOUND: no such domain, not logged.
 */
#ifndef LIBXL_DOMAIN_RECORD_H
#define LIBXL_DOMAIN_RECORD_H

#include "store/store.h"

struct libxl__domain_record {
    uint32_t domid;
    char *name;
    libxl_uuid uuid;
    char *config_json; /* libxl's JSON of the configuration */
    char *qemu_json;   /* the QEMU host's own object; NULL: none yet */
    bool never_started;
    int64_t created_at; /* seconds since 1970; 0: by another toolstack */
};

int libxl__domain_record_read(libxl__store *st, libxl__gc *gc, uint32_t domid,
                              struct libxl__domain_record *out);
int libxl__domain_record_write(libxl__store *st, libxl__gc *gc,
                               const struct libxl__domain_record *rec);

/* The record as it is written, from gc. NULL: no memory. */
const char *libxl__domain_record_text(libxl__gc *gc,
                                      const struct libxl__domain_record *rec);

/* Text form of a uuid, 8-4-4-4-12, from gc; and back (false: not one). */
char *libxl__uuid_text(libxl__gc *gc, const libxl_uuid *uuid);
bool libxl__uuid_parse(const char *text, libxl_uuid *out);
bool libxl__uuid_is_nil(const libxl_uuid *uuid);

#endif
