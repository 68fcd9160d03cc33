/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save_header.h - the xl header in front of a save: which configuration, and
 * which flags.
 */
#ifndef LIBXL_SAVE_HEADER_H
#define LIBXL_SAVE_HEADER_H

#include "domain/dom_op.h"

struct libxl__save_header_how {
    const libxl_domain_config *config; /* NULL: the domain's own */
    bool preserve_domid;
    bool native; /* a file: zero pages as XALLOC, also on Xen */
    /* The id of a migration: the header says that answers are heard, and what
     * the receiver is to compare. NULL: a save */
    const char *migration;
    bool assume_same_disks; /* of a migration */
};

/* malloc'ed bytes, the caller's. Errors are logged. */
int libxl__save_header(libxl__dom_op *op,
                       const struct libxl__save_header_how *how,
                       void **bytes_out, size_t *nr_out);

#endif
