/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sr_xenstore.h - EMULATOR_XENSTORE_DATA's payload: key NUL value NUL ...
 * Codec.
 *
 * Owns:      nothing: key and value point into the payload.
 * Errors:    NULL, or a constant text: the rule that was broken.
 */
#ifndef LIBXL_SR_XENSTORE_H
#define LIBXL_SR_XENSTORE_H

#include "base/span.h"

/* The next pair of s. *key NULL: the payload has ended. Only
 * physmap/HEX/(start_addr|size|name) is let through. */
const char *libxl__sr_xenstore_next(struct libxl__rspan *s, const char **key,
                                    const char **value);

#endif
