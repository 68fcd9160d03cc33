/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stale.h - domains whose guest ended with an earlier boot of this host: their
 * records are still there, and nothing else.
 *
 * Thread:    loop thread only.
 */
#ifndef LIBXL_STALE_H
#define LIBXL_STALE_H

#include "host/host.h"

/* Removes the domain's records, and says so, if its guest belongs to an earlier
 * boot and nobody holds its lock. True: it is gone. */
bool libxl__stale_sweep(libxl__host *h, libxl__gc *gc, uint32_t domid);
void libxl__stale_sweep_all(libxl__host *h, libxl__gc *gc);

#endif
