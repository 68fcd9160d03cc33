/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * userdata.h - a domain's configuration where upstream's libxl keeps it:
 * DIR/userdata-d.DOMID.UUID.libxl-json, JSON with a NUL behind it, replaced
 * whole (userdata-n... is the new one until it is complete).
 *
 * Owns:      nothing.
 * Thread:    loop thread only.
 * Errors:    rc. ERROR_NOTFOUND is not logged, everything else is.
 */
#ifndef LIBXL_USERDATA_H
#define LIBXL_USERDATA_H

#include "base/gc.h"

/* json: from gc, without the NUL that is counted */
int libxl__userdata_read(libxl_ctx *ctx, libxl__gc *gc, const char *dir,
                         uint32_t domid, const libxl_uuid *uuid, char **json);
int libxl__userdata_write(libxl_ctx *ctx, libxl__gc *gc, const char *dir,
                          uint32_t domid, const libxl_uuid *uuid,
                          const char *json);
/* All of its userdata, of any kind. */
void libxl__userdata_remove(libxl__gc *gc, const char *dir, uint32_t domid,
                            const libxl_uuid *uuid);

#endif
