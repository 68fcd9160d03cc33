/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * names.h - domains by name and uuid, and changes of the record "domain" that
 * are not an operation of their own.
 *
 * Thread:    loop thread only.
 * Errors:    rc. ERROR_NOTFOUND without a message; others are logged.
 */
#ifndef LIBXL_NAMES_H
#define LIBXL_NAMES_H

#include "host/host.h"
#include "store/domain_record.h"

int libxl__name_to_domid(libxl__store *st, libxl__gc *gc, const char *name,
                         uint32_t *domid_out);
int libxl__uuid_to_domid(libxl__store *st, libxl__gc *gc,
                         const libxl_uuid *uuid, uint32_t *domid_out);
/* ERROR_INVAL, logged: another domain than domid has the name, or the uuid. */
int libxl__name_check_free(libxl__store *st, libxl__gc *gc, const char *name,
                           uint32_t domid);
int libxl__uuid_check_free(libxl__store *st, libxl__gc *gc,
                           const libxl_uuid *uuid, uint32_t domid);

/* For a guest that migrates to here as domid: nobody else has the name or the
 * uuid, but for the source's own copy when both sides are one host. */
int libxl__incoming_check_free(libxl__store *st, libxl__gc *gc,
                               const char *name, const libxl_uuid *uuid,
                               uint32_t domid);

/* Is the source of a migration (NULL: of none that is known) to domid on this
 * very host: another domain with this uuid, but for one that has itself been
 * given away by another migration? */
bool libxl__source_is_here(libxl__store *st, libxl__gc *gc,
                           const libxl_uuid *uuid, uint32_t domid,
                           const char *migration);

/* The caller holds the domain's lock. A name that it has already: 0. */
int libxl__domain_set_name(libxl__host *h, libxl__gc *gc, uint32_t domid,
                           const char *name);

/* What the guest's name has behind it while it migrates. */
#define LIBXL__NAME_INCOMING "--incoming"
#define LIBXL__NAME_AWAY "--migratedaway"
/* Takes that off, for a guest of which nothing is on record that says its name:
 * it is not to run with it. As set_name. */
int libxl__domain_own_name(libxl__host *h, libxl__gc *gc, uint32_t domid);

#endif
