/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * death_watch.h - DOMAIN_SHUTDOWN and DOMAIN_DEATH of one domain.
 *
 * Owns:      a watch is the application's, until it disables it.
 * Thread:    loop thread only.
 * Errors:    rc. ERROR_DOMAIN_NOTFOUND: no such domain, not logged.
 */
#ifndef LIBXL_DEATH_WATCH_H
#define LIBXL_DEATH_WATCH_H

#include "engine/engine.h"

int libxl__death_watch_enable(libxl__egc *egc, libxl_ctx *ctx, uint32_t domid,
                              libxl_ev_user user,
                              libxl_evgen_domain_death **out);
void libxl__death_watch_disable(libxl_evgen_domain_death *eg); /* NULL: none */

#endif
