/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dc_result.c - how a mover's result is told: as an error code, in words. */
#include <inttypes.h>

#include "base/log.h"
#include "io/dc_log.h"

int libxl__dc_rc(const struct libxl__dc_result *res)
{
    switch (res->how) {
    case DC_DONE:
        return 0;
    case DC_ABORTED:
        return ERROR_ABORTED;
    case DC_SHORT:
    case DC_READ_ERR:
    case DC_WRITE_ERR:
    case DC_ENGINE:
        break;
    }
    return ERROR_FAIL;
}

void libxl__dc_log(libxl__ao *ao, const struct libxl__dc_result *res,
                   const char *readwhat, const char *writewhat)
{
    libxl_ctx *ctx = libxl__ao_ctx(ao);
    uint32_t domid = libxl__ao_domid(ao);

    switch (res->how) {
    case DC_DONE:
    case DC_ABORTED:
        return;
    case DC_SHORT:
        LOGD(ctx, domid, ERROR, "%s ends too early, after %" PRIu64 " bytes",
             readwhat, res->bytes);
        return;
    case DC_READ_ERR:
        LOGED(ctx, domid, ERROR, res->errnoval,
              "cannot read %s, after %" PRIu64 " bytes", readwhat, res->bytes);
        return;
    case DC_WRITE_ERR:
        LOGED(ctx, domid, ERROR, res->errnoval,
              "cannot write %s, after %" PRIu64 " bytes", writewhat,
              res->bytes);
        return;
    case DC_ENGINE:
        LOGD(ctx, domid, ERROR, "cannot go on with %s: no memory for an event",
             writewhat ? writewhat : readwhat);
        return;
    }
}
