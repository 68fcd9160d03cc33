/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save_header.h - the xl header in front of a save: which configuration, and
 * which flags.
 */
#ifndef LIBXL_SAVE_HEADER_H
#define LIBXL_SAVE_HEADER_H

#include "domain/dom_op.h"

/* malloc'ed bytes, the caller's. Errors are logged. Of a migration the header
 * says that answers are heard, and what the receiver is to compare. migration: its
 * id; NULL: a save. */
int libxl__save_header(libxl__dom_op *op, const libxl_save_how *how,
                       const char *migration, void **bytes_out, size_t *nr_out);

#endif
