/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper_record.h - the record "keeper": which process keeps a domain, and
 * whether it follows on_poweroff, on_reboot and on_crash.
 *
 *   {"format": 1, "process": {...}, "restart": true}
 *
 * It outlives its process: the next keeper takes "restart" from it.
 *
 * Owns:      nothing. Thread: loop thread only.
 * Errors:    rc. ERROR_NOTFOUND: there never was a keeper.
 */
#ifndef LIBXL_KEEPER_RECORD_H
#define LIBXL_KEEPER_RECORD_H

#include "base/proc_id.h"
#include "store/store.h"

struct libxl__keeper_record {
    struct libxl__proc_id process;
    bool restart;
};

int libxl__keeper_record_read(libxl__store *st, uint32_t domid,
                              struct libxl__keeper_record *out);
int libxl__keeper_record_write(libxl__store *st, uint32_t domid,
                               const struct libxl__keeper_record *rec);

#endif
