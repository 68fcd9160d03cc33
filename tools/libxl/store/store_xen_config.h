/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store_xen_config.h - a domain's configuration on a Xen host, as it is now.
 *
 * Owns:      nothing: what it makes is the gc's.
 * Thread:    loop thread only.
 * Errors:    rc: ERROR_NOMEM alone.
 */
#ifndef LIBXL_STORE_XEN_CONFIG_H
#define LIBXL_STORE_XEN_CONFIG_H

#include "store/domain_record.h"
#include "store/xs.h"

/* rec has name, uuid and the userdata's configuration: what has changed since
 * that was written becomes part of it. */
int libxl__store_xen_refresh(struct libxl__xs *xs, libxl__gc *gc,
                             struct libxl__domain_record *rec);

#endif
