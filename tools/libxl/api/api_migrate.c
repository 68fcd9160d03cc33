/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * api_migrate.c - entry points: migration, both sides.
 */
#include "domain/domain.h"

int libxl_domain_migrate(libxl_ctx *ctx, uint32_t domid,
                         const libxl_migrate_how *how,
                         libxl_migrate_stats *stats,
                         const libxl_asyncop_how *ao_how)
{
    struct libxl__migrate_send_params p = {*how, stats};

    return libxl__ao_run(ctx, domid, ao_how, libxl__migrate_send_start, &p);
}

int libxl_domain_migrate_receive(libxl_ctx *ctx,
                                 const libxl_migrate_receive_how *how,
                                 uint32_t *domid_out,
                                 const libxl_asyncop_how *ao_how)
{
    struct libxl__migrate_receive_params p = {*how, domid_out};

    return libxl__ao_run(ctx, INVALID_DOMID, ao_how,
                         libxl__migrate_receive_start, &p);
}
