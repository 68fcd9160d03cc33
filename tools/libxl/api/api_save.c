/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * api_save.c - entry points: save, and what belongs to it.
 */
#include "domain/domain.h"

int libxl_domain_suspend(libxl_ctx *ctx, uint32_t domid, int fd, int flags,
                         const libxl_precopy_how *precopy,
                         const libxl_asyncop_how *ao_how)
{
    struct libxl__suspend_params p = {fd, (unsigned)flags, precopy};

    return libxl__ao_run(ctx, domid, ao_how, libxl__domain_suspend_start, &p);
}

int libxl_domain_save_file(libxl_ctx *ctx, uint32_t domid,
                           const libxl_save_how *how,
                           const libxl_asyncop_how *ao_how)
{
    return libxl__ao_run(ctx, domid, ao_how, libxl__domain_save_file_start,
                         how);
}

int libxl_savefile_read_header(libxl_ctx *ctx, int fd, const char *name,
                               uint32_t *mandatory_flags,
                               uint32_t *optional_flags, char **json_out)
{
    struct libxl__savefile_read_params p = {fd, name, mandatory_flags,
                                            optional_flags, json_out};

    return libxl__ao_run(ctx, INVALID_DOMID, NULL, libxl__savefile_read_start,
                         &p);
}

int libxl_domain_recover(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *ao_how)
{
    return libxl__ao_run(ctx, domid, ao_how, libxl__domain_recover_start, NULL);
}
