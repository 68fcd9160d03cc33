/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dc_log.h - a mover's one message. PRIVATE to io/.
 *
 * Says nothing of DC_DONE and DC_ABORTED. A name that the result does not need
 * may be NULL.
 */
#ifndef LIBXL_DC_LOG_H
#define LIBXL_DC_LOG_H

#include "io/datacopier.h"

void libxl__dc_log(libxl__ao *ao, const struct libxl__dc_result *res,
                   const char *readwhat, const char *writewhat);

#endif
